/* Checkpoints of a descent. Numbers stage, end, steps, rejected, evaluations, rows, round, inserted, round_rows, and
 * tau, next and round_begin by their bits; arrays: initial, initial_weight (once), partial/particles, partial/weights,
 * partial/history. */
#include "heads/save.h"
#include "heads/descend.h"
#include "heads/share.h"
#include <string.h>

enum { STAGE_DESCENT = 5 };

/* ---- arrays of particles ----------------------------------------------------------------------------------------- */

/* This rank's rows of [T H][columns]: a part a layer. */
typedef struct {
  int64_t *first, *count;
  BfParts  parts;
} Rows;

static BfStatus make_rows(const BfDescent *x, Rows *rows, BfError *error) {
  const BfHeadLaw *law = &x->law;
  BF_TRY(BF_NEW(&rows->first, law->layers, error));
  BF_TRY(BF_NEW(&rows->count, law->layers, error));
  for (int t = 0; t < law->layers; t++) {
    rows->first[t] = t * law->heads + law->first;
    rows->count[t] = law->count;
  }
  rows->parts = (BfParts){law->count ? law->layers : 0, rows->first, rows->count};
  return BF_OK;
}

static void clear_rows(Rows *rows) {
  bf_free(rows->first);
  bf_free(rows->count);
}

/* Ranks with the same heads have the same rows, which one of them gives. */
static BfStatus save_rows(const BfDescent *x, const Rows *rows, const char *name, int columns, const double *data,
                          BfError *error) {
  const BfParts none = {0, rows->first, rows->count};
  if (!columns) return BF_OK;
  return bf_checkpoint_array(x->checkpoint, name, BF_STORE_DOUBLE, x->law.layers * x->law.heads, columns,
                             x->heads->sequence_part ? &none : &rows->parts, data, error);
}

