/* The gradient against central differences. */
#include "flow/flow.h"
#include "run/largest.h"
#include <string.h>

BfStatus bf_flow_test_gradient(BfFlow *flow, const BfProblem *problem, const double control[], double *difference,
                               BfError *error) {
  const int64_t n        = bf_flow_numbers(problem);
  double       *gradient = NULL, *u = NULL, largest = 0, apart = 0;
  BfStatus      status;
  BF_GOTO(bf_together(flow->run->world, BF_NEW(&gradient, n, error), error));
  BF_GOTO(bf_together(flow->run->world, BF_NEW(&u, n, error), error));
  BfFlowValue value = {.gradient = gradient};
  BF_GOTO(bf_flow_evaluate(flow, control, &value, error));
  for (int64_t i = 0; i < n; i++) {
    const double h = 6e-6 * fmax(1, fabs(control[i]));
    double       J[2];
    for (int side = 0; side < 2; side++) {
      BfFlowValue moved = {0};
      memcpy(u, control, sizeof(double) * (size_t)n);
      u[i] = control[i] + (side ? h : -h);
      BF_GOTO(bf_flow_evaluate(flow, u, &moved, error));
      J[side] = moved.cost;
    }
    largest = fmax(largest, fabs(gradient[i]));
    apart   = bf_larger(apart, fabs((J[1] - J[0]) / ((control[i] + h) - (control[i] - h)) - gradient[i]));
  }
  *difference = largest > 0 ? apart / largest : apart;
done:
  bf_free(gradient);
  bf_free(u);
  return status;
}
