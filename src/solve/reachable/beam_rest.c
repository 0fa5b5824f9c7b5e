/* What follows a measure, and its successors, by the tables of contexts alone where there are any. */
#include "solve/reachable/beam.h"
#include <math.h>

static void add_tables(const BfReachable *x, int t, const unsigned char *measure, double rest[]) {
  const BfAlone *alone = &x->beam->alone;
  const int64_t  K     = x->problem->actions;
  for (int64_t k = 0; k < K; k++) rest[k] = 0;
  for (int64_t s = 0; s < x->problem->train.contexts; s++) {
    if (alone->context[s].shape < 0) continue;
    const int32_t *row   = bf_alone_row(alone, s, bf_alone_number(alone, &x->measures, measure, s));
    const double  *value = bf_alone_value(alone, s, t + 1);
    for (int64_t k = 0; k < K; k++) rest[k] += value[row[k]];
  }
}

/* The terminal costs of the contexts that have no table, as if the depth ended here, of up to BF_LANES successors. */
static BfStatus add_costs(BfReachable *x, const unsigned char *successor, int lanes, double rest[], BfError *error) {
  const BfProblem *problem = x->problem;
  double           least[BF_LANES];
  for (int l = 0; l < BF_LANES; l++) least[l] = INFINITY;
  for (int64_t r = 0; r < problem->cost.readouts; r++) {
    double sum[BF_LANES] = {0}, g[BF_LANES];
    for (int64_t s = 0; s < problem->train.contexts; s++) {
      if (x->beam->alone.context[s].shape >= 0) continue;
      for (int l = 0; l < lanes; l++)
        bf_measures_tokens(&x->measures, successor + l * x->measures.bytes, s, l, x->scratch.z);
      BF_TRY(bf_finite_cost(&problem->cost, r, &problem->context[s], lanes, x->scratch.z, g, error));
      for (int l = 0; l < lanes; l++) sum[l] += g[l];
    }
    for (int l = 0; l < lanes; l++) least[l] = fmin(least[l], sum[l]);
  }
  for (int l = 0; l < lanes; l++) rest[l] += least[l];
  return BF_OK;
}

BfStatus bf_beam_rest(BfReachable *x, int t, const unsigned char *measure, double rest[], unsigned char *successors,
                      BfError *error) {
  const int64_t K = x->problem->actions;
  add_tables(x, t, measure, rest);
  if (x->beam->alone.all) return BF_OK;
  BF_TRY(bf_reachable_expand(x, measure, 0, K, successors, error));
  for (int64_t k = 0; k < K; k += BF_LANES)
    BF_TRY(
        add_costs(x, successors + k * x->measures.bytes, K - k < BF_LANES ? (int)(K - k) : BF_LANES, rest + k, error));
  return BF_OK;
}

void bf_beam_rows(const BfReachable *x, const unsigned char *measure, const int32_t *row[]) {
  const BfAlone *alone = &x->beam->alone;
  for (int64_t s = 0; s < x->problem->train.contexts; s++)
    row[s] = bf_alone_row(alone, s, bf_alone_number(alone, &x->measures, measure, s));
}

void bf_beam_successor(const BfReachable *x, const int32_t *const row[], int64_t k, unsigned char *successor) {
  const BfAlone *alone = &x->beam->alone;
  memset(successor, 0, (size_t)x->measures.bytes);
  for (int64_t s = 0; s < x->problem->train.contexts; s++) {
    const BfShape *shape = &alone->shape[alone->context[s].shape];
    memcpy(successor + x->measures.first[s] * x->measures.width, shape->set.measure + row[s][k] * shape->measures.bytes,
           (size_t)(shape->measures.slots * shape->measures.width));
  }
}

void bf_beam_cost(const BfReachable *x, const unsigned char *measure, double *total) {
  const BfAlone *alone  = &x->beam->alone;
  const int64_t  padded = x->actions.blocks * BF_LANES, K = x->problem->actions;
  for (int64_t r = 0; r < x->problem->cost.readouts; r++) {
    for (int64_t k = 0; k < K; k++) total[r * padded + k] = 0;
    for (int64_t s = 0; s < x->problem->train.contexts; s++) {
      const int32_t *row  = bf_alone_row(alone, s, bf_alone_number(alone, &x->measures, measure, s));
      const double  *cost = bf_alone_cost(alone, s, r);
      for (int64_t k = 0; k < K; k++) total[r * padded + k] += cost[row[k]];
    }
  }
}
