#include "solve/full/table_save.h"

#include <stdio.h>

static void name_of(int shape, char name[32]) { snprintf(name, 32, "table/%04d", shape); }

static BfStatus save_entries(const BfRun *run, const BfTables *tables, const char *name, int shape, int64_t entries,
                             BfCheckpoint *checkpoint, BfError *error) {
  const int64_t from = entries * run->rank / run->size, count = entries * (run->rank + 1) / run->size - from;
  return bf_checkpoint_array(checkpoint, name, BF_STORE_INT32, entries, 1, &(BfParts){1, &from, &count},
                             tables->next[shape] + from, error);
}

BfStatus bf_table_save(BfRun *run, const BfTables *tables, int shape, int64_t rows, int64_t measures, int64_t actions,
                       BfCheckpoint *checkpoint, BfError *error) {
  char name[32];
  bf_phase_begin(run, BF_PHASE_CHECKPOINT);
  BF_TRY(bf_checkpoint_begin(checkpoint, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "stage", tables->resumed < 0 ? BF_STAGE_TABLES : BF_STAGE_SWEEP, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "layer", tables->resumed, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "measure", 0, error));
  for (int i = 0; i < shape; i++) {
    name_of(i, name);
    BF_TRY(save_entries(run, tables, name, i, tables->memory[i].bytes / (int64_t)sizeof(int32_t), checkpoint, error));
  }
  if (rows == actions) name_of(shape, name);
  else snprintf(name, sizeof name, "partial/table");
  BF_TRY(bf_checkpoint_number(checkpoint, "shape", shape, error));
  BF_TRY(save_entries(run, tables, name, shape, rows * measures, checkpoint, error));
  BF_TRY(bf_checkpoint_end(checkpoint, 4.0 * (double)rows * (double)measures, error));
  bf_phase_end(run, BF_PHASE_CHECKPOINT);
  return BF_OK;
}

/* ---- restoring -------------------------------------------------------------------------------------------------- */

typedef struct {
  BfRun    *run;
  BfTables *tables;
  int       shape;
  int64_t   measures, actions, rows;
} Restore;

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  Restore *r = state;
  int64_t  shape, entries, stage;
  char     name[32];
  r->rows            = 0;
  r->tables->resumed = -1;
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage == BF_STAGE_SWEEP) BF_TRY(bf_checkpoint_get(checkpoint, "layer", &r->tables->resumed, error));
  name_of(r->shape, name);
  if (!bf_checkpoint_has(checkpoint, name)) {
    snprintf(name, sizeof name, "partial/table");
    if (!bf_checkpoint_has(checkpoint, name)) return BF_OK;
    BF_TRY(bf_checkpoint_get(checkpoint, "shape", &shape, error));
    if (shape != r->shape) return BF_OK;
  }
  BF_TRY(bf_checkpoint_rows(checkpoint, name, &entries, error));
  if (entries % r->measures || entries > r->measures * r->actions)
    return bf_fail(error, BF_BAD_INPUT, "/arrays/%s is not of this problem", name);
  const BfRun  *run   = r->run;
  const int64_t from  = entries * run->node_rank / run->node_size,
                count = entries * (run->node_rank + 1) / run->node_size - from;
  BF_TRY(bf_checkpoint_read(checkpoint, name, BF_STORE_INT32, 1, &(BfParts){1, &from, &count},
                            r->tables->next[r->shape] + from, error));
  bf_shared_sync(run, &r->tables->memory[r->shape]);
  r->rows = entries / r->measures;
  return BF_OK;
}

BfStatus bf_table_restore(BfRun *run, BfTables *tables, int shape, int64_t measures, int64_t actions,
                          BfCheckpoint *checkpoint, int64_t *rows, BfError *error) {
  Restore r        = {.run = run, .tables = tables, .shape = shape, .measures = measures, .actions = actions};
  int     restored = 0;
  if (checkpoint) BF_TRY(bf_checkpoint_restore(checkpoint, restore, &r, &restored, error));
  *rows = r.rows;
  return BF_OK;
}

BfStatus bf_tables_finish(BfRun *run, const BfFullSpace *space, const BfTables *tables, BfCheckpoint *checkpoint,
                          BfError *error) {
  const int last  = tables->shapes - 1;
  double    bytes = 0;
  char      name[32];
  for (int i = 0; i < tables->shapes; i++) {
    name_of(i, name);
    if (!bf_checkpoint_has(checkpoint, name)) bytes += (double)tables->memory[i].bytes;
  }
  if (!bytes) return BF_OK;
  const BfOrder order = bf_checkpoint_ask_layer(checkpoint, bytes);
  if (order == BF_GO_ON) return BF_OK;
  const int64_t K = space->problem->actions;
  BF_TRY(bf_table_save(run, tables, last, K, space->context[space->shape[last]].measures, K, checkpoint, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(checkpoint, error) : BF_OK;
}
