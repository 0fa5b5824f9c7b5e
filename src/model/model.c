#include "bellformer/model.h"
#include <math.h>

BfStatus bf_model_create(const BfProblem *problem, bool actions, BfModel *model, BfError *error) {
  *model = (BfModel){.layers = problem->horizon, .free = problem->layer.free, .quantized_cost = NAN};
  if (actions) BF_TRY(BF_NEW(&model->action, model->layers, error));
  return BF_NEW(&model->control, (int64_t)model->layers * model->free, error);
}

bool bf_model_is_solved(const BfModel *model) { return model->action != NULL; }

void bf_model_clear(BfModel *model) {
  bf_free(model->action);
  bf_free(model->control);
  *model = (BfModel){0};
}
