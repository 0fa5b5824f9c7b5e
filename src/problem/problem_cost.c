/* cost.*: what costs need to know of the problem. */
#include "reader.h"

#include <math.h>

double bf_problem_diameter2(const BfLayer *layer, const BfData *data) {
  const int sphere    = layer->projection == BF_PROJECT_SPHERE;
  double    diameter2 = 0;
  for (int j = 0; j < layer->dim; j++) {
    double lower = sphere ? fmin(layer->lower[j], -1) : layer->lower[j],
           upper = sphere ? fmax(layer->upper[j], 1) : layer->upper[j];
    for (int64_t g = 0; data->target && g < data->tags; g++) {
      lower = fmin(lower, data->target[g * layer->dim + j]);
      upper = fmax(upper, data->target[g * layer->dim + j]);
    }
    diameter2 += (upper - lower) * (upper - lower);
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
