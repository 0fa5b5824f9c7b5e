#include "check/model.h"
#include "bellformer/term.h"
#include <string.h>

/* The number of a name among names[], which ends with NULL; -1. */
static int find(const char *const names[], const char *name) {
  for (int i = 0; names[i]; i++)
    if (!strcmp(names[i], name)) return i;
  return -1;
}

static BfStatus kind_of(const char *what, const char *const names[], const char *name, int *out, BfError *error) {
  *out = find(names, name);
  return *out >= 0 ? BF_OK : bf_fail(error, BF_BAD_INPUT, "check has no enclosure of %s %s", what, name);
}

static BfStatus find_terms(const BfLayer *layer, BfCheckModel *out, BfError *error) {
  static const char *const names[] = {"attention", "feedforward", "linear", NULL};
  int *const               to[]    = {&out->attention, &out->feedforward, &out->linear};
  for (int i = 0; i < 3; i++) *to[i] = -1;
  for (int k = 0; k < layer->terms; k++) {
    int kind;
    BF_TRY(kind_of("layer term", names, layer->term[k].kind->base.name, &kind, error));
    *to[kind] = (int)(layer->term[k].matrix - layer->matrix);
  }
  return BF_OK;
}

static BfStatus find_kinds(const BfProblem *problem, BfCheckModel *out, BfError *error) {
  static const char
      *const        sigmas[] = {"none", "tanh", "relu", "gelu", NULL},
             *const norms[] = {"none", "rms", "layer", NULL}, *const projections[] = {"clip", "sphere", "none", NULL},
             *const costs[] = {"pooled_cross_entropy", "token_cross_entropy", "squared_error", "hinge", NULL};
  const BfLayer    *layer   = &problem->layer;
  int               sigma, norm, projection, cost;
  BF_TRY(kind_of("layer.feedforward", sigmas, bf_activation_name(layer->activation), &sigma, error));
  BF_TRY(kind_of("layer.norm", norms, layer->norm->base.name, &norm, error));
  BF_TRY(kind_of("token.projection", projections, layer->projection->base.name, &projection, error));
  BF_TRY(kind_of("cost.terminal", costs, problem->cost.kind->base.name, &cost, error));
  out->sigma      = (BfCheckSigma)sigma;
  out->norm       = (BfCheckNorm)norm;
  out->projection = projection == 1 ? BF_CHECK_SPHERE : BF_CHECK_CLIP;
  out->cost       = (BfCheckCost)cost;
  return find_terms(layer, out, error);
}

static BfStatus make(const BfProblem *problem, BfCheckModel *out, BfError *error) {
  const BfData *data = &problem->train;
  BF_TRY(find_kinds(problem, out, error));
  BF_TRY(bf_contexts_create(data, 0, &out->context, error));
  BF_TRY(BF_NEW(&out->first, data->contexts + 1, error));
  for (int64_t s = 0; s < data->contexts; s++) {
    out->first[s + 1] = out->first[s] + out->context[s].slots;
    for (int g = 0; g < out->context[s].tags; g++)
      if (out->context[s].mass[g] != 1) return bf_fail(error, BF_FAILURE, "a token has another mass than 1");
  }
  out->tokens = out->first[data->contexts];
  return bf_check_same(out, error);
}

BfStatus bf_check_model(const BfProblem *problem, BfCheckModel *out, BfError *error) {
  *out = (BfCheckModel){.problem = problem};
  return make(problem, out, error);
}

void bf_check_model_clear(BfCheckModel *model) {
  if (model->context) bf_contexts_destroy(&model->problem->train, &model->context);
  bf_free(model->first);
  bf_free(model->same);
  bf_free(model->like);
  *model = (BfCheckModel){0};
}
