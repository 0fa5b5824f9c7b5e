/* What a search moves, and in which box. */
#include "bellformer/flow.h"

static int64_t controls(const BfProblem *problem) { return (int64_t)problem->horizon * problem->layer.free; }

int64_t bf_flow_numbers(const BfProblem *problem) { return controls(problem) + problem->cost.trained; }

void bf_flow_box(const BfProblem *problem, int64_t number, double *lower, double *upper) {
  const int64_t j = number % (problem->layer.free ? problem->layer.free : 1), r = number - controls(problem);
  const bool    last = r >= 0;
  *lower             = last ? problem->cost.lower[r] : problem->control_lower[j];
  *upper             = last ? problem->cost.upper[r] : problem->control_upper[j];
}
