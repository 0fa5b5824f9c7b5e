/* Checkpoints of a search, by all groups together. Numbers evaluations (of finished starts), best, iterations and
 * reason (of the best of them), under_way, rows; arrays: partial/starts (the table of starts), partial/control and
 * partial/history of the best, partial/under_way (of starts under way their numbers and rows of their logs), and
 * partial/log (these logs, one behind another). TAO's own memory is not saved: it is a function of the evaluations,
 * which a restart gives it again. Starts under way are dealt to the groups of a restart in turns, whatever groups they
 * were of. */
#include "flow/search.h"
#include <string.h>

enum { STAGE_STARTS = 2, UNDER_WAY_COLUMNS = 2 };

/* An array of all rows that one rank gives. */
static BfStatus array(const BfSearch *search, int rank, const char *name, int64_t rows, int64_t columns,
                      const double *data, BfError *error) {
  const int64_t first = 0;
  const int     mine  = search->whole->rank == rank && rows > 0;
  if (rows == 0) return BF_OK;
  return bf_checkpoint_array(search->checkpoint, name, BF_STORE_DOUBLE, rows, columns, &(BfParts){mine, &first, &rows},
                             data, error);
}

/* ---- what is finished ------------------------------------------------------------------------------------------- */

static BfStatus save_finished(const BfSearch *search, BfError *error) {
  const int owner   = bf_search_owner(search);
  int64_t   best[3] = {search->top, search->top_iterations, search->top_reason};
  double   *table   = NULL;
  BfStatus  status;
  BF_GOTO(bf_together(search->whole->world, BF_NEW(&table, search->all * search->columns, error), error));
  BF_GOTO(bf_checkpoint_number(search->checkpoint, "evaluations", bf_search_add_up(search, table), error));
  status = array(search, 0, "partial/starts", search->all, search->columns, table, error);
done:
  bf_free(table);
  BF_TRY(status);
  MPI_Bcast(best, 3, MPI_INT64_T, owner < 0 ? 0 : owner, search->whole->world);
  BF_TRY(bf_checkpoint_number(search->checkpoint, "best", best[0], error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "iterations", best[1], error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "reason", best[2], error));
  if (owner < 0) return BF_OK;
  BF_TRY(array(search, owner, "partial/control", search->n, 1, search->top_control, error));
  return array(search, owner, "partial/history", best[1] + 1, 2, search->top_history, error);
}

/* ---- what is under way ------------------------------------------------------------------------------------------ */

/* The logs of this rank, one behind another: of a leader the start under way and those that wait. */
typedef struct {
  int64_t count, rows, first[2], all[2]; /* starts and rows: of this rank, before it, of all ranks */
  double *starts;                        /* [count][UNDER_WAY_COLUMNS] */
  double *log, *joined;                  /* [rows][BF_LOG_HEAD + n]; what is to be freed of it */
} Logs;

static void add_log(const BfSearch *search, const BfStartLog *log, Logs *logs) {
  const int64_t columns = BF_LOG_HEAD + search->n;
  if (log->start < 0 || !log->evaluated) return;
  if (logs->joined)
    memcpy(logs->joined + logs->rows * columns, log->log, sizeof(double) * (size_t)(log->evaluated * columns));
  else logs->log = log->log;
  logs->starts[UNDER_WAY_COLUMNS * logs->count]     = (double)log->start;
  logs->starts[UNDER_WAY_COLUMNS * logs->count + 1] = (double)log->evaluated;
  logs->count++;
  logs->rows += log->evaluated;
}

static BfStatus make_logs(const BfSearch *search, Logs *logs, BfError *error) {
  int64_t rows = search->now.evaluated;
  if (search->run->rank) return BF_OK;
  for (int64_t i = 0; i < search->waiting; i++) rows += search->wait[i].evaluated;
  BF_TRY(BF_NEW(&logs->starts, UNDER_WAY_COLUMNS * (1 + search->waiting), error));
  if (search->waiting) BF_TRY(BF_NEW(&logs->joined, rows * (BF_LOG_HEAD + search->n), error));
  add_log(search, &search->now, logs);
  for (int64_t i = 0; i < search->waiting; i++) add_log(search, &search->wait[i], logs);
  if (logs->joined) logs->log = logs->joined;
  return BF_OK;
}

static void place_logs(const BfSearch *search, Logs *logs) {
  int64_t mine[2] = {logs->count, logs->rows};
  MPI_Exscan(mine, logs->first, 2, MPI_INT64_T, MPI_SUM, search->whole->world);
  if (search->whole->rank == 0) logs->first[0] = logs->first[1] = 0; /* MPI leaves it undefined there */
  MPI_Allreduce(mine, logs->all, 2, MPI_INT64_T, MPI_SUM, search->whole->world);
}

