/* The tangent kernel's spectrum: whole where its triangle can be held. */
#include "heads/tangent/parts.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* What is told of the singular values of J, the largest first. */
static BfStatus take_values(int64_t n, double most_rows, const double *values, BfTangent *out, BfError *error) {
  const double larger = most_rows > (double)n ? most_rows : (double)n;
  BF_TRY(BF_NEW(&out->spectrum, n, error));
  out->values = n;
  out->trace  = 0;
  for (int64_t i = 0; i < n; i++) out->spectrum[i] = values[i] * values[i];
  for (int64_t i = n - 1; i >= 0; i--) out->trace += out->spectrum[i];
  for (out->rank = 0; out->rank < n && values[out->rank] > values[0] * DBL_EPSILON * larger;) out->rank++;
  out->largest  = out->spectrum[0];
  out->smallest = out->spectrum[n - 1];
  return BF_OK;
}

/* ---- pooled ------------------------------------------------------------------------------------------------------ */

/* dr/dz of a sequence, which is linear: B [d][outputs]. */
static void pooling_of(BfHeads *x, int64_t s, double *B) {
  const int     d = x->problem->layer.dim;
  const int64_t n = (int64_t)bf_heads_tokens(x, s) * d;
  double       *z = x->longest, r[BF_MOST_DIM * BF_LANES] __attribute__((aligned(64)));
  memset(z, 0, (size_t)(n * BF_LANES) * sizeof(double));
  for (int64_t i = 0; i < n; i++) {
    z[i * BF_LANES] = 1;
    x->cost.kind->represent(&x->cost, &x->context[s], z, r);
    for (int a = 0; a < d; a++) B[a * n + i] = r[a * BF_LANES];
    z[i * BF_LANES] = 0;
  }
}

/* R B^T [S d][n] column by column, of which the singular values are those of B J. */
static BfStatus pool(BfHeads *x, const BfTriangle *R, double *smallest, BfError *error) {
  const int     d = x->problem->layer.dim;
  const int64_t S = x->data->contexts, n = R->n, columns = S * d;
  double       *B = NULL, *pooled = NULL, *values = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&B, (int64_t)x->most_tokens * d * d, error));
  BF_GOTO(BF_NEW(&pooled, n * columns, error));
  BF_GOTO(BF_NEW(&values, columns, error));
  for (int64_t s = 0; s < S; s++) {
    const int64_t outputs = (int64_t)bf_heads_tokens(x, s) * d, first = bf_heads_token(x, s) * d;
    pooling_of(x, s, B);
    for (int a = 0; a < d; a++)
      for (int64_t i = 0; i < outputs; i++)
        for (int64_t k = 0; k < n; k++) pooled[(s * d + a) * n + k] += B[a * outputs + i] * R->R[(first + i) * n + k];
  }
  BF_GOTO(bf_singular_values((int)n, (int)columns, pooled, values, error));
  *smallest = values[columns - 1] * values[columns - 1];
done:
  bf_free(B);
  bf_free(pooled);
  bf_free(values);
  return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* On rank 0: numbers of the triangle, which is destroyed, into values [n] and *pooled. */
static BfStatus decompose(BfHeads *x, BfTriangle *R, double *values, double *pooled, BfError *error) {
  if (x->run->rank) return BF_OK;
  if (x->cost.kind->represent) BF_TRY(pool(x, R, pooled, error));
  return bf_singular_values(R->n, R->n, R->R, values, error);
}

static BfStatus whole_spectrum(BfHeads *x, const BfHeadLaw *whole, BfTangent *out, BfError *error) {
  const int64_t n      = out->outputs;
  BfTriangle    R      = {0};
  double       *values = NULL;
  BfStatus      status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&values, n, error), error));
  BF_GOTO(bf_tangent_triangle(x, whole, &R, error));
  BF_GOTO(bf_together(x->run->world, decompose(x, &R, values, &out->pooled_smallest, error), error));
  MPI_Bcast(values, (int)n, MPI_DOUBLE, 0, x->run->world);
  MPI_Bcast(&out->pooled_smallest, 1, MPI_DOUBLE, 0, x->run->world);
  const double rows = (double)whole->layers * (double)whole->heads * whole->free;
  BF_GOTO(bf_together(x->run->world, take_values(n, rows, values, out, error), error));
done:
  bf_triangle_clear(&R);
  bf_free(values);
  return status;
}

/* This rank's share of a whole law. */
static void take_share(const BfHeadLaw *whole, BfHeadLaw *law) {
  const size_t q = (size_t)law->free;
  for (int64_t t = 0; t < law->layers; t++) {
    memcpy(law->theta + t * law->count * law->free, whole->theta + (t * whole->heads + law->first) * law->free,
           (size_t)law->count * q * sizeof(double));
    memcpy(law->weight + t * law->count, whole->weight + t * whole->heads + law->first,
           (size_t)law->count * sizeof(double));
  }
}

/* All sequences on every rank, at the law: by an evaluation in which ranks share heads alone. */
static BfStatus on_all_sequences(BfHeads *x, const BfHeadLaw *whole, BfTangent *out, BfError *error) {
  BfHeads     *all   = NULL;
  BfHeadLaw    law   = {0};
  BfHeadsValue value = {0};
  BfStatus     status;
  BF_GOTO(bf_heads_create(x->run, x->problem, x->data, x->heads, x->run->size, &all, error));
  BF_GOTO(bf_together(x->run->world, bf_heads_law_create(all, &law, error), error));
  take_share(whole, &law);
  BF_GOTO(bf_heads_evaluate(all, &law, &value, error));
  BF_GOTO(whole_spectrum(all, whole, out, error));
done:
  bf_heads_law_clear(&law);
  bf_heads_destroy(&all);
  return status;
}

BfStatus bf_tangent_kernel(BfHeads *x, const BfHeadLaw *law, BfTangent *out, BfError *error) {
  BfHeadLaw whole = {0};
  BfStatus  status;
  *out =
      (BfTangent){.outputs = x->data->tokens * x->problem->layer.dim, .rank = -1, .pooled_smallest = NAN, .trace = NAN};
  if (out->outputs > BF_TANGENT_MOST) return bf_tangent_ends(x, law, out, error);
  BF_GOTO(bf_heads_law_whole(x, law, &whole, error));
  BF_GOTO(on_all_sequences(x, &whole, out, error));
done:
  bf_heads_law_clear(&whole);
  return status;
}

void bf_tangent_clear(BfTangent *x) {
  bf_free(x->spectrum);
  *x = (BfTangent){0};
}
