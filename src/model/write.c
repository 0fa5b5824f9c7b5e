/* /rollout and /model of a result: README, A result file. */
#include "bellformer/model.h"
#include "model/format.h"
#include "run/largest.h"
#include <stdio.h>
#include <string.h>

bool bf_model_is_stacked(const BfLayer *layer) { return layer->heads > BF_MODEL_GROUPS; }

/* ---- the layers as matrices, which need no rule of forms to be read ---------------------------------------------- */

/* The A, or the V, of all heads of all layers. */
static BfStatus write_stack(const BfLayer *layer, const BfModel *model, int which, double entry[], BfStore *store,
                            BfError *error) {
  const int64_t T = model->layers, H = layer->heads, d = layer->dim;
  double       *stack  = NULL;
  BfStatus      status = bf_store_together(store, BF_NEW(&stack, T * H * d * d, error), error);
  for (int64_t t = 0; t < T && status == BF_OK; t++) {
    bf_layer_expand(layer, model->control + t * model->free, entry, 1);
    for (int64_t h = 0; h < H; h++)
      memcpy(stack + (t * H + h) * d * d, entry + layer->attention[2 * h + which].at, (size_t)(d * d) * sizeof *stack);
  }
  if (status == BF_OK)
    status = bf_store_write(store, which ? "/model/V" : "/model/A", BF_STORE_DOUBLE, 4, (int64_t[]){T, H, d, d}, stack,
                            error);
  bf_free(stack);
  return status;
}

static BfStatus write_groups(const BfLayer *layer, int t, int first, const double entry[], BfStore *store,
                             BfError *error) {
  char path[96];
  for (int i = first; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    snprintf(path, sizeof path, "/model/layer_%04d/%s", t, m->name);
    BF_TRY(bf_store_write(store, path, BF_STORE_DOUBLE, m->vector ? 1 : 2, (int64_t[]){m->rows, m->cols}, entry + m->at,
                          error));
  }
  return BF_OK;
}

static BfStatus write_matrices(const BfProblem *problem, const BfModel *model, BfStore *store, BfError *error) {
  const BfLayer *layer  = &problem->layer;
  const bool     stacks = bf_model_is_stacked(layer);
  double        *entry  = NULL;
  BfStatus       status = bf_store_together(store, BF_NEW(&entry, layer->parameters, error), error);
  for (int which = 0; which < 2 && stacks && status == BF_OK; which++)
    status = write_stack(layer, model, which, entry, store, error);
  for (int t = 0; t < model->layers && status == BF_OK; t++) {
    bf_layer_expand(layer, model->control + (int64_t)t * model->free, entry, 1);
    status = write_groups(layer, t, stacks ? 2 * layer->heads : 0, entry, store, error);
  }
  bf_free(entry);
  return status;
}

static BfStatus write_readout(const BfCost *cost, BfStore *store, BfError *error) {
  const int64_t d = cost->dim, C = cost->classes;
  if (!cost->matrix) return BF_OK;
  BF_TRY(bf_store_write(store, "/model/readout/R", BF_STORE_DOUBLE, 2, (int64_t[]){C, d}, cost->matrix, error));
  return bf_store_write(store, "/model/readout/b", BF_STORE_DOUBLE, 1, &C, cost->bias, error);
}

static BfStatus write_actions(const BfModel *model, BfStore *store, BfError *error) {
  const int64_t T      = model->layers;
  int32_t      *action = NULL;
  BfStatus      status = bf_store_together(store, BF_NEW(&action, T, error), error);
  for (int64_t t = 0; t < T && status == BF_OK; t++) action[t] = model->action ? model->action[t] : -1;
  if (status == BF_OK) status = bf_store_write(store, "/rollout/actions", BF_STORE_INT32, 1, &T, action, error);
  bf_free(action);
  return status;
}

/* The largest Euclidean norm of `count` points. */
static double largest_norm(int64_t count, int64_t dim, const double x[]) {
  double most = 0;
  for (int64_t k = 0; k < count; k++) {
    double sum = 0;
    for (int64_t j = 0; j < dim; j++) sum += x[k * dim + j] * x[k * dim + j];
    most = bf_larger(most, sum);
  }
  return sqrt(most);
}

BfStatus bf_model_write(const BfProblem *problem, const BfModel *model, BfStore *store, BfError *error) {
  const BfCost cost = bf_model_cost(problem, model);
  BF_TRY(write_actions(model, store, error));
  BF_TRY(bf_store_write(store, "/rollout/controls", BF_STORE_DOUBLE, 2, (int64_t[]){model->layers, model->free},
                        model->control, error));
  BF_TRY(bf_store_put_int(store, "/rollout", "readout", model->readout, error));
  BF_TRY(bf_store_put_double(store, "/rollout", "quantized_cost", model->quantized_cost, error));
  BF_TRY(bf_store_put_double(store, "/rollout", "largest_control",
                             largest_norm(model->layers, model->free, model->control), error));
  BF_TRY(write_matrices(problem, model, store, error));
  return write_readout(&cost, store, error);
}

BfStatus bf_rollout_write(const BfProblem *problem, const BfRollout *train, const BfRollout *test, BfStore *store,
                          BfError *error) {
  const int64_t T1 = problem->horizon + 1, d = problem->layer.dim;
  const char   *path = "/rollout";
  BF_TRY(bf_store_write(store, "/rollout/tokens", BF_STORE_DOUBLE, 3, (int64_t[]){T1, problem->train.tokens, d},
                        train->tokens, error));
  BF_TRY(bf_store_put_double(store, path, "largest_token", largest_norm(T1 * problem->train.tokens, d, train->tokens),
                             error));
  BF_TRY(bf_store_put_double(store, path, "cost", train->cost, error));
  BF_TRY(bf_store_put_double(store, path, "loss", train->loss, error));
  BF_TRY(bf_store_put_double(store, path, "accuracy", train->accuracy, error));
  if (!problem->test.tokens) return BF_OK;
  BF_TRY(bf_store_write(store, "/rollout/test_tokens", BF_STORE_DOUBLE, 3, (int64_t[]){T1, problem->test.tokens, d},
                        test->tokens, error));
  BF_TRY(bf_store_put_double(store, path, "test_loss", test->loss, error));
  return bf_store_put_double(store, path, "test_accuracy", test->accuracy, error);
}
