/* A study from its earlier starts to its end: what is left to do, who does it, what has come of it. */
#include "checkpoint/checkpoint.h"
#include "study/group.h"
#include "study/outcome.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- points by key ---------------------------------------------------------------------------------------------- */

typedef struct {
  const char *key;
  int64_t     point;
} Keyed;

static int compare_keys(const void *a, const void *b) {
  const Keyed *x = a, *y = b;
  const int    order = strcmp(x->key, y->key);
  return order ? order : (x->point > y->point) - (x->point < y->point);
}

/* Points in the order of their keys; of equal ones the first in the plan stands first. */
static BfStatus sort_keys(const BfPlan *plan, Keyed **keyed, BfError *error) {
  const int64_t count = bf_plan_points(plan);
  BF_TRY(BF_NEW(keyed, count, error));
  for (int64_t i = 0; i < count; i++) (*keyed)[i] = (Keyed){plan->point[i].key, i};
  qsort(*keyed, (size_t)count, sizeof **keyed, compare_keys);
  return BF_OK;
}

static bool is_first(const Keyed keyed[], int64_t i) { return i == 0 || strcmp(keyed[i].key, keyed[i - 1].key) != 0; }

/* ---- what is left to do ----------------------------------------------------------------------------------------- */

static int compare_seconds(const void *a, const void *b) {
  const BfTask *x = a, *y = b;
  if (x->seconds != y->seconds) return x->seconds > y->seconds ? -1 : 1;
  return (x->point > y->point) - (x->point < y->point);
}

static int compare_tasks(const void *a, const void *b) {
  const BfTask *x = a, *y = b;
  return x->ranks != y->ranks ? y->ranks - x->ranks : compare_seconds(a, b);
}

/* Every point that is to be run once, of all parts or of one. */
static void list_points(BfWork *w, const Keyed keyed[]) {
  const BfStudyOptions *o    = w->o;
  int64_t               mine = 0;
  for (int64_t i = 0; i < bf_plan_points(w->plan); i++) {
    const BfPoint *p     = &w->plan->point[keyed[i].point];
    const int64_t  ranks = o->ranks > 0 ? o->ranks : p->ranks;
    if (!is_first(keyed, i)) continue;
    w->task[w->tasks++] = (BfTask){.point   = keyed[i].point,
                                   .ranks   = ranks < 1              ? 1
                                              : ranks > w->run->size ? w->run->size
                                                                     : (int)ranks,
                                   .seconds = p->seconds};
  }
  /* In the order of keys, which is the same wherever a part runs; what points are estimated to take is not. */
  for (int64_t i = 0; i < w->tasks && o->parts > 1; i++)
    if (i % o->parts == o->part - 1) w->task[mine++] = w->task[i];
  if (o->parts > 1) w->tasks = mine;
}

static bool is_tried_again(const BfWork *w, const BfRecord *r) {
  return w->o->retry && (r->state == BF_POINT_FAILED || r->state == BF_POINT_SET_ASIDE);
}

/* What a record of a point that is done lacks of all that is measured; NULL: nothing. */
static const char *lacks(const BfWork *w, const BfRecord *r) {
  return r->state == BF_POINT_DONE ? bf_outcome_lacks(w->plan->study, r) : NULL;
}

static bool is_left(const BfWork *w, const BfRecord *r) {
  return !r || r->state == BF_POINT_STOPPED || is_tried_again(w, r) || lacks(w, r);
}

static bool is_kept(const BfWork *w, const BfRecord *r) {
  char path[4096];
  bf_study_kept_folder(w->o->out, r->key, sizeof path, path);
  return access(path, F_OK) == 0;
}

/* Where little is left, more of it is fair than the plan knows. */
static void share_ranks(BfWork *w) {
  double whole = 0;
  for (int64_t i = 0; i < w->tasks; i++) whole += w->task[i].seconds;
  for (int64_t i = 0; i < w->tasks; i++) {
    const int ranks = bf_ranks_by_time(w->task[i].seconds, whole, w->run->size);
    if (ranks > w->task[i].ranks) w->task[i].ranks = ranks;
  }
}

