/* For each token -log softmax(R z + b)[label] with its own tag's label. */
#include "cost/bound.h"
#include "cost_kind.h"
#include "readout.h"
#include "readout_kind.h"
#include <float.h>
#include <math.h>

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)error;
  const int64_t each = (int64_t)cost->dim * BF_LANES;
  double        atom[BF_LANES];
  for (int l = 0; l < BF_LANES; l++) loss[l] = 0;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      double *by = gradient ? gradient + i * each : NULL;
      bf_readout_loss(cost, readout, z + i * each, lanes, context->label[g], atom, by);
      for (int l = 0; l < lanes; l++) loss[l] += context->mass[g] * atom[l];
      for (int64_t k = 0; by && k < each; k++) by[k] *= context->mass[g];
    }
  return BF_OK;
}

static void by_readout(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double weight,
                       double by[]) {
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      bf_readout_by_numbers(cost, readout, z + (int64_t)i * cost->dim * BF_LANES, context->label[g],
                            weight * context->mass[g], by);
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

static BfStatus adjoint(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                        BfError *error) {
  for (int g = 0; g < context->tags; g++)
    for (int64_t i = context->first[g]; i < context->first[g + 1]; i++)
      BF_TRY(bf_readout_residual(cost, readout, z + i * cost->dim, context->label[g], context->mass[g] / cost->tokens,
                                 p + i * cost->dim, error));
  return BF_OK;
}

static BfStatus minorant(const BfCost *cost, int64_t readout, const BfContext *context, const BfMinorantAt *where,
                         double *constant, double r[], BfError *error) {
  double size = 0;
  *constant   = 0;
  for (int g = 0; g < context->tags; g++)
    for (int64_t i = context->first[g] * (int64_t)cost->dim; i < context->first[g + 1] * (int64_t)cost->dim;
         i += cost->dim) {
      const BfMinorantAt here = {where->scale, where->at + i, where->from + i, where->reach};
      double             part;
      BF_TRY(bf_readout_minorant(cost, readout, &here, context->label[g], context->mass[g] / cost->tokens, &part, r + i,
                                 error));
      *constant += part;
      size += fabs(part);
    }
  *constant -= (context->slots + 4) * DBL_EPSILON * size;
  return BF_OK;
}

/* Of each token the differences of its logits from that of its label. */
static int features(const BfCost *cost, const BfContext *context) { return context->slots * (cost->classes - 1); }

static void bound(const BfCostBound *call, const BfAffine *z, BfAffine *feature) {
  const BfContext *context = call->context;
  for (int g = 0; g < context->tags; g++)
    for (int64_t i = context->first[g]; i < context->first[g + 1]; i++)
      bf_bound_logits(call, bf_affine_at(call->space, z, i * call->cost->dim), context->label[g], call->work,
                      bf_affine_at(call->space, feature, i * (call->cost->classes - 1)));
}

static double support(const BfCost *cost, const BfContext *context, const double x0[], double g[]) {
  const int others = cost->classes - 1;
  double    sum = 0, size = 0;
  for (int t = 0; t < context->tags; t++)
    for (int64_t i = context->first[t]; i < context->first[t + 1]; i++) {
      const double K = bf_log_sum_support(others, context->mass[t] / cost->tokens, x0 + i * others, g + i * others);
      sum += K;
      size += fabs(K);
    }
  return sum - (context->slots + 1) * DBL_EPSILON * size;
}

static double upper(const BfCost *cost, const BfContext *context, const double low[], const double high[]) {
  const int others = cost->classes - 1;
  double    sum    = 0;
  (void)low; /* phi rises with every feature */
  for (int g = 0; g < context->tags; g++)
    for (int64_t i = context->first[g]; i < context->first[g + 1]; i++)
      sum += bf_log_sum_upper(others, context->mass[g] / cost->tokens, high + i * others);
  return sum * (1 + (context->slots + 1) * DBL_EPSILON);
}

static void reads(const BfCost *cost, const BfContext *context, char slot[]) {
  (void)cost;
  for (int i = 0; i < context->slots; i++) slot[i] = 1;
}

const BfCostKind bf_cost_token_cross_entropy = {
    .base        = {"token_cross_entropy", (const BfKey[]){BF_READOUT_KEYS, {.name = NULL}}},
    .version     = BF_KIND_VERSION,
    .has_readout = true,
    .nonnegative = true,
    .average     = BF_AVERAGE_TOKENS,
    .evaluate    = evaluate,
    .correct     = correct,
    .adjoint     = adjoint,
    .formula     = "softmax residual",
    .minorant    = minorant,
    .by_readout  = by_readout,
    .features    = features,
    .bound       = bound,
    .support     = support,
    .upper       = upper,
    .reads       = reads};
