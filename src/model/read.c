/* A result read again: its problem and its model. */
#include "bellformer/model.h"
#include "model/format.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Attributes carry no checksum: nothing is taken for an index or a parameter that cannot be one. */
static BfStatus check(const BfProblem *problem, const BfModel *model, const int64_t actions[], const int64_t controls[],
                      const char *path, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free;
  if (controls[0] != T || controls[1] != q || actions[0] != T)
    return bf_fail(error, BF_BAD_INPUT, "%s: /rollout/controls and actions do not fit the problem", path);
  if (model->readout < 0 || model->readout >= problem->cost.readouts)
    return bf_fail(error, BF_BAD_INPUT, "%s: /rollout attribute readout is damaged: %lld", path,
                   (long long)model->readout);
  for (int64_t t = 0; t < T; t++)
    if (model->action[t] < -1 || model->action[t] >= problem->actions)
      return bf_fail(error, BF_BAD_INPUT, "%s: /rollout/actions is damaged: action %d", path, (int)model->action[t]);
  for (int64_t i = 0; i < T * q; i++)
    if (!isfinite(model->control[i])) return bf_fail(error, BF_BAD_INPUT, "%s: /rollout/controls is not finite", path);
  for (int64_t i = 0; model->numbers && i < problem->cost.trained; i++)
    if (!isfinite(model->numbers[i])) return bf_fail(error, BF_BAD_INPUT, "%s: /model/readout is not finite", path);
  return BF_OK;
}

/* -1 is no action. */
static void forget_actions(BfModel *model) {
  bool any = false;
  for (int t = 0; t < model->layers; t++) any |= model->action[t] >= 0;
  if (any) return;
  bf_free(model->action);
  model->action = NULL;
}

static BfStatus read_found(BfStore *store, BfModel *model, BfError *error) {
  char *space = NULL;
  BF_TRY(bf_store_get_text(store, "/", "space", &space, error));
  snprintf(model->found, sizeof model->found, "%s", space);
  bf_free(space);
  return BF_OK;
}

static BfStatus read_actions(BfStore *store, const char *path, BfModel *model, BfError *error) {
  int64_t count[1];
  BF_TRY(bf_store_read(store, "/rollout/actions", BF_STORE_INT32, 1, count, (void **)&model->action, error));
  if (count[0] != model->layers)
    return bf_fail(error, BF_BAD_INPUT, "%s: /rollout/controls and actions do not fit each other", path);
  forget_actions(model);
  return BF_OK;
}

/* R and b as they are written, where a problem of that cost would train them. */
static BfStatus read_readout(BfStore *store, const char *path, const BfCost *cost, BfModel *model, BfError *error) {
  const int64_t C = cost->classes, entries = C * cost->dim;
  int64_t       R[2], b[1];
  double       *matrix = NULL, *bias = NULL;
  BfStatus      status;
  BF_GOTO(bf_store_read(store, "/model/readout/R", BF_STORE_DOUBLE, 2, R, (void **)&matrix, error));
  BF_GOTO(bf_store_read(store, "/model/readout/b", BF_STORE_DOUBLE, 1, b, (void **)&bias, error));
  if (R[0] != C || R[1] != cost->dim || b[0] != C)
    BF_GOTO(bf_fail(error, BF_BAD_INPUT, "%s: its readout has %lld classes of %lld numbers, this problem's %lld of %d",
                    path, (long long)R[0], (long long)R[1], (long long)C, cost->dim));
  BF_GOTO(bf_store_together(store, BF_NEW(&model->numbers, cost->trained, error), error));
  memcpy(model->numbers, matrix, sizeof *matrix * (size_t)entries);
  memcpy(model->numbers + entries, bias, sizeof *bias * (size_t)C);
done:
  bf_free(matrix);
  bf_free(bias);
  return status;
}

static BfStatus read_controls(BfStore *store, const char *path, const BfCost *cost, BfModel *model, BfError *error) {
  int64_t dims[2];
  bool    result, readout = false;
  BF_TRY(bf_store_has(store, "/provenance", &result, error)); /* else a file with controls alone */
  if (result) BF_TRY(bf_result_check_format(store, NULL, error));
  if (result) BF_TRY(read_found(store, model, error));
  BF_TRY(bf_store_read(store, "/rollout/controls", BF_STORE_DOUBLE, 2, dims, (void **)&model->control, error));
  if (dims[0] < 1 || dims[0] > INT_MAX || dims[1] > INT_MAX)
    return bf_fail(error, BF_BAD_INPUT, "%s: /rollout/controls has %lld layers of %lld free numbers", path,
                   (long long)dims[0], (long long)dims[1]);
  model->layers         = (int)dims[0];
  model->free           = (int)dims[1];
  model->quantized_cost = NAN;
  if (cost && cost->trained) BF_TRY(bf_store_has(store, "/model", &readout, error));
  if (readout) BF_TRY(bf_store_has(store, "/model/readout", &readout, error));
  if (readout) BF_TRY(read_readout(store, path, cost, model, error));
  return result ? read_actions(store, path, model, error) : BF_OK;
}

BfStatus bf_model_read_controls(const BfRun *run, const char *path, const BfCost *cost, BfModel *model,
                                BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  status = read_controls(store, path, cost, model, error);
done:
  return bf_store_end(&store, error);
}

/* Of a solve that has zoomed the set that its answer is of, in place of the problem's own. */
static BfStatus read_set(BfStore *store, const char *path, BfProblem *problem, BfError *error) {
  int64_t dims[2];
  double *action;
  bool    zoomed;
  BF_TRY(bf_store_has(store, "/zoom", &zoomed, error));
  if (!zoomed) return BF_OK;
  BF_TRY(bf_store_read(store, "/actions/controls", BF_STORE_DOUBLE, 2, dims, (void **)&action, error));
  bf_free(problem->action);
  problem->action  = action;
  problem->actions = dims[0];
  if (dims[0] >= 1 && dims[1] == problem->layer.free) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: /actions/controls does not fit the problem", path);
}

BfStatus bf_model_read(const BfRun *run, const char *path, BfProblem **problem, BfModel *model, BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  int64_t  actions[1], dims[2];
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_result_check_format(store, NULL, error));
  BF_GOTO(read_found(store, model, error));
  BF_GOTO(bf_problem_load(run, store, path, bf_result_sections(model->found), problem, error));
  BF_GOTO(read_set(store, path, *problem, error));
  BF_GOTO(bf_store_read(store, "/rollout/actions", BF_STORE_INT32, 1, actions, (void **)&model->action, error));
  BF_GOTO(bf_store_read(store, "/rollout/controls", BF_STORE_DOUBLE, 2, dims, (void **)&model->control, error));
  BF_GOTO(bf_store_get_int(store, "/rollout", "readout", &model->readout, error));
  BF_GOTO(bf_store_get_double(store, "/rollout", "quantized_cost", &model->quantized_cost, error));
  if ((*problem)->cost.trained) BF_GOTO(read_readout(store, path, &(*problem)->cost, model, error));
  BF_GOTO(bf_together(run->world, check(*problem, model, actions, dims, path, error), error));
  model->layers = (*problem)->horizon;
  model->free   = (*problem)->layer.free;
  forget_actions(model);
done:
  return bf_store_end(&store, error);
}
