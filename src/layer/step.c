/* A layer with its projection P on a block of tokens, and back: the velocity's kernels, and what is cheap beside them.
 */
#include "kernel/attend.h"
#include <math.h>

/* Of this layer bf_velocity gives v alone, times zeta: neither the tangential part nor (r - 1) z / eps. */
static BfLayer velocity_alone(const BfLayer *layer) {
  BfLayer v    = *layer;
  v.residual   = 1;
  v.projection = BF_PROJECT_CLIP;
  return v;
}

void bf_step(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z, double *y,
             double *next, double *work) {
  const BfLayer v = velocity_alone(layer);
  const int     d = layer->dim, n = block->rows * d * BF_LANES;
  bf_velocity(&v, block, parameters, layer->step, z, y, work);
  for (int i = 0; i < n; i++) next[i] = y[i] = layer->residual * z[i] + y[i];
  for (int i = 0; i < block->rows; i++) lane_project(d, layer, (BfLane *)next + i * d);
}

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

/* lambda = P'(y)^T lambda. */
static void project_transposed(const BfLayer *layer, const BfBlock *block, const double *y, double *lambda) {
  const int d = layer->dim;
  for (int i = 0; i < block->rows; i++) {
    const double *row = y + (int64_t)i * d * BF_LANES;
    double       *by  = lambda + (int64_t)i * d * BF_LANES;
    if (layer->projection == BF_PROJECT_SPHERE) {
      for (int l = 0; l < BF_LANES; l++) tangential(d, row + l, by + l);
    } else {
      for (int a = 0; a < d; a++)
        for (int l = 0; l < BF_LANES; l++) {
          const double x = row[a * BF_LANES + l];
          if (!(x >= layer->lower[a] && x <= layer->upper[a])) by[a * BF_LANES + l] = 0;
        }
    }
  }
}

void bf_step_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z,
                        const double *y, double *lambda, double *by_z, double *by_parameters, double *work) {
  const BfLayer v = velocity_alone(layer);
  const int     n = block->rows * layer->dim * BF_LANES;
  project_transposed(layer, block, y, lambda);
  bf_velocity_transposed(&v, block, parameters, layer->step, z, lambda, by_z, by_parameters, work);
  for (int i = 0; i < n; i++) by_z[i] += layer->residual * lambda[i];
}
