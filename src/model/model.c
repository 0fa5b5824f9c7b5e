#include "bellformer/model.h"
#include <math.h>

BfStatus bf_model_create(const BfProblem *problem, bool actions, BfModel *model, BfError *error) {
  *model = (BfModel){.layers = problem->horizon, .free = problem->layer.free, .quantized_cost = NAN};
  if (actions) BF_TRY(BF_NEW(&model->action, model->layers, error));
  return BF_NEW(&model->control, (int64_t)model->layers * model->free, error);
}

BfCost bf_model_cost(const BfProblem *problem, const BfModel *model) {
  BfCost        cost    = problem->cost;
  const int64_t entries = (int64_t)cost.classes * cost.dim;
  if (!cost.matrix) return cost;
  cost.matrix   = model->numbers ? model->numbers : cost.matrix + model->readout * entries;
  cost.bias     = model->numbers ? model->numbers + entries : cost.bias + model->readout * cost.classes;
  cost.readouts = 1;
  return cost;
}

bool bf_model_is_solved(const BfModel *model) { return model->action != NULL; }

void bf_model_clear(BfModel *model) {
  bf_free(model->action);
  bf_free(model->control);
  bf_free(model->numbers);
  *model = (BfModel){0};
}
