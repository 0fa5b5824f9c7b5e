/* For each token |z - y|^2 with the tag's target y: the loss that [ASY26] trains. */
#include "cost_kind.h"
#include <float.h>
#include <math.h>

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)readout;
  (void)lanes; /* whole vectors of additions cost no more */
  (void)error;
  const int dim = cost->dim;
  for (int l = 0; l < BF_LANES; l++) loss[l] = 0;
  for (int g = 0; g < context->tags; g++) {
    const double *y = context->target + (int64_t)g * dim;
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      const double *from           = z + (int64_t)i * dim * BF_LANES;
      double       *by             = gradient ? gradient + (int64_t)i * dim * BF_LANES : NULL;
      double        atom[BF_LANES] = {0};
      for (int a = 0; a < dim; a++)
        for (int l = 0; l < BF_LANES; l++) {
          const double away = from[a * BF_LANES + l] - y[a];
          atom[l] += away * away;
        }
      for (int l = 0; l < BF_LANES; l++) loss[l] += context->mass[g] * atom[l];
      for (int k = 0; by && k < dim * BF_LANES; k++) by[k] = 2 * context->mass[g] * (from[k] - y[k / BF_LANES]);
    }
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

const BfCostKind bf_cost_squared_error = {.base         = {.name = "squared_error"},
                                          .version      = BF_KIND_VERSION,
                                          .needs_target = true,
                                          .square       = true,
                                          .nonnegative  = true,
                                          .average      = BF_AVERAGE_TOKENS,
                                          .evaluate     = evaluate,
                                          .minorant     = minorant};
