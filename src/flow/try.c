/* -test_gradient and -time_gradient: the gradient at the start, instead of a search. */
#include "flow/trainer.h"
#include <math.h>

static BfStatus test_gradient(BfRun *run, BfFlow *flow, const BfProblem *problem, const double *control,
                              BfError *error) {
  double difference;
  BF_TRY(bf_flow_test_gradient(flow, problem, control, &difference, error));
  bf_print(run, "gradient test: largest difference %.3g relative to the largest component, %lld components\n",
           difference, (long long)bf_flow_numbers(problem));
  return BF_OK;
}

/* The least of many: a time is only ever lengthened by what else goes on. */
static BfStatus time_gradient(BfRun *run, BfFlow *flow, const double *control, double *gradient, BfError *error) {
  double best[2] = {INFINITY, INFINITY}, spent = 0;
  int    count = 0;
  for (; count < 5 || spent < 2; count++)
    for (int with = 0; with < 2; with++) {
      BfFlowValue value = {.gradient = with ? gradient : NULL};
      MPI_Barrier(run->world);
      double seconds = bf_seconds();
      BF_TRY(bf_flow_evaluate(flow, control, &value, error));
      seconds = bf_seconds() - seconds;
      MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, run->world);
      best[with] = fmin(best[with], seconds);
      spent += seconds;
    }
  bf_print(run, "forward %.4g s, gradient %.4g s (best of %d), ratio %.3g\n", best[0], best[1], count,
           best[1] / best[0]);
  return BF_OK;
}

BfStatus bf_flow_try_gradient(const BfFlowState *x, BfRun *run, const BfProblem *problem, BfError *error) {
  const int64_t n       = bf_flow_numbers(problem);
  const bool    quiet   = run->quiet;
  double       *control = NULL, *gradient = NULL;
  BfStatus      status;
  run->quiet = run->silent; /* the answer is not progress */
  BF_GOTO(bf_together(run->world, BF_NEW(&control, n, error), error));
  BF_GOTO(bf_together(run->world, BF_NEW(&gradient, n, error), error));
  bf_initial_control(problem, &x->points, 0, control);
  if (x->set.test_gradient) BF_GOTO(test_gradient(run, x->flow, problem, control, error));
  if (x->set.time_gradient) BF_GOTO(time_gradient(run, x->flow, control, gradient, error));
done:
  run->quiet = quiet;
  bf_free(control);
  bf_free(gradient);
  return status;
}
