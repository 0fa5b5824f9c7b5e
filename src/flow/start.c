/* Where `flow` starts: what -init names. */
#include "flow/start.h"
#include "bellformer/model.h"
#include <math.h>

BfStatus bf_flow_init_is_solve(const BfRun *run, const char *path, bool *solve, BfError *error) {
  BfModel  model = {0};
  BfError  here  = {0};
  BfStatus status;
  *solve = false;
  status = bf_model_read_controls(run, path, &model, &here);
  *solve = status == BF_OK && bf_model_is_solved(&model);
  bf_model_clear(&model);
  return status == BF_FAILURE ? bf_fail(error, status, "%s", here.text) : BF_OK;
}

void bf_flow_init_zero(const BfProblem *problem, double *control) {
  const int64_t q = problem->layer.free;
  for (int64_t i = 0; i < problem->horizon * q; i++)
    control[i] = fmin(fmax(0, problem->control_lower[i % q]), problem->control_upper[i % q]);
}

/* Controls that a file holds: of its model, or of the best open loops of a solve. */
typedef struct {
  int64_t count, layers, free;
  double *control; /* [count][layers][free] */
} Controls;

static BfStatus read_best(const BfRun *run, const char *path, Controls *other, BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  bool     there;
  int64_t  dims[3];
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/rollout/best", &there, error));
  if (!there) goto done;
  bf_free(other->control);
  other->control = NULL;
  status = bf_store_read(store, "/rollout/best/controls", BF_STORE_DOUBLE, 3, dims, (void **)&other->control, error);
  other->count  = dims[0];
  other->layers = dims[1];
  other->free   = dims[2];
done:
  return bf_store_end(&store, error);
}

static BfStatus read_controls(const BfRun *run, const char *path, Controls *other, BfError *error) {
  BfModel model = {0};
  if (bf_model_read_controls(run, path, &model, error) != BF_OK) {
    bf_model_clear(&model);
    return error->status;
  }
  const bool solved = bf_model_is_solved(&model);
  *other            = (Controls){1, model.layers, model.free, model.control};
  model.control     = NULL;
  bf_model_clear(&model);
  return solved ? read_best(run, path, other, error) : BF_OK;
}

/* Layer t takes the control that the other run has at the same part of its depth, the middle of the layer. */
static BfStatus take(const BfRun *run, const BfProblem *problem, const char *path, const Controls *other,
                     BfInitialControls *points, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free, layers = other->layers;
  int64_t       outside = 0;
  if (other->free != q)
    return bf_fail(error, BF_BAD_INPUT, "-init %s: its layers have %lld free numbers, this problem's %lld", path,
                   (long long)other->free, (long long)q);
  if (other->count < 1 || layers < 1)
    return bf_fail(error, BF_BAD_INPUT, "-init %s: /rollout/best/controls is damaged", path);
  points->givens = other->count;
  BF_TRY(BF_NEW(&points->given, other->count * T * q, error));
  for (int64_t i = 0; i < other->count * T * q; i++) {
    const int64_t t = i / q % T, from = i / (T * q) * layers + (2 * t + 1) * layers / (2 * T);
    const double  u = other->control[from * q + i % q];
    if (!isfinite(u)) return bf_fail(error, BF_BAD_INPUT, "-init %s: /rollout/controls is not finite", path);
    points->given[i] = fmin(fmax(u, problem->control_lower[i % q]), problem->control_upper[i % q]);
    outside += points->given[i] != u;
  }
  if (outside)
    bf_print(run, "-init %s: %lld of its %lld numbers are outside the box of controls and are clipped into it\n", path,
             (long long)outside, (long long)(other->count * T * q));
  return BF_OK;
}

BfStatus bf_flow_init_result(const BfRun *run, const BfProblem *problem, const char *path, BfInitialControls *points,
                             BfError *error) {
  Controls other  = {0};
  BfStatus status = read_controls(run, path, &other, error);
  if (status == BF_OK) status = bf_together(run->world, take(run, problem, path, &other, points, error), error);
  bf_free(other.control);
  return status;
}
