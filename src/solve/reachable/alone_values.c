#include "solve/reachable/alone_values.h"
#include <float.h>
#include <math.h>

typedef struct {
  BfRun                    *run;
  const BfActionParameters *actions;
  BfAlone                  *alone;
  double                   *stage; /* [K] a context's share of the stage cost */
  double                   *z;     /* [slots][d][BF_LANES] */
} Values;

static double share(const BfProblem *problem, int64_t s) {
  const BfCost *cost = &problem->cost;
  return cost->kind->average == BF_AVERAGE_TOKENS ? problem->context[s].tokens / cost->tokens : 1 / cost->contexts;
}

/* This rank's part of so many, of the node's. */
static int64_t part(const BfRun *run, int64_t count, int rank) { return count * rank / run->node_size; }

/* g_s^r of this rank's measures of the shape, and V_T, the least of them. */
static BfStatus cost_context(const Values *x, int64_t s, BfError *error) {
  const BfProblem *problem = x->alone->problem;
  const BfShape   *shape   = &x->alone->shape[x->alone->context[s].shape];
  const int64_t    count = shape->set.count, end = part(x->run, count, x->run->node_rank + 1);
  double          *cost = x->alone->context[s].cost.base,
         *last          = (double *)x->alone->context[s].value.base + problem->horizon * count;
  for (int64_t j = part(x->run, count, x->run->node_rank); j < end; j += BF_LANES) {
    const int lanes = end - j < BF_LANES ? (int)(end - j) : BF_LANES;
    double    g[BF_LANES];
    for (int l = 0; l < lanes; l++)
      bf_measures_tokens(&shape->measures, shape->set.measure + (j + l) * shape->measures.bytes, s, l, x->z);
    for (int64_t r = 0; r < problem->cost.readouts; r++) {
      BF_TRY(bf_finite_cost(&problem->cost, r, &problem->context[s], lanes, x->z, g, error));
      for (int l = 0; l < lanes; l++) {
        cost[r * count + j + l] = g[l];
        last[j + l]             = r ? fmin(last[j + l], g[l]) : g[l];
      }
    }
  }
  return BF_OK;
}

/* V_t from V_{t+1}, of the measures that have come no further than depth t. */
static void sweep_context(const Values *x, int64_t s, int t) {
  const BfProblem *problem = x->alone->problem;
  const BfShape   *shape   = &x->alone->shape[x->alone->context[s].shape];
  const int64_t    count = shape->set.count, K = problem->actions, known = shape->first[t + 1];
  double          *here = (double *)x->alone->context[s].value.base + t * count, *next = here + count;
  const double     w = share(problem, s);
  for (int64_t k = 0; k < K; k++) x->stage[k] = w * x->actions->stage[k];
  for (int64_t j = part(x->run, known, x->run->node_rank); j < part(x->run, known, x->run->node_rank + 1); j++) {
    const int32_t *row  = bf_alone_row(x->alone, s, j);
    double         best = INFINITY;
    for (int64_t k = 0; k < K; k++) {
      const double q = x->stage[k] + next[row[k]];
      best           = q < best ? q : best;
    }
    here[j] = best;
  }
}

static BfStatus share_values(const Values *x, BfError *error) {
  const BfProblem *problem = x->alone->problem;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    BfAloneContext *context = &x->alone->context[s];
    if (context->shape < 0) continue;
    const int64_t bytes = x->alone->shape[context->shape].set.count * (int64_t)sizeof(double);
    BF_TRY(
        bf_shared_create(x->run, (problem->horizon + 1) * bytes, "values of a context alone", &context->value, error));
    BF_TRY(bf_shared_create(x->run, problem->cost.readouts * bytes, "costs of a context alone", &context->cost, error));
  }
  return BF_OK;
}

static BfStatus cost_all(const Values *x, BfError *error) {
  for (int64_t s = 0; s < x->alone->problem->train.contexts; s++)
    if (x->alone->context[s].shape >= 0) BF_TRY(cost_context(x, s, error));
  return BF_OK;
}

static void sync_all(const Values *x) {
  for (int64_t s = 0; s < x->alone->problem->train.contexts; s++)
    if (x->alone->context[s].shape >= 0) bf_shared_sync(x->run, &x->alone->context[s].value);
}

static double highest(const BfAlone *alone, int64_t s) {
  double most = 0;
  for (int64_t r = 0; r < alone->problem->cost.readouts; r++)
    for (int64_t j = 0; j < alone->shape[alone->context[s].shape].set.count; j++)
      most = fmax(most, fabs(bf_alone_cost(alone, s, r)[j]));
  return most;
}

/* The bound at mu_0, and how far terms lie below 0. */
static void bound(const Values *x) {
  BfAlone         *alone   = x->alone;
  const BfProblem *problem = alone->problem;
  double           least = INFINITY, most = 0;
  for (int64_t k = 0; k < problem->actions; k++) {
    least = fmin(least, x->actions->stage[k]);
    most  = fmax(most, x->actions->stage[k]);
  }
  alone->most = problem->horizon * most;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    const BfAloneContext *context = &alone->context[s];
    if (context->shape < 0) {
      alone->lower += problem->cost.kind->nonnegative ? share(problem, s) * problem->horizon * least : -INFINITY;
      continue;
    }
    double        lowest = 0;
    const double *last   = bf_alone_value(alone, s, problem->horizon);
    for (int64_t j = 0; j < alone->shape[context->shape].set.count; j++) lowest = fmin(lowest, last[j]);
    alone->negative -= lowest;
    alone->most += highest(alone, s);
    alone->lower += bf_alone_value(alone, s, 0)[context->initial];
  }
}

static BfStatus make_room(Values *x, BfError *error) {
  const BfProblem *problem = x->alone->problem;
  int64_t          slots   = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++)
    if (problem->context[s].slots > slots) slots = problem->context[s].slots;
  BF_TRY(BF_NEW(&x->stage, problem->actions, error));
  return BF_NEW(&x->z, slots * problem->layer.dim * BF_LANES, error);
}

BfStatus bf_alone_evaluate(BfRun *run, const BfActionParameters *actions, BfAlone *alone, BfError *error) {
  Values   x = {.run = run, .actions = actions, .alone = alone};
  BfStatus status;
  BF_GOTO(bf_together(run->world, make_room(&x, error), error));
  BF_GOTO(share_values(&x, error));
  BF_GOTO(bf_together(run->world, cost_all(&x, error), error));
  sync_all(&x);
  for (int t = alone->problem->horizon - 1; t >= 0; t--) {
    for (int64_t s = 0; s < alone->problem->train.contexts; s++)
      if (alone->context[s].shape >= 0) sweep_context(&x, s, t);
    sync_all(&x);
  }
  bound(&x);
done:
  bf_free(x.stage);
  bf_free(x.z);
  return status;
}

/* Of non-negative terms a sum of n is rounded by a relative n eps at most; so is the path's own value, and shares of a
 * stage cost are rounded, and their sum. Terms below 0 count twice in the sizes of all. */
static double unit(const BfAlone *alone) {
  return 4 * DBL_EPSILON * ((double)alone->problem->horizon + (double)alone->problem->train.contexts + 8);
}

double bf_alone_safe(const BfAlone *alone, double sum) { return sum - unit(alone) * (fabs(sum) + 2 * alone->negative); }

double bf_alone_tolerance(const BfAlone *alone) { return alone->all ? 2 * unit(alone) * alone->most : INFINITY; }
