#include "solve/covering.h"
#include <math.h>
#include <string.h>

/* |u - u_k|^2 with side j as unit 1 / scale[j], as far as it is below `most`. */
static double distance2(int q, const double u[], const double action[], const double scale[], double most) {
  double sum = 0;
  for (int j = 0; j < q && sum < most; j++) {
    const double apart = (u[j] - action[j]) * scale[j];
    sum += apart * apart;
  }
  return sum;
}

/* The largest, over this rank's share of the points, of the distance to the nearest action. */
static double farthest(const BfRun *run, const BfProblem *problem, int64_t points, const double u[],
                       const double scale[]) {
  const int q   = problem->layer.free;
  double    far = 0;
  for (int64_t i = run->rank; i < points; i += run->size) {
    double nearest = INFINITY;
    for (int64_t k = 0; k < problem->actions && nearest > far; k++)
      nearest = fmin(nearest, distance2(q, u + i * q, problem->action + k * q, scale, nearest));
    far = fmax(far, nearest);
  }
  return far;
}

/* Points, and one over each side. */
static BfStatus prepare(const BfProblem *problem, int64_t points, double **u, double **scale, BfError *error) {
  const int q = problem->layer.free;
  BF_TRY(BF_NEW(scale, q, error));
  for (int j = 0; j < q; j++) {
    const double side = problem->control_upper[j] - problem->control_lower[j];
    (*scale)[j]       = side > 0 ? 1 / side : 0;
  }
  return bf_controls_halton(q, problem->control_lower, problem->control_upper, points, 0, u, error);
}

BfStatus bf_covering_radius(const BfRun *run, const BfProblem *problem, int64_t points, double *radius,
                            BfError *error) {
  double  *u = NULL, *scale = NULL, far = 0;
  BfStatus status = bf_together(run->world, prepare(problem, points, &u, &scale, error), error);
  if (status == BF_OK) far = farthest(run, problem, points, u, scale);
  MPI_Allreduce(MPI_IN_PLACE, &far, 1, MPI_DOUBLE, MPI_MAX, run->world);
  *radius = sqrt(far);
  bf_free(u);
  bf_free(scale);
  return status;
}
