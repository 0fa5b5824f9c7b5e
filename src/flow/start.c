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

/* Layer t takes the control that the other run has at the same part of its depth, the middle of the layer. */
static BfStatus take(const BfRun *run, const BfProblem *problem, const char *path, const BfModel *other,
                     double *control, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free;
  int64_t       outside = 0;
  if (other->free != q)
    return bf_fail(error, BF_BAD_INPUT, "-init %s: its layers have %d free numbers, this problem's %lld", path,
                   other->free, (long long)q);
  for (int64_t i = 0; i < T * q; i++) {
    const int64_t from = (2 * (i / q) + 1) * other->layers / (2 * T);
    const double  u    = other->control[from * q + i % q];
    if (!isfinite(u)) return bf_fail(error, BF_BAD_INPUT, "-init %s: /rollout/controls is not finite", path);
    control[i] = fmin(fmax(u, problem->control_lower[i % q]), problem->control_upper[i % q]);
    outside += control[i] != u;
  }
  if (outside)
    bf_print(run, "-init %s: %lld of its %lld numbers are outside the box of controls and are clipped into it\n", path,
             (long long)outside, (long long)(T * q));
  return BF_OK;
}

BfStatus bf_flow_init_result(const BfRun *run, const BfProblem *problem, const char *path, double *control,
                             BfError *error) {
  BfModel  other  = {0};
  BfStatus status = bf_model_read_controls(run, path, &other, error);
  if (status == BF_OK) status = bf_together(run->world, take(run, problem, path, &other, control, error), error);
  bf_model_clear(&other);
  return status;
}
