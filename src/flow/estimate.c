/* The time of an evaluation of the flow, by evaluating it; of large data on a part of them. */
#include "bellformer/model.h"
#include "flow/flow.h"
#include <math.h>

static const double moment     = 0.15; /* seconds of evaluations */
static const double whole_data = 2e8;  /* terms (bf_layer_terms) of an evaluation: beyond, a part is evaluated */

/* A part of the data that begins with the first sequence; of a long one, some of its tokens as one tag. */
typedef struct {
  BfData  data;
  int64_t tag[2], context[2];
  double  of; /* the whole in parts, by terms */
} Part;

static double length(const BfData *data, int64_t s) {
  return (double)(data->tag_first[data->context_first[s + 1]] - data->tag_first[data->context_first[s]]);
}

static double terms_of(const BfLayer *layer, double tokens) { return bf_layer_terms(layer, tokens, tokens * tokens); }

static void take_part(const BfLayer *layer, const BfData *data, double most, Part *part) {
  double  taken = 0;
  int64_t count = 0;
  part->data    = *data;
  while (count < data->contexts && (!count || taken + terms_of(layer, length(data, count)) <= most))
    taken += terms_of(layer, length(data, count++));
  part->data.contexts = count;
  part->data.tags     = data->context_first[count];
  if (count == 1 && taken > 4 * most) { /* one sequence is too much */
    part->tag[1] = data->tag_first[part->data.tags];
    while (part->tag[1] > 1 && terms_of(layer, (double)part->tag[1]) > most) part->tag[1] /= 2;
    part->context[1]         = 1;
    part->data.tags          = 1;
    part->data.tag_first     = part->tag;
    part->data.context_first = part->context;
    taken                    = terms_of(layer, (double)part->tag[1]);
  }
  part->data.tokens = part->data.tag_first[part->data.tags];
  part->of          = fmax(1, bf_data_terms(layer, data) / taken);
}

/* Of v; a layer itself has no stages and takes one. */
static double evaluations(const BfFlowOptions *o, int horizon) {
  return fmax(1, o->scheme->stages) * (o->scheme->adaptive ? 20 : o->steps) * horizon;
}

double bf_flow_seconds(const BfFlow *flow) {
  const double term = 1.5e-9;
  return 3.5 * term * bf_data_terms(&flow->problem->layer, flow->data) *
         evaluations(&flow->options, flow->problem->horizon) / flow->run->size;
}

/* The mean of some evaluations, without and with the gradient, after a first one that warms up. */
static BfStatus measure(BfFlow *flow, const double *control, double *gradient, double seconds[2], BfError *error) {
  const BfRun *run = flow->run;
  for (int with = 0; with < 2; with++) {
    double spent = 0;
    for (int count = -1; count < 1 || spent < moment; count++) {
      BfFlowValue value = {.gradient = with ? gradient : NULL};
      MPI_Barrier(run->world);
      double here = bf_seconds();
      BF_TRY(bf_flow_evaluate(flow, control, &value, error));
      here = bf_seconds() - here;
      MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_DOUBLE, MPI_MAX, run->world);
      spent += count >= 0 ? here : 0;
      seconds[with] = spent / (count + 1);
    }
  }
  return BF_OK;
}

/* Groups of the whole data, and doubles of the largest one's state: a long sequence is one, however it is cut to be
 * measured. */
typedef struct {
  double blocks, largest;
} Groups;

static BfStatus count_groups(const BfRun *alone, const BfProblem *problem, Groups *out, BfError *error) {
  const BfData *data = &problem->train;
  BfFlow        flow = {.run = alone, .problem = problem, .data = data};
  BfStatus      status;
  BF_GOTO(bf_contexts_create(data, 0, &flow.context, error));
  BF_GOTO(bf_flow_group(&flow, error));
  out->blocks = (double)flow.all_groups;
  for (int64_t g = 0; g < flow.groups; g++) out->largest = fmax(out->largest, (double)flow.group[g].size);
done:
  bf_flow_ungroup(&flow);
  bf_contexts_destroy(data, &flow.context);
  return status;
}

