/* What a model answers: representations, logits, classes. */
#include "bellformer/model.h"
#include <string.h>

static BfStatus new_rows(const BfProblem *problem, const BfData *data, BfPrediction *out, BfError *error) {
  const BfCost *cost = &problem->cost;
  out->pooled        = cost->kind->represent != NULL;
  out->rows          = out->pooled ? data->contexts : data->tokens;
  out->dim           = cost->dim;
  out->classes       = cost->kind->has_readout ? cost->classes : 0;
  BF_TRY(BF_NEW(&out->sequence, out->rows, error));
  BF_TRY(BF_NEW(&out->representation, out->rows * out->dim, error));
  if (!out->pooled) BF_TRY(BF_NEW(&out->position, out->rows, error));
  if (data->label && !data->unlabelled) BF_TRY(BF_NEW(&out->label, out->rows, error));
  if (data->target && !data->unlabelled) BF_TRY(BF_NEW(&out->target, out->rows * out->dim, error));
  if (!out->classes) return BF_OK;
  BF_TRY(BF_NEW(&out->logits, out->rows * out->classes, error));
  return BF_NEW(&out->predicted, out->rows, error);
}

static void fill_tokens(const BfData *data, const double tokens[], BfPrediction *out) {
  const size_t point = sizeof(double) * (size_t)out->dim;
  memcpy(out->representation, tokens, point * (size_t)out->rows);
  for (int64_t g = 0; g < data->tags; g++)
    for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++) {
      const int64_t row  = data->row[i];
      out->sequence[row] = data->sequence[g];
      out->position[row] = data->position[g];
      if (out->label) out->label[row] = data->label[g];
      if (out->target) memcpy(out->target + row * out->dim, data->target + g * out->dim, point);
    }
}

static BfStatus fill_sequence(const BfProblem *problem, const BfData *data, int64_t s, const double tokens[],
                              BfPrediction *out, BfError *error) {
  const int     d       = out->dim;
  const int64_t tag     = data->context_first[s];
  BfContext     context = {0};
  double       *z = NULL, *r = NULL;
  BfStatus      status;
  BF_GOTO(bf_context_create(data, s, 0, &context, error));
  BF_GOTO(BF_NEW(&z, (int64_t)context.slots * d * BF_LANES, error));
  BF_GOTO(BF_NEW(&r, (int64_t)d * BF_LANES, error));
  for (int i = 0; i < context.slots * d; i++)
    for (int l = 0; l < BF_LANES; l++)
      z[i * BF_LANES + l] = tokens[data->row[data->tag_first[tag] + i / d] * d + i % d];
  problem->cost.kind->represent(&problem->cost, &context, z, r);
  for (int a = 0; a < d; a++) out->representation[s * d + a] = r[a * BF_LANES];
  out->sequence[s] = context.sequence;
  if (out->label) out->label[s] = data->label[tag];
  if (out->target) memcpy(out->target + s * d, data->target + tag * d, sizeof(double) * (size_t)d);
done:
  bf_free(z);
  bf_free(r);
  bf_context_clear(&context);
  return status;
}

BfStatus bf_predict(const BfProblem *problem, const BfData *data, const BfModel *model, const double tokens[],
                    BfPrediction *out, BfError *error) {
  const BfCost cost = bf_model_cost(problem, model);
  BfStatus     status;
  *out = (BfPrediction){0};
  BF_GOTO(new_rows(problem, data, out, error));
  if (!out->pooled) fill_tokens(data, tokens, out);
  for (int64_t s = 0; out->pooled && s < data->contexts; s++)
    BF_GOTO(fill_sequence(problem, data, s, tokens, out, error));
  for (int64_t i = 0; out->classes && i < out->rows; i++)
    out->predicted[i] = bf_logits(&cost, 0, out->representation + i * out->dim, out->logits + i * out->classes);
done:
  if (status != BF_OK) bf_prediction_clear(out);
  return status;
}

void bf_prediction_clear(BfPrediction *p) {
  bf_free(p->sequence);
  bf_free(p->position);
  bf_free(p->label);
  bf_free(p->target);
  bf_free(p->representation);
  bf_free(p->logits);
  bf_free(p->predicted);
  *p = (BfPrediction){0};
}
