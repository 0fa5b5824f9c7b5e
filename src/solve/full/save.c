#include "solve/full/save.h"
#include "solve/full/table_save.h"

#include <stdio.h>

/* A rank's equal share of the first n measures, counted over all ranks, or over those of its node. */
static void share(int64_t n, int rank, int ranks, int64_t *from, int64_t *count) {
  *from  = n * rank / ranks;
  *count = n * (rank + 1) / ranks - *from;
}

static void name_of(const char *what, int t, char name[32]) { snprintf(name, 32, "%s/%04d", what, t); }

/* Whether row t of V must be in a checkpoint whose next layer is `layer`: V_T is computed again; of the others all are
 * needed where /value is written, else the last one. */
static bool value_needed(const BfFull *x, const BfFullOptions *options, int layer, int t) {
  return t < x->problem->horizon && (options->store_value || t == layer + 1);
}

/* ---- rows of the result ----------------------------------------------------------------------------------------- */

BfStatus bf_full_write_value(const BfFull *x, int t, const double *V, BfStore *store, BfError *error) {
  int64_t from, count;
  share(x->space.measures, x->run->rank, x->run->size, &from, &count);
  return bf_store_write_parts(store, "/value", BF_STORE_DOUBLE, t, &(BfParts){1, &from, &count}, V + from, error);
}

/* What this rank owns of the first pieces of a layer; `first` is to be freed. */
static BfStatus own_parts(const BfFull *x, int pieces, BfParts *parts, BfError *error) {
  int64_t *first = NULL;
  if (bf_together(x->run->world, BF_NEW(&first, 2 * (int64_t)x->sweep.pieces, error), error) != BF_OK) {
    bf_free(first);
    return error->status;
  }
  *parts = (BfParts){pieces, first, first + x->sweep.pieces};
  bf_sweep_blocks(&x->sweep, pieces, first, first + x->sweep.pieces);
  return BF_OK;
}

BfStatus bf_full_write_policy(const BfFull *x, int t, BfStore *store, BfError *error) {
  BfParts parts;
  BF_TRY(own_parts(x, x->sweep.pieces, &parts, error));
  const BfStatus status = bf_store_write_parts(store, "/policy", BF_STORE_INT32, t, &parts, x->policy[t], error);
  bf_free((void *)parts.first);
  return status;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

double bf_full_save_bytes(const BfFull *x, const BfFullOptions *options, BfFullPosition at) {
  const double M     = (double)x->space.measures;
  double       bytes = 12.0 * (double)at.measure;
  char         name[32];
  for (int t = at.layer + 1; t < x->problem->horizon; t++) {
    name_of("policy", t, name);
    if (!bf_checkpoint_has(x->checkpoint, name)) bytes += 4 * M;
    name_of("value", t, name);
    if (value_needed(x, options, at.layer, t) && !bf_checkpoint_has(x->checkpoint, name)) bytes += 8 * M;
  }
  return bytes;
}

/* policy_t of a complete layer that is in the result file alone. */
static BfStatus save_policy_row(const BfFull *x, const char *name, int t, BfError *error) {
  BfParts  parts = {0};
  int32_t *row   = NULL;
  BfStatus status;
  if (bf_checkpoint_has(x->checkpoint, name)) return BF_OK;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&row, x->sweep.owned, error), error));
  BF_GOTO(own_parts(x, x->sweep.pieces, &parts, error));
  BF_GOTO(bf_store_read_parts(x->rows, "/policy", BF_STORE_INT32, t, &parts, row, error));
  status = bf_checkpoint_array(x->checkpoint, name, BF_STORE_INT32, x->space.measures, 1, &parts, row, error);
done:
  bf_free((void *)parts.first);
  bf_free(row);
  return status;
}

static BfStatus save_policy(const BfFull *x, const char *name, int t, int pieces, int64_t measures, BfError *error) {
  BfParts parts;
  BF_TRY(own_parts(x, pieces, &parts, error));
  const BfStatus status =
      bf_checkpoint_array(x->checkpoint, name, BF_STORE_INT32, measures, 1, &parts, x->policy[t], error);
  bf_free((void *)parts.first);
  return status;
}

/* V_t of a complete layer: of the last one from memory, of those before from the result file. */
static BfStatus save_value(const BfFull *x, int layer, int t, BfStore *store, BfError *error) {
  const int64_t M = x->space.measures;
  int64_t       from, count;
  double       *row = NULL;
  char          name[32];
  name_of("value", t, name);
  if (bf_checkpoint_has(x->checkpoint, name)) return BF_OK;
  share(M, x->run->rank, x->run->size, &from, &count);
  if (t == layer + 1)
    return bf_checkpoint_array(x->checkpoint, name, BF_STORE_DOUBLE, M, 1, &(BfParts){1, &from, &count},
                               (const double *)x->V[t % 2].base + from, error);
  BfStatus status = bf_together(x->run->world, BF_NEW(&row, count, error), error);
  if (status == BF_OK)
    status = bf_store_read_parts(store, "/value", BF_STORE_DOUBLE, t, &(BfParts){1, &from, &count}, row, error);
  if (status == BF_OK)
    status = bf_checkpoint_array(x->checkpoint, name, BF_STORE_DOUBLE, M, 1, &(BfParts){1, &from, &count}, row, error);
  bf_free(row);
  return status;
}

static BfStatus save_layers(const BfFull *x, const BfFullOptions *options, int layer, BfStore *store, BfError *error) {
  char name[32];
  for (int t = x->problem->horizon - 1; t > layer; t--) {
    if (value_needed(x, options, layer, t)) BF_TRY(save_value(x, layer, t, store, error));
    name_of("policy", t, name);
    BF_TRY(x->rows ? save_policy_row(x, name, t, error)
                   : save_policy(x, name, t, x->sweep.pieces, x->space.measures, error));
  }
  return BF_OK;
}

