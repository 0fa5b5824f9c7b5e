/* For each context -log softmax(R r_s + b)[label], with r_s pooled. */
#include "cost_kind.h"
#include "pooling.h"
#include "readout.h"
#include "readout_kind.h"

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)error;
  double r[cost->dim * BF_LANES], by_r[cost->dim * BF_LANES];
  bf_pooled_represent(cost, context, z, r);
  bf_readout_loss(cost, readout, r, lanes, context->label[0], loss, gradient ? by_r : NULL);
  if (gradient) bf_pooled_spread(cost, context, by_r, gradient);
  return BF_OK;
}

static BfStatus adjoint(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                        BfError *error) {
  return bf_pooled_adjoint(cost, readout, context, z, p, bf_readout_residual, error);
}

const BfCostKind bf_cost_pooled_cross_entropy = {BF_POOLED_KIND("pooled_cross_entropy"), .evaluate = evaluate,
                                                 .adjoint = adjoint, .formula = "softmax residual"};
