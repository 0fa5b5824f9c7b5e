/* Where a token stands in its context, whom it sees, and whom it is alike. */
#include "check/model.h"

int bf_check_tag(const BfContext *context, int i) {
  int g = 0;
  while (context->first[g + 1] <= i) g++;
  return g;
}

bool bf_check_sees(const BfLayer *layer, const BfContext *context, int i, int j) {
  return layer->mask == BF_MASK_FULL ||
         context->position[bf_check_tag(context, j)] <= context->position[bf_check_tag(context, i)];
}

double bf_check_encoding(const BfLayer *layer, const BfContext *context, int i, int a) {
  if (!layer->encoding) return 0;
  return layer->encoding[(int64_t)context->position[bf_check_tag(context, i)] * layer->dim + a];
}

bool bf_check_is_same(const BfCheckModel *model, int64_t t, int64_t token, int64_t other, int a) {
  const int64_t at = t * model->tokens, d = model->problem->layer.dim;
  if (model->norm == BF_CHECK_PLAIN) return model->same[(at + token) * d + a] == model->same[(at + other) * d + a];
  return model->like[at + token] == model->like[at + other];
}

bool bf_check_is_one_key(const BfCheckModel *model, int64_t t, BfCheckToken x, BfCheckToken y) {
  const BfLayer *layer = &model->problem->layer;
  for (int a = 0; a < layer->dim; a++)
    if (!bf_check_is_same(model, t, model->first[x.s] + x.i, model->first[y.s] + y.i, a) ||
        bf_check_encoding(layer, &model->context[x.s], x.i, a) !=
            bf_check_encoding(layer, &model->context[y.s], y.i, a))
      return false;
  return true;
}
