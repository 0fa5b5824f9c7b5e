/* Checkpoints of a search. Numbers start, before, best, iterations, reason; arrays of rank 0's: partial/log (the
 * evaluations of the start under way), partial/starts (of the finished ones J at both ends and iterations),
 * partial/control and partial/history of the best. TAO's own memory is not saved: it is a function of the evaluations,
 * which a restart gives it again. */
#include "flow/search.h"
#include <string.h>

enum { START_COLUMNS = 3 };

double bf_search_save_bytes(const BfSearch *search) {
  return 8.0 * ((double)search->evaluated * (double)(BF_LOG_HEAD + search->n) + START_COLUMNS * (double)search->start +
                (double)search->n);
}

/* An array that rank 0 gives. */
static BfStatus array(const BfSearch *search, const char *name, int64_t rows, int64_t columns, const double *data,
                      BfError *error) {
  const int64_t first = 0;
  const int     mine  = search->run->rank == 0 && rows > 0;
  if (rows == 0) return BF_OK;
  return bf_checkpoint_array(search->checkpoint, name, BF_STORE_DOUBLE, rows, columns, &(BfParts){mine, &first, &rows},
                             data, error);
}

static BfStatus save_finished(const BfSearch *search, BfError *error) {
  const BfTraining *out  = search->out;
  double           *rows = NULL;
  BfStatus          status;
  BF_GOTO(bf_together(search->run->world, BF_NEW(&rows, START_COLUMNS * search->start, error), error));
  for (int64_t s = 0; s < search->start; s++) {
    rows[START_COLUMNS * s]     = out->initial_cost[s];
    rows[START_COLUMNS * s + 1] = out->final_cost[s];
    rows[START_COLUMNS * s + 2] = (double)out->start_iterations[s];
  }
  status = array(search, "partial/starts", search->start, START_COLUMNS, rows, error);
done:
  bf_free(rows);
  BF_TRY(status);
  if (!search->start) return BF_OK;
  BF_TRY(array(search, "partial/control", search->n, 1, out->control, error));
  return array(search, "partial/history", out->iterations + 1, 2, out->history, error);
}

BfStatus bf_search_save(BfSearch *search, BfError *error) {
  const BfTraining *out   = search->out;
  const double      bytes = bf_search_save_bytes(search);
  bf_phase_begin(search->run, BF_PHASE_CHECKPOINT);
  BF_TRY(bf_checkpoint_begin(search->checkpoint, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "stage", 1, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "start", search->start, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "evaluated", search->evaluated, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "before", out->evaluations, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "best", out->best, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "iterations", out->iterations, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "reason", out->reason, error));
  BF_TRY(array(search, "partial/log", search->evaluated, BF_LOG_HEAD + search->n, search->log, error));
  BF_TRY(save_finished(search, error));
  BF_TRY(bf_checkpoint_end(search->checkpoint, bytes, error));
  bf_phase_end(search->run, BF_PHASE_CHECKPOINT);
  return BF_OK;
}

/* ---- restoring -------------------------------------------------------------------------------------------------- */

/* An array of `rows` rows onto all ranks. */
static BfStatus fetch(BfCheckpoint *checkpoint, const char *name, int64_t rows, int64_t columns, double *to,
                      BfError *error) {
  const int64_t first = 0;
  int64_t       entries;
  if (rows == 0) return BF_OK;
  BF_TRY(bf_checkpoint_rows(checkpoint, name, &entries, error));
  if (entries != rows * columns) return bf_fail(error, BF_BAD_INPUT, "/%s does not fit the position of the run", name);
  return bf_checkpoint_read(checkpoint, name, BF_STORE_DOUBLE, columns, &(BfParts){1, &first, &rows}, to, error);
}

static BfStatus restore_finished(BfSearch *search, BfCheckpoint *checkpoint, BfError *error) {
  BfTraining *out  = search->out;
  double     *rows = NULL;
  BfStatus    status;
  BF_GOTO(bf_together(search->run->world, BF_NEW(&rows, START_COLUMNS * search->start, error), error));
  status = fetch(checkpoint, "partial/starts", search->start, START_COLUMNS, rows, error);
  for (int64_t s = 0; s < search->start && status == BF_OK; s++) {
    out->initial_cost[s]     = rows[START_COLUMNS * s];
    out->final_cost[s]       = rows[START_COLUMNS * s + 1];
    out->start_iterations[s] = (int64_t)rows[START_COLUMNS * s + 2];
  }
done:
  bf_free(rows);
  BF_TRY(status);
  bf_free(out->history);
  out->history = NULL;
  if (!search->start) return BF_OK;
  BF_TRY(bf_together(search->run->world, BF_NEW(&out->history, 2 * (out->iterations + 1), error), error));
  BF_TRY(fetch(checkpoint, "partial/control", search->n, 1, out->control, error));
  return fetch(checkpoint, "partial/history", out->iterations + 1, 2, out->history, error);
}

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  BfSearch   *search = state;
  BfTraining *out    = search->out;
  int64_t     stage, reason;
  bf_free(search->log);
  search->log   = NULL;
  search->start = search->evaluated = search->room = 0;
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage != 1) return BF_OK;
  BF_TRY(bf_checkpoint_get(checkpoint, "start", &search->start, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "evaluated", &search->evaluated, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "before", &out->evaluations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "best", &out->best, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "iterations", &out->iterations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "reason", &reason, error));
  out->reason = (int)reason;
  if (search->start < 0 || search->start >= search->all || search->evaluated < 0 || out->best < 0 ||
      out->best > search->start || out->iterations < 0 || out->iterations > INT32_MAX)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  search->room = search->evaluated;
  BF_TRY(bf_together(search->run->world, BF_NEW(&search->log, search->room * (BF_LOG_HEAD + search->n), error), error));
  BF_TRY(fetch(checkpoint, "partial/log", search->evaluated, BF_LOG_HEAD + search->n, search->log, error));
  return restore_finished(search, checkpoint, error);
}

BfStatus bf_search_restore(BfSearch *search, BfError *error) {
  int restored = 0;
  if (search->checkpoint) BF_TRY(bf_checkpoint_restore(search->checkpoint, restore, search, &restored, error));
  if (restored && (search->start || search->evaluated))
    bf_print(search->run, "restored: going on in start %lld of %lld, after %lld evaluations\n",
             (long long)search->start + 1, (long long)search->all, (long long)search->evaluated);
  return BF_OK;
}
