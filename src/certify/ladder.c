#include "certify/ladder.h"
#include "certify/logits.h"
#include "run/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POLISH = 4000 };                 /* points of a search along the axes, */
static const double patience       = 1; /* seconds that a piece may take before a stop is heard within it */
static const double polish_seconds = 2; /* or fewer, where a point takes long */
/* Of the gap: what is proved beyond what is claimed, so that another program's enclosures, a little wider, do. */
static const double beside = 0.05;

/* Within a piece each rank hears for itself, but not before it has worked off a task: so every start comes further.
 * Most pieces are short, and end in order. */
static bool hears(void *context) {
  BfLadder *x = context;
  if (!x->finished || bf_seconds() - x->begun < patience) return false;
  x->hears = x->hears || bf_checkpoint_due(x->checkpoint, bf_ladder_checkpoint_bytes(x), 0) == BF_SAVE_AND_STOP;
  return x->hears;
}

BfStatus bf_ladder_create(BfLadder *x, const BfProblem *problem, BfError *error) {
  const MPI_Comm world = x->run->world;
  x->queue.window      = MPI_WIN_NULL;
  x->mine              = -1;
  x->piece             = 8 * (int64_t)x->run->size;
  BF_TRY(bf_together(world, bf_objective_create(problem, &x->of, error), error));
  if (x->options.symmetry) BF_TRY(bf_together(world, bf_objective_order(&x->of, error), error));
  if (x->options.logits && x->options.table <= 0) BF_TRY(bf_together(world, bf_objective_logits(&x->of, error), error));
  if (!x->of.logits.count)
    BF_TRY(bf_together(world, bf_by_value_create(&x->of, x->options.table, x->options.budget, &x->by_value, error),
                       error));
  x->list.n     = x->of.n;
  x->list.width = x->options.width;
  BF_TRY(bf_together(world, BF_NEW(&x->point, x->of.free.all, error), error));
  BF_TRY(bf_together(world, BF_NEW(&x->better_point, x->of.free.all, error), error));
  BF_TRY(bf_together(world, bf_worker_create(&x->of, &x->of, x->options.budget, &x->worker, error), error));
  x->worker.stops = x->by_value.worker.stops = hears;
  x->worker.context = x->by_value.worker.context = x;
  return bf_queue_create(world, 1, &x->queue, error);
}

void bf_ladder_forget(BfLadder *x) {
  x->found  = INFINITY;
  x->lower  = -INFINITY;
  x->target = NAN;
  x->step   = x->options.budget && x->options.budget < 4 * BF_EASY_BOXES ? 0 : -1;
  x->boxes = x->rungs = x->root = 0;
  x->under_way                  = false;
  x->table                      = x->options.table > 0;
  bf_free(x->says);
  x->says = NULL;
  bf_list_clear(&x->list);
  bf_stream_drop(x, &x->level);
  bf_stream_drop(x, &x->kept);
  x->kept_cells.count = 0;
}

void bf_ladder_destroy(BfLadder *x) {
  if (x->run && x->of.problem) bf_queue_destroy(&x->queue);
  bf_worker_clear(&x->worker);
  bf_by_value_clear(&x->by_value);
  bf_list_clear(&x->list);
  bf_records_clear(&x->level);
  bf_records_clear(&x->kept);
  bf_free(x->kept_cells.byte);
  bf_free(x->point);
  bf_free(x->better_point);
  bf_free(x->rung);
  bf_free(x->says);
  bf_objective_clear(&x->of);
}

void bf_ladder_try(BfLadder *x, const double number[]) {
  for (int r = 0; r < x->of.roots; r++) {
    const double value = bf_bounder_value(&x->worker.point, r, number);
    if (!(value < x->found)) continue;
    x->found = value;
    x->root  = r;
    memcpy(x->point, number, sizeof(double) * (size_t)x->of.free.all);
  }
}

double bf_ladder_gap(const BfLadder *x) {
  return x->found == x->lower ? 0 : x->found == 0 ? INFINITY : (x->found - x->lower) / fabs(x->found);
}

