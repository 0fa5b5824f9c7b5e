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

/* All contexts go through a layer before the next one is expanded: one layer's parameters are held, which of many heads
 * are most of a rank's memory. */
typedef struct {
  const BfProblem *problem;
  const BfCost    *cost;
  const BfData    *data;
  BfContext       *context;    /* [contexts] */
  int64_t         *at;         /* [contexts + 1] where those of a context begin in the lanes */
  double          *parameters; /* [parameters][BF_LANES] of one layer */
  double          *lane, *work;
  double           correct; /* so far */
} Work;

static BfStatus create(Work *w, BfError *error) {
  const BfLayer *layer = &w->problem->layer;
  const BfData  *data  = w->data;
  int64_t        most  = 0;
  BF_TRY(bf_contexts_create(data, 0, &w->context, error));
  BF_TRY(BF_NEW(&w->at, data->contexts + 1, error));
  for (int64_t s = 0; s < data->contexts; s++) {
    const int64_t work = bf_layer_alone_work(layer, &w->context[s]);
    w->at[s + 1]       = w->at[s] + (int64_t)bf_layer_alone_rows(&w->context[s]) * data->dim * BF_LANES;
    most               = work > most ? work : most;
  }
  BF_TRY(BF_NEW(&w->lane, w->at[data->contexts], error));
  BF_TRY(BF_NEW(&w->work, most, error));
  return BF_NEW(&w->parameters, (int64_t)layer->parameters * BF_LANES, error);
}

static void clear(Work *w) {
  bf_contexts_destroy(w->data, &w->context);
  bf_free(w->at);
  bf_free(w->parameters);
  bf_free(w->lane);
  bf_free(w->work);
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
  BfStatus status = bf_terminal_cost(w->cost, 0, context, 1, copy, g, error);
  if (status == BF_OK) {
    out->loss += g[0];
    out->sequence_loss[s] = g[0] * bf_cost_denominator(w->cost);
    w->correct += bf_cost_correct(w->cost, 0, context, copy);
  }
  bf_free(copy);
  return status;
}

static int64_t first_token(const BfData *data, int64_t s) { return data->tag_first[data->context_first[s]]; }

static void begin(Work *w, double *tokens) {
  for (int64_t s = 0; s < w->data->contexts; s++) {
    gather(w->data, first_token(w->data, s), &w->context[s], w->lane + w->at[s]);
    scatter(w->data, first_token(w->data, s), w->context[s].slots, w->lane + w->at[s], tokens);
  }
}

static void through(Work *w, const double control[], double *tokens) {
  const BfLayer *layer = &w->problem->layer;
  for (int l = 0; l < BF_LANES; l++) bf_layer_expand(layer, control, w->parameters + l, BF_LANES);
  for (int64_t s = 0; s < w->data->contexts; s++) {
    double *lane = w->lane + w->at[s];
    bf_layer_alone(layer, &w->context[s], w->parameters, lane, lane, w->work);
    scatter(w->data, first_token(w->data, s), w->context[s].slots, lane, tokens);
  }
}

static BfStatus roll(Work *w, const double control[], BfRollout *out, BfError *error) {
  const BfProblem *problem = w->problem;
  const int64_t    T = problem->horizon, table = w->data->tokens * w->data->dim;
  begin(w, out->tokens);
  for (int64_t t = 0; t < T; t++) through(w, control + t * problem->layer.free, out->tokens + (t + 1) * table);
  for (int64_t s = 0; s < w->data->contexts; s++) {
    if (w->data->unlabelled) out->loss = w->correct = out->sequence_loss[s] = NAN;
    else BF_TRY(judge(w, &w->context[s], s, out->tokens + T * table, out, error));
  }
  return BF_OK;
}

BfStatus bf_rollout(const BfProblem *problem, const BfData *data, const BfModel *model, BfRollout *out,
                    BfError *error) {
  BfStatus status = BF_OK;
  BfCost   cost   = bf_model_cost(problem, model); /* averaged over this data set */
  Work     w      = {.problem = problem, .cost = &cost, .data = data};
  cost.contexts   = (double)data->contexts;
  cost.tokens     = (double)data->tokens;
  cost.diameter2  = bf_problem_diameter2(&problem->layer, data);
  *out            = (BfRollout){0};
  BF_GOTO(BF_NEW(&out->tokens, (problem->horizon + 1) * data->tokens * data->dim, error));
  BF_GOTO(BF_NEW(&out->sequence_loss, data->contexts, error));
  BF_GOTO(create(&w, error));
  BF_GOTO(roll(&w, model->control, out, error));
  out->accuracy = w.correct / bf_cost_denominator(&cost);
  out->cost     = out->loss;
  for (int t = 0; t < problem->horizon; t++)
    out->cost += bf_stage_cost(&cost, problem->layer.free, model->control + (int64_t)t * problem->layer.free);
done:
  clear(&w);
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
    if (data[k]->tokens > 0) status = bf_rollout(problem, data[k], model, out[k], error);
  bf_phase_end(run, BF_PHASE_ROLLOUT);
  bf_work_done(run, BF_PHASE_ROLLOUT, terms);
  return bf_together(run->world, status, error);
}
