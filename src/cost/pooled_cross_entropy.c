/* For each context -log softmax(R r_s + b)[label], with r_s the mean of z under mu_s over all positions, or over the
 * last or the first that is there. */
#include "cost_kind.h"
#include "readout.h"

#include <limits.h>

/* The positions from *begin to *end, both included, are pooled. */
static void pooled_positions(BfPooling pooling, const BfContext *context, int *begin, int *end) {
  int first = INT_MAX, last = 0;
  for (int g = 0; g < context->tags; g++) {
    if (context->position[g] < first) first = context->position[g];
    if (context->position[g] > last) last = context->position[g];
  }
  *begin = pooling == BF_POOL_LAST ? last : first;
  *end   = pooling == BF_POOL_FIRST ? first : last;
}

/* r_s [dim][BF_LANES]. */
static void represent(const BfCost *cost, const BfContext *context, const double *z, double *r) {
  const int dim = cost->dim;
  int       begin, end;
  double    mass = 0;
  pooled_positions(cost->pooling, context, &begin, &end);
  for (int k = 0; k < dim * BF_LANES; k++) r[k] = 0;
  for (int g = 0; g < context->tags; g++) {
    if (context->position[g] < begin || context->position[g] > end) continue;
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int k = 0; k < dim * BF_LANES; k++) r[k] += context->mass[g] * z[(int64_t)i * dim * BF_LANES + k];
    mass += context->mass[g] * (context->first[g + 1] - context->first[g]);
  }
  for (int k = 0; k < dim * BF_LANES; k++) r[k] /= mass;
}

/* r_s, and the context's label: all its tags carry the same. */
static int pool(const BfCost *cost, const BfContext *context, const double *z, double *r) {
  represent(cost, context, z, r);
  return context->label[0];
}

/* From by_r [dim][BF_LANES] to the tokens that r is the mean of. */
static void spread(const BfCost *cost, const BfContext *context, const double *by_r, double *gradient) {
  double mass = 0;
  int    begin, end;
  pooled_positions(cost->pooling, context, &begin, &end);
  for (int g = 0; g < context->tags; g++)
    if (context->position[g] >= begin && context->position[g] <= end)
      mass += context->mass[g] * (context->first[g + 1] - context->first[g]);
  for (int g = 0; g < context->tags; g++) {
    const double share = context->position[g] >= begin && context->position[g] <= end ? context->mass[g] / mass : 0;
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int k = 0; k < cost->dim * BF_LANES; k++) gradient[(int64_t)i * cost->dim * BF_LANES + k] = share * by_r[k];
  }
}

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)error;
  double    r[cost->dim * BF_LANES], by_r[cost->dim * BF_LANES];
  const int label = pool(cost, context, z, r);
  bf_readout_loss(cost, readout, r, lanes, label, loss, gradient ? by_r : NULL);
  if (gradient) spread(cost, context, by_r, gradient);
  return BF_OK;
}

static double correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z) {
  double    r[cost->dim * BF_LANES];
  int       given[BF_LANES];
  const int label = pool(cost, context, z, r);
  bf_readout_label(cost, readout, r, given);
  return given[0] == label;
}

const BfCostKind bf_cost_pooled_cross_entropy = {.name        = "pooled_cross_entropy",
                                                 .has_readout = 1,
                                                 .average     = BF_AVERAGE_CONTEXTS,
                                                 .evaluate    = evaluate,
                                                 .represent   = represent,
                                                 .correct     = correct};
