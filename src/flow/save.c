/* Checkpoints of a search. Numbers start, before, best, iterations, reason; arrays of rank 0's: partial/log (the
 * evaluations of the start under way), partial/starts (of the finished ones J at both ends and iterations),
 * partial/control and partial/history of the best. TAO's own memory is not saved: it is a function of the evaluations,
 * which a restart gives it again. */
#include "flow/train.h"
#include <string.h>

enum { START_COLUMNS = 3 };

double bf_train_save_bytes(const BfTrain *train) {
  return 8.0 * ((double)train->evaluated * (double)(BF_LOG_HEAD + train->n) + START_COLUMNS * (double)train->start +
                (double)train->n);
}

/* An array that rank 0 gives. */
static BfStatus array(const BfTrain *train, const char *name, int64_t rows, int64_t columns, const double *data,
                      BfError *error) {
  const int64_t first = 0;
  const int     mine  = train->run->rank == 0 && rows > 0;
  if (rows == 0) return BF_OK;
  return bf_checkpoint_array(train->checkpoint, name, BF_STORE_DOUBLE, rows, columns, mine, &first, &rows, data, error);
}

static BfStatus save_finished(const BfTrain *train, BfError *error) {
  const BfTraining *out  = train->out;
  double           *rows = NULL;
  BfStatus          status;
  BF_GOTO(bf_together(train->run->world, BF_NEW(&rows, START_COLUMNS * train->start, error), error));
  for (int64_t s = 0; s < train->start; s++) {
    rows[START_COLUMNS * s]     = out->initial_cost[s];
    rows[START_COLUMNS * s + 1] = out->final_cost[s];
    rows[START_COLUMNS * s + 2] = (double)out->start_iterations[s];
  }
  status = array(train, "partial/starts", train->start, START_COLUMNS, rows, error);
done:
  bf_free(rows);
  BF_TRY(status);
  if (!train->start) return BF_OK;
  BF_TRY(array(train, "partial/control", train->n, 1, out->control, error));
  return array(train, "partial/history", out->iterations + 1, 2, out->history, error);
}

BfStatus bf_train_save(BfTrain *train, BfError *error) {
  const BfTraining *out   = train->out;
  const double      bytes = bf_train_save_bytes(train);
  bf_phase_begin(train->run, BF_PHASE_CHECKPOINT);
  BF_TRY(bf_checkpoint_begin(train->checkpoint, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "stage", 1, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "start", train->start, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "evaluated", train->evaluated, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "before", out->evaluations, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "best", out->best, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "iterations", out->iterations, error));
  BF_TRY(bf_checkpoint_number(train->checkpoint, "reason", out->reason, error));
  BF_TRY(array(train, "partial/log", train->evaluated, BF_LOG_HEAD + train->n, train->log, error));
  BF_TRY(save_finished(train, error));
  BF_TRY(bf_checkpoint_end(train->checkpoint, bytes, error));
  bf_phase_end(train->run, BF_PHASE_CHECKPOINT);
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
  return bf_checkpoint_read(checkpoint, name, BF_STORE_DOUBLE, columns, 1, &first, &rows, to, error);
}

static BfStatus restore_finished(BfTrain *train, BfCheckpoint *checkpoint, BfError *error) {
  BfTraining *out  = train->out;
  double     *rows = NULL;
  BfStatus    status;
  BF_GOTO(bf_together(train->run->world, BF_NEW(&rows, START_COLUMNS * train->start, error), error));
  status = fetch(checkpoint, "partial/starts", train->start, START_COLUMNS, rows, error);
  for (int64_t s = 0; s < train->start && status == BF_OK; s++) {
    out->initial_cost[s]     = rows[START_COLUMNS * s];
    out->final_cost[s]       = rows[START_COLUMNS * s + 1];
    out->start_iterations[s] = (int64_t)rows[START_COLUMNS * s + 2];
  }
done:
  bf_free(rows);
  BF_TRY(status);
  bf_free(out->history);
  out->history = NULL;
  if (!train->start) return BF_OK;
  BF_TRY(bf_together(train->run->world, BF_NEW(&out->history, 2 * (out->iterations + 1), error), error));
  BF_TRY(fetch(checkpoint, "partial/control", train->n, 1, out->control, error));
  return fetch(checkpoint, "partial/history", out->iterations + 1, 2, out->history, error);
}

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  BfTrain    *train = state;
  BfTraining *out   = train->out;
  int64_t     stage, reason;
  bf_free(train->log);
  train->log   = NULL;
  train->start = train->evaluated = train->room = 0;
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage != 1) return BF_OK;
  BF_TRY(bf_checkpoint_get(checkpoint, "start", &train->start, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "evaluated", &train->evaluated, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "before", &out->evaluations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "best", &out->best, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "iterations", &out->iterations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "reason", &reason, error));
  out->reason = (int)reason;
  if (train->start < 0 || train->start >= train->all || train->evaluated < 0 || out->best < 0 ||
      out->best > train->start || out->iterations < 0 || out->iterations > INT32_MAX)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  train->room = train->evaluated;
  BF_TRY(bf_together(train->run->world, BF_NEW(&train->log, train->room * (BF_LOG_HEAD + train->n), error), error));
  BF_TRY(fetch(checkpoint, "partial/log", train->evaluated, BF_LOG_HEAD + train->n, train->log, error));
  return restore_finished(train, checkpoint, error);
}

BfStatus bf_train_restore(BfTrain *train, BfError *error) {
  int restored = 0;
  if (train->checkpoint) BF_TRY(bf_checkpoint_restore(train->checkpoint, restore, train, &restored, error));
  if (restored && (train->start || train->evaluated))
    bf_print(train->run, "restored: going on in start %lld of %lld, after %lld evaluations\n",
             (long long)train->start + 1, (long long)train->all, (long long)train->evaluated);
  return BF_OK;
}
