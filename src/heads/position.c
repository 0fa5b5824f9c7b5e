/* Where a descent is: its particles and what they are worth. */
#include "heads/descend.h"
#include "heads/initial.h"
#include "heads/share.h"
#include "heads/variation/variation.h"
#include "run/largest.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- room -------------------------------------------------------------------------------------------------------- */

BfStatus bf_descent_create(BfDescent *x, BfError *error) {
  BF_TRY(bf_heads_law_create(x->heads, &x->law, error));
  const int64_t n = bf_descent_size(x);
  BF_TRY(BF_NEW(&x->value.velocity, n, error));
  BF_TRY(BF_NEW(&x->initial, n, error));
  BF_TRY(BF_NEW(&x->initial_weight, x->law.layers * x->law.count, error));
  BF_TRY(BF_NEW(&x->arrived, bf_descent_numbers(x), error));
  BF_TRY(BF_NEW(&x->base, bf_descent_numbers(x), error));
  BF_TRY(BF_NEW(&x->base_velocity, bf_descent_numbers(x), error));
  if (x->conic) BF_TRY(BF_NEW(&x->value.variation, x->law.layers * x->law.count, error));
  if (x->conic) BF_TRY(BF_NEW(&x->weight_velocity, x->law.layers * x->law.count, error));
  if (x->set->certify && x->law.layers > 1) BF_TRY(BF_NEW(&x->lower, x->law.layers, error));
  return BF_NEW(&x->history, BF_HISTORY_COLUMNS * bf_history_room(x->set), error);
}

void bf_descent_clear(BfDescent *x) {
  bf_heads_law_clear(&x->law);
  bf_free(x->value.velocity);
  bf_free(x->value.variation);
  bf_free(x->value.tokens);
  bf_free(x->value.adjoint);
  bf_free(x->initial);
  bf_free(x->initial_weight);
  bf_free(x->weight_velocity);
  bf_free(x->arrived);
  bf_free(x->base);
  bf_free(x->base_velocity);
  bf_free(x->history);
  bf_free(x->lower);
  bf_open_cells_clear(&x->open);
  bf_tangent_clear(&x->first_kernel);
  bf_tangent_clear(&x->last_kernel);
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

/* d log alpha/dtau = -(G - int G dnu), of particles that are there; *square: the sum over layers of int (G - int G
 * dnu)^2 dnu, at which rate R falls by it but for eps. */
static BfStatus move_weights(BfDescent *x, double *square, BfError *error) {
  const BfHeadLaw *law = &x->law;
  const int64_t    T   = law->layers;
  double          *mean, *squares = NULL;
  BfStatus         status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&mean, 2 * T, error), error));
  BF_GOTO(bf_heads_mean(x->heads, law, x->value.variation, mean, error));
  BF_GOTO(bf_together(x->run->world, BF_NEW(&squares, T * law->count, error), error));
  for (int64_t i = 0; i < T * law->count; i++) {
    const double above    = x->value.variation[i] - mean[i / law->count];
    x->weight_velocity[i] = law->weight[i] > 0 ? -above : 0;
    squares[i]            = above * above;
  }
  BF_GOTO(bf_heads_mean(x->heads, law, squares, mean + T, error));
  *square = 0;
  for (int64_t t = 0; t < T; t++) *square += mean[T + t];
done:
  bf_free(mean);
  bf_free(squares);
  return status;
}

BfStatus bf_descent_evaluate(BfDescent *x, BfError *error) {
  double square;
  BF_TRY(bf_heads_evaluate(x->heads, &x->law, &x->value, error));
  x->evaluations++;
  if (x->set->box) {
    keep_within(x);
    BF_TRY(bf_heads_slope(x->heads, &x->law, x->value.velocity, &x->value.slope, error));
  }
  if (!x->conic) return BF_OK;
  BF_TRY(move_weights(x, &square, error));
  x->value.slope -= x->problem->layer.step * square;
  return BF_OK;
}

static BfStatus make_tables(BfDescent *x, BfError *error) {
  const int64_t table = (x->problem->horizon + 1) * x->problem->train.tokens * x->problem->layer.dim;
  if (!x->value.variation) BF_TRY(BF_NEW(&x->value.variation, x->law.layers * x->law.count, error));
  if (!x->value.tokens) BF_TRY(BF_NEW(&x->value.tokens, table, error));
  return x->value.adjoint ? BF_OK : BF_NEW(&x->value.adjoint, table, error);
}

BfStatus bf_descent_evaluate_all(BfDescent *x, BfError *error) {
  BF_TRY(bf_together(x->run->world, make_tables(x, error), error));
  BF_TRY(bf_descent_evaluate(x, error));
  x->evaluations--;
  return BF_OK;
}

/* ---- as numbers -------------------------------------------------------------------------------------------------- */

void bf_descent_pack(const BfDescent *x, double *numbers) {
  const int64_t n = bf_descent_size(x);
  memcpy(numbers, x->law.theta, (size_t)n * sizeof *numbers);
  for (int64_t i = n; i < bf_descent_numbers(x); i++) {
    const double weight = x->law.weight[i - n];
    numbers[i]          = weight > 0 ? log(weight) : 0; /* a place that is empty stays so */
  }
}

/* The largest logarithm of a layer, of particles that are there; -inf where none is. */
static void find_largest(const BfDescent *x, const double *logarithm, double *largest) {
  const BfHeadLaw *law = &x->law;
  for (int t = 0; t < law->layers; t++) largest[t] = -INFINITY;
  for (int64_t i = 0; i < law->layers * law->count; i++)
    if (law->weight[i] > 0 && !(logarithm[i] <= largest[i / law->count]))
      largest[i / law->count] = isnan(logarithm[i]) ? INFINITY : logarithm[i]; /* from which all become NaN */
  bf_heads_reduce(x->heads->across, law->layers, largest, MPI_MAX);
}

BfStatus bf_descent_unpack(BfDescent *x, const double *numbers, BfError *error) {
  BfHeadLaw    *law = &x->law;
  const int64_t n = bf_descent_size(x), T = law->layers;
  double       *sum = NULL, *ones = NULL, *largest = NULL;
  BfStatus      status = BF_OK;
  memcpy(law->theta, numbers, (size_t)n * sizeof *numbers);
  if (!x->conic) return BF_OK;
  BF_NEW(&sum, T, error);
  if (error->status == BF_OK) BF_NEW(&largest, T, error);
  if (error->status == BF_OK) BF_NEW(&ones, T * law->count, error);
  BF_GOTO(bf_together(x->run->world, error->status, error));
  find_largest(x, numbers + n, largest);
  /* A particle that is there stays so, however small: a stage that is rejected must not take it away. */
  for (int64_t i = 0; i < T * law->count; i++) {
    ones[i] = 1;
    if (law->weight[i] > 0) law->weight[i] = bf_larger(exp(numbers[n + i] - largest[i / law->count]), DBL_MIN);
  }
  BF_GOTO(bf_heads_mean(x->heads, law, ones, sum, error));
  for (int64_t i = 0; i < T * law->count; i++) law->weight[i] /= sum[i / law->count];
done:
  bf_free(sum);
  bf_free(ones);
  bf_free(largest);
  return status;
}

void bf_descent_motion(const BfDescent *x, double *velocity) {
  const int64_t n = bf_descent_size(x);
  memcpy(velocity, x->value.velocity, (size_t)n * sizeof *velocity);
  if (x->conic) memcpy(velocity + n, x->weight_velocity, (size_t)(x->law.layers * x->law.count) * sizeof *velocity);
}
