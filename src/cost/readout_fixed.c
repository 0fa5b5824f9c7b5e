/* One R and b, given: as many classes as the matrix has rows. */
#include "readout_kind.h"

static BfStatus read(BfCost *cost, const BfKeyReader *keys, int64_t classes, const BfCostData *data, BfError *error) {
  const char *key   = "cost.readout.matrix";
  int64_t     count = 0, dim = cost->dim;
  (void)data;
  BF_TRY(keys->numbers(keys, key, &count, &cost->matrix, error));
  if (classes && count != classes * dim)
    return keys->fail(keys, key, error, "wants %lld numbers (%lld classes, %lld each), got %lld",
                      (long long)(classes * dim), (long long)classes, (long long)dim, (long long)count);
  if (!count || count % dim)
    return keys->fail(keys, key, error, "wants a multiple of %lld numbers (%lld for each class), got %lld",
                      (long long)dim, (long long)dim, (long long)count);
  cost->classes = (int)(count / dim);
  return bf_readout_bias(cost, keys, error);
}

const BfReadoutKind bf_readout_fixed = {
    .base = {.name = "fixed", .keys = (const BfKey[]){BF_READOUT_GIVEN, {.name = NULL}}}, .read = read};
