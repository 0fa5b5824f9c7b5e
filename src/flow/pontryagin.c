/* Pontryagin's condition at an answer: the adjoint's end, stationarity, H along depth, and H against the finite action
 * set. */
#include "flow/flow.h"
#include "run/largest.h"
#include <string.h>

enum { ACTIONS = 256 }; /* at once */

/* Rows of a table [N][d] into a group's lanes, 0 in padding of `adjoint`, any token's in that of tokens. */
static void gather(const BfFlow *flow, const BfFlowBlock *b, const double *table, bool zero_padding, double *lanes) {
  const int d = flow->problem->layer.dim;
  for (int at = 0; at < b->block.rows * BF_LANES; at++)
    for (int a = 0; a < d; a++)
      lanes[((int64_t)(at / BF_LANES) * d + a) * BF_LANES + at % BF_LANES] =
          zero_padding && !b->real[at] ? 0 : table[flow->data->row[b->token[at]] * d + a];
}

typedef struct {
  BfFlow *flow;
  double *z, *p, *f, *y, *parameters; /* of one block; of one control */
} Work;

static bool is_layers(const Work *w) { return w->flow->options.scheme->discrete; }

/* <p, f(z; u)>, or <p, F(z, u)> of the layers, of a group's tokens at depth t, for controls u[count][q], added to
 * out[count]. */
static void products(Work *w, const BfFlowGroup *group, const double *z, const double *p, double t, int64_t count,
                     const double *u, double *out) {
  const BfFlow  *flow   = w->flow;
  const BfLayer *layer  = &flow->problem->layer;
  const double   zeta   = bf_problem_profile(flow->problem, t);
  const bool     layers = is_layers(w);
  for (int b = 0; b < group->blocks; b++) {
    const BfFlowBlock *block = &group->block[b];
    const int64_t      n     = (int64_t)block->block.rows * layer->dim * BF_LANES;
    gather(flow, block, z, false, w->z);
    gather(flow, block, p, true, w->p);
    for (int64_t k = 0; k < count; k++) {
      bf_layer_expand(layer, u + k * layer->free, w->parameters, 1);
      if (layers) bf_step(layer, &block->block, w->parameters, w->z, w->y, w->f, flow->work);
      else bf_velocity(layer, &block->block, w->parameters, zeta, w->z, w->f, flow->work);
      for (int64_t i = 0; i < n; i++) out[k] += w->p[i] * w->f[i];
    }
  }
}

static BfStatus make_work(BfFlow *flow, Work *w, BfError *error) {
  int64_t size = 0;
  for (int64_t g = 0; g < flow->groups; g++)
    if (flow->group[g].size > size) size = flow->group[g].size;
  w->flow = flow;
  BF_TRY(BF_NEW(&w->z, size, error));
  BF_TRY(BF_NEW(&w->p, size, error));
  BF_TRY(BF_NEW(&w->f, size, error));
  BF_TRY(BF_NEW(&w->y, size, error));
  return BF_NEW(&w->parameters, flow->problem->layer.parameters, error);
}

static void clear_work(Work *w) {
  bf_free(w->z);
  bf_free(w->p);
  bf_free(w->f);
  bf_free(w->y);
  bf_free(w->parameters);
}

/* H at end e (0 or 1) of interval k, or of layer k, for u[count][q]: H[count]. */
static BfStatus hamiltonians(Work *w, const BfFlowValue *value, int64_t k, int e, int64_t count, const double *u,
                             double *H, BfError *error) {
  const BfFlow  *flow  = w->flow;
  const BfLayer *layer = &flow->problem->layer;
  const int64_t  q = layer->free, table = flow->data->tokens * layer->dim, after = is_layers(w) ? k + 1 : k + e;
  const double   part = is_layers(w) ? 1 : layer->step;
  double        *rows = NULL;
  BfStatus       status;
  BF_GOTO(bf_together(flow->run->world, BF_NEW(&rows, flow->groups * count, error), error));
  for (int64_t g = 0; g < flow->groups; g++)
    products(w, &flow->group[g], value->tokens + (k + e) * table, value->adjoint + after * table,
             (double)(k + e) * layer->step, count, u, rows + g * count);
  BF_GOTO(bf_exact_sum(flow->run->world, flow->groups, count, rows, H, error));
  for (int64_t i = 0; i < count; i++) H[i] += bf_stage_cost(&flow->cost, (int)q, u + i * q) / part;
done:
  bf_free(rows);
  return status;
}

