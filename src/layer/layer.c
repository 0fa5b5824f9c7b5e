/* A layer, and the flow's right-hand side, by the kernels that the layer holds. */
#include "kernel/kernels.h"
#include "layer/flat.h"
#include "layer/term_kinds.h"

void bf_layer_apply_known(const BfLayer *layer, const BfContext *context, const BfKnownParts *known,
                          const double *parameters, const double *z, double *next, double *work) {
  BfFlatLayer flat;
  bf_layer_flat(layer, &flat);
  layer->kernels->layer_apply(&flat, context, known, parameters, z, next, work);
}

void bf_layer_apply(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                    double *next, double *work) {
  bf_layer_apply_known(layer, context, NULL, parameters, z, next, work);
}

void bf_layer_means(const BfLayer *layer, const BfContext *context, const double *A, const double *z, double *mean,
                    double *work) {
  BfFlatLayer flat;
  bf_layer_flat_unbounded(layer, &flat);
  layer->kernels->layer_means(&flat, context, A, z, mean, work);
}

void bf_layer_hidden(const BfLayer *layer, const BfContext *context, const double *inner, const double *z,
                     double *hidden, double *work) {
  const int64_t each = (int64_t)layer->dim * BF_LANES, from = bf_asked_from(context), to = bf_asked_to(context);
  for (int64_t i = from; layer->norm->apply && i < to; i++)
    layer->norm->apply(layer->dim, z + i * each, work + i * each);
  const BfFeedforwardPoints points = {.dim        = layer->dim,
                                      .width      = layer->width,
                                      .rows       = (int)(to - from),
                                      .sigma      = layer->activation,
                                      .parameters = inner,
                                      .z          = (layer->norm->apply ? work : z) + from * each};
  layer->kernels->feedforward_hidden(&points, hidden);
}

int bf_layer_inner(const BfLayer *layer) {
  const BfTerm *term = bf_layer_term(layer, &bf_term_feedforward);
  return term ? term->matrix->at : -1;
}

int64_t bf_layer_work(const BfLayer *layer, const BfContext *context) {
  const int64_t each  = (int64_t)context->slots * layer->dim;
  const int64_t lanes = (layer->norm->apply ? 5 : 4) * each + context->slots + context->tags;
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
