/* For each token |z - y|^2 with the tag's target y: the loss that [ASY26] trains. */
#include "cost_kind.h"

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double *loss,
                         BfError *error) {
  (void)readout;
  (void)error;
  const int dim = cost->dim;
  for (int l = 0; l < BF_LANES; l++) loss[l] = 0;
  for (int g = 0; g < context->tags; g++) {
    const double *y = context->target + (int64_t)g * dim;
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      double atom[BF_LANES] = {0};
      for (int a = 0; a < dim; a++)
        for (int l = 0; l < BF_LANES; l++) {
          const double away = z[((int64_t)i * dim + a) * BF_LANES + l] - y[a];
          atom[l] += away * away;
        }
      for (int l = 0; l < BF_LANES; l++) loss[l] += context->mass[g] * atom[l];
    }
  }
  return BF_OK;
}

static BfStatus gradient(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double *out,
                         BfError *error) {
  (void)readout;
  (void)error;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int a = 0; a < cost->dim; a++)
        for (int l = 0; l < BF_LANES; l++) {
          const int64_t at = ((int64_t)i * cost->dim + a) * BF_LANES + l;
          out[at]          = 2 * context->mass[g] * (z[at] - context->target[(int64_t)g * cost->dim + a]);
        }
  return BF_OK;
}

const BfCostKind bf_cost_squared_error = {.name         = "squared_error",
                                          .needs_target = 1,
                                          .average      = BF_AVERAGE_TOKENS,
                                          .evaluate     = evaluate,
                                          .gradient     = gradient};
