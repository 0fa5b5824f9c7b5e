/* Several R and b, one of which is chosen after the last layer: one after the other, or rows of a file. */
#include "readout_kind.h"

static BfStatus read_matrix(BfCost *cost, const BfKeyReader *keys, int64_t classes, BfError *error) {
  const char *key   = "cost.readout.matrix";
  int64_t     count = 0, dim = cost->dim;
  BF_TRY(keys->numbers(keys, key, &count, &cost->matrix, error));
  if (!count || count % (classes * dim))
    return keys->fail(keys, key, error, "wants a multiple of %lld numbers (%lld classes, %lld each), got %lld",
                      (long long)(classes * dim), (long long)classes, (long long)dim, (long long)count);
  cost->classes  = (int)classes;
  cost->readouts = count / (classes * dim);
  return bf_readout_bias(cost, keys, error);
}

static BfStatus read(BfCost *cost, const BfKeyReader *keys, int64_t classes, const BfCostData *data, BfError *error) {
  enum { ROWS };
  int source;
  BF_TRY(keys->choose(keys, &bf_readout_source_family, &source, error));
  if (!classes) classes = data->labels;
  if (!classes) return BF_OK;
  return source == ROWS ? bf_readout_rows(cost, keys, classes, error) : read_matrix(cost, keys, classes, error);
}

const BfReadoutKind bf_readout_decision = {
    .base = {.name = "decision",
             .keys = (const BfKey[]){BF_READOUT_GIVEN, {.name = "cost.readout.file"}, {.name = NULL}}},
    .read = read};
