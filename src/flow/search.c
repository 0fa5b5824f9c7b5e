/* Starts, one after the other; rank 0 asks, all ranks evaluate. */
#include "flow/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EVALUATE, ENDED, FAILED }; /* what rank 0 tells the others */

void bf_initial_control(const BfProblem *problem, const BfInitialControls *points, int64_t start, double control[]) {
  const int64_t q = problem->layer.free, n = problem->horizon * q;
  uint64_t      state = (uint64_t)points->seed;
  if (points->given && start == 0) {
    memcpy(control, points->given, sizeof(double) * (size_t)n);
    return;
  }
  const int64_t draw = start - (points->given ? 1 : 0);
  bf_splitmix64_skip(&state, (uint64_t)draw * (uint64_t)n);
  for (int64_t i = 0; i < n; i++) {
    const double lower = problem->control_lower[i % q], upper = problem->control_upper[i % q];
    control[i] = lower + (upper - lower) * bf_uniform(&state);
  }
}

void bf_training_clear(BfTraining *training) {
  bf_free(training->initial_cost);
  bf_free(training->final_cost);
  bf_free(training->start_iterations);
  bf_free(training->control);
  bf_free(training->history);
  *training = (BfTraining){0};
}

/* ---- evaluations ------------------------------------------------------------------------------------------------ */

/* 52 bits of FNV-1a of a control: a restart on a machine whose arithmetic differs must not be served what belongs to
 * another. */
static double hash(const double *x, int64_t n) {
  const unsigned char *byte = (const unsigned char *)x;
  uint64_t             h    = 14695981039346656037u;
  for (int64_t i = 0; i < 8 * n; i++) h = (h ^ byte[i]) * 1099511628211u;
  return (double)(h >> 12);
}

/* On all ranks: J at search->x into row, then a checkpoint if it is time. row: rank 0's, of the log; else NULL. */
static BfStatus evaluate_all(BfSearch *search, double *row, BfError *error) {
  BfFlowValue value = {.gradient = search->gradient};
  bf_phase_begin(search->run, BF_PHASE_FLOW);
  BF_TRY(bf_flow_evaluate(search->flow, search->x, &value, error));
  bf_phase_end(search->run, BF_PHASE_FLOW);
  search->evaluated++;
  if (row) {
    row[0] = hash(search->x, search->n);
    row[1] = value.cost;
    memcpy(row + BF_LOG_HEAD, search->gradient, sizeof(double) * (size_t)search->n);
  }
  const BfOrder order = bf_checkpoint_ask(search->checkpoint, bf_search_save_bytes(search));
  if (order == BF_GO_ON) return BF_OK;
  BF_TRY(bf_search_save(search, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(search->checkpoint, error) : BF_OK;
}

static double *row_of(const BfSearch *search, int64_t i) { return search->log + i * (BF_LOG_HEAD + search->n); }

static BfStatus make_room(BfSearch *search, BfError *error) {
  if (search->evaluated < search->room) return BF_OK;
  const int64_t room = 2 * search->room + 64;
  double       *more;
  BF_TRY(BF_NEW(&more, room * (BF_LOG_HEAD + search->n), error));
  if (search->log) memcpy(more, search->log, sizeof(double) * (size_t)(search->evaluated * (BF_LOG_HEAD + search->n)));
  bf_free(search->log);
  search->log  = more;
  search->room = room;
  return BF_OK;
}

BfStatus bf_search_evaluate(BfSearch *search, const double *x, double *cost, double *gradient, BfError *error) {
  if (search->served < search->evaluated && row_of(search, search->served)[0] != hash(x, search->n))
    search->evaluated = search->served; /* the rest belongs to other steps than these */
  if (search->served == search->evaluated) {
    int order = EVALUATE;
    BF_TRY(make_room(search, error));
    if (x != search->x) memcpy(search->x, x, sizeof(double) * (size_t)search->n);
    MPI_Bcast(&order, 1, MPI_INT, 0, search->run->world);
    MPI_Bcast(&search->evaluated, 1, MPI_INT64_T, 0, search->run->world);
    MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
    const BfStatus status = evaluate_all(search, row_of(search, search->evaluated), error);
    search->known         = status != BF_OK;
    BF_TRY(status);
  }
  const double *row = row_of(search, search->served++);
  *cost             = row[1];
  memcpy(gradient, row + BF_LOG_HEAD, sizeof(double) * (size_t)search->n);
  return BF_OK;
}

double bf_search_logged(const BfSearch *search, const double *x) {
  const double wanted = hash(x, search->n);
  for (int64_t i = search->served - 1; i >= 0; i--)
    if (row_of(search, i)[0] == wanted) return row_of(search, i)[1];
  return INFINITY;
}

static BfStatus serve(BfSearch *search, BfError *error) {
  for (;;) {
    int order;
    MPI_Bcast(&order, 1, MPI_INT, 0, search->run->world);
    if (order != EVALUATE) return order == ENDED ? BF_OK : bf_agree(search->run->world, error);
    MPI_Bcast(&search->evaluated, 1, MPI_INT64_T, 0, search->run->world);
    MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
    BF_TRY(evaluate_all(search, NULL, error));
  }
}

/* ---- one start -------------------------------------------------------------------------------------------------- */

/* What rank 0 alone met is told to the others; what all met (a stop, a failed evaluation) they know. */
static BfStatus lead(BfSearch *search, double *cost, int *reason, BfError *error) {
  const BfStatus status = bf_search_minimize(search, cost, reason, error);
  int            order  = status == BF_OK ? ENDED : FAILED;
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
  double initial = search->run->rank == 0 ? row_of(search, 0)[1] : 0;
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
  else BF_TRY(serve(search, error));
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
