/* For each token |z - y|^2 with the tag's target y: the loss that [ASY26] trains. */
#include "cost_kind.h"
#include "lanes.h"
#include <float.h>
#include <math.h>

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)readout;
  (void)lanes; /* whole vectors of additions cost no more */
  (void)error;
  const int dim = cost->dim;
  bf_cost_kernels(cost)->squares(context, dim, z, loss);
  for (int g = 0; gradient && g < context->tags; g++) {
    const double *y = context->target + (int64_t)g * dim;
    for (int64_t i = context->first[g]; i < context->first[g + 1]; i++)
      for (int64_t k = 0; k < dim * BF_LANES; k++)
        gradient[i * dim * BF_LANES + k] = 2 * context->mass[g] * (z[i * dim * BF_LANES + k] - y[k / BF_LANES]);
  }
  return BF_OK;
}

/* Of a token of weight w = mass / N: w |z - y|^2 >= <r, z - y> - |r|^2 / (4 w) for every r, with equality where r = 2 w
 * (z - y). All sums have at most 4 slots dim + 4 roundings. */
static BfStatus minorant(const BfCost *cost, int64_t readout, const BfContext *context, const BfMinorantAt *where,
                         double *constant, double r[], BfError *error) {
  (void)readout;
  (void)error;
  const int dim = cost->dim;
  double    sum = 0, size = 0;
  for (int g = 0; g < context->tags; g++) {
    const double w = context->mass[g] / cost->tokens;
    for (int k = context->first[g] * dim; k < context->first[g + 1] * dim; k++) {
      const double y = context->target[(int64_t)g * dim + k % dim];
      r[k]           = where->scale * 2 * w * (where->at[k] - y);
      sum += r[k] * (where->from[k] - y) - r[k] * r[k] / (4 * w);
      size += fabs(r[k]) * (fabs(where->from[k]) + fabs(y)) + r[k] * r[k] / (4 * w);
    }
  }
  *constant = sum - (4.0 * context->slots * dim + 16) * DBL_EPSILON * size;
  return BF_OK;
}

/* The features are the tokens themselves. */
static int features(const BfCost *cost, const BfContext *context) { return context->slots * cost->dim; }

static void bound(const BfCostBound *call, const BfAffine *z, BfAffine *feature) {
  for (int i = 0; i < call->context->slots * call->cost->dim; i++)
    bf_affine_copy(call->space, bf_affine_at(call->space, z, i), bf_affine_at(call->space, feature, i));
}

/* As the minorant, with g = 2 w (x0 - y), where x0 is a number. */
static double support(const BfCost *cost, const BfContext *context, const double x0[], double g[]) {
  const int dim = cost->dim;
  double    sum = 0, size = 0;
  for (int t = 0; t < context->tags; t++) {
    const double w = context->mass[t] / cost->tokens;
    for (int k = context->first[t] * dim; k < context->first[t + 1] * dim; k++) {
      const double y = context->target[(int64_t)t * dim + k % dim], by = 2 * w * (x0[k] - y);
      g[k] = fabs(by) < 1e140 ? by : 0;
      sum -= g[k] * y + g[k] * g[k] / (4 * w);
      size += fabs(g[k] * y) + g[k] * g[k] / (4 * w);
    }
  }
  return sum - (context->slots * dim + 16) * DBL_EPSILON * size;
}

static double upper(const BfCost *cost, const BfContext *context, const double low[], const double high[]) {
  const int dim = cost->dim;
  double    sum = 0;
  for (int t = 0; t < context->tags; t++)
    for (int k = context->first[t] * dim; k < context->first[t + 1] * dim; k++) {
      const double y = context->target[(int64_t)t * dim + k % dim], away = fmax(fabs(low[k] - y), fabs(high[k] - y));
      sum += context->mass[t] / cost->tokens * away * away;
    }
  return sum * (1 + (context->slots * dim + 16) * DBL_EPSILON);
}

static void reads(const BfCost *cost, const BfContext *context, char slot[]) {
  (void)cost;
  for (int i = 0; i < context->slots; i++) slot[i] = 1;
}

const BfCostKind bf_cost_squared_error = {.base         = {.name = "squared_error"},
                                          .version      = BF_KIND_VERSION,
                                          .needs_target = true,
                                          .square       = true,
                                          .nonnegative  = true,
                                          .average      = BF_AVERAGE_TOKENS,
                                          .evaluate     = evaluate,
                                          .minorant     = minorant,
                                          .features     = features,
                                          .bound        = bound,
                                          .support      = support,
                                          .upper        = upper,
                                          .reads        = reads};