static BfStatus save_partial(const BfFull *x, BfFullPosition at, int pieces, BfError *error) {
  int64_t from, count;
  if (!pieces) return BF_OK;
  share(at.measure, x->run->rank, x->run->size, &from, &count);
  BF_TRY(bf_checkpoint_array(x->checkpoint, "partial/value", BF_STORE_DOUBLE, at.measure, 1,
                             &(BfParts){1, &from, &count}, (const double *)x->V[at.layer % 2].base + from, error));
  return save_policy(x, "partial/policy", at.layer, pieces, at.measure, error);
}

BfStatus bf_full_save(BfFull *x, const BfFullOptions *options, BfStore *store, BfCheckpoint *checkpoint,
                      BfFullPosition at, int pieces, BfError *error) {
  const double bytes = bf_full_save_bytes(x, options, at);
  bf_phase_begin(x->run, BF_PHASE_CHECKPOINT);
  BF_TRY(bf_checkpoint_begin(checkpoint, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "stage", BF_STAGE_SWEEP, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "layer", at.layer, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "measure", at.measure, error));
  BF_TRY(save_layers(x, options, at.layer, store, error));
  BF_TRY(save_partial(x, at, pieces, error));
  BF_TRY(bf_checkpoint_end(checkpoint, bytes, error));
  bf_phase_end(x->run, BF_PHASE_CHECKPOINT);
  return BF_OK;
}

/* ---- restoring -------------------------------------------------------------------------------------------------- */

typedef struct {
  BfFull              *x;
  const BfFullOptions *options;
  BfStore             *store;
  BfFullPosition       at;
  int                  pieces;
} Restore;

static BfStatus restore_policy(const BfFull *x, BfCheckpoint *checkpoint, const char *name, int t, int pieces,
                               BfError *error) {
  BfParts parts;
  BF_TRY(own_parts(x, pieces, &parts, error));
  const BfStatus status = bf_checkpoint_read(checkpoint, name, BF_STORE_INT32, 1, &parts, x->policy[t], error);
  bf_free((void *)parts.first);
  return status;
}

/* The first n numbers of an array into the node's V_t. */
static BfStatus restore_value(const BfFull *x, BfCheckpoint *checkpoint, const char *name, int t, int64_t n,
                              BfError *error) {
  int64_t from, count;
  share(n, x->run->node_rank, x->run->node_size, &from, &count);
  BF_TRY(bf_checkpoint_read(checkpoint, name, BF_STORE_DOUBLE, 1, &(BfParts){1, &from, &count},
                            (double *)x->V[t % 2].base + from, error));
  bf_shared_sync(x->run, &x->V[t % 2]);
  return BF_OK;
}

/* Complete layers, the last of which stays in V. */
static BfStatus restore_layers(const Restore *r, BfCheckpoint *checkpoint, BfError *error) {
  const BfFull *x = r->x;
  char          name[32];
  for (int t = x->problem->horizon - 1; t > r->at.layer; t--) {
    if (value_needed(x, r->options, r->at.layer, t)) {
      name_of("value", t, name);
      BF_TRY(restore_value(x, checkpoint, name, t, x->space.measures, error));
      if (r->options->store_value) BF_TRY(bf_full_write_value(x, t, x->V[t % 2].base, r->store, error));
      bf_shared_sync(x->run, &x->V[t % 2]); /* all have written their share before the next row comes */
    }
    name_of("policy", t, name);
    BF_TRY(restore_policy(x, checkpoint, name, t, x->sweep.pieces, error));
    if (r->options->store_policy) BF_TRY(bf_full_write_policy(x, t, r->store, error));
  }
  return BF_OK;
}

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  Restore *r = state;
  BfFull  *x = r->x;
  int64_t  stage, layer, measure;
  r->at     = (BfFullPosition){x->problem->horizon - 1, 0};
  r->pieces = 0;
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage != BF_STAGE_SWEEP) return BF_OK;
  BF_TRY(bf_checkpoint_get(checkpoint, "layer", &layer, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "measure", &measure, error));
  if (layer < 0 || layer >= x->problem->horizon || measure < 0 || measure >= x->space.measures)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: layer %lld, measure %lld are not of this problem",
                   (long long)layer, (long long)measure);
  r->at = (BfFullPosition){(int)layer, measure};
  BF_TRY(restore_layers(r, checkpoint, error));
  r->pieces     = bf_sweep_piece(&x->sweep, measure);
  r->at.measure = bf_sweep_start(&x->sweep, r->pieces);
  if (!r->pieces) return BF_OK;
  BF_TRY(restore_value(x, checkpoint, "partial/value", r->at.layer, r->at.measure, error));
  return restore_policy(x, checkpoint, "partial/policy", r->at.layer, r->pieces, error);
}

BfStatus bf_full_restore(BfFull *x, const BfFullOptions *options, BfStore *store, BfCheckpoint *checkpoint,
                         BfFullPosition *at, int *pieces, BfError *error) {
  Restore r        = {.x = x, .options = options, .store = store, .at = {x->problem->horizon - 1, 0}};
  int     restored = 0;
  if (checkpoint) BF_TRY(bf_checkpoint_restore(checkpoint, restore, &r, &restored, error));
  *at     = r.at;
  *pieces = r.pieces;
  if (restored && r.at.layer < x->problem->horizon - 1 + (r.pieces > 0))
    bf_print(x->run, "restored: going on in layer %d, %.0f %% of which is there\n", at->layer,
             100.0 * (double)at->measure / (double)x->space.measures);
  return BF_OK;
}
