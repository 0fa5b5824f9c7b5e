/* cost.*: the kind, its readout, what all kinds have, then what is the kind's own. */
#include "readout_kind.h"

#include <math.h>
#include <stdio.h>

static BfStatus read_readout(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error) {
  char    text[24];
  int     kind;
  int64_t classes = 0;
  cost->readouts  = 1;
  if (!cost->kind->has_readout) return BF_OK;
  BF_TRY(keys->choose(keys, &bf_readout_family, &kind, error));
  BF_TRY(keys->integer(keys, "cost.readout.classes", &classes, error));
  BF_TRY(bf_readout_kinds[kind]->read(cost, keys, classes, data, error));
  if (!cost->classes) return BF_OK; /* targets in place of labels: said when the data are checked */
  snprintf(text, sizeof text, "%d", cost->classes);
  return keys->note(keys, "cost.readout.classes", text, error); /* as it came to: the same as that number given */
}

static BfStatus read_weight_decay(BfCost *cost, const BfKeyReader *keys, BfError *error) {
  const char *key = "cost.weight_decay";
  BF_TRY(keys->number(keys, key, &cost->weight_decay, error));
  if (!isfinite(cost->step * cost->weight_decay)) /* which a control of 0 would make NaN */
    return keys->fail(keys, key, error, "times step must be finite, got %g and %g", cost->weight_decay, cost->step);
  return BF_OK;
}

BfStatus bf_cost_read(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error) {
  int kind;
  BF_TRY(bf_kernels_choose(&cost->kernels, error));
  BF_TRY(keys->choose(keys, &bf_cost_family, &kind, error));
  cost->kind = (const BfCostKind *)bf_cost_family.kind(kind); /* of which `base` is the first member */
  if (cost->kind->own && !(cost->own = bf_calloc(1, cost->kind->own, error))) return error->status;
  BF_TRY(read_readout(cost, keys, data, error));
  BF_TRY(read_weight_decay(cost, keys, error));
  return cost->kind->read ? cost->kind->read(cost, keys, data, error) : BF_OK;
}

void bf_cost_clear(BfCost *cost) {
  if (cost->own && cost->kind->clear) cost->kind->clear(cost->own);
  bf_free(cost->own);
  bf_free(cost->matrix);
  bf_free(cost->bias);
  bf_free(cost->lower);
  bf_free(cost->upper);
  *cost = (BfCost){0};
}
