/* The attention of a model: rows are distributions that the mask cuts, and with V they give the next tokens,
 *     z+_i = P(r z_i + eps sum over heads of V_h sum over j of weight_ij z_j),
 * where a layer has nothing but attention. Argument: a problem whose layers have encodings and a causal mask. */
#include "bellformer/model.h"
#include "bellformer/solve.h"
#include <math.h>
#include <petscsys.h>
#include <string.h>

static int  number, failed;
static void check(bool holds, const char *what) {
  failed += !holds;
  printf("%sok %d - %s\n", holds ? "" : "not ", ++number, what);
}

typedef struct {
  const BfProblem *problem;
  const BfModel   *model;
  const BfRollout *rollout;
  double           apart, sum; /* the largest difference of a next token; of a row's sum from 1 */
  bool             cut;        /* nobody looks ahead */
} Trial;

/* y += eps V_h (weights of row i times tokens), V from the layer's parameters. */
static void add_head(const Trial *x, const double *V, const double *row, int64_t first, int64_t n, const double *tokens,
                     double *y) {
  const BfData *data = &x->problem->train;
  const int     d    = data->dim;
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      double mean = 0;
      for (int64_t j = 0; j < n; j++) mean += row[j] * tokens[data->row[first + j] * d + b];
      y[a] += x->problem->layer.step * V[a * d + b] * mean;
    }
}

static BfStatus try_sequence(Trial *x, int t, int64_t s, BfError *error) {
  const BfLayer *layer = &x->problem->layer;
  const BfData  *data  = &x->problem->train;
  const int      d     = data->dim;
  const int64_t  first = data->tag_first[data->context_first[s]],
                n      = data->tag_first[data->context_first[s + 1]] - first;
  const double *tokens = x->rollout->tokens + t * data->tokens * d, *next = tokens + data->tokens * d;
  double       *weight = NULL, *y = NULL, *parameters = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&weight, n * n, error));
  BF_GOTO(BF_NEW(&y, n * d, error));
  BF_GOTO(BF_NEW(&parameters, layer->parameters, error));
  bf_layer_expand(layer, x->model->control + (int64_t)t * x->model->free, parameters, 1);
  for (int64_t i = 0; i < n * d; i++) y[i] = layer->residual * tokens[data->row[first + i / d] * d + i % d];
  for (int h = 0; h < layer->heads; h++) {
    const BfHead head = {.layer = t, .head = h, .sequence = s};
    BF_GOTO(bf_model_attention(x->problem, data, x->model, &head, tokens, weight, error));
    for (int64_t i = 0; i < n; i++) {
      double sum = 0;
      for (int64_t j = 0; j < n; j++) sum += weight[i * n + j];
      x->sum = fmax(x->sum, fabs(sum - 1));
      x->cut &= layer->mask != BF_MASK_CAUSAL || i + 1 == n || weight[i * n + n - 1] == 0;
      add_head(x, parameters + bf_attention_V(layer, h), weight + i * n, first, n, tokens, y + i * d);
    }
  }
  for (int64_t i = 0; i < n * d; i++) {
    const double clipped = fmin(fmax(y[i], layer->lower[i % d]), layer->upper[i % d]);
    x->apart             = fmax(x->apart, fabs(clipped - next[data->row[first + i / d] * d + i % d]));
  }
done:
  bf_free(weight);
  bf_free(y);
  bf_free(parameters);
  return status;
}

static BfStatus try_model(const BfProblem *problem, BfError *error) {
  BfModel   model   = {0};
  BfRollout rollout = {0};
  Trial     x       = {.problem = problem, .model = &model, .rollout = &rollout, .cut = true};
  BfStatus  status;
  BF_GOTO(bf_model_create(problem, false, &model, error));
  for (int64_t i = 0; i < (int64_t)model.layers * model.free; i++)
    model.control[i] = problem->control_lower[i % model.free] +
                       (problem->control_upper[i % model.free] - problem->control_lower[i % model.free]) *
                           fmod(0.37 + 0.618 * (double)i, 1);
  BF_GOTO(bf_rollout(problem, &problem->train, &model, &rollout, error));
  const int64_t some = problem->train.contexts < 20 ? problem->train.contexts : 20;
  for (int t = 0; t < model.layers; t++)
    for (int64_t s = 0; s < some; s++) BF_GOTO(try_sequence(&x, t, s, error));
  check(x.sum < 1e-14, "rows sum to 1");
  check(x.cut && problem->layer.mask == BF_MASK_CAUSAL, "nobody looks ahead");
  check(x.apart < 1e-12, "with V they give the next tokens");
done:
  bf_model_clear(&model);
  bf_rollout_clear(&rollout);
  return status;
}

int main(int argc, char **argv) {
  BfError     error   = {0};
  BfProblem  *problem = NULL;
  const char *path    = argv[1];
  if (argc < 2 || PetscInitialize(&argc, &argv, NULL, NULL)) return 2;
  BfStatus status = bf_problem_read(PETSC_COMM_WORLD, path, NULL, NULL, &problem, &error);
  if (status == BF_OK) status = try_model(problem, &error);
  if (status != BF_OK) printf("Bail out! %s\n", error.text);
  printf("1..%d\n", number);
  bf_problem_destroy(&problem);
  PetscFinalize();
  return failed || status != BF_OK;
}
