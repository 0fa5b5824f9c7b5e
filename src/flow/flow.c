/* J and its gradient over all groups of all ranks. */
#include "flow/flow.h"

#include <math.h>
#include <petscsys.h>
#include <string.h>

const BfSections bf_flow_sections = {"flow", 0, BF_SECTION_ACTION | BF_SECTION_FLOW};

/* ---- making ----------------------------------------------------------------------------------------------------- */

static BfStatus make_contexts(BfFlow *flow, BfError *error) {
  int64_t longest = 0;
  BF_TRY(bf_contexts_create(flow->data, 0, &flow->context, error));
  for (int64_t s = 0; s < flow->data->contexts; s++)
    if (flow->context[s].slots > longest) longest = flow->context[s].slots;
  BF_TRY(BF_NEW(&flow->lanes, longest * flow->problem->layer.dim * BF_LANES, error));
  return BF_NEW(&flow->by_lanes, longest * flow->problem->layer.dim * BF_LANES, error);
}

static BfStatus make_depths(BfFlow *flow, BfError *error) {
  int64_t work = 0;
  BF_TRY(BF_NEW(&flow->depth, flow->groups, error));
  for (int64_t g = 0; g < flow->groups; g++) {
    const BfFlowGroup *group = &flow->group[g];
    int                known = 0;
    for (int i = 0; i < flow->depths; i++) known |= flow->depth[i].size == group->size;
    if (!known) {
      BfSizedIntegrator *x = &flow->depth[flow->depths++];
      x->size              = group->size;
      BF_TRY(flow->options.scheme->depth->create(flow, group->size, &x->depth, error));
    }
    for (int b = 0; b < group->blocks; b++) {
      const int64_t here = bf_velocity_work(&flow->problem->layer, &group->block[b].block);
      if (here > work) work = here;
    }
  }
  return BF_NEW(&flow->work, work, error);
}

static BfStatus make(const BfRun *run, const BfProblem *problem, const BfData *data, const BfFlowOptions *options,
                     BfFlow **out, BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  BfFlow *flow         = *out;
  flow->run            = run;
  flow->problem        = problem;
  flow->data           = data;
  flow->options        = *options;
  flow->readout        = -1;
  flow->cost           = problem->cost;
  flow->cost.contexts  = (double)data->contexts;
  flow->cost.tokens    = (double)data->tokens;
  flow->cost.diameter2 = bf_problem_diameter2(&problem->layer, data);
  BF_TRY(BF_NEW(&flow->numbers, flow->cost.trained, error));
  BF_TRY(make_contexts(flow, error));
  BF_TRY(bf_flow_group(flow, error));
  BF_TRY(BF_NEW(&flow->parameters, (int64_t)problem->horizon * problem->layer.parameters, error));
  BF_TRY(bf_flow_database_create(options->petsc, &flow->database, error));
  bf_flow_petsc_begin(flow);
  make_depths(flow, error);
  bf_flow_petsc_end(flow);
  return error->status;
}

BfStatus bf_flow_create(const BfRun *run, const BfProblem *problem, const BfData *data, const BfFlowOptions *options,
                        BfFlow **out, BfError *error) {
  *out                  = NULL;
  const BfStatus status = bf_together(run->world, make(run, problem, data, options, out, error), error);
  if (status != BF_OK) bf_flow_destroy(out);
  return status;
}

void bf_flow_destroy(BfFlow **flow) {
  BfFlow *x = *flow;
  if (!x) return;
  for (int i = 0; i < x->depths; i++) x->options.scheme->depth->destroy(&x->depth[i].depth);
  bf_free(x->depth);
  bf_petsc_database_destroy(&x->database);
  bf_flow_ungroup(x);
  bf_contexts_destroy(x->data, &x->context);
  bf_free(x->numbers);
  bf_free(x->parameters);
  bf_free(x->work);
  bf_free(x->lanes);
  bf_free(x->by_lanes);
  bf_free(x);
  *flow = NULL;
}

void bf_flow_set_readout(BfFlow *flow, int64_t readout) { flow->readout = flow->cost.trained ? 0 : readout; }

/* ---- between tables and groups ---------------------------------------------------------------------------------- */

/* z(0): the data; on the sphere z / |z| but for the layers, which take them as they are. The origin, which has no
 * direction, stays. */
static void fill_start(const BfFlow *flow, const BfFlowGroup *group, double *z) {
  const int           d = flow->problem->layer.dim;
  const BfProjection *P = flow->options.scheme->discrete ? NULL : flow->problem->layer.projection;
  for (int k = 0; k < group->blocks; k++) {
    const BfFlowBlock *b = &group->block[k];
    for (int at = 0; at < b->block.rows * BF_LANES; at++) {
      double token[BF_MOST_DIM];
      memcpy(token, flow->data->z + b->token[at] * d, sizeof(double) * (size_t)d);
      if (P && P->start) P->start(d, token);
      for (int a = 0; a < d; a++)
        z[b->offset + ((int64_t)(at / BF_LANES) * d + a) * BF_LANES + at % BF_LANES] = token[a];
    }
  }
}

