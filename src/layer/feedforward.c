/* The feed-forward part W2 sigma(W1 z + b1) + b2, by kernels. */
#include "bellformer/term.h"
#include "kernel/kernels.h"
#include <string.h>

static int matrix(const BfLayer *layer, int k, BfMatrix *out) {
  static const char *const name[] = {"W1", "b1", "W2", "b2"};
  const int                rows[] = {layer->width, layer->width, layer->dim, layer->dim};
  const int                cols[] = {layer->dim, 1, layer->width, 1};
  if (k >= 4) return 0;
  *out = (BfMatrix){.rows = rows[k], .cols = cols[k], .vector = k % 2};
  strcpy(out->name, name[k]);
  return 1;
}

/* The hidden numbers, their slopes, the cotangents. */
static int64_t work(const BfLayer *layer) { return 3 * (int64_t)layer->width * BF_LANES; }

static void apply(const BfTermCall *call, double *v) {
  const BfKernels *kernels = call->layer->kernels;
  (call->stride == 1 ? kernels->feedforward_shared : kernels->feedforward)(call, v);
}

static void transposed(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters) {
  call->layer->kernels->feedforward_transposed(call, lambda, by_z, by_parameters);
}

const BfTermKind bf_term_feedforward = {
    .name = "feedforward", .matrix = matrix, .work = work, .apply = apply, .transposed = transposed};
