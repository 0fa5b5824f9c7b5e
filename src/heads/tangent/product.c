/* Products with J, by the tangent of every layer, and with J^T, by the adjoint; the ends of the spectrum from them. */
#include "heads/tangent/parts.h"
#include "kernel/kernels.h"
#include "run/petsc_error.h"
#include <math.h>
#include <slepceps.h>
#include <string.h>

/* ---- along a direction ------------------------------------------------------------------------------------------- */

typedef struct {
  double *A, *V;    /* [d d][BF_LANES] of the direction */
  double *dz;       /* [tokens][d] at the layer */
  double  bound[2]; /* of a layer: the largest alpha sum |dV|, sum |dA| of all heads */
} Direction;

static void expand_direction(const BfHeads *x, const BfHeadLaw *law, const double *dtheta, int t, int64_t b,
                             const Direction *w) {
  const int     d = x->problem->layer.dim, half = d * d, q = law->free;
  const int64_t first = (int64_t)t * law->count + b * BF_LANES;
  double *const to[]  = {w->A, w->V};
  for (int l = 0; l < BF_LANES; l++)
    for (int e = 0; e < 2 * half; e++) {
      const bool moves                      = b * BF_LANES + l < law->count && x->number[e] >= 0;
      to[e / half][e % half * BF_LANES + l] = moves ? x->factor[e] * dtheta[(first + l) * q + x->number[e]] : 0;
    }
}

static void bound_direction(const BfHeads *x, const BfHeadLaw *law, const double *dtheta, int t, Direction *w) {
  const int half = x->problem->layer.dim * x->problem->layer.dim;
  w->bound[0] = w->bound[1] = 0;
  for (int64_t b = 0; b < x->blocks; b++) {
    expand_direction(x, law, dtheta, t, b, w);
    for (int l = 0; l < BF_LANES && b * BF_LANES + l < law->count; l++) {
      double A = 0, V = 0;
      for (int e = 0; e < half; e++) {
        A += fabs(w->A[e * BF_LANES + l]);
        V += fabs(w->V[e * BF_LANES + l]);
      }
      w->bound[0] = fmax(w->bound[0], V * law->weight[(int64_t)t * law->count + b * BF_LANES + l]);
      w->bound[1] = fmax(w->bound[1], A);
    }
  }
  bf_heads_reduce(x->across, 2, w->bound, MPI_MAX);
}

/* |dm| <= |dz| + 2 |z| |dl|, |dl| <= |beta| (2 |dz| sum|A| |s| + |s|^2 sum|dA|), largest entries of a sequence. */
static void set_quanta(BfHeads *x, const BfHeadLaw *law, int t, const Direction *w) {
  const int d = x->problem->layer.dim;
  for (int64_t s = x->first_context; s < x->end_context; s++) {
    const BfHeadTokens view = bf_heads_view(x, t, s);
    const int64_t      n    = (int64_t)view.tokens * d;
    const double z = bf_heads_largest(n, view.z), q = bf_heads_largest(n, view.s), A = x->V_bound[law->layers + t];
    const double dz = bf_heads_largest(n, w->dz + (bf_heads_token(x, s) - x->first_token) * d);
    const double dl = fabs(view.beta) * (2 * dz * A * q + q * q * w->bound[1]);
    x->quanta[s]    = bf_quanta((w->bound[0] * z + x->V_bound[t] * (dz + 2 * z * dl)) * (double)x->heads);
  }
}

static void layer(BfHeads *x, const BfHeadLaw *law, const double *dtheta, int t, Direction *w) {
  const int     d = x->problem->layer.dim;
  const int64_t n = x->tokens * d;
  bf_heads_encode(x, t);
  bound_direction(x, law, dtheta, t, w);
  set_quanta(x, law, t, w);
  memset(x->token_sum, 0, (size_t)(2 * n) * sizeof(double));
  for (int64_t b = 0; b < x->blocks; b++) {
    if (b % x->blocks_a_chunk == 0) memset(x->lanes, 0, (size_t)(n * BF_LANES) * sizeof(double));
    bf_heads_expand(x, law, t, b);
    expand_direction(x, law, dtheta, t, b, w);
    for (int64_t s = x->first_context; s < x->end_context; s++) {
      const BfHeadTokens view = bf_heads_view(x, t, s);
      const int64_t      at   = (bf_heads_token(x, s) - x->first_token) * d;
      x->problem->layer.kernels->heads_tangent(&view, &(BfHeadLanes){x->A, x->V, x->weight},
                                               &(BfHeadTangent){w->A, w->V, w->dz + at}, x->lanes + at * BF_LANES,
                                               x->work);
    }
    if ((b + 1) % x->blocks_a_chunk == 0 || b + 1 == x->blocks) bf_heads_add_lanes(x);
  }
  bf_heads_sum(x->across, n, x->token_sum);
  for (int64_t i = 0; i < n; i++) w->dz[i] += x->problem->layer.step * x->token_sum[i];
}

