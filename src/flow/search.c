/* Starts, one after the other; rank 0 asks, all ranks evaluate. */
#include "flow/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void bf_training_clear(BfTraining *training) {
  bf_free(training->initial_cost);
  bf_free(training->final_cost);
  bf_free(training->start_iterations);
  bf_free(training->control);
  bf_free(training->history);
  *training = (BfTraining){0};
}

/* ---- one start -------------------------------------------------------------------------------------------------- */

/* What rank 0 alone met is told to the others; what all met (a stop, a failed evaluation) they know. */
static BfStatus lead(BfSearch *search, double *cost, int *reason, BfError *error) {
  const BfStatus status = bf_search_minimize(search, cost, reason, error);
  int            order  = status == BF_OK ? BF_SEARCH_ENDED : BF_SEARCH_FAILED;
  if (search->known) return status;
  MPI_Bcast(&order, 1, MPI_INT, 0, search->run->world);
  return status == BF_OK ? BF_OK : bf_agree(search->run->world, error);
}

static BfStatus keep(BfSearch *search, double cost, int reason, BfError *error) {
  BfTraining   *out = search->out;
  const int64_t s   = search->start;
  MPI_Bcast(&cost, 1, MPI_DOUBLE, 0, search->run->world);
  MPI_Bcast(&reason, 1, MPI_INT, 0, search->run->world);
  MPI_Bcast(&search->iterations, 1, MPI_INT64_T, 0, search->run->world);
  MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
  double initial = search->run->rank == 0 ? bf_search_row(search, 0)[1] : 0;
  MPI_Bcast(&initial, 1, MPI_DOUBLE, 0, search->run->world);
  out->initial_cost[s]     = initial;
  out->final_cost[s]       = cost;
  out->start_iterations[s] = search->iterations;
  out->evaluations += search->evaluated;
  if (s && !(cost < out->final_cost[out->best])) return BF_OK;
  out->best       = s;
  out->iterations = search->iterations;
  memcpy(out->control, search->x, sizeof(double) * (size_t)search->n);
  out->reason = reason;
  bf_free(out->history);
  out->history = NULL;
  BF_TRY(bf_together(search->run->world, BF_NEW(&out->history, 2 * (out->iterations + 1), error), error));
  if (search->run->rank == 0) memcpy(out->history, search->history, sizeof(double) * 2 * (size_t)(out->iterations + 1));
  MPI_Bcast(out->history, (int)(2 * (out->iterations + 1)), MPI_DOUBLE, 0, search->run->world);
  return BF_OK;
}

static BfStatus run_start(BfSearch *search, BfError *error) {
  double cost   = 0;
  int    reason = 0;
  bf_initial_control(search->problem, search->points, search->start, search->x);
  search->served = 0;
  if (search->run->rank == 0) BF_TRY(lead(search, &cost, &reason, error));
  else BF_TRY(bf_search_serve(search, error));
  BF_TRY(keep(search, cost, reason, error));
  if (search->all > 1)
    bf_print(search->run, "start %lld of %lld: J = %.10g, from %.6g in %lld iterations\n", (long long)search->start + 1,
             (long long)search->all, search->out->final_cost[search->start], search->out->initial_cost[search->start],
             (long long)search->iterations);
  bf_work_change(search->run, BF_PHASE_FLOW, fmin(0, (double)search->evaluated - search->most));
  search->evaluated = 0;
  return BF_OK;
}

static BfStatus make(BfSearch *search, BfError *error) {
  BfTraining *out = search->out;
  BF_TRY(BF_NEW(&out->initial_cost, search->all, error));
  BF_TRY(BF_NEW(&out->final_cost, search->all, error));
  BF_TRY(BF_NEW(&out->start_iterations, search->all, error));
  BF_TRY(BF_NEW(&out->control, search->n, error));
  BF_TRY(BF_NEW(&search->x, search->n, error));
  BF_TRY(BF_NEW(&search->best, search->n, error));
  return BF_NEW(&search->gradient, search->n, error);
}

/* What the search has to do at most, for its progress: TAO's line search takes one to three steps. */
static BfStatus expect(BfSearch *search, BfError *error) {
  const double an_iteration = 2, left = (double)(search->all - search->start);
  int64_t      iterations;
  BF_TRY(bf_flow_iterations(&search->flow->options, &iterations, error));
  search->most = 2 + an_iteration * (double)iterations;
  bf_work_expect(search->run, BF_PHASE_FLOW, left * search->most - (double)search->evaluated, "evaluations",
                 bf_flow_seconds(search->flow), true);
  return BF_OK;
}

BfStatus bf_flow_train(BfRun *run, BfFlow *flow, const BfProblem *problem, const BfInitialControls *points,
                       BfCheckpoint *checkpoint, BfTraining *out, BfError *error) {
  BfSearch search = {
      .run = run, .flow = flow, .problem = problem, .points = points, .checkpoint = checkpoint, .out = out};
  BfStatus status;
  search.n    = (int64_t)problem->horizon * problem->layer.free;
  search.all  = points->starts + (points->given ? 1 : 0);
  out->starts = search.all;
  BF_GOTO(bf_together(run->world, make(&search, error), error));
  BF_GOTO(bf_search_restore(&search, error));
  BF_GOTO(bf_together(run->world, expect(&search, error), error));
  for (; search.start < search.all; search.start++) BF_GOTO(run_start(&search, error));
done:
  bf_free(search.x);
  bf_free(search.best);
  bf_free(search.gradient);
  bf_free(search.log);
  bf_free(search.history);
  return status;
}

/* ---- the gradient against central differences ------------------------------------------------------------------- */

BfStatus bf_flow_test_gradient(BfFlow *flow, const BfProblem *problem, const double control[], double *difference,
                               BfError *error) {
  const int64_t n        = (int64_t)problem->horizon * problem->layer.free;
  double       *gradient = NULL, *u = NULL, largest = 0, apart = 0;
  BfStatus      status;
  BF_GOTO(bf_together(flow->run->world, BF_NEW(&gradient, n, error), error));
  BF_GOTO(bf_together(flow->run->world, BF_NEW(&u, n, error), error));
  BfFlowValue value = {.gradient = gradient};
  BF_GOTO(bf_flow_evaluate(flow, control, &value, error));
  for (int64_t i = 0; i < n; i++) {
    const double h = 6e-6 * fmax(1, fabs(control[i]));
    double       J[2];
    for (int side = 0; side < 2; side++) {
      BfFlowValue moved = {0};
      memcpy(u, control, sizeof(double) * (size_t)n);
      u[i] = control[i] + (side ? h : -h);
      BF_GOTO(bf_flow_evaluate(flow, u, &moved, error));
      J[side] = moved.cost;
    }
    largest = fmax(largest, fabs(gradient[i]));
    apart   = fmax(apart, fabs((J[1] - J[0]) / ((control[i] + h) - (control[i] - h)) - gradient[i]));
  }
  *difference = largest > 0 ? apart / largest : apart;
done:
  bf_free(gradient);
  bf_free(u);
  return status;
}
