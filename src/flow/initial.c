/* Controls that a search starts from. */
#include "bellformer/splitmix64.h"
#include "flow/flow.h"

#include <string.h>

void bf_initial_control(const BfProblem *problem, const BfInitialControls *points, int64_t start, double control[]) {
  const int64_t q = problem->layer.free, n = problem->horizon * q;
  uint64_t      state = (uint64_t)points->seed;
  if (start < points->givens) {
    memcpy(control, points->given + start * n, sizeof(double) * (size_t)n);
    return;
  }
  const int64_t draw = start - points->givens;
  bf_splitmix64_skip(&state, (uint64_t)draw * (uint64_t)n);
  for (int64_t i = 0; i < n; i++) {
    const double lower = problem->control_lower[i % q], upper = problem->control_upper[i % q];
    control[i] = lower + (upper - lower) * bf_uniform(&state);
  }
}
