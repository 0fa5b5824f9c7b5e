/* Controls that a search starts from. */
#include "bellformer/splitmix64.h"
#include "flow/flow.h"

#include <string.h>

void bf_initial_control(const BfProblem *problem, const BfInitialControls *points, int64_t start, double control[]) {
  const int64_t n = bf_flow_numbers(problem), trained = problem->cost.trained, controls = n - trained;
  uint64_t      state = (uint64_t)points->seed;
  if (start < points->givens) {
    memcpy(control, points->given + start * controls, sizeof(double) * (size_t)controls);
    memcpy(control + controls, points->given + points->givens * controls + start * trained,
           sizeof(double) * (size_t)trained);
    return;
  }
  const int64_t draw = start - points->givens;
  bf_splitmix64_skip(&state, (uint64_t)draw * (uint64_t)n);
  for (int64_t i = 0; i < n; i++) {
    double lower, upper;
    bf_flow_box(problem, i, &lower, &upper);
    control[i] = lower + (upper - lower) * bf_uniform(&state);
  }
}
