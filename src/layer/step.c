/* A layer with its projection P on a block of tokens, and back: the velocity's kernels, and what is cheap beside them.
 */
#include "kernel/attend.h"

/* Of this layer bf_velocity gives v alone, times zeta: neither the tangential part nor (r - 1) z / eps. */
static BfLayer velocity_alone(const BfLayer *layer) {
  BfLayer v    = *layer;
  v.residual   = 1;
  v.projection = &bf_project_none;
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

/* lambda = P'(y)^T lambda. */
static void project_transposed(const BfLayer *layer, const BfBlock *block, const double *y, double *lambda) {
  const int64_t row = (int64_t)layer->dim * BF_LANES;
  for (int i = 0; i < block->rows; i++) layer->projection->transposed(layer, y + i * row, lambda + i * row);
}

void bf_step_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z,
                        const double *y, double *lambda, double *by_z, double *by_parameters, double *work) {
  const BfLayer v = velocity_alone(layer);
  const int     n = block->rows * layer->dim * BF_LANES;
  project_transposed(layer, block, y, lambda);
  bf_velocity_transposed(&v, block, parameters, layer->step, z, lambda, by_z, by_parameters, work);
  for (int i = 0; i < n; i++) by_z[i] += layer->residual * lambda[i];
}
