#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* qsort_r */
#endif
#include "solve/zoom_set.h"
#include "quantize/sampler.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const BfSampler *sampler_of(const BfProblem *problem) {
  return bf_sampler_named(bf_settings_find(&problem->settings, "action.kind"));
}

/* Of a sampler that draws. */
static uint64_t seed_of(const BfProblem *problem) {
  const char *seed = bf_settings_find(&problem->settings, "action.seed");
  return seed ? strtoull(seed, NULL, 10) : 0;
}

BfStatus bf_zoom_check(const BfProblem *problem, BfError *error) {
  if (!problem->layer.free)
    return bf_fail(error, BF_BAD_INPUT, "option -zoom has nothing to choose from: no matrix has free numbers");
  if (sampler_of(problem)->lay) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "option -zoom lays actions again in smaller boxes: action.kind must be grid, sample or halton, not %s",
                 sampler_of(problem)->base.name);
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

double bf_zoom_each(const BfProblem *problem, double centres) {
  const double all = (double)problem->actions;
  return problem->levels ? all : ceil(all / centres);
}

double bf_zoom_most(const BfProblem *problem, double centres) { return centres * (1 + bf_zoom_each(problem, centres)); }

double bf_zoom_most_up_to(const BfProblem *problem, double centres) {
  return problem->levels ? bf_zoom_most(problem, centres) : (double)problem->actions + 2 * centres;
}

double bf_zoom_bytes(const BfProblem *problem, double actions) {
  return actions * (8 * (2.0 * problem->layer.free + problem->layer.parameters + 1) + 8);
}

/* ---- equal ones -------------------------------------------------------------------------------------------------- */

typedef struct {
  int           q;
  const double *u;
} Rows;

static int compare(const Rows *rows, int64_t a, int64_t b) {
  const double *x = rows->u + a * rows->q, *y = rows->u + b * rows->q;
  for (int j = 0; j < rows->q; j++)
    if (x[j] != y[j]) return x[j] < y[j] ? -1 : 1;
  return 0;
}

static int by_row(const void *a, const void *b, void *context) {
  const int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
  const int     order = compare(context, i, j);
  return order ? order : i < j ? -1 : i > j;
}

/* Keep the first of equal rows, in their order. */
static BfStatus merge(int q, int64_t *count, double u[], BfError *error) {
  const int64_t n    = *count;
  Rows          rows = {q, u};
  int64_t      *order;
  char         *twice;
  BF_TRY(BF_NEW(&order, n, error));
  if (BF_NEW(&twice, n, error) != BF_OK) {
    bf_free(order);
    return error->status;
  }
  for (int64_t i = 0; i < n; i++) order[i] = i;
  qsort_r(order, (size_t)n, sizeof *order, by_row, &rows);
  for (int64_t i = 1; i < n; i++) twice[order[i]] = compare(&rows, order[i - 1], order[i]) == 0;
  *count = 0;
  for (int64_t i = 0; i < n; i++)
    if (!twice[i]) memmove(u + (*count)++ * q, u + i * q, sizeof *u * (size_t)q);
  bf_free(order);
  bf_free(twice);
  return BF_OK;
}

/* ---- the set ----------------------------------------------------------------------------------------------------- */

BfStatus bf_zoom_plan_create(const BfProblem *problem, double part, int64_t first, int64_t count,
                             const double control[], BfZoomPlan *plan, BfError *error) {
  const int q = problem->layer.free;
  *plan       = (BfZoomPlan){.problem = problem, .part = part, .first = first, .centres = count};
  BF_TRY(BF_NEW(&plan->centre, count * q, error));
  memcpy(plan->centre, control, sizeof *control * (size_t)(count * q));
  return merge(q, &plan->centres, plan->centre, error);
}

void bf_zoom_plan_clear(BfZoomPlan *plan) {
  bf_free(plan->centre);
  *plan = (BfZoomPlan){0};
}

/* The box around a centre, clipped to U: [2][q]. */
static void make_box(const BfZoomPlan *plan, const double centre[], double box[]) {
  const BfProblem *problem = plan->problem;
  const int        q       = problem->layer.free;
  for (int j = 0; j < q; j++) {
    const double lower = problem->control_lower[j], upper = problem->control_upper[j],
                 half = 0.5 * plan->part * (upper - lower);
    box[j]            = fmax(lower, centre[j] - half);
    box[q + j]        = fmin(upper, centre[j] + half);
  }
}

static BfStatus fill(const BfZoomPlan *plan, int64_t each, double box[], double u[], BfError *error) {
  const BfProblem *problem = plan->problem;
  const int        q       = problem->layer.free;
  BfControlPart    part    = {.q      = q,
                              .lower  = box,
                              .upper  = box + q,
                              .levels = problem->levels,
                              .first  = plan->first,
                              .count  = each,
                              .seed   = seed_of(problem)};
  memcpy(u, plan->centre, sizeof *u * (size_t)(plan->centres * q));
  u += plan->centres * q;
  for (int64_t i = 0; i < plan->centres; i++, part.first += each, u += each * q) {
    make_box(plan, plan->centre + i * q, box);
    BF_TRY(sampler_of(problem)->lay(&part, u, error));
  }
  return BF_OK;
}

BfStatus bf_zoom_lay(const BfZoomPlan *plan, int64_t *count, double **u, int64_t *taken, BfError *error) {
  const int     q    = plan->problem->layer.free;
  const double  all  = bf_zoom_most(plan->problem, (double)plan->centres);
  const int64_t each = (int64_t)bf_zoom_each(plan->problem, (double)plan->centres);
  double       *box  = NULL;
  BfStatus      status;
  *u = NULL;
  if (all >= 0x1p31)
    return bf_fail(error, BF_BAD_INPUT,
                   "-zoom: %.4g actions around %lld controls, at most 2147483647 are possible: fewer levels, or a "
                   "smaller -best",
                   all, (long long)plan->centres);
  *count = (int64_t)all;
  *taken = plan->centres * each;
  BF_GOTO(BF_NEW(&box, 2 * q, error));
  BF_GOTO(BF_NEW(u, *count * q, error));
  BF_GOTO(fill(plan, each, box, *u, error));
  status = merge(q, count, *u, error);
done:
  bf_free(box);
  if (status == BF_OK) return status;
  bf_free(*u);
  *u = NULL;
  return status;
}
