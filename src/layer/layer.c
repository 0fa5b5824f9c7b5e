/* A layer, and the flow's right-hand side, by the kernels that the layer holds. */
#include "bellformer/term.h"
#include "kernel/kernels.h"
#include "layer/flat.h"

void bf_layer_apply(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                    double *next, double *work) {
  BfFlatLayer flat;
  bf_layer_flat(layer, &flat);
  layer->kernels->layer_apply(&flat, context, parameters, z, next, work);
}

int64_t bf_layer_work(const BfLayer *layer, const BfContext *context) {
  const int64_t each  = (int64_t)context->slots * layer->dim;
  const int64_t lanes = (layer->norm->apply ? 4 : 3) * each + context->slots + context->tags;
  return lanes * BF_LANES + bf_terms_work(layer);
}

void bf_layer_alone(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                    double *next, double *work) {
  BfFlatLayer flat;
  bf_layer_flat(layer, &flat);
  layer->kernels->layer_alone(&flat, context, parameters, z, next, work);
}

int64_t bf_layer_alone_work(const BfLayer *layer, const BfContext *context) {
  const int64_t rows  = bf_layer_alone_rows(context);
  const int64_t lanes = (layer->norm->apply ? 6 : 5) * rows * layer->dim + rows + context->slots + context->tags;
  return lanes * BF_LANES + bf_terms_work(layer);
}

double bf_layer_terms(const BfLayer *layer, double tokens, double pairs) {
  const double attention = 2.0 * layer->heads * layer->dim * layer->dim; /* entries of its matrices */
  return layer->heads * pairs + tokens * (layer->parameters - attention) / 4;
}

int64_t bf_velocity_work(const BfLayer *layer, const BfBlock *block) {
  const int64_t row = (int64_t)block->rows * layer->dim, key = (int64_t)block->tokens * layer->dim;
  return BF_LANES * ((layer->norm->apply ? 5 : 3) * row + 8 * (int64_t)block->tokens + 4 * key + layer->parameters) +
         bf_terms_work(layer);
}

void bf_velocity(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta, const double *z,
                 double *f, double *work) {
  BfFlatLayer flat;
  bf_layer_flat_unbounded(layer, &flat);
  layer->kernels->velocity(&flat, block, parameters, zeta, z, f, work);
}

void bf_velocity_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                            const double *z, const double *lambda, const BfTransposed *to, double *work) {
  BfFlatLayer flat;
  bf_layer_flat_unbounded(layer, &flat);
  layer->kernels->velocity_transposed(&flat, block, parameters, zeta, z, lambda, to, work);
}
