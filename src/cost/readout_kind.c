/* The kinds of readout, and what they share. */
#include "readout_kind.h"

#include <stdio.h>
#include <string.h>

#define ADDRESS(kind) &bf_readout_##kind,
const BfReadoutKind *const bf_readout_kinds[] = {BF_READOUT_KINDS(ADDRESS) NULL};

static const BfKind *kind_at(int k) { return bf_readout_kinds[k] ? &bf_readout_kinds[k]->base : NULL; }

static const BfKey kind_key = {
    "cost.readout.kind", "word", "fixed",
    "logits are R r + b: `fixed`; or `decision`: the best of several after the last layer; or `trained` in "
    "a box by flow"};
const BfFamily bf_readout_family = {.key = &kind_key, .kind = kind_at};

static const BfKind sources[] = {
    {.name = "cost.readout.file", .keys = (const BfKey[]){{.name = "cost.readout.file"}, {.name = NULL}}},
    {.name = "cost.readout.matrix",
     .keys = (const BfKey[]){{.name = "cost.readout.matrix"}, {.name = "cost.readout.bias"}, {.name = NULL}}}};

static const BfKind *source_at(int k) { return k < 2 ? &sources[k] : NULL; }

const BfFamily bf_readout_source_family = {.kind = source_at};

BfStatus bf_readout_rows(BfCost *cost, const BfKeyReader *keys, int64_t classes, BfError *error) {
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

BfStatus bf_readout_bias(BfCost *cost, const BfKeyReader *keys, BfError *error) {
  const char   *key    = "cost.readout.bias";
  const int64_t wanted = cost->readouts * cost->classes;
  char          each[96];
  snprintf(each, sizeof each, "%lld readout%s of %d class%s", (long long)cost->readouts, cost->readouts == 1 ? "" : "s",
           cost->classes, cost->classes == 1 ? "" : "es");
  return keys->exactly(keys, key, wanted, each, &cost->bias, error);
}
