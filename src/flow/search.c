/* Starts, dealt to groups of ranks: each group takes the next one when it has finished one. */
#include "flow/search.h"

#include <math.h>
#include <string.h>

void bf_flow_answer_clear(BfFlowAnswer *answer) {
  bf_free(answer->initial_cost);
  bf_free(answer->final_cost);
  bf_free(answer->start_iterations);
  bf_free(answer->minimum);
  bf_free(answer->control);
  bf_free(answer->history);
  bf_free(answer->told_start);
  bf_free(answer->told_control);
  *answer = (BfFlowAnswer){.wanted = answer->wanted};
}

/* ---- one start -------------------------------------------------------------------------------------------------- */

/* What the leader alone met is told to its group; what all of it met (a stop, a failed evaluation) they know. */
static BfStatus lead(BfSearch *search, double *cost, int *reason, BfError *error) {
  const BfStatus status = bf_search_minimize(search, cost, reason, error);
  if (search->known) return status;
  bf_search_tell(search, status == BF_OK ? BF_SEARCH_ENDED : BF_SEARCH_FAILED);
  return status == BF_OK ? BF_OK : bf_agree(search->run->world, error);
}

static void tell_start(BfSearch *search, double cost) {
  const double *row = search->table + search->now.start * search->columns;
  bf_dispatch_tell(search->dispatch, BF_NEWS_START,
                   (BfNews){.start      = (double)search->now.start,
                            .evaluated  = (double)search->now.evaluated,
                            .initial    = row[BF_START_INITIAL],
                            .cost       = cost,
                            .iterations = row[BF_START_ITERATIONS],
                            .longest    = search->longest});
}

static BfStatus run_start(BfSearch *search, BfError *error) {
  double cost   = 0;
  int    reason = 0;
  bf_initial_control(search->problem, search->points, search->now.start, search->x);
  search->served = 0;
  if (search->run->rank) return bf_search_serve(search, error);
  BF_TRY(lead(search, &cost, &reason, error));
  bf_search_note(search, cost, reason);
  tell_start(search, cost);
  return BF_OK;
}

static BfStatus run_group(BfSearch *search, BfError *error) {
  for (;;) {
    BF_TRY(bf_search_take(search, error));
    if (search->now.start < 0) return BF_OK;
    BF_TRY(run_start(search, error));
  }
}

/* ---- all groups ------------------------------------------------------------------------------------------------- */

/* Rank 0 hears what groups have done. */
static void hear(void *context, const BfNews *news) {
  BfSearch *search = context;
  if (news->group > 0) bf_work_done(search->whole, BF_PHASE_FLOW, news->evaluations);
  if (news->kind != BF_NEWS_START) return;
  search->finished++;
  bf_work_change(search->whole, BF_PHASE_FLOW, fmin(0, news->evaluated - search->most));
  if (search->all > 1)
    bf_print(search->whole, "start %.0f of %lld: J = %.10g, from %.8g in %.0f iterations\n", news->start + 1,
             (long long)search->all, news->cost, news->initial, news->iterations);
}

/* What one group alone met, its ranks know and the others do not. */
static BfStatus end_together(BfSearch *search, BfError *error) {
  BfError mine = *error;
  if (search->abandoned) mine = (BfError){0};
  if (!search->over) {
    if (search->run->rank == 0)
      bf_dispatch_tell(search->dispatch, mine.status == BF_OK ? BF_NEWS_FINISHED : BF_NEWS_FAILED,
                       (BfNews){.longest = search->longest});
    BfError others = {0};
    if (bf_search_wait(search, &others) != BF_OK && !search->abandoned && mine.status == BF_OK) mine = others;
  }
  mine.known = false;
  *error     = mine;
  return bf_agree(search->whole->world, error);
}

static BfStatus make(BfSearch *search, BfError *error) {
  BfFlowAnswer *out = search->out;
  BF_TRY(BF_NEW(&out->initial_cost, search->all, error));
  BF_TRY(BF_NEW(&out->final_cost, search->all, error));
  BF_TRY(BF_NEW(&out->start_iterations, search->all, error));
  BF_TRY(BF_NEW(&out->minimum, search->all, error));
  BF_TRY(BF_NEW(&out->control, search->n, error));
  BF_TRY(BF_NEW(&search->table, search->all * search->columns, error));
  BF_TRY(BF_NEW(&search->top_control, search->n, error));
  BF_TRY(BF_NEW(&search->x, search->n, error));
  BF_TRY(BF_NEW(&search->best, search->n, error));
  return BF_NEW(&search->gradient, search->n, error);
}

static void clear(BfSearch *search) {
  bf_free(search->fresh_start);
  bf_free(search->table);
  bf_free(search->now.log);
  for (int64_t i = 0; i < search->waiting; i++) bf_free(search->wait[i].log);
  bf_free(search->wait);
  bf_free(search->x);
  bf_free(search->gradient);
  bf_free(search->history);
  bf_free(search->best);
  bf_free(search->top_control);
  bf_free(search->top_history);
}

/* What the search has to do at most, for its progress: TAO's line search takes one to three steps. */
static BfStatus expect(BfSearch *search, const BfFlow *flow, BfError *error) {
  const double an_iteration = 2;
  int64_t      iterations;
  BF_TRY(bf_flow_iterations(&flow->options, &iterations, error));
  search->most = 2 + an_iteration * (double)iterations;
  return BF_OK;
}

static BfStatus start_groups(BfSearch *search, BfError *error) {
  BF_TRY(bf_search_restore(search, error));
  bf_work_expect(search->whole, BF_PHASE_FLOW, search->left, "evaluations",
                 bf_flow_seconds(search->flow) / search->groups, true);
  const BfDispatchOf of = {.group       = search->group,
                           .groups      = search->groups,
                           .fresh       = search->fresh,
                           .leads       = search->run->rank == 0,
                           .checkpoint  = search->checkpoint,
                           .row_bytes   = bf_search_row_bytes(search),
                           .other_bytes = bf_search_other_bytes(search),
                           .hear        = hear,
                           .context     = search};
  return bf_dispatch_create(search->whole, &of, &search->dispatch, error);
}

BfStatus bf_flow_train(BfRun *run, BfFlow *flow, const BfProblem *problem, const BfInitialControls *points,
                       BfCheckpoint *checkpoint, BfFlowAnswer *out, BfError *error) {
  BfSearch search = {.whole      = run,
                     .problem    = problem,
                     .points     = points,
                     .checkpoint = checkpoint,
                     .out        = out,
                     .now.start  = -1,
                     .top        = -1};
  BfStatus status;
  search.n       = bf_flow_numbers(problem);
  search.all     = bf_initial_controls(points);
  search.columns = BF_START_COLUMNS + (out->wanted ? search.n : 0);
  out->starts    = search.all;
  out->givens    = points->givens;
  BF_GOTO(bf_together(run->world, make(&search, error), error));
  BF_GOTO(bf_together(run->world, expect(&search, flow, error), error));
  BF_GOTO(bf_search_split(&search, flow, error));
  BF_GOTO(start_groups(&search, error));
  run_group(&search, error);
  BF_GOTO(end_together(&search, error));
  status = bf_search_gather(&search, out, error);
done:
  bf_dispatch_destroy(&search.dispatch);
  bf_search_join(&search);
  clear(&search);
  return status;
}
