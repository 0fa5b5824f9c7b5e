/* PETSc's TS over depth, forward and adjoint: one TS an interval, on which the control is constant.
 *
 * As PETSc 3.18 wants it: each TS has its own vectors and shells; a trajectory is made anew for every solve. J^T and
 * J_p^T of a stage are one product of the kernels: the first to be asked for keeps the other's answer, by the identity
 * of its vector. */
#include "flow/flow.h"
#include <float.h>
#include <math.h>
#include <petscts.h>
#include <string.h>

/* Documented and exported; PETSc 3.18 declares it in a private header. */
PETSC_EXTERN PetscErrorCode PetscObjectStateGet(PetscObject, PetscObjectState *);

typedef struct {
  BfIntegrator    *depth;
  int              k;
  TS               ts;
  Vec              z, lambda, mu;
  Mat              J, Jp;
  Vec              base; /* the state that the Jacobians are taken at; borrowed from TS */
  double           time;
  PetscObjectId    id; /* of the cotangent that by_u belongs to, */
  PetscObjectState state, base_state;
  double          *by_u; /* [q] J_p^T lambda */
} Interval;

struct BfIntegrator {
  BfFlow            *flow;
  int64_t            size;
  const BfFlowGroup *group; /* under way */
  bool               kept;  /* trajectories of all intervals are there */
  bool      told; /* there are options -ts_trajectory_...: looking for them takes as long as a step of a small flow */
  double   *by_parameters;
  Interval *interval; /* [T] */
};

#define TRY(call) BF_TRY(bf_petsc((call), #call, error))

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

double bf_problem_profile(const BfProblem *problem, double t) {
  const int m = problem->profile_count;
  if (!m) return 1;
  const double at = t / (problem->horizon * problem->layer.step) * (m - 1);
  const int    i  = at < 0 ? 0 : at >= m - 2 ? m - 2 : (int)at;
  return problem->profile[i] + (at - i) * (problem->profile[i + 1] - problem->profile[i]);
}

static double profile(const Interval *x, double t) {
  const BfProblem *problem = x->depth->flow->problem;
  return bf_problem_profile(problem, x->k * problem->layer.step + t);
}

static const double *parameters(const Interval *x) {
  const BfFlow *flow = x->depth->flow;
  return flow->parameters + (int64_t)x->k * flow->problem->layer.parameters;
}

static PetscErrorCode right_hand_side(TS ts, PetscReal t, Vec z, Vec f, void *context) {
  const Interval    *x     = context;
  const BfFlowGroup *group = x->depth->group;
  const double      *from;
  double            *to;
  (void)ts;
  PetscCall(VecGetArrayRead(z, &from));
  PetscCall(VecGetArrayWrite(f, &to));
  for (int b = 0; b < group->blocks; b++) {
    const BfFlowBlock *block = &group->block[b];
    bf_velocity(&x->depth->flow->problem->layer, &block->block, parameters(x), profile(x, t), from + block->offset,
                to + block->offset, x->depth->flow->work);
  }
  PetscCall(VecRestoreArrayRead(z, &from));
  PetscCall(VecRestoreArrayWrite(f, &to));
  return 0;
}

static PetscErrorCode set_base(Interval *x, PetscReal t, Vec z) {
  x->base = z;
  x->time = t;
  x->id   = 0;
  return 0;
}

static PetscErrorCode jacobian(TS ts, PetscReal t, Vec z, Mat J, Mat preconditioner, void *context) {
  (void)ts;
  (void)J;
  (void)preconditioner;
  return set_base(context, t, z);
}

static PetscErrorCode jacobian_by_u(TS ts, PetscReal t, Vec z, Mat Jp, void *context) {
  Interval *x = context;
  (void)ts;
  (void)Jp;
  return x->base == z && x->time == t ? 0 : set_base(x, t, z);
}

