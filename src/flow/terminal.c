/* The terminal cost of a group's sequences and its gradient: from the group's lanes to those of one sequence, and back.
 */
#include "flow/flow.h"
#include <math.h>

/* Where token `slot` of the l-th sequence of a block stands: row * BF_LANES + lane. */
static int place(const BfFlowBlock *b, int l, int slot) {
  return b->block.layout == BF_LANES_OF_TOKENS ? slot : slot * BF_LANES + l;
}

static BfStatus one_sequence(BfFlow *flow, const BfFlowBlock *b, int l, int64_t readout, const double *z,
                             const BfFlowEnd *out, double sum[2], BfError *error) {
  const BfContext *context = &flow->context[b->context[l]];
  const int        d       = flow->problem->layer.dim;
  double           g[BF_LANES], *lambda = out->lambda ? out->lambda + b->offset : NULL;
  for (int i = 0; i < context->slots; i++) {
    const int at = place(b, l, i);
    for (int a = 0; a < d; a++) {
      flow->lanes[((int64_t)i * d + a) * BF_LANES] = z[((int64_t)(at / BF_LANES) * d + a) * BF_LANES + at % BF_LANES];
    }
  }
  if (lambda) BF_TRY(bf_terminal_gradient(&flow->cost, readout, context, 1, flow->lanes, g, flow->by_lanes, error));
  else BF_TRY(bf_terminal_cost(&flow->cost, readout, context, 1, flow->lanes, g, error));
  if (out->by_readout) bf_terminal_by_readout(&flow->cost, readout, context, flow->lanes, out->by_readout);
  sum[0] = g[0];
  sum[1] = bf_cost_correct(&flow->cost, readout, context, flow->lanes);
  for (int i = 0; lambda && i < context->slots; i++) {
    const int at = place(b, l, i);
    for (int a = 0; a < d; a++)
      lambda[((int64_t)(at / BF_LANES) * d + a) * BF_LANES + at % BF_LANES] =
          flow->by_lanes[((int64_t)i * d + a) * BF_LANES];
  }
  return BF_OK;
}

BfStatus bf_flow_terminal(BfFlow *flow, const BfFlowGroup *group, int64_t readout, const double *z, BfFlowEnd *out,
                          BfError *error) {
  double *lambda = out->lambda;
  out->sum[0] = out->sum[1] = 0;
  for (int64_t i = 0; lambda && i < group->size; i++) lambda[i] = 0;
  for (int k = 0; k < group->blocks; k++) {
    const BfFlowBlock *b = &group->block[k];
    for (int l = 0; l < b->contexts; l++) {
      double here[2];
      BF_TRY(one_sequence(flow, b, l, readout, z + b->offset, out, here, error));
      out->sum[0] += here[0];
      out->sum[1] += here[1];
      if (out->sequence_loss) out->sequence_loss[b->context[l]] = here[0] * bf_cost_denominator(&flow->cost) + 0.0;
    }
  }
  return BF_OK;
}
