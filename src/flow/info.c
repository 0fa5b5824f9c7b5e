/* What `info` tells of a flow. */
#include "flow/flow.h"
#include "flow/trainer.h"
#include <math.h>

typedef char Text[BF_HUMAN];

BfStatus bf_flow_tell_estimate(void *state, const BfInfo *x, BfError *error) {
  const BfFlowState   *s            = state;
  const BfFlowOptions *depth        = &s->options;
  const BfProblem     *p            = x->problem;
  const double         an_iteration = 2; /* evaluations: TAO's line search takes one to three steps */
  int64_t              iterations;
  BfFlowEstimate       flow = {0};
  BfEstimate           e    = {.at_most = true};
  Text                 a, b;
  BF_TRY(bf_flow_trainer.choose(state, x->run, p, error)); /* refuses what the flow would refuse */
  const double starts = (double)bf_initial_controls(&s->points);
  BF_TRY(bf_together(x->run->world, bf_flow_check_profile(x->run, p, depth, error), error));
  BF_TRY(bf_together(x->run->world, bf_flow_iterations(depth, &iterations, error), error));
  BF_TRY(bf_flow_estimate(x->run, p, depth, &s->points, x->machine, &flow, error));
  const double a_start = 2 + an_iteration * (double)iterations, n = (double)bf_flow_numbers(p),
               leaders = fmax(1, (double)bf_info_node_ranks(x) / flow.ranks),
               ended   = bf_info_node_ranks(x) * bf_flow_ended_bytes(p, &s->points, s->set.best),
               file    = 16 * (double)(p->horizon + 1) * (double)p->train.tokens * p->layer.dim;
  bf_print(x->run, "  scheme %s, %lld step%s a layer; %.0f start%s of at most %lld iterations, %.0f numbers\n",
           depth->scheme->name, (long long)depth->steps, depth->steps > 1 ? "s" : "", starts, starts > 1 ? "s" : "",
           (long long)iterations, n);
  if (flow.groups > 1)
    bf_print(x->run, "  %d groups of %d rank%s try a start each\n", flow.groups, flow.ranks, flow.ranks > 1 ? "s" : "");
  bf_print(x->run, "  an evaluation      about %s with its gradient, %s without%s\n", bf_human_time(flow.gradient, a),
           bf_human_time(flow.forward, b), depth->scheme->adaptive ? ", at the start: its steps may become more" : "");
  bf_info_memory(x, "at most ", flow.node_bytes + bf_info_program_bytes(x) + 8 * leaders * a_start * (n + 2) + ended,
                 bf_info_memory_left(x), "");
  bf_estimate_add(x->run, &e, "search", bf_most_dealt(starts, flow.groups) * a_start * flow.gradient);
  bf_estimate_add(x->run, &e, "Pontryagin's condition", flow.pontryagin);
  BF_TRY(bf_info_ends(x, "about ", file, "", &e, error));
  bf_info_time(x, &e);
  return BF_OK;
}
