/* Where a descent is: its particles and what they are worth. */
#include "heads/descend.h"
#include "heads/initial.h"
#include <math.h>

/* ---- room -------------------------------------------------------------------------------------------------------- */

BfStatus bf_descent_create(BfDescent *x, BfError *error) {
  BF_TRY(bf_heads_law_create(x->heads, &x->law, error));
  const int64_t n = bf_descent_size(x);
  BF_TRY(BF_NEW(&x->value.velocity, n, error));
  BF_TRY(BF_NEW(&x->initial, n, error));
  BF_TRY(BF_NEW(&x->base, n, error));
  BF_TRY(BF_NEW(&x->base_velocity, n, error));
  return BF_NEW(&x->history, BF_HISTORY_COLUMNS * (x->set->outputs + 2), error);
}

void bf_descent_clear(BfDescent *x) {
  bf_heads_law_clear(&x->law);
  bf_free(x->value.velocity);
  bf_free(x->value.tokens);
  bf_free(x->value.adjoint);
  bf_free(x->initial);
  bf_free(x->base);
  bf_free(x->base_velocity);
  bf_free(x->history);
}

/* ---- evaluating -------------------------------------------------------------------------------------------------- */

bool bf_descent_project(const BfDescent *x, double *theta) {
  const int64_t n       = bf_descent_size(x);
  const int     q       = x->law.free;
  int           outside = 0;
  for (int64_t i = 0; i < n; i++) {
    const double in = fmin(fmax(theta[i], x->problem->control_lower[i % q]), x->problem->control_upper[i % q]);
    outside |= in != theta[i];
    theta[i] = in;
  }
  (void)MPI_Allreduce(MPI_IN_PLACE, &outside, 1, MPI_INT, MPI_LOR, x->run->world);
  return outside;
}

BfStatus bf_descent_fill(BfDescent *x, BfError *error) {
  BF_TRY(bf_heads_initial(x->run, x->problem, x->set->init, &x->law, error));
  if (x->set->box && bf_descent_project(x, x->law.theta))
    bf_print(x->run, "particles of the initial law that are outside the ranges of control.A and V are projected\n");
  x->filled = true;
  return BF_OK;
}

/* What would lead out of the box rests. */
static void keep_within(BfDescent *x) {
  const int     q     = x->law.free;
  const int64_t n     = bf_descent_size(x);
  const double *least = x->problem->control_lower, *most = x->problem->control_upper;
  for (int64_t i = 0; i < n; i++) {
    double *v = &x->value.velocity[i];
    if ((x->law.theta[i] <= least[i % q] && *v < 0) || (x->law.theta[i] >= most[i % q] && *v > 0)) *v = 0;
  }
}

BfStatus bf_descent_evaluate(BfDescent *x, BfError *error) {
  BF_TRY(bf_heads_evaluate(x->heads, &x->law, &x->value, error));
  x->evaluations++;
  if (!x->set->box) return BF_OK;
  keep_within(x);
  return bf_heads_slope(x->heads, &x->law, x->value.velocity, &x->value.slope, error);
}
