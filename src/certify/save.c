/* Checkpoints of a ladder. Numbers stage, step + 1 as step, root, better_root, boxes, level_boxes, tasks, rungs,
 * ending, done (tasks), behind, table, limit, kept_table, of the trees level and kept each ID, filed, arrays,
 * bytes, width (level_id, ...), and found, lower, target, aim, least, better by their bits; arrays partial/point,
 * partial/better, partial/boxes, partial/tags (what is left of the round; readouts and ages), partial/behind_boxes,
 * partial/behind_tags (what waits behind it), partial/history, partial/says (bytes of text), partial/proofs (minorants
 * that all ranks know), partial/kept_cells (as /certificate/cells), of both trees partial/level (records that are in no
 * stream), partial/level_halved; and streams: stream.c. */
#include "certify/ladder.h"
#include <stdio.h>
#include <string.h>

enum { STAGE_LADDER = 8, HISTORY = sizeof(BfRung) / sizeof(double) };

static int64_t bits(double x) {
  int64_t out;
  memcpy(&out, &x, sizeof out);
  return out;
}

/* What a checkpoint has of single numbers. */
typedef struct {
  const char *name;
  double     *value;
} Real;
enum { REALS = 6, WHOLES = 13, TREES = 2, OF_TREE = 5 };

static void list_reals(BfLadder *x, Real out[REALS]) {
  const Real all[REALS] = {{"found", &x->found}, {"lower", &x->lower}, {"target", &x->target},
                           {"aim", &x->aim},     {"least", &x->least}, {"better", &x->better}};
  memcpy(out, all, sizeof all);
}

static const char *const whole_name[WHOLES] = {"step",  "root",  "better_root", "boxes", "level_boxes",
                                               "tasks", "rungs", "ending",      "done",  "behind",
                                               "table", "limit", "kept_table"};
static const char *const tree_name[TREES]   = {"level", "kept"};
static const char *const of_tree[OF_TREE]   = {"id", "filed", "arrays", "bytes", "width"};

static BfRecords *tree_of(BfLadder *x, int i) { return i ? &x->kept : &x->level; }

