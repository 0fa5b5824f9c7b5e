/* What `heads` tells of its answer. */
#include "heads/trainer.h"
#include <math.h>

static void print_outside(const BfRun *run, const BfProblem *problem, int64_t outside) {
  if (!outside) return;
  bf_warn(run,
          "%lld of %lld tokens leave %s on their way through the layers, where nothing keeps them: heads is without "
          "a projection. The layers with it, below, are another model",
          (long long)outside, (long long)problem->train.tokens,
          problem->layer.projection->keeps ? problem->layer.projection->keeps : "Z");
}

void bf_heads_report(const void *state, const BfSession *session) {
  const BfDescent    *x       = &((const BfHeadsState *)state)->descent;
  const BfRun        *run     = session->run;
  const BfProblem    *problem = session->problem;
  const BfHeadsValue *v       = &x->value;
  const BfRollout    *layers = &session->trained.train, *test = &session->trained.test;
  const double        rate = bf_heads_rate(x);
  bf_print(run, "%s: tau = %.6g after %lld steps (%lld rejected), %lld evaluations\n", bf_descent_words(x->end), x->tau,
           (long long)x->steps, (long long)x->rejected, (long long)x->evaluations);
  bf_print(run, "risk %.10g, at the start %.10g; ", v->risk, x->history[BF_HISTORY_RISK]);
  bf_print_loss(run, "training", v->loss, v->accuracy);
  bf_print(run, "\n|gradient| %.4g, dR/dtau %.4g", v->gradient_norm, v->slope);
  if (isfinite(rate)) bf_print(run, "; rate seen at last %.4g", rate);
  bf_print(run, "\n");
  print_outside(run, problem, v->outside);
  bf_judgement_report(x, &((const BfHeadsState *)state)->judgement);
  bf_print(run, "layers: ");
  bf_print_loss(run, "training", layers->loss, layers->accuracy);
  if (problem->test.tokens) bf_print_loss(run, "; test", test->loss, test->accuracy);
  bf_print(run, "\n");
}
