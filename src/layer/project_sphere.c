/* P(y) = y / |y|; the origin, which has no direction, stays. */
#include "bellformer/layer.h"
#include <float.h>
#include <math.h>

/* |y| of a lane, by a sum that neither overflows nor vanishes; y [dim][BF_LANES]. */
static double length(int d, const double *y) {
  double most = 0, sum = 0;
  for (int a = 0; a < d; a++) most = fmax(most, fabs(y[a * BF_LANES]));
  if (!(most > 0)) return 0;
  for (int a = 0; a < d; a++) sum += (y[a * BF_LANES] / most) * (y[a * BF_LANES] / most);
  return most * sqrt(sum);
}

/* lambda of a lane becomes (lambda - <lambda, n> n) / |y|, n = y / |y|: 0 where y has no direction or no end. */
static void tangential(int d, const double *y, double *lambda) {
  const double size  = length(d, y);
  double       along = 0;
  const int    none  = !(size > 0 && size <= DBL_MAX);
  for (int a = 0; !none && a < d; a++) along += lambda[a * BF_LANES] * (y[a * BF_LANES] / size);
  for (int a = 0; a < d; a++)
    lambda[a * BF_LANES] = none ? 0 : (lambda[a * BF_LANES] - along * (y[a * BF_LANES] / size)) / size;
}

static void transposed(const BfLayer *layer, const double *y, double *lambda) {
  for (int l = 0; l < BF_LANES; l++) tangential(layer->dim, y + l, lambda + l);
}

static double square(int dim, const double z[]) {
  double sum = 0;
  for (int a = 0; a < dim; a++) sum += z[a] * z[a];
  return sum;
}

static bool is_outside(const BfLayer *layer, const double z[]) {
  return !(fabs(sqrt(square(layer->dim, z)) - 1) <= 0.01);
}

static void box(const BfLayer *layer, double lower[], double upper[]) {
  for (int a = 0; a < layer->dim; a++) {
    lower[a] = fmin(layer->lower[a], -1);
    upper[a] = fmax(layer->upper[a], 1);
  }
}

static void start(int dim, double z[]) {
  const double sum = square(dim, z), scale = sum > 0 ? sqrt(sum) : 1;
  for (int a = 0; a < dim; a++) z[a] /= scale;
}

static bool is_origin(const BfFormSpace *space, int dim, BfAffine *y) {
  for (int a = 0; a < dim; a++) {
    const BfAffine *form = bf_affine_at(space, y, a);
    if (form->c != 0 || form->radius != 0) return false;
  }
  return true;
}

/* Where |y|^2 may be 0, all that is known of a component is [-1, 1]; where y is the origin, it stays. */
static void bound(const BfFormSpace *space, const BfLayer *layer, BfAffine *y, BfAffine *work) {
  BfAffine *sum = work, *square = bf_affine_at(space, work, 1), *out = bf_affine_at(space, work, 2);
  if (is_origin(space, layer->dim, y)) return;
  bf_affine_begin(space, sum);
  for (int a = 0; a < layer->dim; a++) {
    bf_affine_square(space, bf_affine_at(space, y, a), square);
    bf_affine_plus(space, 1, square, sum);
  }
  bf_affine_end(space, sum);
  bf_affine_inverse_root(space, sum, sum);
  for (int a = 0; a < layer->dim; a++) {
    BfAffine *form = bf_affine_at(space, y, a);
    if (!(sum->radius < INFINITY)) {
      bf_affine_interval(space, -1, 1, form, form);
      continue;
    }
    bf_affine_mul(space, form, sum, out);
    bf_affine_copy(space, out, form);
    bf_affine_meet(space, -1, 1, form);
  }
}

const BfProjection bf_project_sphere = {.base       = {.name = "sphere", .meaning = "z/|z|"},
                                        .unit       = true,
                                        .keeps      = "the sphere",
                                        .transposed = transposed,
                                        .is_outside = is_outside,
                                        .box        = box,
                                        .start      = start,
                                        .bound      = bound};
