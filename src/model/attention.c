/* Who looks at whom: the attention of a trained layer. */
#include "bellformer/model.h"
#include <math.h>

typedef struct {
  const BfLayer *layer;
  const double  *A;        /* [d][d] of the head */
  const double  *seen;     /* [n][d] N(z) + e_p */
  const int     *position; /* [n] */
  int64_t        tokens;   /* n */
} Look;

/* N(z) + e_p of a token; lanes [d][BF_LANES]: room. */
static void see(const BfLayer *layer, const double *z, int position, double *lanes, double *seen) {
  const int d = layer->dim;
  for (int i = 0; i < d * BF_LANES; i++) lanes[i] = z[i / BF_LANES];
  if (layer->norm->apply) layer->norm->apply(d, lanes, lanes);
  for (int a = 0; a < d; a++) seen[a] = lanes[a * BF_LANES] + (layer->encoding ? layer->encoding[position * d + a] : 0);
}

/* Row i: exp(beta <s_i, A s_j> - max) over the tokens j that i may look at, divided by its sum. */
static void look(const Look *x, int64_t i, double *weight) {
  const int     d     = x->layer->dim;
  const double *query = x->seen + i * d;
  double        most = -INFINITY, sum = 0;
  for (int64_t j = 0; j < x->tokens; j++) {
    const bool hidden = x->layer->mask == BF_MASK_CAUSAL && x->position[j] > x->position[i];
    double     logit  = 0;
    for (int a = 0; a < d; a++)
      for (int b = 0; b < d; b++) logit += query[a] * x->A[a * d + b] * x->seen[j * d + b];
    weight[j] = hidden ? -INFINITY : x->layer->beta * logit;
    most      = fmax(most, weight[j]);
  }
  for (int64_t j = 0; j < x->tokens; j++) sum += weight[j] = exp(weight[j] - most);
  for (int64_t j = 0; j < x->tokens; j++) weight[j] /= sum;
}

BfStatus bf_model_attention(const BfProblem *problem, const BfData *data, const BfModel *model, const BfHead *head,
                            const double tokens[], double weight[], BfError *error) {
  const BfLayer *layer = &problem->layer;
  const int      d     = layer->dim;
  const int64_t  tag = data->context_first[head->sequence], last = data->context_first[head->sequence + 1],
                first = data->tag_first[tag], n = data->tag_first[last] - first;
  double  *parameters = NULL, *seen = NULL, *lanes = NULL;
  int     *position = NULL;
  BfStatus status;
  BF_GOTO(BF_NEW(&parameters, layer->parameters, error));
  BF_GOTO(BF_NEW(&seen, n * d, error));
  BF_GOTO(BF_NEW(&lanes, (int64_t)d * BF_LANES, error));
  BF_GOTO(BF_NEW(&position, n, error));
  bf_layer_expand(layer, model->control + (int64_t)head->layer * model->free, parameters, 1);
  for (int64_t g = tag; g < last; g++)
    for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++) {
      position[i - first] = data->position[g];
      see(layer, tokens + data->row[i] * d, data->position[g], lanes, seen + (i - first) * d);
    }
  const Look x = {layer, parameters + bf_attention_A(layer, head->head), seen, position, n};
  for (int64_t i = 0; i < n; i++) look(&x, i, weight + i * n);
done:
  bf_free(parameters);
  bf_free(seen);
  bf_free(lanes);
  bf_free(position);
  return status;
}
