/* Where `flow` starts: what -init names. */
#include "flow/start.h"
#include "model/format.h"
#include <math.h>
#include <string.h>

BfStatus bf_flow_init_is_solve(const BfRun *run, const char *path, bool *solve, BfError *error) {
  BfStore *store = NULL;
  BfError  here  = {0};
  char    *space = NULL;
  BfStatus status;
  *solve = false;
  BF_GOTO(bf_store_open(run->world, path, &store, &here));
  BF_GOTO(bf_store_read_text(store, "/", "space", &space, &here));
  *solve = !strcmp(space, "full") || !strcmp(space, "reachable");
done:
  status = bf_store_end(&store, &here);
  bf_free(space);
  return status == BF_FAILURE ? bf_fail(error, status, "%s", here.text) : BF_OK;
}

void bf_flow_init_zero(const BfProblem *problem, double *control) {
  const int64_t q = problem->layer.free;
  for (int64_t i = 0; i < problem->horizon * q; i++)
    control[i] = fmin(fmax(0, problem->control_lower[i % q]), problem->control_upper[i % q]);
}

/* Layer t takes the control that the other run has at the same part of its depth, the middle of the layer. */
static BfStatus take(const BfRun *run, const BfProblem *problem, const char *path, const double *other, int64_t layers,
                     double *control, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free;
  int64_t       outside = 0;
  for (int64_t i = 0; i < T * q; i++) {
    const int64_t from = (2 * (i / q) + 1) * layers / (2 * T);
    const double  u    = other[from * q + i % q];
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
  const int64_t q     = problem->layer.free;
  BfStore      *store = NULL;
  double       *other = NULL;
  int64_t       dims[2];
  BfStatus      status;
  bool          result;
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/provenance", &result, error)); /* or a file with controls alone */
  if (result) BF_GOTO(bf_result_check_format(store, error));
  BF_GOTO(bf_store_read(store, "/rollout/controls", BF_STORE_DOUBLE, 2, dims, (void **)&other, error));
  if (dims[1] != q || dims[0] < 1)
    status = bf_fail(error, BF_BAD_INPUT, "-init %s: its layers have %lld free numbers, this problem's %lld", path,
                     (long long)dims[1], (long long)q);
  else status = bf_together(run->world, take(run, problem, path, other, dims[0], control, error), error);
done:
  status = bf_store_end(&store, error);
  bf_free(other);
  return status;
}