/* J^T lambda into by_z, J_p^T lambda into x->by_u. */
static PetscErrorCode both_transposed(Interval *x, Vec lambda, double *by_z) {
  const BfFlow  *flow  = x->depth->flow;
  const BfLayer *layer = &flow->problem->layer;
  const double  *z, *l;
  PetscCall(VecGetArrayRead(x->base, &z));
  PetscCall(VecGetArrayRead(lambda, &l));
  memset(x->depth->by_parameters, 0, sizeof(double) * (size_t)layer->parameters);
  memset(x->by_u, 0, sizeof(double) * (size_t)layer->free);
  for (int b = 0; b < x->depth->group->blocks; b++) {
    const BfFlowBlock *block = &x->depth->group->block[b];
    const BfTransposed to    = {by_z + block->offset, x->depth->by_parameters};
    bf_velocity_transposed(layer, &block->block, parameters(x), profile(x, x->time), z + block->offset,
                           l + block->offset, &to, flow->work);
  }
  bf_layer_collect(layer, x->depth->by_parameters, x->by_u);
  PetscCall(VecRestoreArrayRead(x->base, &z));
  PetscCall(VecRestoreArrayRead(lambda, &l));
  PetscCall(PetscObjectGetId((PetscObject)lambda, &x->id));
  PetscCall(PetscObjectStateGet((PetscObject)lambda, &x->state));
  PetscCall(PetscObjectStateGet((PetscObject)x->base, &x->base_state));
  return 0;
}

static PetscErrorCode multiply_J_transposed(Mat J, Vec lambda, Vec by_z) {
  Interval *x;
  double   *to;
  PetscCall(MatShellGetContext(J, &x));
  PetscCall(VecGetArrayWrite(by_z, &to));
  PetscCall(both_transposed(x, lambda, to));
  PetscCall(VecRestoreArrayWrite(by_z, &to));
  return 0;
}

