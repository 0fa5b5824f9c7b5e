/* A layer with its projection P on a block of tokens, and back: the velocity's kernels, and what is cheap beside them.
 */
#include "kernel/attend.h"
#include "kernel/kernels.h"
#include "layer/flat.h"

/* Of this layer the velocity is v alone, times zeta: neither the tangential part nor (r - 1) z / eps. */
static void velocity_alone(const BfLayer *layer, BfFlatLayer *flat) {
  bf_layer_flat_unbounded(layer, flat);
  flat->residual = 1;
  flat->unit     = 0;
}

void bf_step(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z, double *y,
             double *next, double *work) {
  const int   d = layer->dim, n = block->rows * d * BF_LANES;
  BfFlatLayer flat;
  velocity_alone(layer, &flat);
  layer->kernels->velocity(&flat, block, parameters, layer->step, z, y, work);
  for (int i = 0; i < n; i++) next[i] = y[i] = layer->residual * z[i] + y[i];
  bf_layer_flat(layer, &flat);
  for (int i = 0; i < block->rows; i++) lane_project(d, &flat, (BfLane *)next + i * d);
}

/* lambda = P'(y)^T lambda. */
static void project_transposed(const BfLayer *layer, const BfBlock *block, const double *y, double *lambda) {
  const int64_t row = (int64_t)layer->dim * BF_LANES;
  for (int i = 0; i < block->rows; i++) layer->projection->transposed(layer, y + i * row, lambda + i * row);
}

void bf_step_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z,
                        const double *y, double *lambda, const BfTransposed *to, double *work) {
  const int   n = block->rows * layer->dim * BF_LANES;
  BfFlatLayer flat;
  velocity_alone(layer, &flat);
  project_transposed(layer, block, y, lambda);
  layer->kernels->velocity_transposed(&flat, block, parameters, layer->step, z, lambda, to, work);
  for (int i = 0; i < n; i++) to->by_z[i] += layer->residual * lambda[i];
}