BfStatus bf_heads_tangent(BfHeads *x, const BfHeadLaw *law, const double *dtheta, double *dz, BfError *error) {
  const int half = x->problem->layer.dim * x->problem->layer.dim * BF_LANES;
  Direction w    = {.dz = dz};
  double   *both = NULL;
  BF_TRY(bf_together(x->run->world, BF_NEW(&both, 2 * half, error), error));
  w.A = both;
  w.V = both + half;
  memset(dz, 0, (size_t)(x->tokens * x->problem->layer.dim) * sizeof(double));
  for (int t = 0; t < law->layers; t++) layer(x, law, dtheta, t, &w);
  bf_free(both);
  return BF_OK;
}

/* ---- Theta v ----------------------------------------------------------------------------------------------------- */

typedef struct {
  BfHeads         *x;
  const BfHeadLaw *law;
  double          *g, *dz, *v; /* [T][count][q]; [tokens][d]; [N][d] a vector, then Theta times it */
  BfError         *error;
} Product;

/* w->v = Theta w->v, w->v the same on all ranks: as the costate at the end, back; the particles along what it gives,
 * forward. Collective. */
static BfStatus apply(Product *w) {
  BfHeads      *x = w->x;
  const int     d = x->problem->layer.dim, T = x->problem->horizon;
  const int64_t n = x->tokens * d, all = x->data->tokens * d, at = x->first_token * d;
  memcpy(x->p + T * n, w->v + at, (size_t)n * sizeof(double));
  bf_heads_adjoint(x, w->law, w->g, NULL);
  for (int64_t k = 0; k < w->law->layers * w->law->count * w->law->free; k++) w->g[k] = -w->g[k];
  BF_TRY(bf_heads_tangent(x, w->law, w->g, w->dz, w->error));
  memset(w->v, 0, (size_t)all * sizeof(double));
  memcpy(w->v + at, w->dz, (size_t)n * sizeof(double));
  bf_heads_reduce(x->along, all, w->v, MPI_SUM);
  return BF_OK;
}

/* Rank 0 alone runs SLEPc, whose iterations on machines of other kinds need not be the same; the others multiply with
 * it until it says that it has ended. */
static BfStatus order(Product *w, int goes_on) {
  const BfRun *run = w->x->run;
  (void)MPI_Bcast(&goes_on, 1, MPI_INT, 0, run->world);
  if (!goes_on) return BF_STOPPED;
  bf_heads_tell(run->world, w->x->data->tokens * w->x->problem->layer.dim, w->v);
  return apply(w);
}

static PetscErrorCode multiply(Mat matrix, Vec v, Vec out) {
  Product           *w;
  const PetscScalar *from;
  PetscScalar       *to;
  PetscCall(MatShellGetContext(matrix, &w));
  const size_t all = (size_t)(w->x->data->tokens * w->x->problem->layer.dim);
  PetscCall(VecGetArrayRead(v, &from));
  memcpy(w->v, from, all * sizeof *to);
  PetscCall(VecRestoreArrayRead(v, &from));
  if (order(w, 1) != BF_OK) return PETSC_ERR_MEM;
  PetscCall(VecGetArrayWrite(out, &to));
  memcpy(to, w->v, all * sizeof *to);
  return VecRestoreArrayWrite(out, &to);
}

/* ---- SLEPc ------------------------------------------------------------------------------------------------------- */

enum { LARGEST = 20 };

