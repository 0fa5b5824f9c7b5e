/* For each context -log softmax(R r_s + b)[label], with r_s pooled. */
#include "cost/bound.h"
#include "cost_kind.h"
#include "pooling.h"
#include "readout.h"
#include "readout_kind.h"
#include <float.h>
#include <math.h>

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)error;
  double r[cost->dim * BF_LANES], by_r[cost->dim * BF_LANES];
  bf_pooled_represent(cost, context, z, r);
  bf_readout_loss(cost, readout, r, lanes, context->label[0], loss, gradient ? by_r : NULL);
  if (gradient) bf_pooled_spread(cost, context, by_r, gradient);
  return BF_OK;
}

static void by_readout(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double weight,
                       double by[]) {
  double r[cost->dim * BF_LANES];
  bf_pooled_represent(cost, context, z, r);
  bf_readout_by_numbers(cost, readout, r, context->label[0], weight, by);
}

static BfStatus adjoint(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                        BfError *error) {
  return bf_pooled_adjoint(cost, readout, context, z, p, bf_readout_residual, error);
}

/* Pooling is linear, r_s a mean with weights that sum to 1: r_s - r_s(z0) stays within `reach` too. What rounding makes
 * of the pooled tokens and of the shares of r is at most 2 (slots + 4) units of both. */
static BfStatus minorant(const BfCost *cost, int64_t readout, const BfContext *context, const BfMinorantAt *where,
                         double *constant, double r[], BfError *error) {
  const int    d = cost->dim;
  const double w = 1 / cost->contexts, unit = 2 * (context->slots + 4) * DBL_EPSILON;
  double      *lanes = NULL, *spread = NULL, most = 0, sum = 0;
  double       pooled[d * BF_LANES], at[d], from[d], by[d], by_lanes[d * BF_LANES];
  BfStatus     status;
  BF_GOTO(BF_NEW(&lanes, (int64_t)context->slots * d * BF_LANES, error));
  BF_GOTO(BF_NEW(&spread, (int64_t)context->slots * d * BF_LANES, error));
  for (int i = 0; i < context->slots * d; i++) {
    lanes[(int64_t)i * BF_LANES]     = where->at[i];
    lanes[(int64_t)i * BF_LANES + 1] = where->from[i];
    most                             = fmax(most, fabs(where->from[i]));
  }
  bf_pooled_represent(cost, context, lanes, pooled);
  for (int a = 0; a < d; a++) {
    at[a]   = pooled[a * BF_LANES];
    from[a] = pooled[a * BF_LANES + 1];
  }
  const BfMinorantAt here = {where->scale, at, from, where->reach};
  BF_GOTO(bf_readout_minorant(cost, readout, &here, context->label[0], w, constant, by, error));
  for (int a = 0; a < d; a++) {
    sum += fabs(by[a]);
    for (int l = 0; l < BF_LANES; l++) by_lanes[a * BF_LANES + l] = by[a];
  }
  bf_pooled_spread(cost, context, by_lanes, spread);
  for (int i = 0; i < context->slots * d; i++) r[i] = spread[(int64_t)i * BF_LANES];
  *constant -= unit * sum * (most + where->reach);
done:
  bf_free(lanes);
  bf_free(spread);
  return status;
}

static double support(const BfCost *cost, const BfContext *context, const double x0[], double g[]) {
  (void)context;
  return bf_log_sum_support(cost->classes - 1, 1 / cost->contexts, x0, g);
}

static double upper(const BfCost *cost, const BfContext *context, const double low[], const double high[]) {
  (void)context;
  (void)low; /* phi rises with every feature */
  return bf_log_sum_upper(cost->classes - 1, 1 / cost->contexts, high);
}

const BfCostKind bf_cost_pooled_cross_entropy = {BF_POOLED_KIND("pooled_cross_entropy"),
                                                 .evaluate   = evaluate,
                                                 .adjoint    = adjoint,
                                                 .formula    = "softmax residual",
                                                 .minorant   = minorant,
                                                 .by_readout = by_readout,
                                                 .support    = support,
                                                 .upper      = upper};
