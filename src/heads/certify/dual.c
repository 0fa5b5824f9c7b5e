/* The least risk of one layer from below. For a dual point r_s of scale s, R(nu) >= D(s) = constant(s) + eps min G_s,
 * concave along s: the scale is chosen by the least G_s over a pool of A's, whose M(A) does not depend on it (r_s is s
 * times the gradient at the law), then bounded for good. */
#include "heads/certify/bound.h"
#include <float.h>
#include <math.h>
#include <string.h>

BfStatus bf_certify_check_risk(const BfProblem *problem, BfError *error) {
  BF_TRY(bf_certify_check(problem, error));
  if (problem->horizon > 1) return BF_OK; /* only stationarity is certified */
  if (!problem->cost.kind->minorant)
    return bf_fail(error, BF_BAD_INPUT,
                   "-certify has no affine bound of cost.terminal %s: squared_error and the cross entropies have",
                   problem->cost.kind->base.name);
  if (problem->cost.readouts > 1)
    return bf_fail(error, BF_BAD_INPUT, "-certify wants one readout, there are %lld: their least is not convex",
                   (long long)problem->cost.readouts);
  return BF_OK;
}

typedef struct {
  BfHeads      *x;
  const double *z0, *z1; /* [N][d] */
  double       *r;       /* [N][d] of a scale */
  double        reach;   /* of z_1 - z_0, any law in the box */
  int64_t       pool;
  BfCell       *cell;  /* [pool] */
  BfCellBound   bound; /* of r at scale 1 */
  double       *c;     /* [pool][values] coefficients of that */
} Dual;

/* |z_1 - z_0| of a component: eps sum_b |V_ab| |z|, with room for rounding. */
static double reach_of(const BfHeads *x) {
  const BfProblem *problem = x->problem;
  const int        d = problem->layer.dim, half = d * d;
  double           most = 0;
  for (int a = 0; a < d; a++) {
    double row = 0;
    for (int e = half + a * d; e < half + (a + 1) * d; e++) {
      const int    k = x->number[e];
      const double v = k < 0 ? 1 : fmax(fabs(problem->control_lower[k]), fabs(problem->control_upper[k]));
      row += fabs(x->factor[e]) * v;
    }
    most = fmax(most, row);
  }
  return problem->layer.step * most * bf_heads_largest(x->data->tokens * d, x->data->z) * (1 + 0x1p-40);
}

/* w->r, and the constant from below. */
static BfStatus minorize(Dual *w, double scale, double *constant, BfError *error) {
  BfHeads  *x   = w->x;
  const int d   = x->problem->layer.dim;
  double    sum = 0, size = 0;
  for (int64_t s = 0; s < x->data->contexts; s++) {
    const int64_t      at    = bf_heads_token(x, s) * d;
    const BfMinorantAt where = {scale, w->z1 + at, w->z0 + at, w->reach};
    double             here;
    BF_TRY(x->cost.kind->minorant(&x->cost, 0, &x->context[s], &where, &here, w->r + at, error));
    sum += here;
    size += fabs(here);
  }
  *constant = sum - (double)(x->data->contexts + 4) * DBL_EPSILON * size;
  return BF_OK;
}

/* As rank 0 has it: libraries of other machines round otherwise. */
static BfStatus minorize_all(Dual *w, double scale, double *constant, BfError *error) {
  const BfRun  *run = w->x->run;
  const int64_t n   = w->x->data->tokens * w->x->problem->layer.dim;
  BF_TRY(bf_together(run->world, run->rank == 0 ? minorize(w, scale, constant, error) : BF_OK, error));
  bf_heads_tell(run->world, n, w->r);
  (void)MPI_Bcast(constant, 1, MPI_DOUBLE, 0, run->world);
  return BF_OK;
}

static BfStatus make_coefficients(Dual *w, BfError *error) {
  BF_TRY(bf_cell_bound_create(w->x, w->z0, w->r, &w->bound, error));
  return BF_NEW(&w->c, w->pool * w->bound.values, error);
}

/* Coefficients of the pool at scale 1, cells dealt to ranks. */
static BfStatus expand_pool(Dual *w, BfError *error) {
  const BfRun *run = w->x->run;
  double       unused;
  BF_TRY(minorize_all(w, 1, &unused, error));
  BF_TRY(bf_together(run->world, make_coefficients(w, error), error));
  for (int64_t i = run->rank; i < w->pool; i += run->size)
    bf_cell_coefficients(&w->bound, &w->cell[i], w->c + i * w->bound.values);
  bf_heads_reduce(run->world, w->pool * w->bound.values, w->c, MPI_SUM);
  return BF_OK;
}

/* D(s) with the least G_s of the pool: not below D(s). */
static BfStatus estimate(Dual *w, double scale, double *out, BfError *error) {
  double constant, least = INFINITY;
  BF_TRY(minorize(w, scale, &constant, error));
  for (int64_t i = 0; i < w->pool; i++)
    least = fmin(least, bf_cell_value(&w->bound, &w->cell[i], w->c + i * w->bound.values, scale));
  *out = constant + w->x->problem->layer.step * least;
  return BF_OK;
}

enum { SECTIONS = 24 };

