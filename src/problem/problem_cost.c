/* cost.*: what costs need to know of the problem. */
#include "reader.h"

#include <math.h>

double bf_problem_diameter2(const BfLayer *layer, const BfData *data) {
  double lower[BF_MOST_DIM], upper[BF_MOST_DIM], diameter2 = 0;
  layer->projection->box(layer, lower, upper);
  for (int j = 0; j < layer->dim; j++) {
    for (int64_t g = 0; data->target && g < data->tags; g++) {
      lower[j] = fmin(lower[j], data->target[g * layer->dim + j]);
      upper[j] = fmax(upper[j], data->target[g * layer->dim + j]);
    }
    diameter2 += (upper[j] - lower[j]) * (upper[j] - lower[j]);
  }
  return diameter2;
}

BfStatus bf_read_cost(BfReader *reader, BfError *error) {
  BfProblem        *problem = reader->problem;
  BfCost           *cost    = &problem->cost;
  const BfKeyReader keys    = bf_key_reader(reader);
  const BfCostData  data    = {
          .contexts = problem->train.contexts, .context = problem->context, .labels = problem->train.labels};
  cost->dim       = problem->layer.dim;
  cost->step      = problem->layer.step;
  cost->contexts  = (double)problem->train.contexts;
  cost->tokens    = (double)problem->train.tokens;
  cost->diameter2 = bf_problem_diameter2(&problem->layer, &problem->train);
  return bf_cost_read(cost, &keys, &data, error);
}