static PetscErrorCode multiply_Jp_transposed(Mat Jp, Vec lambda, Vec by_u) {
  Interval        *x;
  PetscObjectId    id;
  PetscObjectState state, base_state;
  double          *to;
  PetscCall(MatShellGetContext(Jp, &x));
  PetscCall(PetscObjectGetId((PetscObject)lambda, &id));
  PetscCall(PetscObjectStateGet((PetscObject)lambda, &state));
  PetscCall(PetscObjectStateGet((PetscObject)x->base, &base_state));
  if (id != x->id || state != x->state || base_state != x->base_state) {
    Vec     unused;
    double *by_z;
    PetscCall(VecDuplicate(lambda, &unused));
    PetscCall(VecGetArrayWrite(unused, &by_z));
    PetscCall(both_transposed(x, lambda, by_z));
    PetscCall(VecRestoreArrayWrite(unused, &by_z));
    PetscCall(VecDestroy(&unused));
  }
  PetscCall(VecGetArrayWrite(by_u, &to));
  memcpy(to, x->by_u, sizeof(double) * (size_t)x->depth->flow->problem->layer.free);
  PetscCall(VecRestoreArrayWrite(by_u, &to));
  return 0;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

/* Dormand and Prince's 5(4) with weight 1e-30 for the stage that has none. */
static PetscErrorCode register_dopri5(void) {
  static const double tiny        = 1e-30;
  const double        A[7][7]     = {{0},
                                     {1.0 / 5},
                                     {3.0 / 40, 9.0 / 40},
                                     {44.0 / 45, -56.0 / 15, 32.0 / 9},
                                     {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
                                     {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
                                     {35.0 / 384, tiny, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
  const double        b[7]        = {35.0 / 384, tiny, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0};
  const double        embedded[7] = {5179.0 / 57600, 0,       7571.0 / 16695, 393.0 / 640, -92097.0 / 339200,
                                     187.0 / 2100,   1.0 / 40};
  static bool         done;
  if (done) return 0;
  done = true;
  PetscCall(TSInitializePackage());
  return TSRKRegister("bellformer_dopri5", 5, 7, &A[0][0], b, NULL, embedded, 0, NULL);
}

static BfStatus create_matrices(Interval *x, int64_t size, int q, BfError *error) {
  const PetscInt n = (PetscInt)size, m = q > 0 ? q : 1;
  TRY(VecCreateSeq(PETSC_COMM_SELF, n, &x->z));
  TRY(VecDuplicate(x->z, &x->lambda));
  TRY(VecCreateSeq(PETSC_COMM_SELF, m, &x->mu));
  TRY(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, x, &x->J));
  TRY(MatShellSetOperation(x->J, MATOP_MULT_TRANSPOSE, (void (*)(void))multiply_J_transposed));
  TRY(MatCreateShell(PETSC_COMM_SELF, n, m, n, m, x, &x->Jp));
  TRY(MatShellSetOperation(x->Jp, MATOP_MULT_TRANSPOSE, (void (*)(void))multiply_Jp_transposed));
  return BF_NEW(&x->by_u, m, error);
}

static BfStatus create_interval(BfIntegrator *depth, int k, BfError *error) {
  const BfFlow        *flow = depth->flow;
  const BfFlowOptions *o    = &flow->options;
  Interval            *x    = &depth->interval[k];
  TSAdapt              adapt;
  x->depth = depth;
  x->k     = k;
  BF_TRY(create_matrices(x, depth->size, flow->problem->layer.free, error));
  TRY(TSCreate(PETSC_COMM_SELF, &x->ts));
  TRY(TSSetProblemType(x->ts, TS_NONLINEAR));
  TRY(TSSetType(x->ts, TSRK));
  TRY(TSSetRHSFunction(x->ts, NULL, right_hand_side, x));
  TRY(TSSetRHSJacobian(x->ts, x->J, x->J, jacobian, x));
  TRY(TSSetRHSJacobianP(x->ts, x->Jp, jacobian_by_u, x));
  TRY(TSSetSolution(x->ts, x->z));
  TRY(TSSetTolerances(x->ts, o->tolerance, NULL, o->tolerance, NULL));
  TRY(TSSetFromOptions(x->ts));
  TRY(TSSetType(x->ts, TSRK));
  TRY(TSRKSetType(x->ts, o->scheme->tableau));
  TRY(TSSetExactFinalTime(x->ts, TS_EXACTFINALTIME_MATCHSTEP));
  TRY(TSSetErrorIfStepFails(x->ts, PETSC_FALSE));
  TRY(TSSetMaxSteps(x->ts, o->scheme->adaptive ? 100000 : o->steps));
  if (o->scheme->adaptive) return BF_OK;
  TRY(TSGetAdapt(x->ts, &adapt));
  TRY(TSAdaptSetType(adapt, TSADAPTNONE));
  return BF_OK;
}

static void destroy(BfIntegrator **depth);

static BfStatus create(BfFlow *flow, int64_t size, BfIntegrator **out, BfError *error) {
  const int     T = flow->problem->horizon;
  BfIntegrator *depth;
  BfStatus      status;
  BF_TRY(BF_NEW(&depth, 1, error));
  depth->flow = flow;
  depth->size = size;
  *out        = depth;
  BF_GOTO(bf_petsc(register_dopri5(), "TSRKRegister", error));
  depth->told = flow->options.petsc && strstr(flow->options.petsc, "-ts_trajectory_");
  BF_GOTO(BF_NEW(&depth->by_parameters, flow->problem->layer.parameters, error));
  BF_GOTO(BF_NEW(&depth->interval, T, error));
  for (int k = 0; k < T; k++) BF_GOTO(create_interval(depth, k, error));
done:
  if (status != BF_OK) destroy(out);
  return status;
}

static void destroy(BfIntegrator **depth) {
  BfIntegrator *x = *depth;
  if (!x) return;
  for (int k = 0; x->interval && k < x->flow->problem->horizon; k++) {
    Interval *i = &x->interval[k];
    TSDestroy(&i->ts);
    VecDestroy(&i->z);
    VecDestroy(&i->lambda);
    VecDestroy(&i->mu);
    MatDestroy(&i->J);
    MatDestroy(&i->Jp);
    bf_free(i->by_u);
  }
  bf_free(x->interval);
  bf_free(x->by_parameters);
  bf_free(x);
  *depth = NULL;
}

/* ---- forward and back ------------------------------------------------------------------------------------------- */

static BfStatus set(Vec v, const double *from, BfError *error) {
  PetscInt n;
  double  *to;
  TRY(VecGetLocalSize(v, &n));
  TRY(VecGetArrayWrite(v, &to));
  memcpy(to, from, sizeof(double) * (size_t)n);
  TRY(VecRestoreArrayWrite(v, &to));
  return BF_OK;
}

static BfStatus get(Vec v, int64_t n, double *to, BfError *error) {
  const double *from;
  TRY(VecGetArrayRead(v, &from));
  memcpy(to, from, sizeof(double) * (size_t)n);
  TRY(VecRestoreArrayRead(v, &from));
  return BF_OK;
}

static BfStatus renew_trajectory(TS ts, bool keep, bool told, BfError *error) {
  TSTrajectory trajectory;
  TRY(TSRemoveTrajectory(ts));
  if (!keep) return BF_OK;
  TRY(TSSetSaveTrajectory(ts));
  TRY(TSGetTrajectory(ts, &trajectory));
  TRY(TSTrajectorySetType(trajectory, ts, TSTRAJECTORYMEMORY));
  TRY(TSTrajectorySetUseHistory(trajectory, PETSC_FALSE));
  if (told) TRY(TSTrajectorySetFromOptions(trajectory, ts));
  return BF_OK;
}

/* Depth is counted from the interval's start, so that its steps do not depend on where it lies. */
static BfStatus solve_interval(Interval *x, bool keep, const double *from, double *to, int *finite, BfError *error) {
  const BfFlow     *flow     = x->depth->flow;
  const double      eps      = flow->problem->layer.step;
  const bool        adaptive = flow->options.scheme->adaptive;
  TSConvergedReason reason;
  BF_TRY(renew_trajectory(x->ts, keep, x->depth->told, error));
  BF_TRY(set(x->z, from, error));
  TRY(TSSetTime(x->ts, 0));
  TRY(TSSetStepNumber(x->ts, 0));
  TRY(TSSetMaxTime(x->ts, eps));
  TRY(TSSetTimeStep(x->ts, adaptive ? eps / 8 : eps / flow->options.steps));
  TRY(TSRestartStep(x->ts));
  /* Where a step's error overflows, an adaptive scheme ends in an error of PETSc's and not in a reason. */
  const int code = TSSolve(x->ts, x->z);
  if (code == PETSC_ERR_FP) {
    *finite = 0;
    return BF_OK;
  }
  TRY(code);
  TRY(TSGetConvergedReason(x->ts, &reason));
  if (reason < 0 || (adaptive && reason == TS_CONVERGED_ITS)) *finite = 0;
  return get(x->z, x->depth->size, to, error);
}

static int all_finite(const double *x, int64_t n) {
  int finite = 1;
  for (int64_t i = 0; i < n; i++) finite &= fabs(x[i]) <= DBL_MAX;
  return finite;
}

static BfStatus forward(BfIntegrator *depth, const BfFlowGroup *group, bool keep, double *ends, int *finite,
                        BfError *error) {
  const int T  = depth->flow->problem->horizon;
  depth->group = group;
  depth->kept  = keep;
  *finite      = 1;
  for (int k = 0; k < T && *finite; k++) {
    BF_TRY(
        solve_interval(&depth->interval[k], keep, ends + k * depth->size, ends + (k + 1) * depth->size, finite, error));
    *finite = *finite && all_finite(ends + (k + 1) * depth->size, depth->size);
  }
  return BF_OK;
}

static BfStatus backward(BfIntegrator *depth, const BfFlowGroup *group, const double *ends, const double *lambda,
                         double *by_u, double *adjoints, BfError *error) {
  const int     T = depth->flow->problem->horizon, q = depth->flow->problem->layer.free;
  const int64_t n = depth->size;
  depth->group    = group;
  if (adjoints) memcpy(adjoints + T * n, lambda, sizeof(double) * (size_t)n);
  for (int k = T - 1; k >= 0; k--) {
    Interval *x = &depth->interval[k];
    double   *end;
    int       finite = 1;
    if (!depth->kept) {
      BF_TRY(BF_NEW(&end, n, error));
      const BfStatus status = solve_interval(x, true, ends + k * n, end, &finite, error);
      bf_free(end);
      BF_TRY(status);
    }
    if (k == T - 1) BF_TRY(set(x->lambda, lambda, error));
    else TRY(VecCopy(depth->interval[k + 1].lambda, x->lambda));
    TRY(VecSet(x->mu, 0));
    x->id = 0;
    TRY(TSSetCostGradients(x->ts, 1, &x->lambda, &x->mu));
    TRY(TSAdjointSolve(x->ts));
    BF_TRY(get(x->mu, q, by_u + (int64_t)k * q, error));
    if (adjoints) BF_TRY(get(x->lambda, n, adjoints + k * n, error));
    if (!depth->kept) TRY(TSRemoveTrajectory(x->ts));
  }
  return BF_OK;
}

const BfIntegratorKind bf_integrator_ts = {create, destroy, forward, backward};
