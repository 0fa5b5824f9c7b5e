/* TAO on rank 0. */
#include "flow/train.h"
#include <math.h>
#include <petsctao.h>
#include <string.h>

const char *bf_training_reason(const BfTraining *training) { return TaoConvergedReasons[training->reason]; }

#define TRY(call) BF_TRY(bf_petsc((call), #call, error))

/* ---- the best iterate ------------------------------------------------------------------------------------------- */

static bool in_box(const BfTrain *train, const double *x) {
  const BfProblem *problem = train->problem;
  const int64_t    q       = problem->layer.controls;
  for (int64_t i = 0; i < train->n; i++)
    if (!(x[i] >= problem->lower[i % q] && x[i] <= problem->upper[i % q])) return false;
  return true;
}

/* Of iterates of equal J the last. */
static void keep_best(BfTrain *train, const double *x) {
  const double cost = in_box(train, x) ? bf_train_logged(train, x) : INFINITY;
  if (!(cost <= train->best_cost) || cost == INFINITY) return;
  train->best_cost = cost;
  memcpy(train->best, x, sizeof(double) * (size_t)train->n);
}

/* ---- what TAO calls --------------------------------------------------------------------------------------------- */

/* TAO squares what it is given. */
static bool is_usable(const double *gradient, int64_t n) {
  double square = 0;
  for (int64_t i = 0; i < n; i++) square += gradient[i] * gradient[i];
  return isfinite(square);
}

static PetscErrorCode evaluate(Tao tao, Vec x, PetscReal *cost, Vec gradient, void *context) {
  BfTrain      *train = context;
  const double *at;
  double       *by;
  (void)tao;
  PetscCall(VecGetArrayRead(x, &at));
  PetscCall(VecGetArrayWrite(gradient, &by));
  const BfStatus status = bf_train_evaluate(train, at, cost, by, &train->error);
  if (status == BF_OK && !is_usable(by, train->n)) { /* J may be finite there, but no step can be taken from it */
    *cost = INFINITY;
    memset(by, 0, sizeof(double) * (size_t)train->n);
  }
  PetscCall(VecRestoreArrayRead(x, &at));
  PetscCall(VecRestoreArrayWrite(gradient, &by));
  return status == BF_OK ? 0 : PETSC_ERR_USER;
}

static BfStatus note(BfTrain *train, double cost, double residual, BfError *error) {
  if (train->iterations + 1 >= train->history_room) {
    const int64_t room = 2 * train->history_room + 64;
    double       *more;
    BF_TRY(BF_NEW(&more, 2 * room, error));
    if (train->history) memcpy(more, train->history, sizeof(double) * 2 * (size_t)(train->iterations + 1));
    bf_free(train->history);
    train->history      = more;
    train->history_room = room;
  }
  train->iterations++;
  train->history[2 * train->iterations]     = cost;
  train->history[2 * train->iterations + 1] = residual;
  return BF_OK;
}

static PetscErrorCode note_iterate(Tao tao, BfTrain *train) {
  Vec           x;
  const double *at;
  PetscCall(TaoGetSolution(tao, &x));
  PetscCall(VecGetArrayRead(x, &at));
  keep_best(train, at);
  PetscCall(VecRestoreArrayRead(x, &at));
  return 0;
}

static PetscErrorCode monitor(Tao tao, void *context) {
  BfTrain           *train = context;
  PetscInt           iteration;
  PetscReal          cost, residual, infeasible, moved;
  TaoConvergedReason reason;
  PetscCall(TaoGetSolutionStatus(tao, &iteration, &cost, &residual, &infeasible, &moved, &reason));
  PetscCall(note_iterate(tao, train));
  if (iteration <= train->iterations && train->iterations >= 0) return 0; /* TAO tells of some steps twice */
  if (note(train, cost, residual, &train->error) != BF_OK) return PETSC_ERR_MEM;
  if (train->served < train->evaluated) return 0;
  if (train->all > 1)
    bf_progress_what(train->run, "start %lld of %lld, iteration %lld, J = %.6g, residual %.2g",
                     (long long)train->start + 1, (long long)train->all, (long long)train->iterations, cost, residual);
  else
    bf_progress_what(train->run, "iteration %lld, J = %.10g, residual %.3g", (long long)train->iterations, cost,
                     residual);
  return 0;
}

