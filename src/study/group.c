/* Groups of ranks, each of which takes the next point when it has finished one. */
#include "study/group.h"
#include "checkpoint/checkpoint.h"
#include <math.h>
#include <string.h>

typedef struct {
  BfWork   *work;
  MPI_Comm  base; /* the group's ranks; nothing is agreed on in it */
  MPI_Comm  comm; /* the same; another one after a point that failed */
  int       rank;
  BfDeal    deal;
  int64_t   at;     /* where it looks for the next */
  BfRecord *record; /* of a point that has ended, and is not yet in the log */
} Group;

static void count_end(const Group *g, const BfTask *task, const BfRecord *record) {
  if (record->state == BF_POINT_STOPPED) return;
  bf_deal_count(g->work, BF_COUNT_MICROSECONDS, (int64_t)(1e6 * bf_task_units(task)));
  bf_deal_count(g->work, record->state == BF_POINT_DONE ? BF_COUNT_DONE : BF_COUNT_FAILED, 1);
}

/* ---- the log ---------------------------------------------------------------------------------------------------- */

/* What has ended, and what begins, into the log in one piece; then the results go. */
static BfStatus write_log(Group *g, const BfTask *next, BfError *error) {
  BfWork         *w        = g->work;
  BfRecord        begun    = {.state = BF_POINT_BEGUN};
  const BfRecord *write[2] = {NULL, NULL};
  int             count    = 0;
  if (g->record) write[count++] = g->record;
  if (next) {
    memcpy(begun.key, w->plan->point[next->point].key, sizeof begun.key);
    begun.crashes  = next->crashes;
    begun.seconds  = next->before;
    write[count++] = &begun;
  }
  if (!count) return BF_OK;
  BF_TRY(bf_claim_check(w->o->out, w->claim, error));
  if (w->o->keep && g->record && g->record->state == BF_POINT_DONE)
    BF_TRY(bf_study_keep(w->o->out, w->start, g->record->key, error)); /* before the log says that it is done */
  BF_TRY(bf_log_append(&w->log, write, count, error));
  if (!g->record || g->record->state == BF_POINT_STOPPED) return BF_OK;
  return bf_study_point_remove(w->o->out, w->start, g->record->key, error);
}

BfStatus bf_work_lost(const BfWork *w, BfError *error) {
  BfError lost = {0};
  if (error->status != BF_OK && *w->claim && bf_claim_check(w->o->out, w->claim, &lost) != BF_OK) *error = lost;
  return error->status;
}

/* The leader's step between two points: the next one, or -1. */
static BfStatus step(Group *g, bool stop, int64_t *next, BfError *error) {
  BfWork *w = g->work;
  *next     = -1;
  if (stop) bf_deal_end(w);
  else bf_deal_take(w, &g->deal, &g->at, next, error);
  if (error->status == BF_OK) write_log(g, *next < 0 ? NULL : &w->task[*next], error);
  const BfStatus status = bf_work_lost(w, error);
  if (*next >= 0 && status == BF_OK) bf_deal_count(w, BF_COUNT_BEGUN, 1);
  bf_work_pass(w);
  bf_work_write(w);
  return status;
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static BfStatus take_next(Group *g, int64_t *next, BfError *error) {
  int mine = bf_work_stops(g->work) || (g->record && g->record->state == BF_POINT_STOPPED), any = 0;
  *next = -1;
  MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, g->comm);
  BF_TRY(bf_together(g->comm, g->rank == 0 ? step(g, any, next, error) : BF_OK, error));
  bf_record_destroy(&g->record);
  MPI_Bcast(next, 1, MPI_INT64_T, 0, g->comm);
  return BF_OK;
}

/* What ranks of a communicator hold together after a failure may differ; the next point has another one. */
static void renew(Group *g) {
  MPI_Comm_free(&g->comm);
  MPI_Comm_split(g->base, 0, g->rank, &g->comm);
}

static BfStatus run_point(Group *g, int64_t next, BfError *error) {
  const BfTask *task = &g->work->task[next];
  const char   *key  = g->work->plan->point[task->point].key;
  BF_TRY(bf_together(g->comm, bf_record_create(key, &g->record, error), error));
  const double begun = bf_seconds();
  BF_TRY(bf_point_run(g->work, g->comm, task, g->record, error));
  g->work->longest = fmax(g->work->longest, bf_seconds() - begun);
  if (g->record->state == BF_POINT_FAILED) renew(g);
  if (g->rank == 0) count_end(g, task, g->record);
  return BF_OK;
}

static BfStatus run_group(Group *g, BfError *error) {
  for (int64_t next; take_next(g, &next, error) == BF_OK && next >= 0;)
    if (run_point(g, next, error) != BF_OK) break;
  bf_record_destroy(&g->record);
  if (g->rank == 0 && error->status != BF_OK) bf_deal_end(g->work);
  return error->status;
}

static BfStatus run_sizes(BfWork *w, MPI_Comm above, int64_t first, int size_index, BfError *error) {
  Group g = {.work = w, .deal = {size_index, first, first}, .at = first};
  int   rank;
  while (g.deal.last < w->tasks && w->task[g.deal.last].ranks == w->task[first].ranks) g.deal.last++;
  MPI_Comm_rank(above, &rank);
  MPI_Comm_split(above, rank / w->task[first].ranks, rank, &g.base);
  MPI_Comm_rank(g.base, &g.rank);
  MPI_Comm_split(g.base, 0, g.rank, &g.comm);
  BfStatus status = run_group(&g, error);
  if (status == BF_OK && g.deal.last < w->tasks) status = run_sizes(w, g.base, g.deal.last, size_index + 1, error);
  MPI_Comm_free(&g.comm);
  MPI_Comm_free(&g.base);
  return status;
}

BfStatus bf_groups_run(BfWork *w, MPI_Comm comm, BfError *error) {
  return w->tasks ? run_sizes(w, comm, 0, 0, error) : BF_OK;
}