static BfStatus save_under_way(const BfSearch *search, int64_t *rows, BfError *error) {
  Logs     logs = {0};
  BfStatus status;
  BF_GOTO(bf_together(search->whole->world, make_logs(search, &logs, error), error));
  place_logs(search, &logs);
  BF_GOTO(bf_checkpoint_number(search->checkpoint, "under_way", logs.all[0], error));
  BF_GOTO(bf_checkpoint_number(search->checkpoint, "rows", logs.all[1], error));
  *rows = logs.all[1];
  if (!*rows) goto done;
  BF_GOTO(bf_checkpoint_array(search->checkpoint, "partial/under_way", BF_STORE_DOUBLE, logs.all[0], UNDER_WAY_COLUMNS,
                              &(BfParts){logs.count > 0, &logs.first[0], &logs.count}, logs.starts, error));
  status = bf_checkpoint_array(search->checkpoint, "partial/log", BF_STORE_DOUBLE, logs.all[1], BF_LOG_HEAD + search->n,
                               &(BfParts){logs.rows > 0, &logs.first[1], &logs.rows}, logs.log, error);
done:
  bf_free(logs.starts);
  bf_free(logs.joined);
  return status;
}

double bf_search_row_bytes(const BfSearch *search) { return 8.0 * (double)(BF_LOG_HEAD + search->n); }

double bf_search_other_bytes(const BfSearch *search) {
  return 8.0 * ((double)(search->all * search->columns) + (double)search->n);
}

