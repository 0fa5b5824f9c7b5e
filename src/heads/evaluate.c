/* Risk, gradient and what is told of them. */
#include "heads/share.h"
#include <math.h>
#include <string.h>

/* ---- sums over particles ----------------------------------------------------------------------------------------- */

typedef enum { DECAY, SLOPE, SQUARE, PARTICLE_SUMS } ParticleSum;

/* A row a layer and chunk: sum of w |theta|^2, of w |g|^2 and of |w g|^2. */
static void sum_chunk(const BfHeads *x, const BfHeadLaw *law, const double *velocity, int64_t first, double row[]) {
  const int64_t each = (int64_t)x->blocks_a_chunk * BF_LANES, t = first / law->count;
  int64_t       end = first + each;
  if (end > (t + 1) * law->count) end = (t + 1) * law->count;
  for (int k = 0; k < PARTICLE_SUMS; k++) row[k] = 0;
  for (int64_t i = first; i < end; i++) {
    const double w      = x->problem->layer.step * law->weight[i];
    double       theta2 = 0, g2 = 0;
    for (int64_t k = i * law->free; k < (i + 1) * law->free; k++) {
      theta2 += law->theta[k] * law->theta[k];
      if (velocity) g2 += velocity[k] * velocity[k];
    }
    row[DECAY] += w * theta2;
    row[SLOPE] += w * g2;
    row[SQUARE] += w * w * g2;
  }
}

/* Chunks of heads, which are dealt to the ranks that have them. */
static BfStatus sum_particles(const BfHeads *x, const BfHeadLaw *law, const double *velocity, double sum[],
                              BfError *error) {
  int ranks;
  MPI_Comm_size(x->along, &ranks);
  const int64_t each = (int64_t)x->blocks_a_chunk * BF_LANES, chunks = (law->count + each - 1) / each,
                all = law->layers * chunks, first = all * x->sequence_part / ranks,
                count = all * (x->sequence_part + 1) / ranks - first;
  double  *rows       = NULL;
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&rows, PARTICLE_SUMS * count, error), error));
  for (int64_t i = 0; i < count; i++)
    sum_chunk(x, law, velocity, (first + i) / chunks * law->count + (first + i) % chunks * each,
              rows + PARTICLE_SUMS * i);
  BF_GOTO(bf_exact_sum(x->run->world, count, PARTICLE_SUMS, rows, sum, error));
done:
  bf_free(rows);
  return status;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

/* own [T + 1][tokens][d] of every rank to all [T + 1][N][d]. */
static void gather(const BfHeads *x, const double *own, double *all) {
  const int     d = x->problem->layer.dim, T = x->problem->horizon;
  const int64_t n = x->data->tokens * d;
  memset(all, 0, (size_t)((T + 1) * n) * sizeof(double));
  for (int t = 0; t <= T; t++)
    memcpy(all + t * n + x->first_token * d, own + t * x->tokens * d, (size_t)(x->tokens * d) * sizeof(double));
  bf_heads_reduce(x->along, (T + 1) * n, all, MPI_SUM);
}

static int64_t count_outside(const BfHeads *x) {
  const BfLayer *layer = &x->problem->layer;
  const int      d     = layer->dim;
  int64_t        sum   = 0;
  for (int64_t i = 0; i < x->tokens; i++) {
    bool out = false;
    for (int t = 1; t <= x->problem->horizon && !out; t++)
      out = layer->projection->is_outside(layer, x->z + (t * x->tokens + i) * d);
    sum += out;
  }
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT64_T, MPI_SUM, x->along);
  return sum;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* -g = what the adjoint gave, and of the decay -lambda theta; G alike. An empty place rests. */
static void add_decay(const BfHeads *x, const BfHeadLaw *law, BfHeadsValue *out) {
  const double lambda = x->problem->cost.weight_decay;
  for (int64_t i = 0; i < law->layers * law->count; i++) {
    const bool there  = law->weight[i] > 0;
    double     theta2 = 0;
    for (int64_t k = i * law->free; k < (i + 1) * law->free; k++) {
      theta2 += law->theta[k] * law->theta[k];
      if (out->velocity) out->velocity[k] = there ? out->velocity[k] - lambda * law->theta[k] : 0;
    }
    if (out->variation) out->variation[i] += lambda / 2 * theta2;
  }
}

BfStatus bf_heads_evaluate(BfHeads *x, const BfHeadLaw *law, BfHeadsValue *out, BfError *error) {
  const bool gradient = out->velocity || out->variation || out->adjoint;
  double     sum[PARTICLE_SUMS];
  bf_heads_bound(x, law);
  bf_heads_forward(x, law);
  BF_TRY(bf_heads_terminal(x, gradient, out, error));
  if (gradient) bf_heads_adjoint(x, law, out->velocity, out->variation);
  add_decay(x, law, out);
  BF_TRY(sum_particles(x, law, out->velocity, sum, error));
  out->decay         = x->problem->cost.weight_decay / 2 * sum[DECAY];
  out->risk          = out->loss + out->decay;
  out->slope         = out->velocity ? -sum[SLOPE] : NAN;
  out->gradient_norm = out->velocity ? sqrt(sum[SQUARE]) : NAN;
  out->outside       = count_outside(x);
  if (out->tokens) gather(x, x->z, out->tokens);
  if (out->adjoint) gather(x, x->p, out->adjoint);
  return BF_OK;
}

BfStatus bf_heads_slope(const BfHeads *x, const BfHeadLaw *law, const double *velocity, double *slope, BfError *error) {
  double sum[PARTICLE_SUMS];
  BF_TRY(sum_particles(x, law, velocity, sum, error));
  *slope = -sum[SLOPE];
  return BF_OK;
}
