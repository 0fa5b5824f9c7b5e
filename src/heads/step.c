/* A step of PETSc's TS along the gradient flow. */
#include "heads/descend.h"
#include <math.h>
#include <petscts.h>
#include <string.h>

#define TRY(call) BF_TRY(bf_petsc((call), #call, error))

enum { MOST_BROKEN = 10 }; /* steps in a row that led to what is not finite */

struct BfStepper {
  BfDescent *of;
  TS         ts;
  Vec        x; /* the particles; ranks of the same heads hold copies, which neither maxima nor sums by entry mind */
  bool       adaptive;
  bool       fsal; /* the last stage is the next step's first */
  bool       spent;
};

/* ---- what TS calls ----------------------------------------------------------------------------------------------- */

/* The velocity where a step begins is known. */
static PetscErrorCode right_hand_side(TS ts, PetscReal t, Vec v, Vec f, void *context) {
  BfDescent    *x = context;
  const double *from;
  double       *to;
  (void)ts;
  PetscCall(VecGetArrayRead(v, &from));
  if (t > x->tau) {
    if (bf_descent_unpack(x, from, &x->error) != BF_OK) return PETSC_ERR_USER;
    if (bf_descent_evaluate(x, &x->error) != BF_OK) return PETSC_ERR_USER;
    if ((x->broken = !isfinite(x->value.risk) || !isfinite(x->value.slope))) return PETSC_ERR_FP;
  }
  PetscCall(VecRestoreArrayRead(v, &from));
  PetscCall(VecGetArrayWrite(f, &to));
  if (t > x->tau) bf_descent_motion(x, to);
  else memcpy(to, x->base_velocity, sizeof *to * (size_t)bf_descent_numbers(x));
  return VecRestoreArrayWrite(f, &to);
}

/* base: NULL for the law where it is. */
static BfStatus put(BfStepper *s, const double *base, BfError *error) {
  double *to;
  TRY(VecGetArrayWrite(s->x, &to));
  if (base) memcpy(to, base, sizeof *to * (size_t)bf_descent_numbers(s->of));
  else bf_descent_pack(s->of, to);
  TRY(VecRestoreArrayWrite(s->x, &to));
  return BF_OK;
}

/* Into x->arrived. */
static BfStatus get(BfStepper *s, BfError *error) {
  const double *from;
  TRY(VecGetArrayRead(s->x, &from));
  memcpy(s->of->arrived, from, sizeof *from * (size_t)bf_descent_numbers(s->of));
  TRY(VecRestoreArrayRead(s->x, &from));
  return BF_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static BfStatus create(BfStepper *s, BfError *error) {
  BfDescent *x = s->of;
  TSAdapt    adapt;
  PetscBool  rk, none, fsal;
  TRY(VecCreateMPI(x->run->world, (PetscInt)bf_descent_numbers(x), PETSC_DETERMINE, &s->x));
  TRY(TSCreate(x->run->world, &s->ts));
  TRY(TSSetProblemType(s->ts, TS_NONLINEAR));
  TRY(TSSetRHSFunction(s->ts, NULL, right_hand_side, x));
  TRY(TSSetSolution(s->ts, s->x));
  TRY(TSSetMaxSteps(s->ts, PETSC_MAX_INT));
  TRY(TSSetFromOptions(s->ts));
  TRY(TSSetMaxTime(s->ts, 2 * x->set->tau * (double)(x->set->insert + 1) + 1));
  TRY(TSSetExactFinalTime(s->ts, TS_EXACTFINALTIME_STEPOVER));
  TRY(TSSetErrorIfStepFails(s->ts, PETSC_FALSE));
  TRY(TSSetTime(s->ts, x->tau));
  TRY(TSSetStepNumber(s->ts, (PetscInt)x->steps));
  TRY(TSSetUp(s->ts));
  TRY(TSGetAdapt(s->ts, &adapt));
  TRY(PetscObjectTypeCompare((PetscObject)s->ts, TSRK, &rk));
  TRY(PetscObjectTypeCompare((PetscObject)adapt, TSADAPTNONE, &none));
  s->adaptive = rk && !none;
  if (rk) TRY(TSRKGetTableau(s->ts, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &fsal));
  s->fsal = rk && fsal;
  return BF_OK;
}

static void destroy(BfStepper *s) {
  TSDestroy(&s->ts);
  VecDestroy(&s->x);
}

BfStatus bf_stepper_create(BfDescent *x, BfStepper **out, BfError *error) {
  const double most = (double)PETSC_MAX_INT;
  double       n    = (double)bf_descent_numbers(x);
  (void)MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_DOUBLE, MPI_SUM, x->run->world);
  if (n > most)
    return bf_fail(error, BF_BAD_INPUT,
                   "%.0f free numbers of all particles are more than this PETSc counts, %.0f: fewer heads or layers", n,
                   most);
  BF_TRY(bf_together(x->run->world, BF_NEW(out, 1, error), error));
  (*out)->of = x;
  create(*out, error);
  if (error->status == BF_OK) put(*out, NULL, error);
  const BfStatus status = bf_agree(x->run->world, error);
  if (status != BF_OK) bf_stepper_destroy(out);
  return status;
}

