/* Where `flow` starts: what -init names. */
#include "flow/start.h"
#include "model/best.h"
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

static BfStatus read_controls(const BfRun *run, const char *path, const BfCost *cost, Controls *out, BfError *error) {
  BfModel        model = {0};
  BfBestControls best  = {0};
  BfStatus       status;
  BF_GOTO(bf_model_read_controls(run, path, cost, &model, error));
  BF_GOTO(tell_left(run, path, cost, &model, error));
  BF_GOTO(bf_best_controls_read(run, path, cost, &best, error));
  if (best.count) *out = (Controls){best.count, best.layers, best.free, 0, best.control, NULL};
  else *out = (Controls){1, model.layers, model.free, 0, model.control, NULL};
  out->numbers                                     = best.numbers ? best.numbers : model.numbers;
  out->readouts                                    = best.numbers ? best.count : model.numbers ? 1 : 0;
  *(best.count ? &best.control : &model.control)   = NULL;
  *(best.numbers ? &best.numbers : &model.numbers) = NULL;
done:
  bf_best_controls_clear(&best);
  bf_model_clear(&model);
  return status;
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