/* "partial/kept" and so on: what a generation has of a tree. */
typedef char       Name[32];
static const char *name_of(const char *before, int tree, const char *behind, Name name) {
  snprintf(name, sizeof(Name), "%s%s%s%s", before, tree_name[tree], *behind ? "_" : "", behind);
  return name;
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* An array that all ranks hold, given by rank 0. */
static BfStatus save_rows(const BfLadder *x, const char *name, BfStoreType type, int64_t rows, const void *data,
                          BfError *error) {
  const int64_t first = 0;
  const int     mine  = x->run->rank == 0 && rows > 0;
  return bf_checkpoint_array(x->checkpoint, name, type, rows, 1, &(BfParts){mine, &first, &rows}, data, error);
}

static BfStatus save_halved(BfLadder *x, int tree, const BfRecords *records, BfError *error) {
  const int n = x->of.n;
  int64_t  *sum;
  Name      name;
  BfStatus  status = bf_together(x->run->world, BF_NEW(&sum, n, error), error);
  if (status == BF_OK) {
    bf_records_halved(x->run->world, records, n, sum);
    status = save_rows(x, name_of("partial/", tree, "halved", name), BF_STORE_INT64, n, sum, error);
  }
  bf_free(sum);
  return status;
}

/* Numbers say what there is behind the stream's growth. */
static BfStatus save_tree(BfLadder *x, int tree, BfError *error) {
  BfRecords *records = tree_of(x, tree);
  Name       name;
  if (bf_stream_due(x, records)) BF_TRY(bf_stream_put(x, records, error));
  const int64_t whole[OF_TREE] = {records->id, records->filed, records->arrays, records->bytes, records->width};
  for (int i = 0; i < OF_TREE; i++)
    BF_TRY(bf_checkpoint_number(x->checkpoint, name_of("", tree, of_tree[i], name), whole[i], error));
  BF_TRY(save_halved(x, tree, records, error));
  BF_TRY(bf_records_even(x->run->world, records, error));
  return bf_checkpoint_array(x->checkpoint, name_of("partial/", tree, "", name), BF_STORE_BYTE, records->bytes, 1,
                             &(BfParts){(int)records->segments, records->first, records->count}, records->mine.byte,
                             error);
}

static BfStatus save_numbers(BfLadder *x, BfError *error) {
  const int64_t whole[WHOLES] = {x->step + 1,    x->root,
                                 x->better_root, x->boxes,
                                 x->level_boxes, bf_list_ready(&x->list),
                                 x->rungs,       (int64_t)x->ending,
                                 x->list.taken,  x->list.behind.count,
                                 x->table,       x->limit,
                                 x->kept_table};
  Real          real[REALS];
  list_reals(x, real);
  BF_TRY(bf_checkpoint_number(x->checkpoint, "stage", STAGE_LADDER, error));
  for (int i = 0; i < WHOLES; i++) BF_TRY(bf_checkpoint_number(x->checkpoint, whole_name[i], whole[i], error));
  for (int i = 0; i < REALS; i++)
    BF_TRY(bf_checkpoint_number(x->checkpoint, real[i].name, bits(*real[i].value), error));
  return BF_OK;
}

static BfStatus save_list(const BfLadder *x, BfError *error) {
  const BfList *list = &x->list;
  const int64_t each = 2 * (int64_t)list->n, ready = bf_list_ready(list), behind = list->behind.count;
  BF_TRY(save_rows(x, "partial/boxes", BF_STORE_DOUBLE, ready * each, bf_list_box(list, list->head), error));
  BF_TRY(save_rows(x, "partial/tags", BF_STORE_INT32, 2 * ready, list->round.tag + list->head, error));
  BF_TRY(save_rows(x, "partial/behind_boxes", BF_STORE_DOUBLE, behind * each, list->behind.box, error));
  return save_rows(x, "partial/behind_tags", BF_STORE_INT32, 2 * behind, list->behind.tag, error);
}

/* Cells are found again from the target, minorants by their names. */
static BfStatus save_cells(const BfLadder *x, BfError *error) {
  const BfProofs *proofs = &x->by_value.cells.proofs;
  BfBytes         all    = {0};
  BfStatus        status;
  for (int64_t i = 0; x->table && i < proofs->known; i++)
    BF_GOTO(bf_together(x->run->world, bf_proofs_pack(proofs, proofs->order[i], &all, error), error));
  BF_GOTO(save_rows(x, "partial/proofs", BF_STORE_BYTE, all.count, all.byte, error));
  status = save_rows(x, "partial/kept_cells", BF_STORE_BYTE, x->kept_cells.count, x->kept_cells.byte, error);
done:
  bf_free(all.byte);
  return status;
}

static BfStatus save(BfLadder *x, BfError *error) {
  const int64_t all = x->of.free.all;
  BF_TRY(bf_checkpoint_begin(x->checkpoint, error));
  BF_TRY(save_numbers(x, error));
  BF_TRY(save_rows(x, "partial/point", BF_STORE_DOUBLE, all, x->point, error));
  BF_TRY(save_rows(x, "partial/better", BF_STORE_DOUBLE, all, x->better_point, error));
  BF_TRY(save_list(x, error));
  BF_TRY(save_rows(x, "partial/history", BF_STORE_DOUBLE, x->rungs * HISTORY, x->rung, error));
  BF_TRY(save_rows(x, "partial/says", BF_STORE_BYTE, x->says ? (int64_t)strlen(x->says) : 0, x->says, error));
  BF_TRY(save_cells(x, error));
  for (int i = 0; i < TREES; i++) BF_TRY(save_tree(x, i, error));
  return bf_checkpoint_end(x->checkpoint, bf_ladder_checkpoint_bytes(x), error);
}

BfStatus bf_ladder_save(BfLadder *x, BfError *error) {
  if (!x->checkpoint) return BF_OK;
  bf_phase_begin(x->run, BF_PHASE_CHECKPOINT);
  const BfStatus status = save(x, error);
  bf_phase_end(x->run, BF_PHASE_CHECKPOINT);
  return status;
}

/* ---- restoring --------------------------------------------------------------------------------------------------- */

static BfStatus fetch(BfCheckpoint *checkpoint, const char *name, BfStoreType type, int64_t first, int64_t count,
                      int64_t rows, void *to, BfError *error) {
  int64_t there;
  BF_TRY(bf_checkpoint_rows(checkpoint, name, &there, error));
  if (there != rows) return bf_fail(error, BF_BAD_INPUT, "/%s does not fit the position of the run", name);
  return bf_checkpoint_read(checkpoint, name, type, 1, &(BfParts){count > 0, &first, &count}, to, error);
}

static BfStatus fetch_all(BfCheckpoint *checkpoint, const char *name, BfStoreType type, int64_t rows, void *to,
                          BfError *error) {
  return fetch(checkpoint, name, type, 0, rows, rows, to, error);
}

/* Rank 0 takes what all have counted. */
static BfStatus restore_halved(const BfLadder *x, BfCheckpoint *checkpoint, int tree, BfRecords *out, BfError *error) {
  const int64_t n = x->of.n;
  Name          name;
  BF_TRY(bf_together(x->run->world, BF_NEW(&out->halved, n, error), error));
  BF_TRY(fetch_all(checkpoint, name_of("partial/", tree, "halved", name), BF_STORE_INT64, n, out->halved, error));
  if (x->run->rank) memset(out->halved, 0, sizeof *out->halved * (size_t)n);
  return BF_OK;
}

static BfStatus restore_tree(BfLadder *x, BfCheckpoint *checkpoint, int tree, BfError *error) {
  BfRecords *out = tree_of(x, tree);
  int64_t    first, count, whole[OF_TREE];
  Name       name;
  bf_records_clear(out);
  for (int i = 0; i < OF_TREE; i++) {
    BF_TRY(bf_checkpoint_get(checkpoint, name_of("", tree, of_tree[i], name), &whole[i], error));
    if (whole[i] < 0) return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  }
  out->id     = whole[0];
  out->filed  = whole[1];
  out->arrays = whole[2];
  out->bytes  = whole[3];
  out->width  = whole[4];
  BF_TRY(bf_stream_check(checkpoint, out, error));
  BF_TRY(restore_halved(x, checkpoint, tree, out, error));
  bf_slice(out->bytes, x->run->rank, x->run->size, &first, &count);
  BF_TRY(bf_together(x->run->world, bf_bytes_reserve(&out->mine, count, error), error));
  name_of("partial/", tree, "", name);
  BF_TRY(fetch(checkpoint, name, BF_STORE_BYTE, first, count, out->bytes, out->mine.byte, error));
  out->mine.count = count;
  return bf_together(x->run->world, bf_records_add(out, first, count, error), error);
}

static BfStatus make_boxes(BfBoxes *x, int64_t n, int64_t count, BfError *error) {
  BF_TRY(BF_NEW(&x->box, count * 2 * n, error));
  BF_TRY(BF_NEW(&x->tag, count, error));
  x->count = x->room = count;
  return BF_OK;
}

static BfStatus make_room(BfLadder *x, int64_t tasks, int64_t behind, int64_t rungs, BfError *error) {
  bf_list_clear(&x->list);
  bf_free(x->rung);
  x->rung = NULL;
  BF_TRY(make_boxes(&x->list.round, x->list.n, tasks, error));
  BF_TRY(make_boxes(&x->list.behind, x->list.n, behind, error));
  BF_TRY(BF_NEW(&x->rung, rungs, error));
  x->rungs = x->rung_room = rungs;
  return BF_OK;
}

static BfStatus restore_list(BfLadder *x, BfCheckpoint *checkpoint, BfError *error) {
  BfBoxes      *round = &x->list.round, *behind = &x->list.behind;
  const int64_t each = 2 * (int64_t)x->list.n;
  BF_TRY(fetch_all(checkpoint, "partial/boxes", BF_STORE_DOUBLE, round->count * each, round->box, error));
  BF_TRY(fetch_all(checkpoint, "partial/tags", BF_STORE_INT32, 2 * round->count, round->tag, error));
  BF_TRY(fetch_all(checkpoint, "partial/behind_boxes", BF_STORE_DOUBLE, behind->count * each, behind->box, error));
  return fetch_all(checkpoint, "partial/behind_tags", BF_STORE_INT32, 2 * behind->count, behind->tag, error);
}

static BfStatus fetch_bytes(const BfLadder *x, BfCheckpoint *checkpoint, const char *name, BfBytes *out,
                            BfError *error) {
  int64_t count;
  BF_TRY(bf_checkpoint_rows(checkpoint, name, &count, error));
  out->count = 0;
  BF_TRY(bf_together(x->run->world, bf_bytes_reserve(out, count, error), error));
  out->count = count;
  return fetch_all(checkpoint, name, BF_STORE_BYTE, count, out->byte, error);
}

static BfStatus take_proofs(BfLadder *x, const BfBytes *all, BfError *error) {
  BfStateCells *cells  = &x->by_value.cells;
  BfProofs     *proofs = &cells->proofs;
  int64_t       used;
  if (x->table) BF_TRY(bf_state_cells_begin(cells, x->aim, x->found - x->target, error));
  for (int64_t at = 0; at < all->count; at += used) {
    const int64_t next = proofs->count;
    BF_TRY(bf_proofs_unpack(proofs, all->byte + at, all->count - at, &used, error));
    if (proofs->count > next) BF_TRY(bf_proofs_know(proofs, next, error));
  }
  return BF_OK;
}

static BfStatus restore_cells(BfLadder *x, BfCheckpoint *checkpoint, BfError *error) {
  BfBytes  all = {0};
  BfStatus status;
  BF_GOTO(fetch_bytes(x, checkpoint, "partial/kept_cells", &x->kept_cells, error));
  BF_GOTO(fetch_bytes(x, checkpoint, "partial/proofs", &all, error));
  status = bf_together(x->run->world, take_proofs(x, &all, error), error);
done:
  bf_free(all.byte);
  return status;
}

static BfStatus restore_says(BfLadder *x, BfCheckpoint *checkpoint, BfError *error) {
  int64_t length;
  bf_free(x->says);
  x->says = NULL;
  BF_TRY(bf_checkpoint_rows(checkpoint, "partial/says", &length, error));
  BF_TRY(bf_together(x->run->world, BF_NEW(&x->says, length + 1, error), error));
  return fetch_all(checkpoint, "partial/says", BF_STORE_BYTE, length, x->says, error);
}

static BfStatus restore_numbers(BfLadder *x, BfCheckpoint *checkpoint, int64_t whole[WHOLES], BfError *error) {
  Real real[REALS];
  list_reals(x, real);
  for (int i = 0; i < WHOLES; i++) {
    BF_TRY(bf_checkpoint_get(checkpoint, whole_name[i], &whole[i], error));
    if (whole[i] < 0) return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  }
  for (int i = 0; i < REALS; i++) {
    int64_t value;
    BF_TRY(bf_checkpoint_get(checkpoint, real[i].name, &value, error));
    memcpy(real[i].value, &value, sizeof value);
  }
  x->step        = (int)whole[0] - 1;
  x->root        = (int)whole[1];
  x->better_root = (int)whole[2];
  x->boxes       = whole[3];
  x->level_boxes = whole[4];
  x->ending      = (BfLevelEnd)whole[7];
  x->table       = whole[10] != 0;
  x->limit       = whole[11];
  x->kept_table  = (int)whole[12];
  if (x->root < x->of.roots && x->better_root < x->of.roots && whole[5] < INT64_MAX / 4096 &&
      whole[9] < INT64_MAX / 4096 && whole[7] <= BF_LEVEL_SPENT && (!x->table || x->by_value.t) &&
      (!x->kept_table || x->kept_table == x->by_value.t))
    return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
}

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  BfLadder     *x   = state;
  const int64_t all = x->of.free.all;
  int64_t       stage, whole[WHOLES];
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  x->under_way = stage == STAGE_LADDER;
  if (stage == 0) return BF_OK;
  if (stage != STAGE_LADDER) return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  BF_TRY(restore_numbers(x, checkpoint, whole, error));
  BF_TRY(bf_together(x->run->world, make_room(x, whole[5], whole[9], whole[6], error), error));
  x->list.taken = whole[8];
  BF_TRY(fetch_all(checkpoint, "partial/point", BF_STORE_DOUBLE, all, x->point, error));
  BF_TRY(fetch_all(checkpoint, "partial/better", BF_STORE_DOUBLE, all, x->better_point, error));
  BF_TRY(restore_list(x, checkpoint, error));
  BF_TRY(fetch_all(checkpoint, "partial/history", BF_STORE_DOUBLE, whole[6] * HISTORY, x->rung, error));
  BF_TRY(restore_cells(x, checkpoint, error));
  for (int i = 0; i < TREES; i++) BF_TRY(restore_tree(x, checkpoint, i, error));
  return restore_says(x, checkpoint, error);
}

BfStatus bf_ladder_restore(BfLadder *x, BfError *error) {
  int restored = 0;
  if (!x->checkpoint) return BF_OK;
  BF_TRY(bf_checkpoint_restore(x->checkpoint, restore, x, &restored, error));
  if (restored && x->under_way)
    bf_print(x->run, "restored: target %.6g, %lld boxes, %lld open\n", x->target, (long long)x->boxes,
             (long long)bf_list_waiting(&x->list));
  return BF_OK;
}
