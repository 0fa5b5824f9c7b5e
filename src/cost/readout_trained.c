/* R and b in a box, in which `flow` moves them. Who does not takes the middle, or the best of the rows of a file. */
#include "readout_kind.h"

static const char matrix_key[] = "cost.readout.matrix.range", bias_key[] = "cost.readout.bias.range",
                  file_key[] = "cost.readout.file";

/* ---- the box ---------------------------------------------------------------------------------------------------- */

static BfStatus check_pair(const BfKeyReader *keys, const char *key, const double pair[], BfError *error) {
  if (pair[0] > pair[1]) return keys->fail(keys, key, error, "must not run downwards, got [%g, %g]", pair[0], pair[1]);
  if (!(pair[0] > -1e290 && pair[1] < 1e290))
    return keys->fail(keys, key, error, "must be within 1e290, got [%g, %g]", pair[0], pair[1]);
  return BF_OK;
}

/* The box of `count` numbers; what is absent and need not be there is 0. */
static BfStatus read_range(const BfKeyReader *keys, const char *key, int64_t count, double *lower, double *upper,
                           BfError *error) {
  int64_t  values = 0;
  double  *value  = NULL;
  BfStatus status;
  BF_TRY(keys->numbers(keys, key, &values, &value, error));
  if (!value) return keys->note(keys, key, "0,0", error);
  keys->alike(keys, key);
  if (values != 2 && values != 2 * count)
    BF_GOTO(keys->fail(keys, key, error, "wants 2 or %lld numbers, a pair for each of %lld, got %lld",
                       (long long)(2 * count), (long long)count, (long long)values));
  for (int64_t i = 0; i < count; i++) {
    const double *pair = value + (values == 2 ? 0 : 2 * i);
    BF_GOTO(check_pair(keys, key, pair, error));
    lower[i] = pair[0];
    upper[i] = pair[1];
  }
  status = BF_OK;
done:
  bf_free(value);
  return status;
}

/* ---- where those begin that do not move it ---------------------------------------------------------------------- */

static BfStatus take_middle(BfCost *cost, int64_t entries, int64_t classes, BfError *error) {
  BF_TRY(BF_NEW(&cost->matrix, entries, error));
  BF_TRY(BF_NEW(&cost->bias, classes, error));
  for (int64_t i = 0; i < entries; i++) cost->matrix[i] = bf_readout_middle(cost, i);
  for (int64_t c = 0; c < classes; c++) cost->bias[c] = bf_readout_middle(cost, entries + c);
  return BF_OK;
}

static BfStatus check_rows(const BfCost *cost, const BfKeyReader *keys, BfError *error) {
  const int64_t entries = (int64_t)cost->classes * cost->dim;
  for (int64_t r = 0; r < cost->readouts; r++)
    for (int64_t i = 0; i < cost->trained; i++) {
      const double x = i < entries ? cost->matrix[r * entries + i] : cost->bias[r * cost->classes + i - entries];
      if (!(x >= cost->lower[i] && x <= cost->upper[i]))
        return keys->fail_row(keys, file_key, r, error, "number %lld must be in [%g, %g], as %s has it, got %g",
                              (long long)i + 1, cost->lower[i], cost->upper[i], i < entries ? matrix_key : bias_key, x);
    }
  return BF_OK;
}

static BfStatus read(BfCost *cost, const BfKeyReader *keys, int64_t classes, const BfCostData *data, BfError *error) {
  if (!cost->kind->by_readout)
    return keys->fail(keys, "cost.readout.kind", error, "must not be trained: %s tells no derivative by its readout",
                      cost->kind->base.name);
  if (!classes) classes = data->labels;
  if (!classes) return BF_OK;
  const int64_t entries = classes * cost->dim;
  BF_TRY(BF_NEW(&cost->lower, entries + classes, error));
  BF_TRY(BF_NEW(&cost->upper, entries + classes, error));
  BF_TRY(read_range(keys, matrix_key, entries, cost->lower, cost->upper, error));
  BF_TRY(read_range(keys, bias_key, classes, cost->lower + entries, cost->upper + entries, error));
  cost->classes = (int)classes;
  cost->trained = entries + classes;
  if (!keys->given(keys, file_key)) return take_middle(cost, entries, classes, error);
  BF_TRY(bf_readout_rows(cost, keys, classes, error));
  return check_rows(cost, keys, error);
}

const BfReadoutKind bf_readout_trained = {.base = {.name = "trained",
                                                   .keys = (const BfKey[]){{.name = "cost.readout.matrix.range"},
                                                                           {.name = "cost.readout.bias.range"},
                                                                           {.name = "cost.readout.file"},
                                                                           {.name = NULL}}},
                                          .read = read};
