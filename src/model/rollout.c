/* The trained, unquantized model on a data set. */
#include "bellformer/model.h"
#include <math.h>
#include <string.h>

/* Where component a of token i stands: eight tokens abreast. */
static inline int64_t place(int dim, int i, int a) {
  return ((int64_t)(i / BF_LANES) * dim + a) * BF_LANES + i % BF_LANES;
}

/* z of a context's tokens into lanes; the last one fills them up. */
static void gather(const BfData *data, int64_t first, const BfContext *context, double *lane) {
  for (int i = 0; i < bf_layer_alone_rows(context) * BF_LANES; i++)
    for (int a = 0; a < data->dim; a++)
      lane[place(data->dim, i, a)] = data->z[(first + (i < context->slots ? i : context->slots - 1)) * data->dim + a];
}

static void scatter(const BfData *data, int64_t first, int slots, const double *lane, double *tokens) {
  for (int i = 0; i < slots; i++)
    for (int a = 0; a < data->dim; a++) tokens[data->row[first + i] * data->dim + a] = lane[place(data->dim, i, a)];
}

typedef struct {
  const BfProblem *problem;
  const BfCost    *cost;
  const BfData    *data;
  int64_t          readout;
  double          *parameters; /* [T][parameters][BF_LANES] */
  double          *lane, *work;
  double           correct; /* so far */
} Work;

static BfStatus expand(Work *w, const double control[], BfError *error) {
  const BfLayer *layer = &w->problem->layer;
  const int64_t  size  = (int64_t)layer->parameters * BF_LANES;
  BF_TRY(BF_NEW(&w->parameters, w->problem->horizon * size, error));
  for (int t = 0; t < w->problem->horizon; t++)
    for (int l = 0; l < BF_LANES; l++)
      bf_layer_expand(layer, control + (int64_t)t * layer->free, w->parameters + t * size + l, BF_LANES);
  return BF_OK;
}

/* Its loss after the last layer, and its rightly classified part. Costs see a case a lane: all of them the same, so
 * that none computes on leftovers. */
static BfStatus judge(Work *w, const BfContext *context, int64_t s, const double *tokens, BfRollout *out,
                      BfError *error) {
  const BfData *data  = w->data;
  const int     d     = data->dim;
  const int64_t first = data->tag_first[data->context_first[s]];
  double       *copy, g[BF_LANES];
  BF_TRY(BF_NEW(&copy, (int64_t)context->slots * d * BF_LANES, error));
  for (int64_t i = 0; i < (int64_t)context->slots * d * BF_LANES; i++)
    copy[i] = tokens[data->row[first + i / BF_LANES / d] * d + i / BF_LANES % d];
  BfStatus status = bf_terminal_cost(w->cost, w->readout, context, 1, copy, g, error);
  if (status == BF_OK) {
    out->loss += g[0];
    out->sequence_loss[s] = g[0] * bf_cost_denominator(w->cost);
    w->correct += bf_cost_correct(w->cost, w->readout, context, copy);
  }
  bf_free(copy);
  return status;
}

/* One context through all layers; adds its loss and its rightly classified part. */
static BfStatus roll_context(Work *w, int64_t s, BfRollout *out, BfError *error) {
  const BfData  *data    = w->data;
  const BfLayer *layer   = &w->problem->layer;
  BfContext      context = {0};
  BfStatus       status  = bf_context_create(data, s, 0, &context, error);
  if (status != BF_OK) return status;
  const int64_t first = data->tag_first[data->context_first[s]], table = data->tokens * data->dim;
  BF_GOTO(BF_NEW(&w->lane, (int64_t)bf_layer_alone_rows(&context) * data->dim * BF_LANES, error));
  BF_GOTO(BF_NEW(&w->work, bf_layer_alone_work(layer, &context), error));
  gather(data, first, &context, w->lane);
  scatter(data, first, context.slots, w->lane, out->tokens);
  for (int t = 0; t < w->problem->horizon; t++) {
    bf_layer_alone(layer, &context, w->parameters + (int64_t)t * layer->parameters * BF_LANES, w->lane, w->lane,
                   w->work);
    scatter(data, first, context.slots, w->lane, out->tokens + (t + 1) * table);
  }
  if (data->unlabelled) out->loss = w->correct = out->sequence_loss[s] = NAN;
  else status = judge(w, &context, s, out->tokens + w->problem->horizon * table, out, error);
done:
  bf_free(w->lane);
  bf_free(w->work);
  w->lane = w->work = NULL;
  bf_context_clear(&context);
  return status;
}

BfStatus bf_rollout(const BfProblem *problem, const BfData *data, const double control[], int64_t readout,
                    BfRollout *out, BfError *error) {
  BfStatus status = BF_OK;
  BfCost   cost   = problem->cost; /* the same readouts, averaged over this data set */
  Work     w      = {.problem = problem, .cost = &cost, .data = data, .readout = readout};
  cost.contexts   = (double)data->contexts;
  cost.tokens     = (double)data->tokens;
  cost.diameter2  = bf_problem_diameter2(&problem->layer, data);
  *out            = (BfRollout){0};
  BF_GOTO(BF_NEW(&out->tokens, (problem->horizon + 1) * data->tokens * data->dim, error));
  BF_GOTO(BF_NEW(&out->sequence_loss, data->contexts, error));
  BF_GOTO(expand(&w, control, error));
  for (int64_t s = 0; s < data->contexts; s++) BF_GOTO(roll_context(&w, s, out, error));
  out->accuracy = w.correct / bf_cost_denominator(&cost);
  out->cost     = out->loss;
  for (int t = 0; t < problem->horizon; t++)
    out->cost += bf_stage_cost(&cost, problem->layer.free, control + (int64_t)t * problem->layer.free);
done:
  bf_free(w.parameters);
  if (status != BF_OK) bf_rollout_clear(out);
  return status;
}

void bf_rollout_clear(BfRollout *rollout) {
  bf_free(rollout->tokens);
  bf_free(rollout->sequence_loss);
  *rollout = (BfRollout){0};
}

BfStatus bf_model_rollout(BfRun *run, const BfProblem *problem, const BfModel *model, int count,
                          const BfData *const data[], BfRollout *const out[], BfError *error) {
  BfStatus status = BF_OK;
  double   terms  = 0;
  for (int k = 0; k < count; k++)
    if (data[k]->tokens > 0) terms += bf_rollout_terms(problem, data[k]);
  bf_work_expect(run, BF_PHASE_ROLLOUT, terms, NULL, BF_TERM_SECONDS, false);
  bf_phase_begin(run, BF_PHASE_ROLLOUT);
  for (int k = 0; status == BF_OK && k < count; k++)
    if (data[k]->tokens > 0) status = bf_rollout(problem, data[k], model->control, model->readout, out[k], error);
  bf_phase_end(run, BF_PHASE_ROLLOUT);
  bf_work_done(run, BF_PHASE_ROLLOUT, terms);
  return bf_together(run->world, status, error);
}
