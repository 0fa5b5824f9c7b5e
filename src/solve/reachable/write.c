/* /layers/NNNN: the measures of a layer, their values, policies and successors. */
#include "solve/reachable/layers.h"
#include <stdio.h>

/* A rank's part of an array with one row a measure. */
static BfStatus write_rows(const BfReached *layer, BfStore *store, const char *path, BfStoreType type, int64_t columns,
                           const void *data, BfError *error) {
  const int     rank   = columns > 0 ? 2 : 1;
  const int64_t dims[] = {layer->total, columns}, start[] = {layer->offset, 0}, count[] = {layer->count, columns};
  BF_TRY(bf_store_define(store, path, type, rank, dims, error));
  return bf_store_write_block(store, path, type, rank, start, count, data, error);
}

static BfStatus write_measures(const BfReachable *x, const BfReached *layer, BfStore *store, const char *path,
                               BfError *error) {
  const BfMeasures *measures = &x->measures;
  BfStatus          status;
  if (!x->problem->cells) {
    const int64_t columns = measures->slots * x->problem->layer.dim; /* a measure is its coordinates and no padding */
    return write_rows(layer, store, path, BF_STORE_DOUBLE, columns, layer->measure, error);
  }
  int64_t *cell = NULL;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&cell, layer->count * measures->slots, error), error));
  for (int64_t i = 0; i < layer->count; i++)
    for (int64_t j = 0; j < measures->slots; j++)
      cell[i * measures->slots + j] = bf_measures_unpack(measures, layer->measure + i * measures->bytes, j);
  status = write_rows(layer, store, path, BF_STORE_INT64, measures->slots, cell, error);
done:
  bf_free(cell);
  return status;
}

BfStatus bf_reachable_write(const BfReachable *x, BfStore *store, BfError *error) {
  char path[64];
  for (int t = 0; t < x->problem->horizon; t++) {
    const BfReached *layer = &x->layer[t];
    snprintf(path, sizeof path, "/layers/%04d/measures", t);
    BF_TRY(write_measures(x, layer, store, path, error));
    snprintf(path, sizeof path, "/layers/%04d/value", t);
    BF_TRY(write_rows(layer, store, path, BF_STORE_DOUBLE, 0, layer->value, error));
    snprintf(path, sizeof path, "/layers/%04d/policy", t);
    BF_TRY(write_rows(layer, store, path, BF_STORE_INT32, 0, layer->policy, error));
    if (!layer->successor) continue;
    snprintf(path, sizeof path, "/layers/%04d/successors", t);
    BF_TRY(write_rows(layer, store, path, BF_STORE_INT64, x->problem->actions, layer->successor, error));
  }
  return BF_OK;
}
