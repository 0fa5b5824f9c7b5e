#include "certify/value.h"
#include <math.h>

enum { FEW_AXES = 3 };
/* Of a task: each may ask for many minorants, and a stop is heard between boxes. With a budget, which these count for,
 * it ends behind a box. */
enum { MOST_BOXES = 16 };
static const double task_seconds = 8; /* at most, were all cells new */

static BfStatus refuse(const BfObjective *whole, int t, const char *why, BfError *error) {
  return bf_fail(error, BF_BAD_INPUT, "%s: no table before layer %d: %s", whole->problem->yaml, t, why);
}

static BfStatus create_named(const BfObjective *whole, int t, BfDepth *depth, BfError *error) {
  if (t >= whole->problem->horizon)
    return bf_fail(error, BF_BAD_INPUT, "-table must be below horizon, which is %d, got %d", whole->problem->horizon,
                   t);
  BF_TRY(bf_depth_create(whole, t, depth, error));
  if (depth->axes.count < 1) return refuse(whole, t, "no number of tokens there depends on controls and counts", error);
  if (depth->axes.count > BF_MOST_AXES)
    return bf_fail(error, BF_BAD_INPUT, "%s: no table before layer %d: tokens have %d numbers there, at most %d can be",
                   whole->problem->yaml, t, depth->axes.count, BF_MOST_AXES);
  if (depth->axes.count + whole->n - depth->first > BF_MOST_VARIABLES)
    return refuse(whole, t, "too many numbers are behind it", error);
  return BF_OK;
}

/* Whether it seems worth a try: few numbers of tokens, which many controls lead to. */
static BfStatus create_chosen(const BfObjective *whole, BfDepth *depth, BfError *error) {
  const int t = whole->problem->horizon - 1;
  if (t < 1) return BF_OK;
  BF_TRY(bf_depth_create(whole, t, depth, error));
  const int D = depth->axes.count;
  if (D < 1 || D > FEW_AXES || depth->first < 2 * D || depth->first == whole->n) bf_depth_clear(depth);
  return BF_OK;
}

BfStatus bf_by_value_create(const BfObjective *whole, int t, int64_t budget, BfByValue *x, BfError *error) {
  if (t == BF_NO_TABLE) return BF_OK;
  if (t == BF_TABLE_CHOSEN) BF_TRY(create_chosen(whole, &x->depth, error));
  else BF_TRY(create_named(whole, t, &x->depth, error));
  if (!x->depth.t) return BF_OK;
  x->t = x->depth.t;
  BF_TRY(bf_state_cells_create(&x->depth, &x->cells, error));
  BF_TRY(bf_worker_create(&x->depth.early, whole, budget, &x->worker, error));
  const double a_box  = (double)x->cells.most_visited * bf_minorant_seconds(&x->cells.minorants);
  x->worker.most      = budget ? 1 : (int64_t)fmax(1, fmin(MOST_BOXES, task_seconds / a_box));
  x->worker.bound     = bf_state_cells_bound;
  x->worker.bounds_by = &x->cells;
  return BF_OK;
}

void bf_by_value_clear(BfByValue *x) {
  bf_worker_clear(&x->worker);
  bf_state_cells_clear(&x->cells);
  bf_depth_clear(&x->depth);
  *x = (BfByValue){0};
}
