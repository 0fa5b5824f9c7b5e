/* N(z) = c / sqrt(s + 1e-5), c = z - m, with the mean m of the components of z and the mean s of the squares of c: that
 * is N of `rms` at c. */
#include "bellformer/layer.h"
#include <string.h>

/* c = z - m; may be the same array. The matrix of that is its own transpose. */
static void centre(int dim, const double *z, double *c) {
  double mean[BF_LANES] = {0};
  for (int i = 0; i < dim * BF_LANES; i++) mean[i % BF_LANES] += z[i] / dim;
  for (int i = 0; i < dim * BF_LANES; i++) c[i] = z[i] - mean[i % BF_LANES];
}

static void apply(int dim, const double *z, double *n) {
  centre(dim, z, n);
  bf_norm_rms.apply(dim, n, n);
}

static void transposed(int dim, const double *z, const double *by_n, double *by_z) {
  const size_t size = sizeof(double) * (size_t)dim * BF_LANES;
  double       c[BF_MOST_DIM * BF_LANES], by_c[BF_MOST_DIM * BF_LANES];
  memcpy(c, z, size);
  memset(by_c, 0, size);
  centre(dim, c, c);
  bf_norm_rms.transposed(dim, c, by_n, by_c);
  centre(dim, by_c, by_c);
  for (int i = 0; i < dim * BF_LANES; i++) by_z[i] += by_c[i];
}

/* c_a = (1 - 1/d) z_a - sum over the others of z_b / d, of all that is in z at once. */
static void bound(const BfFormSpace *space, int dim, const BfAffine *z, BfAffine *n, BfAffine *work) {
  for (int a = 0; a < dim; a++) {
    BfAffine *c = bf_affine_at(space, work, a);
    bf_affine_begin(space, c);
    for (int b = 0; b < dim; b++)
      bf_affine_plus(space, b == a ? 1 - 1.0 / dim : -1.0 / dim, bf_affine_at(space, z, b), c);
    bf_affine_end(space, c);
  }
  bf_norm_rms.bound(space, dim, work, n, bf_affine_at(space, work, dim));
}

const BfNorm bf_norm_layer = {
    .base       = {.name = "layer", .meaning = "(z - mean) / sqrt(variance + 1e-5), both over the d components"},
    .apply      = apply,
    .transposed = transposed,
    .bound      = bound};
