/* Several R and b, one of which is chosen after the last layer: one after the other, or rows of a file. */
#include "readout_kind.h"

#include <string.h>

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

/* Rows of R (classes * dim numbers) and b (classes). */
static BfStatus read_rows(BfCost *cost, const BfKeyReader *keys, int64_t classes, BfError *error) {
  int64_t  rows = 0, entries = classes * cost->dim, width = entries + classes;
  double  *values = NULL;
  BfStatus status;
  BF_TRY(keys->rows(keys, "cost.readout.file", width, &rows, &values, error));
  BF_GOTO(BF_NEW(&cost->matrix, rows * entries, error));
  BF_GOTO(BF_NEW(&cost->bias, rows * classes, error));
  for (int64_t r = 0; r < rows; r++) {
    memcpy(cost->matrix + r * entries, values + r * width, (size_t)entries * sizeof *values);
    memcpy(cost->bias + r * classes, values + r * width + entries, (size_t)classes * sizeof *values);
  }
  cost->classes  = (int)classes;
  cost->readouts = rows;
done:
  bf_free(values);
  return status;
}

static BfStatus read(BfCost *cost, const BfKeyReader *keys, int64_t classes, const BfCostData *data, BfError *error) {
  enum { ROWS };
  int source;
  BF_TRY(keys->choose(keys, &bf_readout_source_family, &source, error));
  if (!classes) classes = data->labels;
  if (!classes) return BF_OK;
  return source == ROWS ? read_rows(cost, keys, classes, error) : read_matrix(cost, keys, classes, error);
}

const BfReadoutKind bf_readout_decision = {
    .base = {.name = "decision", .keys = (const BfKey[]){{.name = "cost.readout.file"}, {.name = NULL}}}, .read = read};
