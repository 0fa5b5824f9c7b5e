/* The answer of `flow`: told, and written. */
#include "flow/answer.h"
#include "train/session.h"
#include <math.h>

void bf_flow_answer_clear(BfFlowAnswer *x) {
  bf_training_clear(&x->training);
  bf_free(x->value.gradient);
  bf_free(x->value.tokens);
  bf_free(x->value.adjoint);
  bf_pontryagin_clear(&x->pontryagin);
  bf_model_clear(&x->model);
  bf_rollout_clear(&x->layers);
  bf_rollout_clear(&x->test_layers);
  bf_flow_layers_clear(&x->compared);
}

BfStatus bf_flow_answer_write(const BfProblem *problem, const BfFlowOptions *o, const BfFlowAnswer *x, BfStore *store,
                              BfError *error) {
  const bool test = problem->test.tokens > 0;
  BF_TRY(bf_model_write(problem, &x->model, store, error));
  BF_TRY(bf_rollout_write(problem, &x->layers, &x->test_layers, store, error));
  BF_TRY(bf_flow_write(problem, o, &x->value, &x->training, &x->pontryagin, &x->compared, store, error));
  if (!test) return BF_OK;
  BF_TRY(bf_store_attribute_double(store, "/flow", "test_loss", x->test.loss, error));
  return bf_store_attribute_double(store, "/flow", "test_accuracy", x->test.accuracy, error);
}

/* What the flow leaves out, and where that matters. */
static void print_outside(const BfRun *run, const BfProblem *problem, const BfScheme *scheme, const BfFlowAnswer *x) {
  const BfFlowLayers *c      = &x->compared;
  const bool          sphere = problem->layer.projection == BF_PROJECT_SPHERE;
  if (bf_scheme_is_layers(scheme)) return;
  bf_print(run, "outside %s at ends of layers, where only P would keep them: %lld of %lld tokens",
           sphere ? "the sphere" : "Z", (long long)c->tokens, (long long)problem->train.tokens);
  if (c->tokens)
    bf_print(run, ", the first %lld at depth %.4g", (long long)c->outside[c->first],
             (double)c->first * problem->layer.step);
  bf_print(run, "\n");
  if (c->difference > 0.01)
    bf_warn(run,
            "J of the flow, %.6g, and the cost of the layers with the same controls, %.6g, differ by more than 1 %%; "
            "-scheme layers minimizes the latter",
            x->value.cost, x->layers.cost);
}

/* H of the layers varies along depth whatever u is. */
static void print_variation(const BfRun *run, const BfPontryagin *p) {
  if (p->ends == 2)
    bf_print(run, "; H varies by %.3g over depth, by %.3g within a layer", p->variation, p->variation_within);
}

void bf_flow_answer_print(const BfRun *run, const BfProblem *problem, const BfScheme *scheme, const BfFlowAnswer *x) {
  const BfTraining   *t    = &x->training;
  const BfPontryagin *p    = &x->pontryagin;
  const bool          test = problem->test.tokens > 0;
  bf_print(run, "%s after %lld iterations, %lld evaluations in all", bf_training_reason(t), (long long)t->iterations,
           (long long)t->evaluations);
  if (t->starts > 1) bf_print(run, "; best start: %lld of %lld", (long long)t->best + 1, (long long)t->starts);
  bf_print(run, "\nflow (%s): J = %.10g, ", scheme->name, x->value.cost);
  bf_print_loss(run, "training", x->value.loss, x->value.accuracy);
  if (test) bf_print_loss(run, "; test", x->test.loss, x->test.accuracy);
  bf_print(run, "\nlayers: cost %.10g, ", x->layers.cost);
  bf_print_loss(run, "training", x->layers.loss, x->layers.accuracy);
  if (test) bf_print_loss(run, "; test", x->test_layers.loss, x->test_layers.accuracy);
  bf_print(run, "\n");
  print_outside(run, problem, scheme, x);
  bf_print(run, "Pontryagin: |u - P_U(u - dH/du)| <= %.3g", p->stationarity);
  print_variation(run, p);
  if (!isnan(p->terminal)) bf_print(run, "; |p(T) - softmax residual| <= %.3g", p->terminal);
  if (problem->actions)
    bf_print(run, "\n            H(t, u(t)) exceeds its minimum over the %lld actions by at most %.3g",
             (long long)problem->actions, p->violation);
  else bf_print(run, "\n            H(t, u(t)) against its minimum over actions: left out, the problem gives none");
  if (p->violation_action >= 0)
    bf_print(run, ", at depth %.4g by action %d", p->violation_depth, (int)p->violation_action);
  bf_print(run, "\n");
}
