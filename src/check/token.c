/* Where a token stands in its context, and whom it sees. */
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
