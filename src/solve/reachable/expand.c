/* A layer applied to one measure under many actions at once: lanes are actions. */
#include "solve/reachable/layers.h"
#include <math.h>

/* Atoms of one tag in one cell are evaluated once, and added up one by one. */
static double law_terms(const BfProblem *problem, const BfContext *context) {
  const double cells = problem->cells ? (double)bf_cells_count(problem->cells) : INFINITY, slots = context->slots;
  double       places = 0;
  for (int g = 0; g < context->tags; g++) places += fmin(cells, context->first[g + 1] - context->first[g]);
  return places * places + (slots - places) * (1 + places / 8);
}

double bf_reachable_terms(const BfProblem *problem) {
  double terms = 1;
  for (int64_t s = 0; s < problem->train.contexts; s++)
    terms += (double)(problem->layer.heads + 1) * law_terms(problem, &problem->context[s]);
  return terms;
}

/* Evaluates what actions from k on share, on a law; returns before which of them that holds. */
static int64_t begin_range(BfReachable *x, const BfContext *law, int64_t k, int64_t to) {
  const int64_t end = bf_action_parts_range(&x->parts, k, to);
  bf_action_parts_evaluate(&x->parts, law, &x->scratch);
  return end;
}

BfStatus bf_reachable_expand(BfReachable *x, const unsigned char *measure, int64_t k0, int64_t k1, unsigned char *out,
                             BfError *error) {
  const BfProblem *problem = x->problem;
  const int64_t    bytes   = x->measures.bytes;
  memset(out, 0, (size_t)((k1 - k0) * bytes));
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    BfContext law;
    bf_measures_load(&x->measures, measure, s, &x->scratch, &law);
    for (int64_t k = k0, end = k0; k < k1; k += BF_LANES) {
      if (k >= end) end = begin_range(x, &law, k, k1);
      bf_action_parts_apply(&x->parts, k, &law, &x->scratch);
      for (int l = 0; l < BF_LANES && k + l < k1; l++)
        BF_TRY(bf_measures_store(&x->measures, s, &law, l, &x->scratch, out + (k + l - k0) * bytes, error));
    }
  }
  return BF_OK;
}

/* The centres of the images' cells, lane by lane and atom by atom, in place of the images of the law's slots. */
static BfStatus quantize(BfReachable *x, const BfContext *context, const BfContext *law, int lanes, BfError *error) {
  const int      d    = x->problem->layer.dim;
  const int64_t *cell = x->scratch.cell;
  double         point[d];
  for (int l = 0; l < lanes; l++) {
    BF_TRY(bf_successor_cells(x->problem, law, x->scratch.next, l, &x->scratch, x->scratch.cell, error));
    for (int i = 0; i < context->slots; i++) {
      if (!i || cell[i] != cell[i - 1]) bf_cells_point(x->problem->cells, cell[i], point);
      for (int a = 0; a < d; a++) x->scratch.next[(i * d + a) * BF_LANES + l] = point[a];
    }
  }
  return BF_OK;
}

BfStatus bf_reachable_cost(BfReachable *x, const unsigned char *measure, int64_t block0, int64_t block1, double *total,
                           BfError *error) {
  const BfProblem *problem  = x->problem;
  const int64_t    padded   = x->actions.blocks * BF_LANES;
  const int64_t    readouts = problem->cost.readouts;
  const int64_t    actions  = block1 * BF_LANES < problem->actions ? block1 * BF_LANES : problem->actions;
  for (int64_t r = 0; r < readouts; r++)
    for (int64_t k = block0 * BF_LANES; k < block1 * BF_LANES; k++) total[r * padded + k] = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    BfContext law;
    bf_measures_load(&x->measures, measure, s, &x->scratch, &law);
    law.from = x->read ? x->read[s].from : 0;
    law.to   = x->read ? x->read[s].to : 0;
    for (int64_t b = block0, end = 0; b < block1; b++) {
      if (b * BF_LANES >= end) end = begin_range(x, &law, b * BF_LANES, actions);
      bf_action_parts_apply(&x->parts, b * BF_LANES, &law, &x->scratch);
      const int lanes = bf_action_parameters_in_block(problem, b);
      if (problem->cells) BF_TRY(quantize(x, &problem->context[s], &law, lanes, error));
      for (int64_t r = 0; r < readouts; r++) {
        double g[BF_LANES];
        BF_TRY(bf_finite_cost(&problem->cost, r, &problem->context[s], lanes, x->scratch.next, g, error));
        for (int l = 0; l < lanes; l++) total[r * padded + b * BF_LANES + l] += g[l];
      }
    }
  }
  return BF_OK;
}