/* The least H over the problem's actions; NaN and -1 where it has none, or one of them is NaN. */
static BfStatus least(Work *w, const BfFlowValue *value, int64_t k, int e, double *H, int32_t *action, BfError *error) {
  const BfProblem *problem = w->flow->problem;
  const int64_t    q       = problem->layer.free;
  double           some[ACTIONS];
  *H      = problem->actions ? INFINITY : NAN;
  *action = -1;
  for (int64_t first = 0; first < problem->actions; first += ACTIONS) {
    const int64_t count = problem->actions - first < ACTIONS ? problem->actions - first : ACTIONS;
    BF_TRY(hamiltonians(w, value, k, e, count, problem->action + first * q, some, error));
    for (int64_t i = 0; i < count; i++)
      if (!isnan(*H) && !(some[i] >= *H)) {
        *H      = some[i];
        *action = isnan(*H) ? -1 : (int32_t)(first + i);
      }
  }
  return BF_OK;
}

/* Of the Hamiltonians at one end of an interval, in evaluations of the flow with their gradient. */
static double part_of_evaluation(const BfFlow *flow) {
  const BfFlowOptions *o = &flow->options;
  return (double)(flow->problem->actions + 1) /
         (3.5 * o->scheme->stages * (o->scheme->adaptive ? 20 : o->steps) * flow->problem->horizon);
}

static BfStatus look_along_depth(Work *w, const double control[], const BfFlowValue *value, BfPontryagin *out,
                                 BfError *error) {
  const BfProblem *problem = w->flow->problem;
  const int64_t    T = problem->horizon, q = problem->layer.free;
  const int        ends = out->ends;
  double           low = INFINITY, high = -INFINITY;
  const double     part = part_of_evaluation(w->flow);
  out->violation_action = -1;
  if (!problem->actions) out->violation = out->violation_depth = NAN;
  bf_progress_what(w->flow->run, "Pontryagin's condition");
  bf_work_change(w->flow->run, BF_PHASE_FLOW, (double)(ends * T) * part);
  for (int64_t k = 0; k < T; k++) {
    double *H = out->hamiltonian + ends * k;
    for (int e = 0; e < ends; e++) {
      const int64_t at = ends * k + e;
      double        best;
      BF_TRY(hamiltonians(w, value, k, e, 1, control + k * q, &H[e], error));
      BF_TRY(least(w, value, k, e, &best, &out->minimizer[at], error));
      out->exceeds[at] = bf_larger(0, H[e] - best);
      if (!isnan(out->violation) && !(out->exceeds[at] <= out->violation)) {
        out->violation        = out->exceeds[at];
        out->violation_depth  = (double)(k + e) * problem->layer.step;
        out->violation_action = out->minimizer[at];
      }
      bf_work_done(w->flow->run, BF_PHASE_FLOW, part);
      low  = -bf_larger(-low, -H[e]);
      high = bf_larger(high, H[e]);
    }
    if (ends == 2) out->variation_within = bf_larger(out->variation_within, fabs(H[1] - H[0]));
  }
  out->variation = high - low;
  if (ends == 1) out->variation_within = NAN;
  return BF_OK;
}

