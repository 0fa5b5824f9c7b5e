/* For each token -log softmax(R z + b)[label] with its own tag's label. */
#include "cost_kind.h"
#include "readout.h"

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double *loss,
                         BfError *error) {
  (void)error;
  double atom[BF_LANES];
  for (int l = 0; l < BF_LANES; l++) loss[l] = 0;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      bf_readout_loss(cost, readout, z + (int64_t)i * cost->dim * BF_LANES, context->label[g], atom);
      for (int l = 0; l < BF_LANES; l++) loss[l] += context->mass[g] * atom[l];
    }
  return BF_OK;
}

static BfStatus gradient(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double *out,
                         BfError *error) {
  (void)error;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      double *by = out + (int64_t)i * cost->dim * BF_LANES;
      bf_readout_gradient(cost, readout, z + (int64_t)i * cost->dim * BF_LANES, context->label[g], by);
      for (int k = 0; k < cost->dim * BF_LANES; k++) by[k] *= context->mass[g];
    }
  return BF_OK;
}

static double correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z) {
  double mass = 0;
  int    given[BF_LANES];
  for (int g = 0; g < context->tags; g++) {
    int atoms = 0;
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      bf_readout_label(cost, readout, z + (int64_t)i * cost->dim * BF_LANES, given);
      atoms += given[0] == context->label[g];
    }
    mass += atoms * context->mass[g];
  }
  return mass;
}

const BfCostKind bf_cost_token_cross_entropy = {.name        = "token_cross_entropy",
                                                .has_readout = 1,
                                                .average     = BF_AVERAGE_TOKENS,
                                                .evaluate    = evaluate,
                                                .gradient    = gradient,
                                                .correct     = correct};