/* Tasks without what is done. */
static void leave_out(BfWork *w, const BfHistory *h) {
  int64_t left = 0;
  for (int64_t i = 0; i < w->tasks; i++) {
    BfTask      task = w->task[i];
    BfRecord   *r    = bf_history_find(h, w->plan->point[task.point].key);
    const char *more = r ? lacks(w, r) : NULL;
    if (!is_left(w, r)) {
      w->not_kept += w->o->keep && r->state == BF_POINT_DONE && !is_kept(w, r);
      continue;
    }
    if (more && !w->anew++) snprintf(w->asked, sizeof w->asked, "%s", more);
    task.known      = r != NULL;
    task.before     = r && !more ? r->seconds : 0;
    task.crashes    = r && r->state == BF_POINT_STOPPED ? r->crashes : 0;
    w->task[left++] = task;
  }
  w->kept  = w->tasks - left;
  w->tasks = left;
  if (w->o->ranks < 1) share_ranks(w);
  qsort(w->task, (size_t)left, sizeof *w->task, compare_tasks);
}

static int64_t find(const Keyed keyed[], int64_t count, const char *key) {
  const Keyed here = {key, -1};
  int64_t     low = 0, high = count;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (compare_keys(&keyed[middle], &here) < 0) low = middle + 1;
    else high = middle;
  }
  return low < count && !strcmp(keyed[low].key, key) ? low : -1;
}

/* What is not, or no longer, to be known. */
static void forget(const BfWork *w, const Keyed keyed[], BfHistory *h) {
  int64_t left = 0;
  for (int64_t i = 0; i < h->count; i++) {
    BfRecord  *r   = h->record[i];
    const bool has = find(keyed, bf_plan_points(w->plan), r->key) >= 0;
    if (has && !is_tried_again(w, r)) h->record[left++] = r;
    else bf_record_destroy(&r);
  }
  h->count = left;
}

static BfStatus refuse_lost(const BfPlan *plan, const Keyed keyed[], const BfHistory *h, const char *out,
                            BfError *error) {
  int64_t lost = 0;
  for (int64_t i = 0; i < h->count; i++)
    lost += h->record[i]->state == BF_POINT_DONE && find(keyed, bf_plan_points(plan), h->record[i]->key) < 0;
  if (!lost) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "%s holds %lld point%s that the study no longer has: give another -o, or -overwrite to lose %s", out,
                 (long long)lost, lost > 1 ? "s" : "", lost > 1 ? "them" : "it");
}

BfStatus bf_history_refuse_lost(const BfPlan *plan, const BfHistory *h, const char *out, BfError *error) {
  Keyed   *keyed  = NULL;
  BfStatus status = sort_keys(plan, &keyed, error);
  if (status == BF_OK) status = refuse_lost(plan, keyed, h, out, error);
  bf_free(keyed);
  return status;
}

/* ---- the beginning ---------------------------------------------------------------------------------------------- */

static BfStatus plan_work(BfWork *w, BfHistory *h, BfError *error) {
  Keyed   *keyed = NULL;
  BfStatus status;
  w->tasks = w->anew = w->not_kept = 0;
  BF_GOTO(sort_keys(w->plan, &keyed, error));
  if (!w->task) BF_GOTO(BF_NEW(&w->task, bf_plan_points(w->plan), error));
  bf_history_clear(h);
  BF_GOTO(bf_history_read(w->run, w->o->out, 0, h, error));
  if (!w->o->overwrite) BF_GOTO(refuse_lost(w->plan, keyed, h, w->o->out, error));
  list_points(w, keyed);
  leave_out(w, h);
  forget(w, keyed, h);
done:
  bf_free(keyed);
  return status;
}

/* Of starts at one moment all but the last to claim end here, before they touch what is another's. */
static BfStatus take_over(BfWork *w, BfHistory *h, BfError *error) {
  BF_TRY(bf_folder_make(w->o->out, error));
  BF_TRY(bf_claim_take(w->o->out, w->claim, error));
  BF_TRY(bf_study_start_make(w->o->out, &h->start, error));
  if (bf_claim_check(w->o->out, w->claim, error) != BF_OK) bf_study_start_leave(w->o->out, h->start);
  return error->status;
}

