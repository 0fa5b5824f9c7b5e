/* A result of `heads` on other data: its heads without a projection. */
#include "heads/share.h"
#include "heads/trainer.h"
#include <stdio.h>
#include <string.h>

/* /model sums heads; as many, averaged, with V as many times as large, are the same. */
static void fill_law(const BfHeads *heads, const BfModel *model, BfHeadLaw *law) {
  const int q = law->free;
  for (int64_t i = 0; i < law->layers * law->count; i++) {
    const double *from = model->control + i / law->count * model->free + (law->first + i % law->count) * q;
    for (int k = 0; k < q; k++) law->theta[i * q + k] = from[k] * (k < heads->free_A ? 1 : (double)law->heads);
  }
}

static BfStatus apply(BfRun *run, const BfProblem *problem, const BfData *data, const BfModel *model, double *tokens,
                      BfHeadsValue *value, BfError *error) {
  BfHeads  *heads = NULL;
  BfHeadLaw law   = {0};
  BfStatus  status;
  BF_GOTO(bf_heads_create(run, problem, data, problem->layer.heads, 0, &heads, error));
  BF_GOTO(bf_together(run->world, bf_heads_law_create(heads, &law, error), error));
  fill_law(heads, model, &law);
  value->tokens = tokens;
  status        = bf_heads_evaluate(heads, &law, value, error);
done:
  bf_heads_law_clear(&law);
  bf_heads_destroy(&heads);
  return status;
}

BfStatus bf_heads_apply(BfRun *run, const char *path, const BfProblem *problem, const BfData *data,
                        const BfModel *model, BfApplied *out, BfError *error) {
  const int64_t table  = (problem->horizon + 1) * data->tokens * data->dim;
  BfProblem     one    = *problem;
  BfHeadsValue  value  = {0};
  double       *tokens = NULL;
  BfStatus      status;
  (void)path;
  if (strcmp(model->found, "heads")) return BF_OK;
  one.cost = bf_model_cost(problem, model);
  BF_TRY(bf_together(run->world, BF_NEW(&out->tokens, table, error), error));
  BF_GOTO(bf_together(run->world, BF_NEW(&tokens, table, error), error));
  bf_phase_begin(run, BF_PHASE_HEADS);
  BF_GOTO(apply(run, &one, data, model, tokens, &value, error));
  bf_phase_end(run, BF_PHASE_HEADS);
  bf_heads_in_rows(data, problem->horizon, tokens, out->tokens);
  out->name     = "heads";
  out->loss     = value.loss;
  out->accuracy = value.accuracy;
  snprintf(out->title, sizeof out->title, "heads (%d, no projection)", problem->layer.heads);
done:
  bf_free(tokens);
  return status;
}