static BfStatus create(BfTrain *train, Tao *tao, Vec x, Vec lower, Vec upper, BfError *error) {
  const BfProblem *problem = train->problem;
  const int64_t    q       = problem->layer.controls;
  double          *least, *most;
  TRY(VecGetArrayWrite(lower, &least));
  TRY(VecGetArrayWrite(upper, &most));
  for (int64_t i = 0; i < train->n; i++) {
    least[i] = problem->lower[i % q];
    most[i]  = problem->upper[i % q];
  }
  TRY(VecRestoreArrayWrite(lower, &least));
  TRY(VecRestoreArrayWrite(upper, &most));
  TRY(TaoCreate(PETSC_COMM_SELF, tao));
  TRY(TaoSetType(*tao, TAOBQNLS));
  TRY(TaoSetSolution(*tao, x));
  TRY(TaoSetVariableBounds(*tao, lower, upper));
  TRY(TaoSetObjectiveAndGradient(*tao, NULL, evaluate, train));
  TRY(TaoSetMonitor(*tao, monitor, train, NULL));
  TRY(TaoSetMaximumIterations(*tao, 1000));
  TRY(TaoSetFromOptions(*tao));
  return BF_OK;
}

/* A step that TAO cannot take (its line search at the limit of rounding) ends a search; what the callbacks met fails
 * it. */
static BfStatus search(BfTrain *train, Tao tao, Vec x, double *cost, int *reason, BfError *error) {
  TaoConvergedReason why;
  const double      *at;
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL);
  const PetscErrorCode code = TaoSolve(tao);
  PetscPopErrorHandler();
  if (train->error.status != BF_OK) return bf_fail(error, train->error.status, "%s", train->error.text);
  if (code == PETSC_ERR_USER || code == PETSC_ERR_FP) { /* TAO's own numbers are none any more */
    *reason = TAO_DIVERGED_NAN;
  } else {
    BF_TRY(bf_petsc(code, "TaoSolve", error));
    TRY(TaoGetSolutionStatus(tao, NULL, NULL, NULL, NULL, NULL, &why));
    *reason = why;
    TRY(VecGetArrayRead(x, &at));
    keep_best(train, at);
    TRY(VecRestoreArrayRead(x, &at));
  }
  memcpy(train->x, train->best, sizeof(double) * (size_t)train->n);
  *cost = train->best_cost;
  return BF_OK;
}

BfStatus bf_train_minimize(BfTrain *train, double *cost, int *reason, BfError *error) {
  const PetscInt n = (PetscInt)train->n;
  Vec            x = NULL, lower = NULL, upper = NULL;
  Tao            tao = NULL;
  double        *to;
  BfStatus       status;
  train->iterations = -1;
  train->error      = (BfError){0};
  *reason           = 0;
  /* The start itself, once: TAO takes neither an infinite J or slope there nor a control without numbers. */
  BF_TRY(bf_train_evaluate(train, train->x, cost, train->gradient, error));
  memcpy(train->best, train->x, sizeof(double) * (size_t)n);
  train->best_cost = *cost;
  train->served    = 0;
  if (!n || !isfinite(*cost) || !is_usable(train->gradient, n)) return note(train, *cost, NAN, error);
  BF_GOTO(bf_petsc(VecCreateSeq(PETSC_COMM_SELF, n, &x), "VecCreateSeq", error));
  BF_GOTO(bf_petsc(VecDuplicate(x, &lower), "VecDuplicate", error));
  BF_GOTO(bf_petsc(VecDuplicate(x, &upper), "VecDuplicate", error));
  BF_GOTO(bf_petsc(VecGetArrayWrite(x, &to), "VecGetArray", error));
  memcpy(to, train->x, sizeof(double) * (size_t)n);
  BF_GOTO(bf_petsc(VecRestoreArrayWrite(x, &to), "VecRestoreArray", error));
  BF_GOTO(create(train, &tao, x, lower, upper, error));
  BF_GOTO(search(train, tao, x, cost, reason, error));
  if (train->iterations < 0) status = note(train, *cost, NAN, error); /* it ended before it had told of the start */
done:
  TaoDestroy(&tao);
  VecDestroy(&x);
  VecDestroy(&lower);
  VecDestroy(&upper);
  return status;
}
