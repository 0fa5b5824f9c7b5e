#include "solve/reachable/save.h"
#include "solve/reachable/save_beam.h"

#include <stdio.h>

static void name_of(const BfReachable *x, const char *what, int t, char name[BF_ARRAY_NAME]) {
  bf_beam_array_name(x, what, t, name);
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

/* This rank's rows of an array with a row a measure. */
static BfStatus save_rows(const BfReachable *x, const char *name, BfStoreType type, const BfReached *layer,
                          int64_t columns, const void *data, BfError *error) {
  return bf_checkpoint_array(x->checkpoint, name, type, layer->total, columns,
                             &(BfParts){1, &layer->offset, &layer->count}, data, error);
}

static BfStatus save_values(const BfReachable *x, int t, BfError *error) {
  const BfReached *layer = &x->layer[t];
  char             name[BF_ARRAY_NAME];
  name_of(x, "value", t, name);
  BF_TRY(save_rows(x, name, BF_STORE_DOUBLE, layer, 1, layer->value, error));
  name_of(x, "policy", t, name);
  BF_TRY(save_rows(x, name, BF_STORE_INT32, layer, 1, layer->policy, error));
  name_of(x, "readout", t, name);
  return layer->readout ? save_rows(x, name, BF_STORE_INT32, layer, 1, layer->readout, error) : BF_OK;
}

/* All layers that are complete at a position. Layer 0 is the data. */
static BfStatus save_layers(const BfReachable *x, BfReachablePosition at, BfError *error) {
  const int T = x->problem->horizon, known = at.stage == BF_STAGE_FORWARD ? at.layer : T - 1;
  char      name[BF_ARRAY_NAME];
  for (int t = 1; t <= known; t++) {
    name_of(x, "states", t, name);
    BF_TRY(save_rows(x, name, BF_STORE_BYTE, &x->layer[t], x->measures.bytes, x->layer[t].measure, error));
    if (x->beam) {
      BF_TRY(bf_beam_save_layer(x, t, error));
      continue;
    }
    name_of(x, "successors", t - 1, name);
    BF_TRY(save_rows(x, name, BF_STORE_INT64, &x->layer[t - 1], x->problem->actions, x->layer[t - 1].successor, error));
  }
  for (int t = T - 1; at.stage == BF_STAGE_BACKWARD && t > at.layer; t--) BF_TRY(save_values(x, t, error));
  return BF_OK;
}

BfStatus bf_reachable_save_begin(BfReachable *x, BfReachablePosition at, BfError *error) {
  bf_phase_begin(x->run, BF_PHASE_CHECKPOINT);
  BF_TRY(bf_checkpoint_begin(x->checkpoint, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "stage", at.stage, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "layer", at.layer, error));
  if (x->beam) BF_TRY(bf_beam_save(x, error));
  return save_layers(x, at, error);
}

BfStatus bf_reachable_save_end(BfReachable *x, double bytes, BfError *error) {
  BF_TRY(bf_checkpoint_end(x->checkpoint, bytes, error));
  bf_phase_end(x->run, BF_PHASE_CHECKPOINT);
  return BF_OK;
}

double bf_reachable_between_bytes(const BfReachable *x, BfReachablePosition at) {
  const int T = x->problem->horizon, known = at.stage == BF_STAGE_FORWARD ? at.layer : T - 1;
  double    bytes = 0;
  char      name[BF_ARRAY_NAME];
  for (int t = 1; t <= known; t++) {
    name_of(x, "states", t, name);
    if (!bf_checkpoint_has(x->checkpoint, name))
      bytes += (double)x->layer[t].total * (double)x->measures.bytes +
               (x->beam ? bf_beam_edge_bytes(x, t) : 8.0 * (double)x->layer[t - 1].total * (double)x->problem->actions);
  }
  for (int t = T - 1; at.stage == BF_STAGE_BACKWARD && t > at.layer; t--) {
    name_of(x, "value", t, name);
    if (!bf_checkpoint_has(x->checkpoint, name)) bytes += 12.0 * (double)x->layer[t].total;
  }
  return bytes;
}

BfStatus bf_reachable_save_between(BfReachable *x, BfReachablePosition at, BfError *error) {
  const double bytes = bf_reachable_between_bytes(x, at);
  BF_TRY(bf_reachable_save_begin(x, at, error));
  return bf_reachable_save_end(x, bytes, error);
}

double bf_reachable_forward_bytes(const BfReachable *x, int t, const BfMerge *m) {
  return bf_reachable_between_bytes(x, (BfReachablePosition){BF_STAGE_FORWARD, t}) +
         8.0 * (double)x->layer[t].total * (double)x->problem->actions +
         (double)m->set.count * (double)x->measures.bytes * x->run->size;
}

BfStatus bf_reachable_save_forward(BfReachable *x, int t, BfMerge *m, BfError *error) {
  const double   bytes = bf_reachable_forward_bytes(x, t, m);
  BfReached     *from  = &x->layer[t];
  int64_t        offset, total;
  unsigned char *known = NULL;
  BfStatus       status;
  BF_GOTO(bf_merge_number(x, m, &offset, &total, error));
  BF_GOTO(bf_together(x->run->world, bf_measure_set_index(&m->set, error), error));
  BF_GOTO(bf_together(x->run->world, BF_NEW(&known, from->count, error), error));
  for (int64_t i = 0; i < bf_merge_complete(x, m); i++) known[m->order[i]] = 1;
  BF_GOTO(bf_reachable_save_begin(x, (BfReachablePosition){BF_STAGE_FORWARD, t}, error));
  BF_GOTO(bf_checkpoint_array(x->checkpoint, "partial/states", BF_STORE_BYTE, total, x->measures.bytes,
                              &(BfParts){1, &offset, &m->set.count}, m->set.measure, error));
  BF_GOTO(save_rows(x, "partial/known", BF_STORE_BYTE, from, 1, known, error));
  BF_GOTO(save_rows(x, "partial/successors", BF_STORE_INT64, from, x->problem->actions, from->successor, error));
  status = bf_reachable_save_end(x, bytes, error);
done:
  bf_free(known);
  return status;
}

double bf_reachable_last_bytes(const BfReachable *x) {
  const int T = x->problem->horizon;
  return bf_reachable_between_bytes(x, (BfReachablePosition){BF_STAGE_LAST, T - 1}) +
         17.0 * (double)x->layer[T - 1].total;
}

BfStatus bf_reachable_save_last(BfReachable *x, const unsigned char known[], BfError *error) {
  const int        T     = x->problem->horizon;
  const BfReached *layer = &x->layer[T - 1];
  const double     bytes = bf_reachable_last_bytes(x);
  BF_TRY(bf_reachable_save_begin(x, (BfReachablePosition){BF_STAGE_LAST, T - 1}, error));
  BF_TRY(save_rows(x, "partial/known", BF_STORE_BYTE, layer, 1, known, error));
  BF_TRY(save_rows(x, "partial/value", BF_STORE_DOUBLE, layer, 1, layer->value, error));
  BF_TRY(save_rows(x, "partial/policy", BF_STORE_INT32, layer, 1, layer->policy, error));
  BF_TRY(save_rows(x, "partial/readout", BF_STORE_INT32, layer, 1, layer->readout, error));
  return bf_reachable_save_end(x, bytes, error);
}

/* ---- restoring -------------------------------------------------------------------------------------------------- */

/* The stretch of an array of sorted measures that this rank owns: all look through equal shares and count whose they
 * are.
 */
static BfStatus find_own(const BfReachable *x, BfCheckpoint *checkpoint, const char *name, int64_t total,
                         int64_t *offset, int64_t *count, BfError *error) {
  const int     ranks = x->run->size;
  const int64_t from = total * x->run->rank / ranks, n = total * (x->run->rank + 1) / ranks - from,
                bytes    = x->measures.bytes;
  unsigned char *measure = NULL;
  int64_t       *owned   = NULL;
  BfStatus       status  = bf_together(x->run->world, BF_NEW(&measure, n * bytes, error), error);
  if (status == BF_OK) status = bf_together(x->run->world, BF_NEW(&owned, ranks, error), error);
  if (status == BF_OK)
    status = bf_checkpoint_read(checkpoint, name, BF_STORE_BYTE, bytes, &(BfParts){1, &from, &n}, measure, error);
  if (status == BF_OK) {
    for (int64_t i = 0; i < n; i++) owned[bf_owner(bf_measures_hash(&x->measures, measure + i * bytes), ranks)]++;
    MPI_Allreduce(MPI_IN_PLACE, owned, ranks, MPI_INT64_T, MPI_SUM, x->run->world);
    *offset = 0;
    for (int r = 0; r < x->run->rank; r++) *offset += owned[r];
    *count = owned[x->run->rank];
  }
  bf_free(measure);
  bf_free(owned);
  return status;
}

/* This rank's measures of an array into a new block. */
static BfStatus read_measures(BfReachable *x, BfCheckpoint *checkpoint, const char *name, int64_t *offset,
                              int64_t *count, int64_t *total, unsigned char **measure, BfError *error) {
  BF_TRY(bf_checkpoint_rows(checkpoint, name, total, error));
  *total /= x->measures.bytes;
  BF_TRY(find_own(x, checkpoint, name, *total, offset, count, error));
  BF_TRY(bf_together(x->run->world, BF_NEW(measure, *count * x->measures.bytes, error), error));
  return bf_checkpoint_read(checkpoint, name, BF_STORE_BYTE, x->measures.bytes, &(BfParts){1, offset, count}, *measure,
                            error);
}

static BfStatus read_rows(BfReachable *x, BfCheckpoint *checkpoint, const char *name, BfStoreType type,
                          const BfReached *layer, int64_t columns, void **data, BfError *error) {
  if (!*data) *data = bf_calloc(layer->count * columns, (size_t)bf_store_size(type), error);
  BF_TRY(bf_together(x->run->world, *data ? BF_OK : error->status, error));
  return bf_checkpoint_read(checkpoint, name, type, columns, &(BfParts){1, &layer->offset, &layer->count}, *data,
                            error);
}

static BfStatus read_successors(BfReachable *x, BfCheckpoint *checkpoint, const char *name, int t, BfError *error) {
  BfReached *layer = &x->layer[t];
  return read_rows(x, checkpoint, name, BF_STORE_INT64, layer, x->problem->actions, (void **)&layer->successor, error);
}

static void result_name(const BfReachable *x, const char *where, const char *what, int t, char name[BF_ARRAY_NAME]) {
  if (*where) snprintf(name, BF_ARRAY_NAME, "%s%s", where, what);
  else name_of(x, what, t, name);
}

static BfStatus read_results(BfReachable *x, BfCheckpoint *checkpoint, const char *where, int t, BfError *error) {
  BfReached *layer = &x->layer[t];
  char       name[BF_ARRAY_NAME];
  result_name(x, where, "value", t, name);
  BF_TRY(read_rows(x, checkpoint, name, BF_STORE_DOUBLE, layer, 1, (void **)&layer->value, error));
  result_name(x, where, "policy", t, name);
  BF_TRY(read_rows(x, checkpoint, name, BF_STORE_INT32, layer, 1, (void **)&layer->policy, error));
  if (t < x->problem->horizon - 1) return BF_OK;
  result_name(x, where, "readout", t, name);
  return read_rows(x, checkpoint, name, BF_STORE_INT32, layer, 1, (void **)&layer->readout, error);
}

static BfStatus read_partial(BfReachable *x, BfCheckpoint *checkpoint, BfReachablePosition at, BfError *error) {
  BfPartial *p = &x->partial;
  int64_t    total;
  if (!bf_checkpoint_has(checkpoint, "partial/known")) return BF_OK;
  p->layer = at.layer;
  BF_TRY(read_rows(x, checkpoint, "partial/known", BF_STORE_BYTE, &x->layer[at.layer], 1, (void **)&p->known, error));
  if (at.stage == BF_STAGE_LAST) return read_results(x, checkpoint, "partial/", at.layer, error);
  BF_TRY(read_measures(x, checkpoint, "partial/states", &p->offset, &p->count, &total, &p->measure, error));
  if (x->beam) return bf_beam_read_partial(x, checkpoint, error);
  return read_successors(x, checkpoint, "partial/successors", at.layer, error);
}

typedef struct {
  BfReachable        *x;
  BfReachablePosition at;
} Restore;

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  Restore     *r = state;
  BfReachable *x = r->x;
  const int    T = x->problem->horizon;
  int64_t      stage, layer;
  char         name[BF_ARRAY_NAME];
  bf_reachable_forget_layers(x);
  r->at = bf_reachable_begin(x);
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage < BF_STAGE_FORWARD || stage > BF_STAGE_BACKWARD) return BF_OK;
  BF_TRY(bf_checkpoint_get(checkpoint, "layer", &layer, error));
  if (layer < 0 || layer >= T)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: layer %lld is not of this problem", (long long)layer);
  if (x->beam) BF_TRY(bf_beam_read(x, checkpoint, error));
  r->at           = (BfReachablePosition){(BfStage)stage, (int)layer};
  const int known = stage == BF_STAGE_FORWARD ? (int)layer : T - 1;
  for (int t = 1; t <= known; t++) {
    BfReached *to = &x->layer[t];
    name_of(x, "states", t, name);
    BF_TRY(read_measures(x, checkpoint, name, &to->offset, &to->count, &to->total, &to->measure, error));
    if (x->beam) {
      BF_TRY(bf_beam_read_layer(x, checkpoint, t, error));
      continue;
    }
    name_of(x, "successors", t - 1, name);
    BF_TRY(read_successors(x, checkpoint, name, t - 1, error));
  }
  for (int t = T - 1; stage == BF_STAGE_BACKWARD && t > layer; t--) BF_TRY(read_results(x, checkpoint, "", t, error));
  return read_partial(x, checkpoint, r->at, error);
}

BfReachablePosition bf_reachable_begin(const BfReachable *x) {
  return (BfReachablePosition){x->problem->horizon > 1 ? BF_STAGE_FORWARD : BF_STAGE_LAST, 0};
}

BfStatus bf_reachable_restore(BfReachable *x, BfReachablePosition *at, BfError *error) {
  Restore r        = {x, bf_reachable_begin(x)};
  int     restored = 0;
  if (x->checkpoint) BF_TRY(bf_checkpoint_restore(x->checkpoint, restore, &r, &restored, error));
  *at = r.at;
  if (restored && (r.at.layer || x->partial.known || r.at.stage == BF_STAGE_BACKWARD))
    bf_print(x->run, "restored: going on %s layer %d\n", r.at.stage == BF_STAGE_BACKWARD ? "backwards in" : "in",
             r.at.layer);
  return BF_OK;
}
