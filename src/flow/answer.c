/* The answer of `flow`: written, and told. */
#include "flow/trainer.h"
#include <math.h>
#include <stdio.h>

BfStatus bf_flow_write_answer(const void *state, const BfSession *session, BfStore *store, BfError *error) {
  const BfFlowState *x = state;
  BF_TRY(
      bf_flow_write(session->problem, &x->options, &x->value, &x->answer, &x->pontryagin, &x->compared, store, error));
  if (!session->problem->test.tokens) return BF_OK;
  BF_TRY(bf_store_put_double(store, "/flow", "test_loss", x->test.loss, error));
  return bf_store_put_double(store, "/flow", "test_accuracy", x->test.accuracy, error);
}

/* What the flow leaves out, and where that matters. */
static void print_outside(const BfFlowState *x, const BfSession *session) {
  const BfRun        *run     = session->run;
  const BfProblem    *problem = session->problem;
  const BfFlowLayers *c       = &x->compared;
  const char         *keep    = problem->layer.projection->keeps;
  if (x->options.scheme->discrete && keep) return;
  bf_print(run, "outside %s at ends of layers, where %s: %lld of %lld tokens", keep ? keep : "Z",
           keep ? "only P would keep them" : "nothing keeps them", (long long)c->tokens,
           (long long)problem->train.tokens);
  if (c->tokens)
    bf_print(run, ", the first %lld at depth %.4g", (long long)c->outside[c->first],
             (double)c->first * problem->layer.step);
  bf_print(run, "\n");
  if (!(c->difference <= 0.01))
    bf_warn(run,
            "J of the flow, %.6g, and the cost of the layers with the same controls, %.6g, differ by more than 1 %%; "
            "-scheme layers minimizes the latter",
            x->value.cost, session->trained.train.cost);
}

/* What became of the open loops or minima of -init, the best first. */
static void print_refined(const BfRun *run, const BfFlowAnswer *t) {
  enum { SHOWN = 20 };
  if (t->givens < 2) return;
  bf_print(run, "start of -init: refined cost, from, minimum\n");
  for (int64_t s = 0; s < t->givens && s < SHOWN; s++) {
    bf_print(run, "  %lld: %.10g, %.8g, ", (long long)s + 1, t->final_cost[s], t->initial_cost[s]);
    if (t->minimum[s] < 0) bf_print(run, "none\n");
    else bf_print(run, "%lld\n", (long long)t->minimum[s] + 1);
  }
  if (t->givens > SHOWN) bf_print(run, "  ...\n");
  bf_print(run, "distinct minima, of all starts: %lld\n", (long long)t->minima);
}

/* H of the layers varies along depth whatever u is. */
static void print_variation(const BfRun *run, const BfPontryagin *p) {
  if (p->ends == 2)
    bf_print(run, "; H varies by %.3g over depth, by %.3g within a layer", p->variation, p->variation_within);
}

/* A gradient sees one valley. */
void bf_flow_holds(const void *state, const BfSession *session, char text[BF_STATEMENT]) {
  const BfFlowState  *x = state;
  const BfFlowAnswer *t = &x->answer;
  (void)session;
  snprintf(text, BF_STATEMENT, "where the gradient of %s led from %s%lld start%s",
           x->options.scheme->discrete ? "the cost" : "the flow's J", t->starts > 1 ? "the best of " : "",
           (long long)t->starts, t->starts > 1 ? "s" : "");
}

void bf_flow_report(const void *state, const BfSession *session) {
  const BfFlowState  *x       = state;
  const BfRun        *run     = session->run;
  const BfProblem    *problem = session->problem;
  const BfRollout    *layers = &session->trained.train, *test_layers = &session->trained.test;
  const BfFlowAnswer *t       = &x->answer;
  const BfPontryagin *p       = &x->pontryagin;
  const bool          test    = problem->test.tokens > 0;
  const char         *formula = problem->cost.kind->formula ? problem->cost.kind->formula : "its formula";
  if (t->reason) bf_print(run, "%s", bf_flow_answer_reason(t));
  else
    bf_print(run, "no step (%s)",
             bf_flow_numbers(problem) ? "J or its slope at the start is infinite" : "nothing is free");
  bf_print(run, " after %lld iterations, %lld evaluations in all", (long long)t->iterations, (long long)t->evaluations);
  if (t->starts > 1) bf_print(run, "; best start: %lld of %lld", (long long)t->best + 1, (long long)t->starts);
  bf_print(run, "\n");
  print_refined(run, t);
  bf_print(run, "flow (%s): J = %.10g, ", x->options.scheme->name, x->value.cost);
  bf_print_loss(run, "training", x->value.loss, x->value.accuracy);
  if (test) bf_print_loss(run, "; test", x->test.loss, x->test.accuracy);
  bf_print(run, "\nlayers: cost %.10g, ", layers->cost);
  bf_print_loss(run, "training", layers->loss, layers->accuracy);
  if (test) bf_print_loss(run, "; test", test_layers->loss, test_layers->accuracy);
  bf_print(run, "\n");
  print_outside(x, session);
  bf_print(run, "Pontryagin: |u - P_U(u - dH/du)| <= %.3g", p->stationarity);
  if (problem->cost.trained) bf_print(run, "; of R, b alone, |x - P(x - dJ/dx)| <= %.3g", p->readout_stationarity);
  print_variation(run, p);
  if (!isnan(p->terminal)) bf_print(run, "; |p(T) - %s| <= %.3g", formula, p->terminal);
  if (problem->actions)
    bf_print(run, "\n            H(t, u(t)) exceeds its minimum over the %lld actions by at most %.3g",
             (long long)problem->actions, p->violation);
  else bf_print(run, "\n            H(t, u(t)) against its minimum over actions: left out, the problem gives none");
  if (p->violation_action >= 0)
    bf_print(run, ", at depth %.4g by action %d", p->violation_depth, (int)p->violation_action);
  bf_print(run, "\n");
}