/* What another start has done between the look at its logs and the claim, behind which it writes no more, counts. */
static BfStatus look_again(BfWork *w, BfHistory *h, BfError *error) {
  const int start = h->start;
  BF_TRY(plan_work(w, h, error));
  h->start = start;
  return BF_OK;
}

static BfStatus begin_start(BfWork *w, BfHistory *h, BfError *error) {
  BF_TRY(take_over(w, h, error));
  BF_TRY(look_again(w, h, error));
  unlink(w->stop); /* of an earlier start */
  BF_TRY(bf_history_begin(w->o->out, h, error));
  BF_TRY(bf_study_start_adopt(w->o->out, h->start, error));
  w->start = h->start;
  return bf_deal_begin(w, error);
}

/* Rank 0's part. */
static BfStatus begin(BfWork *w, BfHistory *h, BfError *error) {
  BF_TRY(plan_work(w, h, error));
  if (begin_start(w, h, error) != BF_OK) return bf_work_lost(w, error);
  w->deadline = bf_seconds_left(w->o->hours);
  return BF_OK;
}

/* What rank 0 has found out, to all. */
static BfStatus share(BfWork *w, BfError *error) {
  const MPI_Comm comm = w->run->world;
  double         left = w->deadline;
  MPI_Bcast(&w->tasks, 1, MPI_INT64_T, 0, comm);
  MPI_Bcast(&w->kept, 1, MPI_INT64_T, 0, comm);
  MPI_Bcast(&w->start, 1, MPI_INT, 0, comm);
  MPI_Bcast(w->claim, sizeof w->claim, MPI_CHAR, 0, comm);
  MPI_Bcast(&left, 1, MPI_DOUBLE, 0, comm);
  w->deadline = bf_seconds() + left;
  bf_log_name(&w->log, w->o->out, w->start, w->run->rank);
  BF_TRY(bf_together(comm, w->task ? BF_OK : BF_NEW(&w->task, w->tasks, error), error));
  for (int64_t i = 0; i < w->tasks; i += 1 << 20) {
    const int64_t here = w->tasks - i < 1 << 20 ? w->tasks - i : 1 << 20;
    MPI_Bcast(w->task + i, (int)(here * (int64_t)sizeof *w->task), MPI_BYTE, 0, comm);
  }
  return BF_OK;
}

