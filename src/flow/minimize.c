/* TAO on a group's leader. */
#include "flow/search.h"
#include "run/text.h"
#include <math.h>
#include <petsctao.h>
#include <string.h>

const char *bf_flow_answer_reason(const BfFlowAnswer *answer) { return TaoConvergedReasons[answer->reason]; }

#define TRY(call) BF_TRY(bf_petsc((call), #call, error))

/* ---- the best iterate ------------------------------------------------------------------------------------------- */

static bool in_box(const BfSearch *search, const double *x) {
  for (int64_t i = 0; i < search->n; i++) {
    double lower, upper;
    bf_flow_box(search->problem, i, &lower, &upper);
    if (!(x[i] >= lower && x[i] <= upper)) return false;
  }
  return true;
}

/* Of iterates of equal J the last. */
static void keep_best(BfSearch *search, const double *x) {
  const double cost = in_box(search, x) ? bf_search_logged(search, x) : INFINITY;
  if (!(cost <= search->best_cost) || cost == INFINITY) return;
  search->best_cost = cost;
  memcpy(search->best, x, sizeof(double) * (size_t)search->n);
}

/* ---- what TAO calls --------------------------------------------------------------------------------------------- */

/* TAO squares what it is given. */
static bool is_usable(const double *gradient, int64_t n) {
  double square = 0;
  for (int64_t i = 0; i < n; i++) square += gradient[i] * gradient[i];
  return isfinite(square);
}

static PetscErrorCode evaluate(Tao tao, Vec x, PetscReal *cost, Vec gradient, void *context) {
  BfSearch     *search = context;
  const double *at;
  double       *by;
  (void)tao;
  PetscCall(VecGetArrayRead(x, &at));
  PetscCall(VecGetArrayWrite(gradient, &by));
  const BfStatus status = bf_search_evaluate(search, at, cost, by, &search->error);
  if (status == BF_OK && !is_usable(by, search->n)) { /* J may be finite there, but no step can be taken from it */
    *cost = INFINITY;
    memset(by, 0, sizeof(double) * (size_t)search->n);
  }
  PetscCall(VecRestoreArrayRead(x, &at));
  PetscCall(VecRestoreArrayWrite(gradient, &by));
  return status == BF_OK ? 0 : PETSC_ERR_USER;
}

static BfStatus note(BfSearch *search, double cost, double residual, BfError *error) {
  BF_TRY(bf_array_room(&search->history, search->iterations + 1, &search->history_room, 2 * sizeof(double), error));
  search->iterations++;
  search->history[2 * search->iterations]     = cost;
  search->history[2 * search->iterations + 1] = residual;
  return BF_OK;
}

static PetscErrorCode note_iterate(Tao tao, BfSearch *search) {
  Vec           x;
  const double *at;
  PetscCall(TaoGetSolution(tao, &x));
  PetscCall(VecGetArrayRead(x, &at));
  keep_best(search, at);
  PetscCall(VecRestoreArrayRead(x, &at));
  return 0;
}

static PetscErrorCode monitor(Tao tao, void *context) {
  BfSearch          *search = context;
  PetscInt           iteration;
  PetscReal          cost, residual, infeasible, moved;
  TaoConvergedReason reason;
  PetscCall(TaoGetSolutionStatus(tao, &iteration, &cost, &residual, &infeasible, &moved, &reason));
  PetscCall(note_iterate(tao, search));
  if (iteration <= search->iterations && search->iterations >= 0) return 0; /* TAO tells of some steps twice */
  if (note(search, cost, residual, &search->error) != BF_OK) return PETSC_ERR_MEM;
  if (search->served < search->now.evaluated) return 0;
  if (search->groups > 1)
    bf_progress_what(search->whole, "%lld of %lld starts done; start %lld, iteration %lld, J = %.6g",
                     (long long)search->finished, (long long)search->all, (long long)search->now.start + 1,
                     (long long)search->iterations, cost);
  else if (search->all > 1)
    bf_progress_what(search->whole, "start %lld of %lld, iteration %lld, J = %.6g, residual %.2g",
                     (long long)search->now.start + 1, (long long)search->all, (long long)search->iterations, cost,
                     residual);
  else
    bf_progress_what(search->whole, "iteration %lld, J = %.10g, residual %.3g", (long long)search->iterations, cost,
                     residual);
  return 0;
}

