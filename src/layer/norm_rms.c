/* N(z) = z / sqrt(|z|^2 / d + 1e-5). */
#include "bellformer/layer.h"
#include <math.h>

static const double epsilon = 1e-5;

/* n = N(z) and size [BF_LANES], by which z is divided: of z / m with m its largest component, or 1, so that no square
 * overflows. */
static void divide(int dim, const double *z, double *n, double size[]) {
  double most[BF_LANES], square[BF_LANES] = {0};
  for (int l = 0; l < BF_LANES; l++) most[l] = 1;
  for (int i = 0; i < dim * BF_LANES; i++)
    if (fabs(z[i]) > most[i % BF_LANES]) most[i % BF_LANES] = fabs(z[i]);
  for (int i = 0; i < dim * BF_LANES; i++) {
    n[i] = z[i] / most[i % BF_LANES];
    square[i % BF_LANES] += n[i] * n[i];
  }
  for (int l = 0; l < BF_LANES; l++) size[l] = sqrt(square[l] / dim + epsilon / most[l] / most[l]);
  for (int i = 0; i < dim * BF_LANES; i++) n[i] /= size[i % BF_LANES];
  for (int l = 0; l < BF_LANES; l++) size[l] *= most[l];
}

static void apply(int dim, const double *z, double *n) {
  double size[BF_LANES];
  divide(dim, z, n, size);
}

/* (dN/dz)^T l = (l - n <n, l> / d) / size. */
static void transposed(int dim, const double *z, const double *by_n, double *by_z) {
  double n[BF_MOST_DIM * BF_LANES], size[BF_LANES], along[BF_LANES] = {0};
  divide(dim, z, n, size);
  for (int i = 0; i < dim * BF_LANES; i++) along[i % BF_LANES] += n[i] * by_n[i];
  for (int i = 0; i < dim * BF_LANES; i++)
    by_z[i] += (by_n[i] - n[i] * (along[i % BF_LANES] / dim)) / size[i % BF_LANES];
}

/* The root is of a sum that is at least epsilon, the double of which is off by 2^-53 of 1e-5, as 1/d is of its own. N
 * is within sqrt(d). */
static void bound(const BfFormSpace *space, int dim, const BfAffine *z, BfAffine *n, BfAffine *work) {
  BfAffine    *sum = work, *square = bf_affine_at(space, work, 1);
  const double most = sqrt(dim) * (1 + 0x1p-50);
  bf_affine_constant(space, 1, square);
  bf_affine_begin(space, sum);
  bf_affine_plus(space, epsilon, square, sum);
  for (int a = 0; a < dim; a++) {
    bf_affine_square(space, bf_affine_at(space, z, a), square);
    bf_affine_plus(space, 1.0 / dim, square, sum);
  }
  bf_affine_end(space, sum);
  bf_affine_meet(space, epsilon * (1 - 0x1p-50), INFINITY, sum);
  bf_affine_inverse_root(space, sum, sum);
  for (int a = 0; a < dim; a++) {
    bf_affine_mul(space, bf_affine_at(space, z, a), sum, bf_affine_at(space, n, a));
    bf_affine_meet(space, -most, most, bf_affine_at(space, n, a));
  }
}

const BfNorm bf_norm_rms = {.base       = {.name = "rms", .meaning = "z / sqrt(|z|^2/d + 1e-5)"},
                            .apply      = apply,
                            .transposed = transposed,
                            .bound      = bound};
