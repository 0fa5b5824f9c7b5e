/* Where bounds from above come from: a result. */
#include "bellformer/model.h"
#include "certify/trainer.h"
#include <math.h>
#include <string.h>

static BfStatus take(const BfProblem *problem, const char *path, const BfModel *model, double **out, BfError *error) {
  const BfCost *cost     = &problem->cost;
  const int64_t controls = (int64_t)problem->horizon * problem->layer.free, all = controls + cost->trained;
  if (model->layers != problem->horizon || model->free != problem->layer.free)
    return bf_fail(error, BF_BAD_INPUT, "-found %s: %d layers of %d free numbers; the problem has %d of %d", path,
                   model->layers, model->free, problem->horizon, problem->layer.free);
  BF_TRY(BF_NEW(out, all, error));
  for (int64_t i = 0; i < all; i++) {
    double lower, upper;
    bf_number_range(problem, i, &lower, &upper);
    (*out)[i] = i < controls     ? model->control[i]
                : model->numbers ? model->numbers[i - controls]
                                 : bf_readout_middle(cost, i - controls);
    if ((*out)[i] >= lower && (*out)[i] <= upper) continue;
    return bf_fail(
        error, BF_BAD_INPUT, "-found %s: number %lld of its %s, %.15g, is outside the problem's box [%g, %g]", path,
        (long long)(i < controls ? i : i - controls), i < controls ? "controls" : "readout", (*out)[i], lower, upper);
  }
  return BF_OK;
}

BfStatus bf_certify_read_found(const BfRun *run, const BfProblem *problem, const char *path, double **out,
                               BfError *error) {
  BfModel  model = {0};
  BfStatus status;
  BF_GOTO(bf_model_read_controls(run, path, &problem->cost, &model, error));
  status = bf_together(run->world, take(problem, path, &model, out, error), error);
done:
  bf_model_clear(&model);
  return status;
}