BfStatus bf_search_save(BfSearch *search, BfError *error) {
  int64_t rows;
  bf_phase_begin(search->run, BF_PHASE_CHECKPOINT);
  BF_TRY(bf_checkpoint_begin(search->checkpoint, error));
  BF_TRY(bf_checkpoint_number(search->checkpoint, "stage", STAGE_STARTS, error));
  BF_TRY(save_finished(search, error));
  BF_TRY(save_under_way(search, &rows, error));
  const double bytes = bf_search_other_bytes(search) + bf_search_row_bytes(search) * (double)rows;
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

/* Rank 0 keeps it. */
static BfStatus restore_best(BfSearch *search, BfCheckpoint *checkpoint, BfError *error) {
  int64_t reason;
  BF_TRY(bf_checkpoint_get(checkpoint, "evaluations", &search->evaluations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "best", &search->top, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "iterations", &search->top_iterations, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "reason", &reason, error));
  search->top_reason = (int)reason;
  if (search->top >= search->all || search->top_iterations < 0 || search->top_iterations > INT32_MAX)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  if (search->top < 0) return BF_OK;
  search->top_cost = search->table[search->top * search->columns + BF_START_COST];
  BF_TRY(
      bf_together(search->whole->world, BF_NEW(&search->top_history, 2 * (search->top_iterations + 1), error), error));
  BF_TRY(fetch(checkpoint, "partial/control", search->n, 1, search->top_control, error));
  return fetch(checkpoint, "partial/history", search->top_iterations + 1, 2, search->top_history, error);
}

static void leave_to_rank_0(BfSearch *search) {
  if (search->whole->rank == 0) return;
  memset(search->table, 0, sizeof(double) * (size_t)(search->all * search->columns));
  search->top         = -1;
  search->evaluations = 0;
}

/* starts [count][UNDER_WAY_COLUMNS], of whose logs this group's leader reads every groups-th. */
typedef struct {
  int64_t  count, rows, mine;
  double  *starts;
  int64_t *first, *length; /* [mine] in partial/log */
  double  *log;            /* of these */
} UnderWay;

static BfStatus find_mine(BfSearch *search, UnderWay *u, BfError *error) {
  int64_t       at = 0, rows = 0;
  const int64_t most = u->count / search->groups + 1;
  BF_TRY(BF_NEW(&u->first, most, error));
  BF_TRY(BF_NEW(&u->length, most, error));
  BF_TRY(BF_NEW(&search->wait, most, error));
  for (int64_t i = 0; i < u->count; i++) {
    const int64_t start  = (int64_t)u->starts[UNDER_WAY_COLUMNS * i],
                  length = (int64_t)u->starts[UNDER_WAY_COLUMNS * i + 1];
    if (start < 0 || start >= search->all || length < 1 ||
        search->table[start * search->columns + BF_START_FINISHED] != 0)
      return bf_fail(error, BF_BAD_INPUT, "/partial/under_way does not fit the position of the run");
    if (i % search->groups == search->group && search->run->rank == 0) {
      u->first[u->mine]     = at;
      u->length[u->mine]    = length;
      search->wait[u->mine] = (BfStartLog){.start = start, .evaluated = length};
      u->mine++;
      rows += length;
    }
    at += length;
  }
  if (at != u->rows) return bf_fail(error, BF_BAD_INPUT, "/partial/under_way does not fit /partial/log");
  return BF_NEW(&u->log, rows * (BF_LOG_HEAD + search->n), error);
}

/* Each log gets memory of its own, since it grows. */
static BfStatus part_logs(BfSearch *search, const UnderWay *u, BfError *error) {
  const int64_t columns = BF_LOG_HEAD + search->n;
  int64_t       at      = 0;
  search->waiting       = u->mine;
  for (int64_t i = 0; i < u->mine; i++) {
    BfStartLog *log = &search->wait[i];
    BF_TRY(BF_NEW(&log->log, log->evaluated * columns, error));
    log->room = log->evaluated;
    memcpy(log->log, u->log + at * columns, sizeof(double) * (size_t)(log->evaluated * columns));
    at += log->evaluated;
  }
  return BF_OK;
}

static BfStatus restore_under_way(BfSearch *search, BfCheckpoint *checkpoint, BfError *error) {
  const MPI_Comm world = search->whole->world;
  UnderWay       u     = {0};
  BfStatus       status;
  BF_TRY(bf_checkpoint_get(checkpoint, "under_way", &u.count, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "rows", &u.rows, error));
  if (u.count < 0 || u.count > search->all)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  if (!u.count) return BF_OK;
  BF_GOTO(bf_together(world, BF_NEW(&u.starts, UNDER_WAY_COLUMNS * u.count, error), error));
  BF_GOTO(fetch(checkpoint, "partial/under_way", u.count, UNDER_WAY_COLUMNS, u.starts, error));
  BF_GOTO(bf_together(world, find_mine(search, &u, error), error));
  BF_GOTO(bf_checkpoint_read(checkpoint, "partial/log", BF_STORE_DOUBLE, BF_LOG_HEAD + search->n,
                             &(BfParts){(int)u.mine, u.first, u.length}, u.log, error));
  status = bf_together(world, part_logs(search, &u, error), error);
  for (int64_t i = 0; i < u.count; i++) /* on all ranks: not fresh */
    search->table[(int64_t)u.starts[UNDER_WAY_COLUMNS * i] * search->columns + BF_START_FINISHED] = -1;
done:
  bf_free(u.starts);
  bf_free(u.first);
  bf_free(u.length);
  bf_free(u.log);
  return status;
}

/* What an older generation left that could not be read. */
static void forget(BfSearch *search) {
  for (int64_t i = 0; i < search->waiting; i++) bf_free(search->wait[i].log);
  bf_free(search->wait);
  bf_free(search->top_history);
  search->wait        = NULL;
  search->top_history = NULL;
  search->waiting = search->evaluations = 0;
  search->top                           = -1;
  memset(search->table, 0, sizeof(double) * (size_t)(search->all * search->columns));
}

static BfStatus restore(void *state, BfCheckpoint *checkpoint, BfError *error) {
  BfSearch *search = state;
  int64_t   stage;
  forget(search);
  BF_TRY(bf_checkpoint_get(checkpoint, "stage", &stage, error));
  if (stage == 0) return BF_OK;
  if (stage != STAGE_STARTS) return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  BF_TRY(fetch(checkpoint, "partial/starts", search->all, search->columns, search->table, error));
  BF_TRY(restore_best(search, checkpoint, error));
  return restore_under_way(search, checkpoint, error);
}

/* Starts that are neither finished (1) nor under way (-1), the same list on all ranks; what is restored of the others
 * is then rank 0's alone. */
static BfStatus list_fresh(BfSearch *search, int64_t *finished, BfError *error) {
  BF_TRY(BF_NEW(&search->fresh_start, search->all, error));
  for (int64_t s = 0; s < search->all; s++) {
    double *state = &search->table[s * search->columns + BF_START_FINISHED];
    if (*state == 0) search->fresh_start[search->fresh++] = s;
    *finished += *state > 0;
    *state = *state > 0;
  }
  leave_to_rank_0(search);
  return BF_OK;
}

BfStatus bf_search_restore(BfSearch *search, BfError *error) {
  int     restored = 0;
  int64_t finished = 0, rows = 0;
  if (search->checkpoint) BF_TRY(bf_checkpoint_restore(search->checkpoint, restore, search, &restored, error));
  BF_TRY(bf_together(search->whole->world, list_fresh(search, &finished, error), error));
  for (int64_t i = 0; i < search->waiting; i++) rows += search->wait[i].evaluated;
  MPI_Allreduce(MPI_IN_PLACE, &rows, 1, MPI_INT64_T, MPI_SUM, search->whole->world);
  search->left     = (double)(search->all - finished) * search->most - (double)rows;
  search->finished = finished;
  if (finished || rows)
    bf_print(search->whole,
             "restored: %lld of %lld starts are finished; going on after %lld evaluations of %lld others\n",
             (long long)finished, (long long)search->all, (long long)rows,
             (long long)(search->all - finished - search->fresh));
  return BF_OK;
}
