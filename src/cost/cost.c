/* What all terminal costs share, and the stage cost. */
#include "bellformer/cost.h"

#include <inttypes.h>
#include <math.h>

double bf_stage_cost(const BfCost *cost, int free, const double u[]) {
  double norm2 = 0;
  if (cost->weight_decay == 0) return 0; /* also where |u|^2 overflows */
  for (int j = 0; j < free; j++) norm2 += u[j] * u[j];
  return cost->step * (0.5 * cost->weight_decay) * norm2;
}

double bf_cost_denominator(const BfCost *cost) {
  return cost->kind->average == BF_AVERAGE_CONTEXTS ? cost->contexts : cost->tokens;
}

/* ---- terminal cost ---------------------------------------------------------------------------------------------- */

/* A label is an index into R: one that R has no row for must not reach a kind. */
static BfStatus check_labels(const BfCost *cost, const BfContext *context, BfError *error) {
  if (!context->label)
    return bf_fail(error, BF_BAD_INPUT, "%s wants labels, but the data has targets", cost->kind->base.name);
  for (int g = 0; g < context->tags; g++)
    if (context->label[g] < 0 || context->label[g] >= cost->classes)
      return bf_fail(error, BF_BAD_INPUT, "sequence %" PRId64 " has label %d, but the readout has labels 0 to %d only",
                     context->sequence, context->label[g], cost->classes - 1);
  return BF_OK;
}

BfStatus bf_terminal_gradient(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                              double *g, double *gradient, BfError *error) {
  const double denominator = bf_cost_denominator(cost);
  double       loss[BF_LANES];
  if (cost->kind->has_readout) BF_TRY(check_labels(cost, context, error));
  if (cost->kind->needs_target && !context->target)
    return bf_fail(error, BF_BAD_INPUT, "%s wants targets, but the data has labels", cost->kind->base.name);
  BF_TRY(cost->kind->evaluate(cost, readout, context, lanes, z, loss, gradient, error));
  for (int l = 0; l < lanes; l++) g[l] = loss[l] / denominator;
  for (int64_t i = 0; gradient && i < (int64_t)context->slots * cost->dim; i++)
    for (int l = 0; l < lanes; l++) gradient[i * BF_LANES + l] /= denominator;
  return BF_OK;
}

BfStatus bf_terminal_cost(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                          double *g, BfError *error) {
  return bf_terminal_gradient(cost, readout, context, lanes, z, g, NULL, error);
}

void bf_terminal_by_readout(const BfCost *cost, int64_t readout, const BfContext *context, const double *z,
                            double by[]) {
  cost->kind->by_readout(cost, readout, context, z, 1 / bf_cost_denominator(cost), by);
}

double bf_cost_correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z) {
  if (!cost->kind->correct || !context->label) return NAN;
  return cost->kind->correct(cost, readout, context, z);
}