static void tell_beginning(const BfWork *w) {
  const long long all   = (long long)(w->kept + w->tasks);
  double          units = 0;
  for (int64_t i = 0; i < w->tasks; i++) units += bf_task_units(&w->task[i]);
  if (w->anew)
    bf_print(w->run, "%lld point%s run again, which %s not been asked for %s\n", (long long)w->anew,
             w->anew > 1 ? "s are" : " is", w->anew > 1 ? "have" : "has", w->asked);
  if (w->not_kept)
    bf_warn(w->run, "%lld point%s run before, without -keep: %.*s.d has no results of %s", (long long)w->not_kept,
            w->not_kept > 1 ? "s were" : " was", bf_study_stem(w->o->out), w->o->out, w->not_kept > 1 ? "them" : "it");
  if (w->kept && w->tasks) bf_print(w->run, "kept %lld of %lld points\n", (long long)w->kept, all);
  if (!w->tasks) bf_print(w->run, "all %lld points were run before: nothing to do\n", all);
  bf_work_expect(w->run, BF_PHASE_STUDY, units, NULL, 1, false);
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* Who has nothing left to do sleeps; rank 0 serves the queue, and tells. */
static void wait_for_all(BfWork *w) {
  MPI_Request request;
  int         done = 0;
  MPI_Ibarrier(w->run->world, &request);
  for (;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    bf_work_pass(w);
    bf_work_write(w);
    usleep(1000);
  }
}

/* The failure of a group is told when all have ended. */
static BfStatus run_tasks(BfWork *w, BfError *error) {
  BfError closing = {0};
  if (!w->between_hosts) BF_TRY(bf_queue_create(w->run->world, BF_COUNTERS + bf_group_sizes(w), &w->queue, error));
  bf_phase_begin(w->run, BF_PHASE_STUDY);
  bf_work_pass(w);
  bf_groups_run(w, w->run->world, error);
  error->known = false; /* to this group alone */
  if (bf_log_close(&w->log, &closing) != BF_OK) bf_fail(error, closing.status, "%s", closing.text);
  wait_for_all(w);
  w->all_ended = !bf_deal_has_ended(w);
  w->passed    = 0; /* the last word */
  bf_work_pass(w);
  bf_phase_end(w->run, BF_PHASE_STUDY);
  bf_agree(w->run->world, error);
  bf_queue_destroy(&w->queue);
  return error->status;
}

/* Points that have come to their end, of those that are this study's, or its part's. */
static int64_t count_done(const BfWork *w, BfRecord *const records[]) {
  int64_t done = w->kept;
  for (int64_t i = 0; i < w->tasks; i++) {
    const BfRecord *r = records[w->task[i].point];
    done += r && r->state != BF_POINT_STOPPED && !lacks(w, r);
  }
  return done;
}

/* Rank 0's part: what all groups have written. */
static BfStatus gather(const BfWork *w, BfRecord *records[], int64_t *done, BfError *error) {
  BF_TRY(bf_claim_check(w->o->out, w->claim, error));
  BfStatus status = bf_work_collect(w, records, error);
  *done           = count_done(w, records);
  if (status == BF_OK && w->o->write) status = w->o->write(w->o->context, records, error);
  if (status == BF_OK && *done == w->kept + w->tasks) {
    BF_TRY(bf_claim_check(w->o->out, w->claim, error)); /* writing takes its time */
    status = bf_study_folder_remove(w->o->out, w->start, error);
  }
  return status;
}

static BfStatus end(const BfWork *w, BfRecord *records[], BfError *error) {
  const int64_t all  = w->kept + w->tasks;
  int64_t       done = 0;
  BF_TRY(bf_together(w->run->world, w->run->rank == 0 ? gather(w, records, &done, error) : BF_OK, error));
  MPI_Bcast(&done, 1, MPI_INT64_T, 0, w->run->world);
  if (done == all) return BF_OK;
  return bf_fail(
      error, BF_STOPPED,
      "stopped: %lld of %lld points are done, and %s.checkpoint has what was under way; the same line goes on",
      (long long)done, (long long)all, w->o->out);
}

BfStatus bf_study_run(BfRun *run, const BfPlan *plan, const BfStudyOptions *o, BfRecord *records[], BfError *error) {
  BfWork    w       = {.run = run, .plan = plan, .o = o, .queue = {MPI_WIN_NULL, NULL}, .log = {.file = -1}};
  BfHistory history = {0};
  char      mark[4096];
  BfStatus  status;
  w.between_hosts = bf_most_node_ranks(run->world) < run->size;
  BF_GOTO(bf_together(run->world, bf_stop_path(o->out, &w.stop, error), error));
  BF_GOTO(bf_together(run->world, run->rank == 0 ? begin(&w, &history, error) : BF_OK, error));
  bf_history_clear(&history);
  BF_GOTO(share(&w, error));
  tell_beginning(&w);
  bf_history_mark(o->out, w.start, run->rank, sizeof mark, mark);
  bf_signals_leave(mark);
  bf_signals_stands(BF_STOPPED, "interrupted: %s.checkpoint stands; the same line goes on", o->out);
  bf_signals_listen(true);
  status = w.tasks ? run_tasks(&w, error) : BF_OK;
  if (status == BF_OK) status = end(&w, records, error);
  bf_signals_leave(NULL);
  bf_signals_listen(false);
done:
  if (run->rank == 0 && *w.claim) bf_claim_leave(o->out, w.claim);
  bf_history_clear(&history);
  bf_free(w.task);
  bf_free(w.stop);
  return status;
}