/* `count` eigenvalues of one end: how many converged. */
static PetscErrorCode iterate(EPS eps, Vec start, EPSWhich which, int count, PetscInt *converged) {
  PetscCall(EPSSetProblemType(eps, EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(eps, which));
  PetscCall(EPSSetDimensions(eps, count, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(EPSSetTolerances(eps, 1e-8, 100));
  PetscCall(VecSet(start, 1.0));
  PetscCall(VecSetValue(start, 0, 2.0, INSERT_VALUES)); /* no eigenvector by symmetry */
  PetscCall(VecAssemblyBegin(start));
  PetscCall(VecAssemblyEnd(start));
  PetscCall(EPSSetInitialSpace(eps, 1, &start));
  PetscCall(EPSSetFromOptions(eps));
  PetscCall(EPSSolve(eps));
  return EPSGetConverged(eps, converged);
}

static PetscErrorCode take(EPS eps, int found, double *values, double *residual) {
  for (int i = 0; i < found; i++) {
    PetscReal error;
    PetscCall(EPSGetEigenvalue(eps, i, &values[i], NULL));
    PetscCall(EPSComputeError(eps, i, EPS_ERROR_RELATIVE, &error));
    *residual = fmax(*residual, error);
  }
  return 0;
}

/* `count` eigenvalues of one end into values; *found of them converged, *residual the largest relative error. */
static PetscErrorCode solve(Mat matrix, EPSWhich which, int count, double *values, int *found, double *residual) {
  EPS      eps;
  Vec      start;
  PetscInt converged = 0;
  PetscCall(EPSCreate(PETSC_COMM_SELF, &eps));
  PetscCall(EPSSetOperators(eps, matrix, NULL));
  PetscCall(MatCreateVecs(matrix, &start, NULL));
  PetscErrorCode code = iterate(eps, start, which, count, &converged);
  *found              = converged < count ? (int)converged : count;
  if (!code) code = take(eps, *found, values, residual);
  PetscCall(VecDestroy(&start));
  PetscCall(EPSDestroy(&eps));
  return code;
}

/* Whether there are as many free numbers as outputs: else the least eigenvalue is 0. */
static bool is_full(const BfHeadLaw *law, const BfTangent *out) {
  return (double)law->layers * (double)law->heads * law->free >= (double)out->outputs;
}

static PetscErrorCode both_ends(Product *w, BfTangent *out) {
  const PetscInt n = (PetscInt)out->outputs;
  Mat            matrix;
  int            found = 0, least = 0;
  PetscCall(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, w, &matrix));
  PetscCall(MatShellSetOperation(matrix, MATOP_MULT, (void (*)(void))multiply));
  PetscErrorCode code = solve(matrix, EPS_LARGEST_REAL, LARGEST, out->spectrum, &found, &out->residual);
  if (!code && is_full(w->law, out)) code = solve(matrix, EPS_SMALLEST_REAL, 1, &out->smallest, &least, &out->residual);
  PetscCall(MatDestroy(&matrix));
  out->values  = found;
  out->largest = found ? out->spectrum[0] : NAN;
  if (!least) out->smallest = is_full(w->law, out) ? NAN : 0;
  return code;
}

static BfStatus make(Product *w, BfTangent *out, BfError *error) {
  BF_TRY(BF_NEW(&w->g, w->law->layers * w->law->count * w->law->free, error));
  BF_TRY(BF_NEW(&w->dz, w->x->tokens * w->x->problem->layer.dim, error));
  BF_TRY(BF_NEW(&w->v, out->outputs, error));
  return BF_NEW(&out->spectrum, LARGEST, error);
}

/* Local, on rank 0, which tells the others when it has ended, whatever has failed. */
static BfStatus lead(Product *w, BfTangent *out, BfError *error) {
  char heard[BF_PETSC_HEARD] = "";
  PetscPushErrorHandler(bf_petsc_hear, heard);
  const PetscErrorCode code = both_ends(w, out);
  PetscPopErrorHandler();
  (void)order(w, 0);
  if (code && error->status == BF_OK) bf_fail(error, BF_FAILURE, "SLEPc: %s (error %d)", heard, (int)code);
  return error->status;
}

static void tell_all(const BfRun *run, BfTangent *out) {
  double told[] = {out->largest, out->smallest, out->residual, (double)out->values};
  (void)MPI_Bcast(told, 4, MPI_DOUBLE, 0, run->world);
  (void)MPI_Bcast(out->spectrum, LARGEST, MPI_DOUBLE, 0, run->world);
  out->largest  = told[0];
  out->smallest = told[1];
  out->residual = told[2];
  out->values   = (int64_t)told[3];
}

BfStatus bf_tangent_ends(BfHeads *x, const BfHeadLaw *law, BfTangent *out, BfError *error) {
  Product      w     = {.x = x, .law = law, .error = error};
  BfHeadsValue value = {0};
  bool         begun = false;
  BfStatus     status;
  BF_GOTO(bf_together(x->run->world, make(&w, out, error), error));
  BF_GOTO(bf_heads_evaluate(x, law, &value, error)); /* tokens of all depths */
  begun = !SlepcInitialize(NULL, NULL, NULL, NULL);
  if (!begun) bf_fail(error, BF_FAILURE, "SLEPc cannot be started");
  BF_GOTO(bf_agree(x->run->world, error));
  if (x->run->rank == 0) lead(&w, out, error);
  else
    while (order(&w, 1) != BF_STOPPED) continue; /* what has failed has failed on all */
  BF_GOTO(bf_agree(x->run->world, error));
  tell_all(x->run, out);
done:
  if (begun) (void)SlepcFinalize();
  bf_free(w.g);
  bf_free(w.dz);
  bf_free(w.v);
  return status;
}