static BfStatus restore_rows(BfDescent *x, BfCheckpoint *checkpoint, const Rows *rows, const char *name, int columns,
                             double *data, BfError *error) {
  int64_t entries;
  if (!columns) return BF_OK;
  BF_TRY(bf_checkpoint_rows(checkpoint, name, &entries, error));
  if (entries != x->law.layers * x->law.heads * columns)
    return bf_fail(error, BF_BAD_INPUT, "/%s does not fit the position of the run", name);
  return bf_checkpoint_read(checkpoint, name, BF_STORE_DOUBLE, columns, &rows->parts, data, error);
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

double bf_descent_bytes(const BfDescent *x) {
  return 8.0 * x->law.layers * (double)x->law.heads * (x->law.free + 1) + 8.0 * BF_HISTORY_COLUMNS * (double)x->rows +
         8.0 * (BF_CELL_NUMBERS + 1) * (double)x->open.count +
         8.0 * (double)(x->first_kernel.values + x->last_kernel.values);
}

static BfStatus save(const BfDescent *x, const Rows *rows, BfError *error) {
  const struct {
    const char *name;
    int64_t     value;
  } number[] = {{"stage", STAGE_DESCENT},
                {"end", x->end},
                {"steps", x->steps},
                {"rejected", x->rejected},
                {"evaluations", x->evaluations},
                {"rows", x->rows},
                {"tau", bf_save_bits(x->tau)},
                {"next", bf_save_bits(x->next)},
                {"round", x->round},
                {"inserted", x->inserted},
                {"round_begin", bf_save_bits(x->round_begin)},
                {"round_rows", x->round_rows}};
  BF_TRY(bf_checkpoint_begin(x->checkpoint, error));
  for (size_t i = 0; i < sizeof number / sizeof *number; i++)
    BF_TRY(bf_checkpoint_number(x->checkpoint, number[i].name, number[i].value, error));
  BF_TRY(save_rows(x, rows, "initial", x->law.free, x->initial, error));
  BF_TRY(save_rows(x, rows, "initial_weight", 1, x->initial_weight, error));
  BF_TRY(save_rows(x, rows, "partial/particles", x->law.free, x->law.theta, error));
  BF_TRY(save_rows(x, rows, "partial/weights", 1, x->law.weight, error));
  BF_TRY(bf_save_whole(x, "partial/history", BF_STORE_DOUBLE, x->rows, BF_HISTORY_COLUMNS, x->history, error));
  BF_TRY(bf_save_judged(x, error));
  return bf_checkpoint_end(x->checkpoint, bf_descent_bytes(x), error);
}

BfStatus bf_descent_save(BfDescent *x, BfError *error) {
  Rows     rows = {0};
  BfStatus status;
  bf_phase_begin(x->run, BF_PHASE_CHECKPOINT);
  BF_GOTO(bf_together(x->run->world, make_rows(x, &rows, error), error));
  status = save(x, &rows, error);
done:
  clear_rows(&rows);
  bf_phase_end(x->run, BF_PHASE_CHECKPOINT);
  return status;
}

/* ---- restoring --------------------------------------------------------------------------------------------------- */

typedef struct {
  BfDescent *x;
  Rows       rows;
  bool       begun;
} Restoring;

static bool is_position(const BfDescent *x) {
  const double  last  = x->round_begin + x->set->tau;
  const int64_t room  = bf_history_room(x->set);
  const bool    ended = x->end != BF_DESCENT_GOES_ON;
  return x->rows > 0 && x->tau >= x->round_begin && x->round_begin >= 0 && x->round >= 0 &&
         x->round <= x->set->insert && x->inserted == x->round && x->round_rows > 0 &&
         x->round_rows <= x->set->outputs + 2 &&
         (ended ? x->rows <= room && x->tau <= last && x->steps >= 0
                : x->rows < room && x->tau < last && x->steps > 0 && x->next > 0);
}

static BfStatus restore_numbers(BfDescent *x, BfCheckpoint *checkpoint, BfError *error) {
  int64_t end;
  BF_TRY(bf_checkpoint_get(checkpoint, "end", &end, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "steps", &x->steps, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "rejected", &x->rejected, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "evaluations", &x->evaluations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "rows", &x->rows, error));
  BF_TRY(bf_restore_double(checkpoint, "tau", &x->tau, error));
  BF_TRY(bf_restore_double(checkpoint, "next", &x->next, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "round", &x->round, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "inserted", &x->inserted, error));
  BF_TRY(bf_restore_double(checkpoint, "round_begin", &x->round_begin, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "round_rows", &x->round_rows, error));
  x->end = (BfDescentEnd)end;
  if (end >= 0 && end <= BF_DESCENT_STATIONARY && is_position(x)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
}

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  Restoring *r = state;
  BfDescent *x = r->x;
  int64_t    stage;
  r->begun = false;
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage == 0) return BF_OK;
  if (stage != STAGE_DESCENT)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its descent is of another version of bellformer");
  BF_TRY(restore_numbers(x, checkpoint, error));
  BF_TRY(restore_rows(x, checkpoint, &r->rows, "initial", x->law.free, x->initial, error));
  BF_TRY(restore_rows(x, checkpoint, &r->rows, "initial_weight", 1, x->initial_weight, error));
  BF_TRY(restore_rows(x, checkpoint, &r->rows, "partial/particles", x->law.free, x->law.theta, error));
  BF_TRY(restore_rows(x, checkpoint, &r->rows, "partial/weights", 1, x->law.weight, error));
  BF_TRY(
      bf_restore_whole(checkpoint, "partial/history", BF_STORE_DOUBLE, x->rows, BF_HISTORY_COLUMNS, x->history, error));
  BF_TRY(bf_restore_judged(x, checkpoint, error));
  r->begun = true;
  return BF_OK;
}

/* What a generation that could not be read has left. */
static void forget(BfDescent *x) {
  bf_forget_judged(x);
  x->end = BF_DESCENT_GOES_ON;
  x->tau = x->next = 0;
  x->steps = x->rejected = x->evaluations = x->rows = x->round = x->inserted = x->round_rows = 0;
  x->round_begin                                                                             = 0;
}

static void tell(const BfDescent *x) {
  bf_print(x->run, "restored: tau = %.6g of %s%g, %lld steps%s", x->tau, x->set->insert ? "at most " : "",
           x->set->tau * (double)(1 + x->set->insert), (long long)x->steps,
           x->end == BF_DESCENT_GOES_ON ? "" : "; the descent has ended");
  if (x->open.count)
    bf_print(x->run, "; certificate: %lld of %lld cells", (long long)x->open.cells, (long long)x->set->certify);
  bf_print(x->run, "\n");
}

BfStatus bf_descent_restore(BfDescent *x, int *restored, BfError *error) {
  Restoring r = {.x = x};
  BfStatus  status;
  BF_GOTO(bf_together(x->run->world, make_rows(x, &r.rows, error), error));
  BF_GOTO(bf_checkpoint_restore(x->checkpoint, restore, &r, restored, error));
  *restored = *restored && r.begun;
  if (!*restored) forget(x);
  else tell(x);
done:
  clear_rows(&r.rows);
  return status;
}
