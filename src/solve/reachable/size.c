#include "bellformer/solve.h"
#include "solve/reachable/alone.h"
#include "solve/reachable/layers.h"
#include <math.h>

/* Types of m atoms on n cells, C(m + n - 1, m), by a product that rounds alike everywhere. */
static double types(double n, int atoms) {
  double count = 1;
  for (int i = 1; i <= atoms; i++) count = count * (n + i - 1) / i;
  return count;
}

static double context_measures(const BfProblem *problem, const BfContext *context) {
  double count = 1;
  for (int g = 0; g < context->tags; g++)
    count *= types((double)bf_cells_count(problem->cells), context->first[g + 1] - context->first[g]);
  return count;
}

static double all_measures(const BfProblem *problem) {
  double count = 1;
  if (!problem->cells) return INFINITY;
  for (int64_t s = 0; s < problem->train.contexts; s++) count *= context_measures(problem, &problem->context[s]);
  return count;
}

/* Every context reaches all that it has, or K times more from depth to depth. */
static double all_tables(const BfMeasures *measures) {
  const BfProblem *problem = measures->problem;
  const double     K       = (double)problem->actions;
  double           reached = 1, numbers = 0;
  if (!problem->cells) return 0;
  for (int t = 0; t < problem->horizon; t++) reached = 1 + K * reached;
  for (int64_t s = 0; s < problem->train.contexts; s++)
    numbers += fmin(reached, context_measures(problem, &problem->context[s])) *
               bf_alone_numbers(problem, 1, 8 + (double)problem->context[s].slots * measures->width);
  return numbers;
}

double bf_reachable_most(const BfReachableSize *size, int t) {
  double count = 1;
  for (int i = 0; i < t && count < size->most; i++) count *= size->actions;
  return count < size->most ? count : size->most;
}

/* Of a beam: what a round sends, with the arrays that hold it, twice B measures in the set, and every pair as an edge:
 * what was sent, its number at its owner, in arrays that double, and the edge. */
static double beam_layer_bytes(const BfReachableSize *size, double measures) {
  const double all = measures * size->actions, measure = (double)size->measure_bytes,
               round = fmin(all, 4 * size->beam + size->actions), set = fmin(all, 2 * size->beam + 2 + round);
  return round * (5 * (measure + 16) + 32) + set * (3 * measure + 120) + all * 72;
}

/* A successor has its number, 8 bytes, at its parent and, 8 more with the room of an array that grows, in its owner's
 * log, and its place in a message. A distinct one has its bytes, hash and slots, doubled while the set grows; then an
 * entry of the sort. */
double bf_reachable_layer_bytes(const BfReachableSize *size, int t, double measures, double next) {
  if (t == size->horizon - 1) return 17 * measures;
  if (size->beam > 0) return beam_layer_bytes(size, measures);
  return measures * size->actions * (8 + 16 + 4) + next * (3.0 * (double)size->measure_bytes + 72);
}

double bf_reachable_kept_bytes(const BfReachableSize *size, int t, double measures) {
  if (size->beam > 0)
    return measures * ((double)size->measure_bytes + 28 + (t < size->horizon - 1 ? 16 * size->actions : 4));
  return measures * ((double)size->measure_bytes + 12 + (t < size->horizon - 1 ? 8 * size->actions : 4));
}

BfStatus bf_reachable_size(const BfProblem *problem, const BfReachableOptions *options, BfReachableSize *size,
                           BfError *error) {
  BfMeasures measures;
  BF_TRY(bf_measures_create(problem, &measures, error));
  *size                = (BfReachableSize){.most          = all_measures(problem),
                                           .actions       = (double)problem->actions,
                                           .horizon       = problem->horizon,
                                           .measure_bytes = measures.bytes,
                                           .terms         = bf_reachable_terms(problem)};
  const double centres = problem->cells ? (double)problem->transition->centres(problem->layer.dim) : 1;
  if (centres > 1) size->terms += 4 * (double)measures.slots * centres;
  size->runs = 1;
  if (options && options->beam) {
    size->beam       = ldexp((double)options->beam, options->doublings);
    size->most       = fmin(size->most, size->beam);
    size->runs       = 2 - ldexp(1, -options->doublings);
    size->all_tables = all_tables(&measures);
    size->tables     = fmin(size->all_tables, (double)options->tables);
  }
  for (int t = 0; t < problem->horizon - 1; t++) size->expanded += bf_reachable_most(size, t) * size->actions;
  size->expanded *= size->runs;
  size->costed = size->runs * bf_reachable_most(size, problem->horizon - 1) * size->actions;
  size->work   = (size->expanded + size->costed) * size->terms;
  bf_measures_clear(&measures);
  return BF_OK;
}

double bf_reachable_peak_bytes(const BfReachableSize *size) {
  double kept = 0, peak = 0;
  for (int t = 0; t < size->horizon; t++) {
    const double here = bf_reachable_most(size, t), next = bf_reachable_most(size, t + 1);
    peak = fmax(peak, kept + bf_reachable_layer_bytes(size, t, here, next));
    kept += bf_reachable_kept_bytes(size, t, here);
  }
  return fmax(peak, kept + 8 * bf_reachable_most(size, size->horizon - 1));
}