/* Memory: tokens and adjoints at all depths, on every rank; one group's trajectory; what an evaluation adds up. */
static double node_bytes(const BfMachine *m, const BfProblem *problem, const Groups *groups, const BfFlowOptions *o,
                         int ranks) {
  const double T = problem->horizon, n = (double)bf_flow_numbers(problem),
               table      = 8 * (T + 1) * (double)(problem->train.tokens + problem->test.tokens) * problem->layer.dim;
  const double trajectory = 8 * groups->largest * (o->scheme->stages + 2) * (o->scheme->adaptive ? 100 : o->steps) * T,
               kept       = trajectory <= o->memory ? trajectory : trajectory / T;
  return m->node_ranks * (4 * table + kept + 8 * bf_most_dealt(groups->blocks, ranks) * (2 + n));
}

/* Of an evaluation by some ranks, of which one alone takes `alone`: the blocks of the busiest one, and what it waits
 * for to add n numbers up exactly, to be told the control, and to agree. */
static double by_ranks(const BfMachine *m, int ranks, double alone, double blocks, double n) {
  const double words = 7;
  return alone * bf_most_dealt(blocks, ranks) / blocks + bf_reduction_of_ranks(m, ranks, 8 * n) * 1.5 +
         bf_reduction_of_ranks(m, ranks, 16 * n) + words * bf_reduction_of_ranks(m, ranks, 8);
}

/* Every rank evaluates a part of the data by itself. */
static BfStatus estimate(BfRun *alone, const BfMachine *m, const BfProblem *problem, const BfFlowOptions *o,
                         const BfInitialControls *points, const Part *part, BfFlowEstimate *e, BfError *error) {
  const int64_t           n       = bf_flow_numbers(problem);
  const BfInitialControls first   = {.starts = 1};
  const int64_t           starts  = bf_initial_controls(points);
  Groups                  groups  = {0};
  BfFlow                 *flow    = NULL;
  double                 *control = NULL, *gradient = NULL, seconds[2];
  BfStatus                status;
  BF_GOTO(bf_together(alone->world, BF_NEW(&control, n, error), error));
  BF_GOTO(bf_together(alone->world, BF_NEW(&gradient, n, error), error));
  bf_initial_control(problem, &first, 0, control);
  BF_GOTO(bf_together(alone->world, count_groups(alone, problem, &groups, error), error));
  BF_GOTO(bf_flow_create(alone, problem, &part->data, o, &flow, error));
  BF_GOTO(measure(flow, control, gradient, seconds, error));
  const double blocks = groups.blocks, forward = seconds[0] * part->of, both = seconds[1] * part->of;
  e->ranks      = bf_flow_ranks(m->ranks, points, blocks, NULL, NULL);
  e->groups     = (int)fmin((double)starts, bf_most_dealt(m->ranks, e->ranks));
  e->forward    = by_ranks(m, e->ranks, forward, blocks, 2);
  e->gradient   = by_ranks(m, e->ranks, both, blocks, (double)n);
  e->pontryagin = by_ranks(m, m->ranks, both, blocks, (double)n) +
                  by_ranks(m, m->ranks, forward, blocks, 2) * 2 * (double)(problem->actions + 1) * problem->horizon /
                      evaluations(o, problem->horizon);
  e->node_bytes = node_bytes(m, problem, &groups, o, e->ranks);
done:
  bf_flow_destroy(&flow);
  bf_free(control);
  bf_free(gradient);
  return status;
}

BfStatus bf_flow_estimate(BfRun *run, const BfProblem *problem, const BfFlowOptions *o, const BfInitialControls *points,
                          const BfMachine *machine, BfFlowEstimate *e, BfError *error) {
  Part      part  = {0};
  BfRun    *alone = NULL;
  BfMachine own;
  if (!machine) bf_machine_of_run(run, &own);
  take_part(&problem->layer, &problem->train, whole_data / (3 * evaluations(o, problem->horizon)), &part);
  bf_run_create(MPI_COMM_SELF, 0, &alone, error);
  if (bf_agree(run->world, error) == BF_OK) {
    alone->quiet = true;
    estimate(alone, machine ? machine : &own, problem, o, points, &part, e, error);
  }
  bf_run_destroy(&alone);
  BF_TRY(bf_agree(run->world, error));
  double mean[3] = {e->forward, e->gradient, e->pontryagin};
  MPI_Allreduce(MPI_IN_PLACE, mean, 3, MPI_DOUBLE, MPI_SUM, run->world);
  e->forward    = mean[0] / run->size;
  e->gradient   = mean[1] / run->size;
  e->pontryagin = mean[2] / run->size;
  return BF_OK;
}
