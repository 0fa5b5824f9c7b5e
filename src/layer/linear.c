/* A matrix: v += B z, of z itself. */
#include "layer/term_kinds.h"
#include <string.h>

static const BfKey key = {"layer.linear", "integer", "0", "1: v has a term B z, of z itself, not of N(z); or 0"};

static const BfKind   choices[] = {{.name = "0"},
                                   {.name = "1", .keys = (const BfKey[]){{.name = "control.B"}, {.name = NULL}}}};
static const BfKind  *choice(int k) { return k < 2 ? &choices[k] : NULL; }
static const BfFamily family = {&key, true, false, choice};

static BfStatus read(BfLayer *layer, BfTerm *term, const BfKeyReader *keys, bool *there, BfError *error) {
  int chosen;
  (void)layer;
  (void)term;
  BF_TRY(keys->choose(keys, &family, &chosen, error));
  *there = chosen == 1;
  return BF_OK;
}

static int matrix(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out) {
  (void)term;
  if (k) return 0;
  *out = (BfMatrix){.name = "B", .rows = layer->dim, .cols = layer->dim};
  return 1;
}

static BfStatus describe(const BfLayer *layer, const BfTerm *term, const BfDescription *to, BfError *error) {
  (void)layer;
  return to->integer(to, "linear", term != NULL, error);
}

static void apply(const BfTermCall *call, double *v) {
  const double *B = bf_term_matrix(call, 0);
  const int     d = call->layer->dim;
  for (int i = 0; i < call->rows * d; i++) {
    const double *z = call->z + (int64_t)(i / d) * d * BF_LANES, *row = B + (i % d) * d * call->stride;
    for (int l = 0; l < BF_LANES; l++) {
      double sum = row[l % call->stride] * z[l];
      for (int b = 1; b < d; b++) sum += row[b * call->stride + l % call->stride] * z[b * BF_LANES + l];
      v[i * BF_LANES + l] += sum;
    }
  }
}

/* by_z += B^T lambda, by B += lambda z^T. */
static void transposed(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters) {
  const double *B    = bf_term_matrix(call, 0);
  const int     d    = call->layer->dim;
  double       *by_B = by_parameters + (int64_t)call->term->matrix->at * BF_LANES;
  for (int i = 0; i < call->rows; i++)
    for (int e = 0; e < d * d; e++) {
      const int64_t row = ((int64_t)i * d + e / d) * BF_LANES, column = ((int64_t)i * d + e % d) * BF_LANES;
      for (int l = 0; l < BF_LANES; l++) {
        by_z[column + l] += B[e] * lambda[row + l];
        by_B[e * BF_LANES + l] += lambda[row + l] * call->z[column + l];
      }
    }
}

static void bound(const BfTermBound *call, BfAffine *sum) {
  const BfFormSpace *space = call->of->space;
  const int          d     = call->of->layer->dim;
  for (int i = 0; i < call->of->context->slots * d; i++)
    for (int b = 0; bf_term_wants(call, i / d) && b < d; b++)
      bf_affine_plus_product(space, call->of->layer->step, bf_term_entry(call, 0, i % d * d + b),
                             bf_affine_at(space, call->z, i / d * d + b), bf_affine_at(space, sum, i));
}

const BfTermKind bf_term_linear = {.base       = {.name = "linear"},
                                   .version    = BF_KIND_VERSION,
                                   .family     = &family,
                                   .matrices   = (const char *const[]){"B", NULL},
                                   .unnormed   = true,
                                   .read       = read,
                                   .matrix     = matrix,
                                   .describe   = describe,
                                   .apply      = apply,
                                   .transposed = transposed,
                                   .bound      = bound};