/* Ends [T + 1][size] of a group into tables [T + 1][N][d], in the order of rows. */
static void scatter(const BfFlow *flow, const BfFlowGroup *group, const double *ends, double *table) {
  const int     d = flow->problem->layer.dim;
  const int64_t N = flow->data->tokens;
  for (int t = 0; t <= flow->problem->horizon; t++)
    for (int k = 0; k < group->blocks; k++) {
      const BfFlowBlock *b = &group->block[k];
      for (int at = 0; at < b->block.rows * BF_LANES; at++)
        for (int a = 0; b->real[at] && a < d; a++)
          table[(t * N + flow->data->row[b->token[at]]) * d + a] =
              ends[t * group->size + b->offset + ((int64_t)(at / BF_LANES) * d + a) * BF_LANES + at % BF_LANES] + 0.0;
    }
}

static BfIntegrator *depth_of(const BfFlow *flow, const BfFlowGroup *group) {
  int i = 0;
  while (flow->depth[i].size != group->size) i++;
  return flow->depth[i].depth;
}

/* ---- one group -------------------------------------------------------------------------------------------------- */

typedef struct {
  double *ends, *adjoints, *lambda; /* [T + 1][size], [T + 1][size], [size] */
} Buffers;

static BfStatus make_buffers(const BfFlow *flow, int64_t size, const BfFlowValue *value, Buffers *w, BfError *error) {
  const int64_t T = flow->problem->horizon;
  BF_TRY(BF_NEW(&w->ends, (T + 1) * size, error));
  if (value && value->gradient) BF_TRY(BF_NEW(&w->lambda, size, error));
  return value && value->adjoint ? BF_NEW(&w->adjoints, (T + 1) * size, error) : BF_OK;
}

static void clear_buffers(Buffers *w) {
  bf_free(w->ends);
  bf_free(w->lambda);
  bf_free(w->adjoints);
  *w = (Buffers){0};
}

static bool trajectories_fit(const BfFlow *flow, int64_t size) {
  const BfFlowOptions *o     = &flow->options;
  const double         steps = o->scheme->adaptive ? 100 : o->steps;
  return 8.0 * (double)size * (o->scheme->stages + 2) * steps * flow->problem->horizon <= o->memory;
}

/* row: loss, correct, the gradient [n] of this group. */
static BfStatus evaluate_group(BfFlow *flow, const BfFlowGroup *group, int64_t readout, const BfFlowValue *value,
                               double *row, BfError *error) {
  const int64_t           T     = flow->problem->horizon;
  BfIntegrator           *depth = depth_of(flow, group);
  const BfIntegratorKind *kind  = flow->options.scheme->depth;
  Buffers                 w     = {0};
  BfStatus                status;
  int                     finite;
  row[0] = row[1] = 0;
  BF_GOTO(make_buffers(flow, group->size, value, &w, error));
  fill_start(flow, group, w.ends);
  BF_GOTO(kind->forward(depth, group, value->gradient && trajectories_fit(flow, group->size), w.ends, &finite, error));
  if (!finite) {
    row[0] = INFINITY;
    goto done;
  }
  BfFlowEnd end = {.lambda = w.lambda, .sequence_loss = value->sequence_loss};
  if (value->gradient && flow->cost.trained) end.by_readout = row + 2 + T * flow->problem->layer.free;
  BF_GOTO(bf_flow_terminal(flow, group, readout, w.ends + T * group->size, &end, error));
  memcpy(row, end.sum, sizeof end.sum);
  if (value->gradient) BF_GOTO(kind->backward(depth, group, w.ends, w.lambda, row + 2, w.adjoints, error));
  if (value->tokens) scatter(flow, group, w.ends, value->tokens);
  if (value->adjoint) scatter(flow, group, w.adjoints, value->adjoint);
done:
  clear_buffers(&w);
  return status;
}

/* Losses of a group with every readout into row [readouts]. */
static BfStatus try_readouts(BfFlow *flow, const BfFlowGroup *group, double *row, BfError *error) {
  const int64_t T = flow->problem->horizon;
  Buffers       w = {0};
  BfStatus      status;
  int           finite;
  BF_GOTO(make_buffers(flow, group->size, NULL, &w, error));
  fill_start(flow, group, w.ends);
  BF_GOTO(flow->options.scheme->depth->forward(depth_of(flow, group), group, false, w.ends, &finite, error));
  for (int64_t r = 0; r < flow->cost.readouts; r++) {
    BfFlowEnd end = {0};
    if (finite) BF_GOTO(bf_flow_terminal(flow, group, r, w.ends + T * group->size, &end, error));
    row[r] = finite ? end.sum[0] : INFINITY;
  }
done:
  clear_buffers(&w);
  return status;
}

/* ---- all groups ------------------------------------------------------------------------------------------------- */

/* rows [groups][n], sum [n]: for the caller, also on failure. */
static BfStatus make_rows(const BfFlow *flow, int64_t n, double **rows, double **sum, BfError *error) {
  BF_TRY(BF_NEW(rows, flow->groups * n, error));
  return BF_NEW(sum, n, error);
}