/* A search along the axes, with steps that are halved: what is about a minimum becomes one. */
void bf_ladder_polish(BfLadder *x) {
  const BfFreeNumbers *free = &x->of.free;
  double *const        at   = x->better_point;
  if (!(x->found < INFINITY)) return;
  memcpy(at, x->point, sizeof(double) * (size_t)free->all);
  const double most  = fmin(POLISH, polish_seconds / bf_box_seconds(&x->of, 0));
  int          tries = 0;
  for (double part = 0.125; part > 1e-7 && tries < most; part /= 2)
    for (bool again = true; again && tries < most;) {
      again = false;
      for (int i = 0; i < 2 * free->n && tries < most; i++, tries++) {
        const int    k = i / 2, j = free->number[k];
        const double was = at[j], step = (i % 2 ? -part : part) * (free->upper[k] - free->lower[k]);
        at[j]              = fmin(fmax(was + step, free->lower[k]), free->upper[k]);
        const double value = at[j] == was ? INFINITY : bf_bounder_value(&x->worker.point, x->root, at);
        again              = again || value < x->found;
        if (value < x->found) {
          x->found    = value;
          x->point[j] = at[j];
        } else at[j] = was;
      }
    }
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

/* The target itself first, as far as BF_EASY_BOXES go: what is easy is over then. Else 0.5, 0.1, 0.02, 0.005, ... */
static double rung_of(int step) {
  const double digit[] = {5, 2, 1};
  return step < 0 ? 0 : digit[2 * step % 3] * pow(10, -1 - 2 * step / 3);
}

static double wanted(const BfLadder *x) {
  return fmax(fmax(x->options.gap * fabs(x->found), x->options.absolute), BF_LEAST_GAP);
}

static double distance(const BfLadder *x) { return fmax(rung_of(x->step) * fabs(x->found), wanted(x)); }

static BfStatus push_roots(BfLadder *x, BfError *error) {
  const int n = x->of.n;
  double   *box;
  BfStatus  status;
  BF_TRY(BF_NEW(&box, 2 * (int64_t)n, error));
  memcpy(box, x->of.lower, sizeof *box * (size_t)n);
  memcpy(box + n, x->of.upper, sizeof *box * (size_t)n);
  status = BF_OK;
  for (int r = 0; r < x->of.roots && status == BF_OK; r++)
    status = bf_list_push(&x->list, &(BfBoxTag){r, 0}, box, error);
  bf_free(box);
  return status == BF_OK ? bf_list_take(&x->list, 0, error) : status;
}

static BfStatus begin_level(BfLadder *x, double target, BfError *error) {
  bf_list_clear(&x->list);
  bf_stream_drop(x, &x->level);
  x->level.id    = x->rungs;
  x->target      = target;
  x->aim         = target + beside * (x->found - target);
  x->level_boxes = 0;
  x->least = x->better = INFINITY;
  x->under_way         = true;
  x->ending            = BF_LEVEL_GOES_ON;
  x->limit             = x->step >= 0 ? 0 : x->table ? x->boxes + BF_TABLE_BOXES : BF_EASY_BOXES;
  if (x->table)
    BF_TRY(
        bf_together(x->run->world, bf_state_cells_begin(&x->by_value.cells, x->aim, x->found - target, error), error));
  return bf_together(x->run->world, push_roots(x, error), error);
}

static BfStatus add_rung(BfLadder *x, bool finished, BfError *error) {
  BF_TRY(bf_array_room(&x->rung, x->rungs, &x->rung_room, sizeof *x->rung, error));
  x->rung[x->rungs++] = (BfRung){x->target, x->lower, x->found, (double)x->boxes, bf_run_seconds(x->run), finished};
  return BF_OK;
}

/* What is said of a level's tree: it proves that much; and J is not below 0 where no loss is. */
static BfStatus keep(BfLadder *x, double lower, BfError *error) {
  bf_stream_drop(x, &x->kept);
  x->kept             = x->level;
  x->level            = (BfRecords){0};
  x->lower            = x->of.problem->cost.kind->nonnegative ? fmax(lower, 0) : lower;
  x->kept_table       = x->table ? x->by_value.t : 0;
  x->kept_cells.count = 0;
  return x->table ? bf_state_cells_write(&x->by_value.cells, &x->kept_cells, error) : BF_OK;
}

static void take_better(BfLadder *x) {
  if (!(x->better < x->found)) return;
  x->found = x->better;
  x->root  = x->better_root;
  memcpy(x->point, x->better_point, sizeof(double) * (size_t)x->of.free.all);
  bf_ladder_polish(x);
}

/* ---- going on ---------------------------------------------------------------------------------------------------- */

static void tell(const BfLadder *x) {
  char a[BF_HUMAN], b[BF_HUMAN], gap[40] = "nothing proved yet";
  if (x->lower > -INFINITY) snprintf(gap, sizeof gap, "gap %.3g", bf_ladder_gap(x));
  bf_progress_what(x->run, "target %.6g, %s boxes, %s open, %s", x->target, bf_human_count((double)x->boxes, a),
                   bf_human_count((double)bf_list_waiting(&x->list), b), gap);
}

/* What the level under way takes, by its trend: of the whole run where it is the last. Of others, and of the first try,
 * which may be given up, nobody knows what is to follow. */
static void expect(BfLadder *x, double *told) {
  const double waiting = (double)bf_list_waiting(&x->list), tasks = (double)x->list.taken;
  const double more = tasks > 0 ? waiting * (double)x->level_boxes / tasks : 0;
  const bool   last = x->step >= 0 && distance(x) <= wanted(x);
  const double all  = last ? (double)x->boxes + more : NAN;
  bf_work_expect(x->run, BF_PHASE_CERTIFY, all, "boxes", 1e-4 / x->run->size, false);
  bf_work_done(x->run, BF_PHASE_CERTIFY, (double)x->boxes - *told);
  *told = (double)x->boxes;
}

static BfStatus listen(BfLadder *x, BfError *error) {
  BF_TRY(bf_ladder_memory(x, error));
  const BfOrder order = x->stops ? BF_SAVE_AND_STOP : bf_checkpoint_ask(x->checkpoint, bf_ladder_checkpoint_bytes(x));
  if (order == BF_GO_ON && !bf_stream_due(x, &x->level)) return BF_OK;
  BF_TRY(bf_ladder_save(x, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(x->checkpoint, error) : BF_OK;
}

/* The budget is spent, or a box cannot be split: what is open is bounded as it is, and where that gives more than the
 * last level it counts. */
static BfStatus close_level(BfLadder *x, BfError *error) {
  while (bf_list_waiting(&x->list)) {
    BF_TRY(bf_piece_close(x, error));
    tell(x);
    if (bf_list_waiting(&x->list)) BF_TRY(listen(x, error));
  }
  const double least = fmin(x->least, x->aim); /* what was cut away is not below aim */
  const double lower = (least - beside * x->found) / (1 - beside);
  return lower > x->lower ? bf_together(x->run->world, keep(x, lower, error), error) : BF_OK;
}

/* A table that is not done tells nothing: but the whole box as it is, where nothing else is known. */
static BfStatus close_table(BfLadder *x, BfError *error) {
  const BfLevelEnd end = x->ending;
  if (x->lower > -INFINITY) return BF_OK;
  x->table = false;
  BF_TRY(begin_level(x, x->target, error));
  x->ending = end;
  return close_level(x, error);
}

static BfStatus climb_level(BfLadder *x, BfError *error) {
  double told = (double)x->boxes;
  while (x->ending == BF_LEVEL_GOES_ON && bf_list_waiting(&x->list)) {
    BF_TRY(bf_piece(x, error));
    tell(x);
    expect(x, &told);
    if (x->ending == BF_LEVEL_GOES_ON && bf_list_waiting(&x->list)) BF_TRY(listen(x, error));
  }
  return BF_OK;
}

/* Where the search is to go on from: false, it has come to its end. */
static BfStatus next_level(BfLadder *x, bool *more, BfError *error) {
  while (x->found - distance(x) <= x->lower && distance(x) > wanted(x)) x->step++;
  *more = x->lower < x->found - wanted(x) && !(x->options.budget && x->boxes >= x->options.budget);
  return *more ? begin_level(x, x->found - distance(x), error) : BF_OK;
}

/* The target was too far for a start, or roundings were in the way of a table: with a table where there was none, if
 * one may be worth it; else down the ladder. */
static void give_up(BfLadder *x) {
  const bool chosen = x->by_value.t && x->options.table == BF_TABLE_CHOSEN;
  const bool stuck  = x->table && x->ending == BF_LEVEL_STUCK;
  if (chosen && !x->table && x->step < 0) x->table = true;
  else {
    if (chosen || stuck) x->table = false;
    if (x->step < 0) x->step = 0;
  }
}

static BfStatus end_level(BfLadder *x, bool *more, BfError *error) {
  const BfLevelEnd end      = x->ending;
  const bool       table    = x->table;
  const bool       finished = end == BF_LEVEL_GOES_ON || (end != BF_LEVEL_VOID && !bf_list_waiting(&x->list));
  if (finished) {
    BF_TRY(bf_together(x->run->world, keep(x, x->target, error), error));
    x->step++;
  } else if (end == BF_LEVEL_HARD || (x->table && end == BF_LEVEL_STUCK)) give_up(x);
  else if (end != BF_LEVEL_VOID) BF_TRY(x->table ? close_table(x, error) : close_level(x, error));
  x->under_way = false;
  take_better(x);
  x->stuck = end == BF_LEVEL_STUCK && !table;
  *more    = !x->stuck && !(x->table && end == BF_LEVEL_SPENT); /* with less of a budget it comes to no more */
  return bf_together(x->run->world, add_rung(x, finished, error), error);
}

BfStatus bf_ladder_begin(BfLadder *x, BfError *error) {
  bool more;
  BF_TRY(next_level(x, &more, error));
  return more ? bf_ladder_save(x, error) : BF_OK;
}

BfStatus bf_ladder_climb(BfLadder *x, BfError *error) {
  bool more   = true;
  x->restored = x->boxes;
  while (more) {
    if (!x->under_way) BF_TRY(next_level(x, &more, error));
    if (!more) break;
    BF_TRY(climb_level(x, error));
    BF_TRY(end_level(x, &more, error));
    if (x->lower > x->found)
      return bf_fail(error, BF_FAILURE, "the cost is at least %.17g and at most %.17g: a bound is wrong", x->lower,
                     x->found);
  }
  return BF_OK;
}