void bf_stepper_destroy(BfStepper **stepper) {
  if (!*stepper) return;
  destroy(*stepper);
  bf_free(*stepper);
  *stepper = NULL;
}

bool bf_stepper_is_spent(const BfStepper *s) { return s->spent; }

BfStatus bf_stepper_view(BfStepper *s, BfError *error) {
  TRY(TSViewFromOptions(s->ts, NULL, "-ts_view"));
  return BF_OK;
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

/* TS lost its state in the midst of a step that led to what is not finite: it begins anew where the step began. */
static BfStatus begin_anew(BfStepper *s, BfError *error) {
  destroy(s);
  BF_TRY(create(s, error));
  return put(s, s->of->base, error);
}

/* The particles where TS ended, and their value. Of a scheme whose last stage is the next first one it is known
 * already, at the stage, which differs from the solution by rounding alone and takes its place. */
static BfStatus arrive(BfStepper *s, BfError *error) {
  BfDescent *x = s->of;
  if (!s->fsal) BF_TRY(bf_together(x->run->world, get(s, error), error));
  if (!s->fsal) BF_TRY(bf_descent_unpack(x, x->arrived, error));
  const bool moved = x->set->box && bf_descent_project(x, x->law.theta);
  if (!s->fsal || moved) BF_TRY(bf_descent_evaluate(x, error));
  x->broken = !isfinite(x->value.risk) || !isfinite(x->value.slope);
  if (x->broken) return BF_OK;
  /* Weights come back normalized, as behind a restart. */
  if (s->fsal || moved || x->conic) BF_TRY(bf_together(x->run->world, put(s, NULL, error), error));
  if (moved) TRY(TSRestartStep(s->ts));
  return BF_OK;
}

static BfStatus call(BfStepper *s, double length, BfError *error) {
  BfDescent        *x = s->of;
  TSConvergedReason reason;
  TRY(TSSetTimeStep(s->ts, length));
  x->broken = false;
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL);
  const int code = TSStep(s->ts);
  PetscPopErrorHandler();
  if (x->error.status != BF_OK) return bf_fail(error, x->error.status, "%s", x->error.text);
  if (code == PETSC_ERR_FP) x->broken = true;
  if (x->broken) return BF_OK;
  BF_TRY(bf_petsc(code, "TSStep", error));
  TRY(TSGetConvergedReason(s->ts, &reason));
  s->spent = reason == TS_CONVERGED_ITS;
  if (reason >= 0) return BF_OK;
  return bf_fail(error, BF_FAILURE,
                 "at tau = %.6g every step was rejected: give larger -ts_rtol and -ts_atol, or -ts_max_reject", x->tau);
}

/* *taken: whether there was a step; else x->broken. */
static BfStatus try_step(BfStepper *s, double length, bool *taken, BfError *error) {
  BfDescent *x = s->of;
  *taken       = false;
  BF_TRY(bf_together(x->run->world, call(s, length, error), error));
  if (x->broken) return BF_OK;
  BF_TRY(arrive(s, error));
  *taken = !x->broken;
  return BF_OK;
}

/* Clocks of ranks on other machines may differ by rounding: those of rank 0 count. */
static BfStatus settle(BfStepper *s, double most, bool cut, bool rejected, BfError *error) {
  BfDescent *x     = s->of;
  double     at[2] = {0, 0};
  PetscInt   count;
  Vec        v;
  TRY(TSGetTime(s->ts, &at[0]));
  TRY(TSGetTimeStep(s->ts, &at[1]));
  (void)MPI_Bcast(at, 2, MPI_DOUBLE, 0, x->run->world);
  if (!(at[0] > x->tau))
    return bf_fail(error, BF_FAILURE, "at tau = %.6g steps are too small to be counted: give larger tolerances",
                   x->tau);
  x->tau = cut && !rejected ? most : at[0];
  if (!cut || rejected) x->next = at[1];
  x->steps++;
  TRY(TSSetTime(s->ts, x->tau));
  TRY(TSGetStepNumber(s->ts, &count));
  TRY(TSGetSolution(s->ts, &v));
  TRY(TSMonitor(s->ts, count, x->tau, v));
  return BF_OK;
}

BfStatus bf_stepper_step(BfStepper *s, double most, BfError *error) {
  BfDescent *x      = s->of;
  const bool cut    = x->next >= (most - x->tau) * (1 - 1e-12);
  double     length = cut ? most - x->tau : x->next;
  PetscInt   before, after;
  int        broken = 0;
  bool       taken  = false;
  bf_descent_pack(x, x->base);
  bf_descent_motion(x, x->base_velocity);
  TRY(TSGetStepRejections(s->ts, &before));
  for (; !taken; broken += !taken) {
    if (broken) BF_TRY(bf_together(x->run->world, begin_anew(s, error), error));
    if (broken && (!s->adaptive || broken > MOST_BROKEN))
      return bf_fail(error, BF_FAILURE, "the risk is not finite behind tau = %.6g: give a smaller -ts_dt", x->tau);
    if (broken) before = 0;
    BF_TRY(try_step(s, length, &taken, error));
    if (!taken) length /= 10;
  }
  TRY(TSGetStepRejections(s->ts, &after));
  x->rejected += after - before + broken;
  return settle(s, most, cut, after > before || broken, error);
}