static BfStatus try_all(BfFlow *flow, double **rows, double **sum, BfError *error) {
  const int64_t n = flow->cost.readouts;
  BF_TRY(make_rows(flow, n, rows, sum, error));
  for (int64_t g = 0; g < flow->groups; g++) BF_TRY(try_readouts(flow, &flow->group[g], *rows + g * n, error));
  return BF_OK;
}

static BfStatus choose_readout(BfFlow *flow, int64_t *readout, BfError *error) {
  const int64_t n    = flow->cost.readouts;
  double       *rows = NULL, *sum = NULL;
  BfStatus      status;
  *readout = flow->readout < 0 ? 0 : flow->readout;
  if (n == 1 || flow->readout >= 0) return BF_OK;
  BF_GOTO(bf_together(flow->run->world, try_all(flow, &rows, &sum, error), error));
  BF_GOTO(bf_exact_sum(flow->run->world, flow->groups, n, rows, sum, error));
  for (int64_t r = 1; r < n; r++)
    if (sum[r] < sum[*readout]) *readout = r;
done:
  bf_free(rows);
  bf_free(sum);
  return status;
}

/* Add what does not depend on tokens, and hand out. */
static void finish(const BfFlow *flow, const double control[], const double *sum, BfFlowValue *value) {
  const BfCost *cost = &flow->cost;
  const int64_t q = flow->problem->layer.free, T = flow->problem->horizon, n = bf_flow_numbers(flow->problem);
  value->loss = value->cost = sum[0];
  value->accuracy           = sum[1] / bf_cost_denominator(cost);
  if (isnan(bf_cost_correct(cost, value->readout, &flow->context[0], flow->lanes))) value->accuracy = NAN;
  for (int64_t t = 0; t < T; t++) value->cost += bf_stage_cost(cost, (int)q, control + t * q);
  for (int64_t i = 0; value->gradient && i < n; i++) {
    const double decay = i < T * q ? cost->step * cost->weight_decay * control[i] : 0;
    value->gradient[i] = isfinite(value->cost) ? sum[2 + i] + decay : 0;
  }
}

static BfStatus evaluate_groups(BfFlow *flow, const BfFlowValue *value, int64_t n, double *rows, BfError *error) {
  for (int64_t g = 0; g < flow->groups; g++) {
    BF_TRY(evaluate_group(flow, &flow->group[g], value->readout, value, rows + g * n, error));
    bf_work_done(flow->run, BF_PHASE_FLOW, 1.0 / (double)flow->groups);
  }
  return BF_OK;
}

/* The readout that stands behind the controls. */
static void take_readout(BfFlow *flow, const double numbers[]) {
  BfCost *cost = &flow->cost;
  if (!cost->trained) return;
  memcpy(flow->numbers, numbers, sizeof(double) * (size_t)cost->trained);
  cost->matrix   = flow->numbers;
  cost->bias     = flow->numbers + (int64_t)cost->classes * cost->dim;
  cost->readouts = 1;
}

static BfStatus evaluate(BfFlow *flow, const double control[], BfFlowValue *value, BfError *error) {
  const BfLayer *layer = &flow->problem->layer;
  const int64_t  T = flow->problem->horizon, q = layer->free,
                n     = 2 + (value->gradient ? bf_flow_numbers(flow->problem) : 0);
  const int64_t table = (T + 1) * flow->data->tokens * layer->dim;
  double       *rows = NULL, *sum = NULL;
  BfStatus      status;
  for (int64_t t = 0; t < T; t++) bf_layer_expand(layer, control + t * q, flow->parameters + t * layer->parameters, 1);
  take_readout(flow, control + T * q);
  BF_GOTO(choose_readout(flow, &value->readout, error));
  BF_GOTO(bf_together(flow->run->world, make_rows(flow, n, &rows, &sum, error), error));
  if (value->tokens) memset(value->tokens, 0, sizeof(double) * (size_t)table);
  if (value->adjoint) memset(value->adjoint, 0, sizeof(double) * (size_t)table);
  if (value->sequence_loss) memset(value->sequence_loss, 0, sizeof(double) * (size_t)flow->data->contexts);
  BF_GOTO(bf_together(flow->run->world, evaluate_groups(flow, value, n, rows, error), error));
  BF_GOTO(bf_exact_sum(flow->run->world, flow->groups, n, rows, sum, error));
  if (value->tokens) bf_sum_disjoint(flow->run->world, table, value->tokens);
  if (value->adjoint) bf_sum_disjoint(flow->run->world, table, value->adjoint);
  if (value->sequence_loss) bf_sum_disjoint(flow->run->world, flow->data->contexts, value->sequence_loss);
  finish(flow, control, sum, value);
done:
  bf_free(rows);
  bf_free(sum);
  return status;
}

/* What PETSc meets is told in our one line, not in its stack. */
BfStatus bf_flow_evaluate(BfFlow *flow, const double control[], BfFlowValue *value, BfError *error) {
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL);
  bf_flow_petsc_begin(flow);
  const BfStatus status = evaluate(flow, control, value, error);
  bf_flow_petsc_end(flow);
  PetscPopErrorHandler();
  return status;
}
