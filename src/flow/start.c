/* Where `flow` starts: what -init names. */
#include "flow/start.h"
#include "bellformer/model.h"
#include <math.h>
#include <string.h>

BfStatus bf_flow_init_is_solve(const BfRun *run, const char *path, bool *solve, BfError *error) {
  BfModel  model = {0};
  BfError  here  = {0};
  BfStatus status;
  *solve = false;
  status = bf_model_read_controls(run, path, NULL, &model, &here);
  *solve = status == BF_OK && bf_model_is_solved(&model);
  bf_model_clear(&model);
  return status == BF_FAILURE ? bf_fail(error, status, "%s", here.text) : BF_OK;
}

void bf_flow_init_zero(const BfProblem *problem, double *control) {
  const int64_t q = problem->layer.free;
  for (int64_t i = 0; i < problem->horizon * q; i++)
    control[i] = fmin(fmax(0, problem->control_lower[i % q]), problem->control_upper[i % q]);
  for (int64_t i = 0; i < problem->cost.trained; i++)
    control[problem->horizon * q + i] = bf_readout_middle(&problem->cost, i);
}

/* Controls that a file holds, of its model or, where -best told them, of the best open loops or minima, and where this
 * problem trains it, the readout: of each, or one for all. */
typedef struct {
  int64_t count, layers, free, readouts;
  double *control; /* [count][layers][free] */
  double *numbers; /* [readouts][trained] */
} Controls;

/* Those of the open loops, where they were decided one by one. */
static BfStatus read_readouts(BfStore *store, const char *path, const BfCost *cost, Controls *other, BfError *error) {
  const int64_t C = cost->classes, entries = C * cost->dim, n = other->count;
  int64_t       R[3], b[2];
  double       *matrix = NULL, *bias = NULL;
  BfStatus      status;
  BF_GOTO(bf_store_read(store, "/rollout/best/R", BF_STORE_DOUBLE, 3, R, (void **)&matrix, error));
  BF_GOTO(bf_store_read(store, "/rollout/best/b", BF_STORE_DOUBLE, 2, b, (void **)&bias, error));
  if (R[0] != n || R[1] != C || R[2] != cost->dim || b[0] != n || b[1] != C)
    BF_GOTO(bf_fail(error, BF_BAD_INPUT, "-init %s: /rollout/best/R and b do not fit the problem's readout", path));
  bf_free(other->numbers);
  BF_GOTO(bf_store_together(store, BF_NEW(&other->numbers, n * cost->trained, error), error));
  other->readouts = n;
  for (int64_t i = 0; i < n; i++) {
    memcpy(other->numbers + i * cost->trained, matrix + i * entries, sizeof(double) * (size_t)entries);
    memcpy(other->numbers + i * cost->trained + entries, bias + i * C, sizeof(double) * (size_t)C);
  }
done:
  bf_free(matrix);
  bf_free(bias);
  return status;
}

static BfStatus read_best(const BfRun *run, const char *path, const BfCost *cost, Controls *other, BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  bool     there;
  int64_t  dims[3];
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/rollout/best", &there, error));
  if (!there) goto done;
  bf_free(other->control);
  other->control = NULL;
  BF_GOTO(bf_store_read(store, "/rollout/best/controls", BF_STORE_DOUBLE, 3, dims, (void **)&other->control, error));
  other->count  = dims[0];
  other->layers = dims[1];
  other->free   = dims[2];
  BF_GOTO(bf_store_has(store, "/rollout/best/R", &there, error));
  if (there && cost->trained) status = read_readouts(store, path, cost, other, error);
done:
  return bf_store_end(&store, error);
}

/* Where the file has a readout that was moved, by a flow or by whoever wrote controls alone, and this problem gives its
 * own. */
