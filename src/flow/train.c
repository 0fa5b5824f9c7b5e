/* Starts, one after the other; rank 0 asks, all ranks evaluate. */
#include "flow/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EVALUATE, ENDED, FAILED }; /* what rank 0 tells the others */

void bf_start_point(const BfProblem *problem, const BfStartPoints *points, int64_t start, double control[]) {
  const int64_t q = problem->layer.controls, n = problem->horizon * q;
  uint64_t      state = (uint64_t)points->seed;
  if (points->given && start == 0) {
    memcpy(control, points->given, sizeof(double) * (size_t)n);
    return;
  }
  const int64_t draw = start - (points->given ? 1 : 0);
  bf_splitmix64_skip(&state, (uint64_t)draw * (uint64_t)n);
  for (int64_t i = 0; i < n; i++) {
    const double lower = problem->lower[i % q], upper = problem->upper[i % q];
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

/* On all ranks: J at train->x into row, then a checkpoint if it is time. row: rank 0's, of the log; else NULL. */
static BfStatus evaluate_all(BfTrain *train, double *row, BfError *error) {
  BfFlowValue value = {.gradient = train->gradient};
  bf_phase_begin(train->run, BF_PHASE_FLOW);
  BF_TRY(bf_flow_evaluate(train->flow, train->x, &value, error));
  bf_phase_end(train->run, BF_PHASE_FLOW);
  train->evaluated++;
  if (row) {
    row[0] = hash(train->x, train->n);
    row[1] = value.cost;
    memcpy(row + BF_LOG_HEAD, train->gradient, sizeof(double) * (size_t)train->n);
  }
  const BfOrder order = bf_checkpoint_ask(train->checkpoint, bf_train_save_bytes(train));
  if (order == BF_GO_ON) return BF_OK;
  BF_TRY(bf_train_save(train, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(train->checkpoint, error) : BF_OK;
}

static double *row_of(const BfTrain *train, int64_t i) { return train->log + i * (BF_LOG_HEAD + train->n); }

static BfStatus make_room(BfTrain *train, BfError *error) {
  if (train->evaluated < train->room) return BF_OK;
  const int64_t room = 2 * train->room + 64;
  double       *more;
  BF_TRY(BF_NEW(&more, room * (BF_LOG_HEAD + train->n), error));
  if (train->log) memcpy(more, train->log, sizeof(double) * (size_t)(train->evaluated * (BF_LOG_HEAD + train->n)));
  bf_free(train->log);
  train->log  = more;
  train->room = room;
  return BF_OK;
}

BfStatus bf_train_evaluate(BfTrain *train, const double *x, double *cost, double *gradient, BfError *error) {
  if (train->served < train->evaluated && row_of(train, train->served)[0] != hash(x, train->n))
    train->evaluated = train->served; /* the rest belongs to other steps than these */
  if (train->served == train->evaluated) {
    int order = EVALUATE;
    BF_TRY(make_room(train, error));
    if (x != train->x) memcpy(train->x, x, sizeof(double) * (size_t)train->n);
    MPI_Bcast(&order, 1, MPI_INT, 0, train->run->world);
    MPI_Bcast(&train->evaluated, 1, MPI_INT64_T, 0, train->run->world);
    MPI_Bcast(train->x, (int)train->n, MPI_DOUBLE, 0, train->run->world);
    const BfStatus status = evaluate_all(train, row_of(train, train->evaluated), error);
    train->known          = status != BF_OK;
    BF_TRY(status);
  }
  const double *row = row_of(train, train->served++);
  *cost             = row[1];
  memcpy(gradient, row + BF_LOG_HEAD, sizeof(double) * (size_t)train->n);
  return BF_OK;
}

double bf_train_logged(const BfTrain *train, const double *x) {
  const double wanted = hash(x, train->n);
  for (int64_t i = train->served - 1; i >= 0; i--)
    if (row_of(train, i)[0] == wanted) return row_of(train, i)[1];
  return INFINITY;
}

static BfStatus serve(BfTrain *train, BfError *error) {
  for (;;) {
    int order;
    MPI_Bcast(&order, 1, MPI_INT, 0, train->run->world);
    if (order != EVALUATE) return order == ENDED ? BF_OK : bf_agree(train->run->world, error);
    MPI_Bcast(&train->evaluated, 1, MPI_INT64_T, 0, train->run->world);
    MPI_Bcast(train->x, (int)train->n, MPI_DOUBLE, 0, train->run->world);
    BF_TRY(evaluate_all(train, NULL, error));
  }
}

/* ---- one start -------------------------------------------------------------------------------------------------- */

/* What rank 0 alone met is told to the others; what all met (a stop, a failed evaluation) they know. */
static BfStatus lead(BfTrain *train, double *cost, int *reason, BfError *error) {
  const BfStatus status = bf_train_minimize(train, cost, reason, error);
  int            order  = status == BF_OK ? ENDED : FAILED;
  if (train->known) return status;
  MPI_Bcast(&order, 1, MPI_INT, 0, train->run->world);
  return status == BF_OK ? BF_OK : bf_agree(train->run->world, error);
}

static BfStatus keep(BfTrain *train, double cost, int reason, BfError *error) {
  BfTraining   *out = train->out;
  const int64_t s   = train->start;
  MPI_Bcast(&cost, 1, MPI_DOUBLE, 0, train->run->world);
  MPI_Bcast(&reason, 1, MPI_INT, 0, train->run->world);
  MPI_Bcast(&train->iterations, 1, MPI_INT64_T, 0, train->run->world);
  MPI_Bcast(train->x, (int)train->n, MPI_DOUBLE, 0, train->run->world);
  double initial = train->run->rank == 0 ? row_of(train, 0)[1] : 0;
  MPI_Bcast(&initial, 1, MPI_DOUBLE, 0, train->run->world);
  out->initial_cost[s]     = initial;
  out->final_cost[s]       = cost;
  out->start_iterations[s] = train->iterations;
  out->evaluations += train->evaluated;
  if (s && !(cost < out->final_cost[out->best])) return BF_OK;
  out->best       = s;
  out->iterations = train->iterations;
  memcpy(out->control, train->x, sizeof(double) * (size_t)train->n);
  out->reason = reason;
  bf_free(out->history);
  out->history = NULL;
  BF_TRY(bf_together(train->run->world, BF_NEW(&out->history, 2 * (out->iterations + 1), error), error));
  if (train->run->rank == 0) memcpy(out->history, train->history, sizeof(double) * 2 * (size_t)(out->iterations + 1));
  MPI_Bcast(out->history, (int)(2 * (out->iterations + 1)), MPI_DOUBLE, 0, train->run->world);
  return BF_OK;
}

static BfStatus run_start(BfTrain *train, BfError *error) {
  double cost   = 0;
  int    reason = 0;
  bf_start_point(train->problem, train->points, train->start, train->x);
  train->served = 0;
  if (train->run->rank == 0) BF_TRY(lead(train, &cost, &reason, error));
  else BF_TRY(serve(train, error));
  BF_TRY(keep(train, cost, reason, error));
  if (train->all > 1)
    bf_print(train->run, "start %lld of %lld: J = %.10g, from %.6g in %lld iterations\n", (long long)train->start + 1,
             (long long)train->all, train->out->final_cost[train->start], train->out->initial_cost[train->start],
             (long long)train->iterations);
  bf_work_change(train->run, BF_PHASE_FLOW, fmin(0, (double)train->evaluated - train->most));
  train->evaluated = 0;
  return BF_OK;
}

static BfStatus make(BfTrain *train, BfError *error) {
  BfTraining *out = train->out;
  BF_TRY(BF_NEW(&out->initial_cost, train->all, error));
  BF_TRY(BF_NEW(&out->final_cost, train->all, error));
  BF_TRY(BF_NEW(&out->start_iterations, train->all, error));
  BF_TRY(BF_NEW(&out->control, train->n, error));
  BF_TRY(BF_NEW(&train->x, train->n, error));
  BF_TRY(BF_NEW(&train->best, train->n, error));
  return BF_NEW(&train->gradient, train->n, error);
}

/* What the search has to do at most, for its progress: TAO's line search takes one to three steps. */
static BfStatus expect(BfTrain *train, BfError *error) {
  const double an_iteration = 2, left = (double)(train->all - train->start);
  int64_t      iterations;
  BF_TRY(bf_flow_iterations(&iterations, error));
  train->most = 2 + an_iteration * (double)iterations;
  bf_work_expect(train->run, BF_PHASE_FLOW, left * train->most - (double)train->evaluated, "evaluations",
                 bf_flow_seconds(train->flow), true);
  return BF_OK;
}

BfStatus bf_flow_train(BfRun *run, BfFlow *flow, const BfProblem *problem, const BfStartPoints *points,
                       BfCheckpoint *checkpoint, BfTraining *out, BfError *error) {
  BfTrain train = {
      .run = run, .flow = flow, .problem = problem, .points = points, .checkpoint = checkpoint, .out = out};
  BfStatus status;
  train.n     = (int64_t)problem->horizon * problem->layer.controls;
  train.all   = points->starts + (points->given ? 1 : 0);
  out->starts = train.all;
  BF_GOTO(bf_together(run->world, make(&train, error), error));
  BF_GOTO(bf_train_restore(&train, error));
  BF_GOTO(bf_together(run->world, expect(&train, error), error));
  for (; train.start < train.all; train.start++) BF_GOTO(run_start(&train, error));
done:
  bf_free(train.x);
  bf_free(train.best);
  bf_free(train.gradient);
  bf_free(train.log);
  bf_free(train.history);
  return status;
}

/* ---- the gradient against central differences ------------------------------------------------------------------- */

BfStatus bf_flow_test_gradient(BfFlow *flow, const BfProblem *problem, const double control[], double *difference,
                               BfError *error) {
  const int64_t n        = (int64_t)problem->horizon * problem->layer.controls;
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
