/* A result of `flow` on other data: the flow in the scheme that it was trained with. */
#include "flow/trainer.h"
#include <stdio.h>
#include <string.h>

/* scheme NULL: it is no result of flow. */
static BfStatus read_scheme(const BfRun *run, const char *path, BfFlowOptions *o, BfError *error) {
  BfStore *store = NULL;
  char    *name  = NULL;
  int64_t  steps;
  bool     there;
  BfStatus status;
  *o = (BfFlowOptions){.memory = 0};
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/flow", &there, error));
  if (!there) goto done;
  BF_GOTO(bf_store_get_text(store, "/flow", "scheme", &name, error));
  BF_GOTO(bf_store_get_int(store, "/flow", "steps", &steps, error));
  BF_GOTO(bf_store_get_double(store, "/flow", "tolerance", &o->tolerance, error));
  o->scheme = bf_scheme(name);
  o->steps  = (int)steps;
  if (!o->scheme || steps < 1 || steps > 1000000 || !(o->tolerance > 0))
    status = bf_fail(error, BF_BAD_INPUT, "%s: /flow: its scheme is damaged", path);
done:
  status = bf_store_end(&store, error);
  bf_free(name);
  return status;
}

static void print_title(const BfFlowOptions *o, size_t size, char title[]) {
  if (o->scheme->discrete) snprintf(title, size, "flow (%s)", o->scheme->name);
  else if (o->scheme->adaptive) snprintf(title, size, "flow (%s, tolerance %g)", o->scheme->name, o->tolerance);
  else snprintf(title, size, "flow (%s, %d step%s a layer)", o->scheme->name, o->steps, o->steps > 1 ? "s" : "");
}

/* The model as the flow has it: controls and, where it is trained, the readout. */
static BfStatus join(const BfProblem *problem, const BfModel *model, double **x, BfError *error) {
  const int64_t controls = (int64_t)model->layers * model->free;
  BF_TRY(BF_NEW(x, bf_flow_numbers(problem), error));
  memcpy(*x, model->control, sizeof(double) * (size_t)controls);
  if (problem->cost.trained) memcpy(*x + controls, model->numbers, sizeof(double) * (size_t)problem->cost.trained);
  return BF_OK;
}

BfStatus bf_flow_apply(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, const BfModel *model,
                       BfApplied *out, BfError *error) {
  BfFlow       *flow    = NULL;
  double       *control = NULL;
  BfFlowValue   value   = {0};
  BfFlowOptions options;
  BfStatus      status;
  BF_TRY(read_scheme(run, path, &options, error));
  if (!options.scheme) return BF_OK;
  BF_TRY(
      bf_together(run->world, BF_NEW(&out->tokens, (problem->horizon + 1) * data->tokens * data->dim, error), error));
  value.tokens = out->tokens;
  BF_GOTO(bf_together(run->world, join(problem, model, &control, error), error));
  BF_GOTO(bf_flow_create(run, problem, data, &options, &flow, error));
  bf_flow_set_readout(flow, model->readout);
  bf_work_expect(run, BF_PHASE_FLOW, 1, "evaluations", bf_flow_seconds(flow) / 3.5, false);
  bf_phase_begin(run, BF_PHASE_FLOW);
  status = bf_flow_evaluate(flow, control, &value, error);
  bf_phase_end(run, BF_PHASE_FLOW);
  out->name      = "flow";
  out->as_layers = options.scheme->discrete;
  out->loss      = value.loss;
  out->accuracy  = value.accuracy;
  print_title(&options, sizeof out->title, out->title);
done:
  bf_flow_destroy(&flow);
  bf_free(control);
  return status;
}