/* |u - P_U(u - dH/du)| in every interval, dH/du of a layer dJ/du, of an interval its mean; and that of the readout. */
static void stationarity(const BfProblem *problem, const double control[], const double gradient[], BfPontryagin *out) {
  const int64_t q = problem->layer.free, controls = problem->horizon * q;
  out->readout_stationarity = problem->cost.trained ? 0 : NAN;
  for (int64_t i = 0; i < bf_flow_numbers(problem); i++) {
    const double part = i < controls && out->ends != 1 ? problem->layer.step : 1, to = control[i] - gradient[i] / part;
    double       lower, upper;
    bf_flow_box(problem, i, &lower, &upper);
    double      *here = i < controls ? &out->stationary[i / q] : &out->readout_stationarity;
    const double on   = isnan(to) ? to : fmin(fmax(to, lower), upper);
    *here             = bf_larger(*here, fabs(control[i] - on));
    out->stationarity = bf_larger(out->stationarity, *here);
  }
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* The largest distance, over tokens, of the adjoint at the end of depth from the formula of the cost; NaN where that
 * has none. */
static BfStatus compare_end(const BfFlow *flow, const BfFlowValue *value, double *apart, BfError *error) {
  const BfCost *cost = &flow->cost;
  const BfData *data = flow->data;
  const int     d    = data->dim;
  const int64_t at   = flow->problem->horizon * data->tokens * d;
  const double *last = value->tokens + at, *adjoint = value->adjoint + at;
  double       *z = NULL, *p = NULL;
  BfStatus      status;
  *apart = cost->kind->adjoint ? 0 : NAN;
  for (int64_t s = 0; cost->kind->adjoint && s < data->contexts; s++) {
    const BfContext *context = &flow->context[s];
    const int64_t    first = data->tag_first[data->context_first[s]], size = (int64_t)context->slots * d;
    BF_GOTO(BF_NEW(&z, size, error));
    BF_GOTO(BF_NEW(&p, size, error));
    for (int64_t k = 0; k < size; k++) z[k] = last[data->row[first + k / d] * d + k % d];
    BF_GOTO(cost->kind->adjoint(cost, value->readout, context, z, p, error));
    for (int64_t k = 0; k < size; k++)
      *apart = bf_larger(*apart, fabs(adjoint[data->row[first + k / d] * d + k % d] - p[k]));
    bf_free(z);
    bf_free(p);
    z = p = NULL;
  }
  status = BF_OK;
done:
  bf_free(z);
  bf_free(p);
  return status;
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

static BfStatus allocate(int64_t T, BfPontryagin *out, BfError *error) {
  BF_TRY(BF_NEW(&out->stationary, T, error));
  BF_TRY(BF_NEW(&out->hamiltonian, out->ends * T, error));
  BF_TRY(BF_NEW(&out->exceeds, out->ends * T, error));
  return BF_NEW(&out->minimizer, out->ends * T, error);
}

BfStatus bf_pontryagin(BfFlow *flow, const BfProblem *problem, const double control[], const BfFlowValue *value,
                       BfPontryagin *out, BfError *error) {
  const int64_t T = problem->horizon;
  Work          w = {0};
  BfStatus      status;
  *out = (BfPontryagin){.ends = flow->options.scheme->discrete ? 1 : 2};
  BF_GOTO(bf_together(flow->run->world, allocate(T, out, error), error));
  BF_GOTO(bf_together(flow->run->world, make_work(flow, &w, error), error));
  stationarity(problem, control, value->gradient, out);
  BF_GOTO(look_along_depth(&w, control, value, out, error));
  status = bf_together(flow->run->world, compare_end(flow, value, &out->terminal, error), error);
done:
  clear_work(&w);
  if (status != BF_OK) bf_pontryagin_clear(out);
  return status;
}

void bf_pontryagin_clear(BfPontryagin *pontryagin) {
  bf_free(pontryagin->stationary);
  bf_free(pontryagin->hamiltonian);
  bf_free(pontryagin->exceeds);
  bf_free(pontryagin->minimizer);
  *pontryagin = (BfPontryagin){0};
}