/* The scale of the largest estimate: by golden sections of [0, 1], and 1 itself. */
static BfStatus choose_scale(Dual *w, double *scale, BfError *error) {
  const double golden = 0.61803398874989485;
  double       low = 0, high = 1, a = 1 - golden, b = golden, at_a, at_b, at_one;
  BF_TRY(estimate(w, a, &at_a, error));
  BF_TRY(estimate(w, b, &at_b, error));
  for (int i = 0; i < SECTIONS; i++) {
    const bool left = at_a > at_b;
    if (left) high = b;
    else low = a;
    if (left) {
      b    = a;
      at_b = at_a;
      a    = high - golden * (high - low);
      BF_TRY(estimate(w, a, &at_a, error));
    } else {
      a    = b;
      at_a = at_b;
      b    = low + golden * (high - low);
      BF_TRY(estimate(w, b, &at_b, error));
    }
  }
  BF_TRY(estimate(w, 1, &at_one, error));
  *scale = at_one >= fmax(at_a, at_b) ? 1 : at_a > at_b ? a : b;
  return BF_OK;
}

/* A's of the law and a lattice of the box. */
static BfStatus make(Dual *w, int64_t count, const double *heads, BfError *error) {
  BfHeads      *x = w->x;
  const int     q = x->free_A + x->free_V, n = x->free_A;
  const int64_t side    = n <= 1 ? 65 : n == 2 ? 17 : n == 3 ? 7 : 5;
  int64_t       lattice = 1;
  for (int k = 0; k < n; k++) lattice *= side;
  w->pool = lattice + count;
  BF_TRY(BF_NEW(&w->r, x->data->tokens * x->problem->layer.dim, error));
  BF_TRY(BF_NEW(&w->cell, w->pool, error));
  for (int64_t i = 0; i < w->pool; i++)
    for (int64_t k = 0, rest = i; k < n; k++, rest /= side) {
      const double low = x->problem->control_lower[k], high = x->problem->control_upper[k];
      w->cell[i].centre[k] =
          i < lattice ? low + (high - low) * (double)(rest % side) / (double)(side - 1) : heads[(i - lattice) * q + k];
    }
  w->reach = reach_of(x);
  return BF_OK;
}

/* R of the law, from above. The tokens z_1 are off by at most `away`: a mean's error (bound.c) times eps |V|, and the
 * sums' and the step's roundings; R by its gradient times that, by its curvature (of a component at most 1 + |R|^2 of
 * the readout, Frobenius) and by the rounding of its own terms. */
static double from_above(const BfHeads *x, const BfHeadsValue *value, double reach) {
  const int64_t n = x->data->tokens * x->problem->layer.dim;
  const double  d = x->problem->layer.dim, beta = fabs(x->problem->layer.beta);
  double        A = 0, p = 0, R2 = 0;
  for (int k = 0; k < x->free_A; k++)
    A = fmax(A, fmax(fabs(x->problem->control_lower[k]), fabs(x->problem->control_upper[k])));
  for (int e = 0; e < d * d; e++)
    if (x->number[e] < 0) A = fmax(A, fabs(x->factor[e]));
  double s = bf_heads_largest(n, value->tokens);
  if (x->encoded) s += bf_heads_largest(n, x->encoded);
  const double eta  = (4 * d + 10) * DBL_EPSILON * beta * d * d * s * s * A + 0x1p-47;
  const double away = reach * (4 * eta + (x->most_tokens + 100) * 8 * DBL_EPSILON) +
                      8 * DBL_EPSILON * bf_heads_largest(2 * n, value->tokens);
  for (int64_t i = 0; i < n; i++) p += fabs(value->adjoint[n + i]);
  for (int64_t i = 0; i < x->cost.classes * x->problem->layer.dim; i++) R2 += x->cost.matrix[i] * x->cost.matrix[i];
  return value->risk + 2 * p * away + d * away * away * (1 + R2) * (double)x->data->tokens +
         0x1p-40 * (1 + fabs(value->risk));
}

/* D(scale), from below. */
static BfStatus bound_at(Dual *w, double scale, int64_t cells, BfOpenCells *open, BfCertificate *out, BfError *error) {
  BfLeastBound least = {0};
  double       constant;
  BF_TRY(minorize_all(w, scale, &constant, error));
  BF_TRY(bf_certify_least(w->x, w->z0, w->r, cells, open, &least, error));
  const double G = w->x->problem->layer.step * least.lower;
  out->lower     = constant + G - 8 * DBL_EPSILON * (fabs(constant) + fabs(G));
  out->scale     = scale;
  out->cells     = least.cells;
  return BF_OK;
}

/* Where few cells leave less than D(0), the least decay beside a cost of at least 0, that is the bound. */
BfStatus bf_certify_risk(BfHeads *x, const BfHeadsValue *value, int64_t count, const double *heads, int64_t cells,
                         BfOpenCells *open, BfCertificate *out, BfError *error) {
  const int64_t n     = x->data->tokens * x->problem->layer.dim;
  Dual          w     = {.x = x, .z0 = value->tokens, .z1 = value->tokens + n};
  BfCertificate none  = {0};
  BfOpenCells   whole = {0};
  double        scale = 0;
  BfStatus      status;
  BF_GOTO(bf_together(x->run->world, make(&w, count, heads, error), error));
  BF_GOTO(expand_pool(&w, error));
  BF_GOTO(bf_together(x->run->world, x->run->rank == 0 ? choose_scale(&w, &scale, error) : BF_OK, error));
  (void)MPI_Bcast(&scale, 1, MPI_DOUBLE, 0, x->run->world);
  BF_GOTO(bound_at(&w, scale, cells, open, out, error));
  BF_GOTO(bound_at(&w, 0, 1, &whole, &none, error));
  if (none.lower > out->lower) {
    out->lower = none.lower;
    out->scale = 0;
  }
  out->found = from_above(x, value, w.reach);
done:
  bf_open_cells_clear(&whole);
  bf_cell_bound_clear(&w.bound);
  bf_free(w.r);
  bf_free(w.c);
  bf_free(w.cell);
  return status;
}