static BfStatus tell_left(const BfRun *run, const char *path, const BfCost *cost, const BfModel *model,
                          BfError *error) {
  const bool flow  = !strcmp(model->found, "flow");
  BfStore   *store = NULL;
  BfStatus   status;
  bool       there = false;
  if (cost->trained || !cost->matrix || (*model->found && !flow)) return BF_OK;
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, flow ? "/cost" : "/model", &there, error));
  if (there) BF_GOTO(bf_store_has(store, flow ? "/cost/readout" : "/model/readout", &there, error));
  if (there) bf_print(run, "-init %s: its readout was trained; this problem's own is taken\n", path);
done:
  return bf_store_end(&store, error);
}

static BfStatus read_controls(const BfRun *run, const char *path, const BfCost *cost, Controls *other, BfError *error) {
  BfModel model = {0};
  if (bf_model_read_controls(run, path, cost, &model, error) != BF_OK ||
      tell_left(run, path, cost, &model, error) != BF_OK) {
    bf_model_clear(&model);
    return error->status;
  }
  *other        = (Controls){1, model.layers, model.free, model.numbers ? 1 : 0, model.control, model.numbers};
  model.control = model.numbers = NULL;
  bf_model_clear(&model);
  return read_best(run, path, cost, other, error);
}

static BfStatus take_readouts(const BfRun *run, const BfCost *cost, const char *path, const Controls *other,
                              double *numbers, BfError *error) {
  const int64_t m = cost->trained, n = other->count * m;
  int64_t       outside = 0;
  if (!other->readouts) bf_print(run, "-init %s has no readout: it starts in the middle of its ranges\n", path);
  for (int64_t i = 0; i < n; i++) {
    const int64_t j = i % m;
    const double  x =
        other->readouts ? other->numbers[(other->readouts == 1 ? 0 : i - j) + j] : bf_readout_middle(cost, j);
    if (!isfinite(x)) return bf_fail(error, BF_BAD_INPUT, "-init %s: its readout is not finite", path);
    numbers[i] = fmin(fmax(x, cost->lower[j]), cost->upper[j]);
    outside += numbers[i] != x;
  }
  if (outside)
    bf_print(run,
             "-init %s: %lld of the %lld numbers of its readout are outside their ranges and are clipped into them\n",
             path, (long long)outside, (long long)n);
  return BF_OK;
}

/* Layer t takes the control that the other run has at the same part of its depth, the middle of the layer. */
static BfStatus take(const BfRun *run, const BfProblem *problem, const char *path, const Controls *other,
                     BfInitialControls *points, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free, layers = other->layers, n = other->count * T * q;
  int64_t       outside = 0;
  if (other->free != q)
    return bf_fail(error, BF_BAD_INPUT, "-init %s: its layers have %lld free numbers, this problem's %lld", path,
                   (long long)other->free, (long long)q);
  if (other->count < 1 || layers < 1)
    return bf_fail(error, BF_BAD_INPUT, "-init %s: /rollout/best/controls is damaged", path);
  points->givens = other->count;
  BF_TRY(BF_NEW(&points->given, other->count * bf_flow_numbers(problem), error));
  for (int64_t i = 0; i < n; i++) {
    const int64_t t = i / q % T, from = i / (T * q) * layers + (2 * t + 1) * layers / (2 * T);
    const double  u = other->control[from * q + i % q];
    if (!isfinite(u)) return bf_fail(error, BF_BAD_INPUT, "-init %s: its controls are not finite", path);
    points->given[i] = fmin(fmax(u, problem->control_lower[i % q]), problem->control_upper[i % q]);
    outside += points->given[i] != u;
  }
  if (outside)
    bf_print(run, "-init %s: %lld of its %lld numbers are outside the box of controls and are clipped into it\n", path,
             (long long)outside, (long long)n);
  return problem->cost.trained ? take_readouts(run, &problem->cost, path, other, points->given + n, error) : BF_OK;
}

BfStatus bf_flow_init_result(const BfRun *run, const BfProblem *problem, const char *path, BfInitialControls *points,
                             BfError *error) {
  Controls other  = {0};
  BfStatus status = read_controls(run, path, &problem->cost, &other, error);
  if (status == BF_OK) status = bf_together(run->world, take(run, problem, path, &other, points, error), error);
  bf_free(other.control);
  bf_free(other.numbers);
  return status;
}