static BfStatus create(BfSearch *search, Tao *tao, Vec x, Vec lower, Vec upper, BfError *error) {
  double *least, *most;
  TRY(VecGetArrayWrite(lower, &least));
  TRY(VecGetArrayWrite(upper, &most));
  for (int64_t i = 0; i < search->n; i++) bf_flow_box(search->problem, i, &least[i], &most[i]);
  TRY(VecRestoreArrayWrite(lower, &least));
  TRY(VecRestoreArrayWrite(upper, &most));
  TRY(TaoCreate(PETSC_COMM_SELF, tao));
  TRY(TaoSetSolution(*tao, x));
  TRY(TaoSetVariableBounds(*tao, lower, upper));
  TRY(TaoSetObjectiveAndGradient(*tao, NULL, evaluate, search));
  TRY(TaoSetMonitor(*tao, monitor, search, NULL));
  TRY(TaoSetFromOptions(*tao));
  return BF_OK;
}

/* A step that TAO cannot take (its line search at the limit of rounding) ends a search; what the callbacks met fails
 * it. */
static BfStatus minimize(BfSearch *search, Tao tao, Vec x, double *cost, int *reason, BfError *error) {
  TaoConvergedReason why;
  const double      *at;
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL);
  const PetscErrorCode code = TaoSolve(tao);
  PetscPopErrorHandler();
  if (search->error.status != BF_OK) return bf_fail(error, search->error.status, "%s", search->error.text);
  if (code == PETSC_ERR_USER || code == PETSC_ERR_FP) { /* TAO's own numbers are none any more */
    *reason = TAO_DIVERGED_NAN;
  } else {
    BF_TRY(bf_petsc(code, "TaoSolve", error));
    TRY(TaoGetSolutionStatus(tao, NULL, NULL, NULL, NULL, NULL, &why));
    *reason = why;
    TRY(VecGetArrayRead(x, &at));
    keep_best(search, at);
    TRY(VecRestoreArrayRead(x, &at));
  }
  memcpy(search->x, search->best, sizeof(double) * (size_t)search->n);
  *cost = search->best_cost;
  return BF_OK;
}

BfStatus bf_search_minimize(BfSearch *search, double *cost, int *reason, BfError *error) {
  const PetscInt n = (PetscInt)search->n;
  Vec            x = NULL, lower = NULL, upper = NULL;
  Tao            tao = NULL;
  double        *to;
  BfStatus       status;
  search->iterations = -1;
  search->error      = (BfError){0};
  *reason            = 0;
  /* The start itself, once: TAO takes neither an infinite J or slope there nor a control without numbers. */
  BF_TRY(bf_search_evaluate(search, search->x, cost, search->gradient, error));
  memcpy(search->best, search->x, sizeof(double) * (size_t)n);
  search->best_cost = *cost;
  search->served    = 0;
  if (!n || !isfinite(*cost) || !is_usable(search->gradient, n)) return note(search, *cost, NAN, error);
  BF_GOTO(bf_petsc(VecCreateSeq(PETSC_COMM_SELF, n, &x), "VecCreateSeq", error));
  BF_GOTO(bf_petsc(VecDuplicate(x, &lower), "VecDuplicate", error));
  BF_GOTO(bf_petsc(VecDuplicate(x, &upper), "VecDuplicate", error));
  BF_GOTO(bf_petsc(VecGetArrayWrite(x, &to), "VecGetArray", error));
  memcpy(to, search->x, sizeof(double) * (size_t)n);
  BF_GOTO(bf_petsc(VecRestoreArrayWrite(x, &to), "VecRestoreArray", error));
  bf_flow_petsc_begin(search->flow);
  status = create(search, &tao, x, lower, upper, error);
  if (status == BF_OK) status = minimize(search, tao, x, cost, reason, error);
  bf_flow_petsc_end(search->flow);
  BF_GOTO(status);
  if (search->iterations < 0) status = note(search, *cost, NAN, error); /* it ended before it had told of the start */
done:
  TaoDestroy(&tao);
  VecDestroy(&x);
  VecDestroy(&lower);
  VecDestroy(&upper);
  return status;
}
