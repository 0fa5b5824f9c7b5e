/* What the bounds of all cells share: forms, diameters, and how much rounding may amount to (bound.c says why). */
#include "heads/certify/bound.h"
#include <float.h>
#include <math.h>

static const double u = DBL_EPSILON / 2;

/* ---- making ------------------------------------------------------------------------------------------------------ */

static double largest_of(const BfHeads *x, int64_t s, const double *v) {
  const int d = x->problem->layer.dim;
  return bf_heads_largest((int64_t)bf_heads_tokens(x, s) * d, v + bf_heads_token(x, s) * d);
}

enum { EXACT = 1000 }; /* tokens of a sequence up to which all distances are looked at */

/* The diameter of n points, or of the smallest box that holds them, rounded up. */
static double diameter(int n, int d, const double *v) {
  double square = 0;
  for (int i = 0; i < n && n <= EXACT; i++)
    for (int j = 0; j < i; j++) {
      double sum = 0;
      for (int a = 0; a < d; a++) sum += (v[i * d + a] - v[j * d + a]) * (v[i * d + a] - v[j * d + a]);
      square = fmax(square, sum);
    }
  for (int a = 0; a < d && n > EXACT; a++) {
    double low = v[a], high = v[a];
    for (int i = 1; i < n; i++) {
      low  = fmin(low, v[i * d + a]);
      high = fmax(high, v[i * d + a]);
    }
    square += (high - low) * (high - low);
  }
  return sqrt(square) * (1 + 0x1p-40);
}

static void take_forms(BfCellBound *x) {
  const BfHeads   *heads   = x->x;
  const BfProblem *problem = heads->problem;
  const int        half    = problem->layer.dim * problem->layer.dim;
  BfVNumber        given   = {.lower = 1, .upper = 1, .most = 1};
  bool             any     = false;
  x->numbers               = heads->free_A;
  x->lambda                = problem->cost.weight_decay;
  x->values                = heads->free_V;
  for (int k = 0; k < x->numbers; k++) {
    x->lower[k] = problem->control_lower[k];
    x->upper[k] = problem->control_upper[k];
  }
  for (int k = 0; k < x->values; k++) {
    const double low = problem->control_lower[heads->free_A + k], high = problem->control_upper[heads->free_A + k];
    x->V[k] = (BfVNumber){.lower = low, .upper = high, .decay = x->lambda, .most = fmax(fabs(low), fabs(high))};
  }
  for (int e = 0; e < half; e++) {
    const int a = heads->number[e], v = heads->number[half + e];
    if (a < 0) x->A[e] = heads->factor[e];
    else x->E[a][e] = heads->factor[e];
    if (v >= 0) x->V[v - heads->free_A].factor[e] = heads->factor[half + e];
    else any |= (given.factor[e] = heads->factor[half + e]) != 0;
  }
  if (any) x->V[x->values++] = given;
}

/* The largest |entry| of A over its box, and of the sum of |E_k|. */
static void bound_A(const BfCellBound *x, double *A, double *E) {
  const int half = x->x->problem->layer.dim * x->x->problem->layer.dim;
  *A = *E = 0;
  for (int e = 0; e < half; e++) {
    double sum = fabs(x->A[e]), slope = 0;
    for (int k = 0; k < x->numbers; k++) {
      sum += fabs(x->E[k][e]) * fmax(fabs(x->lower[k]), fabs(x->upper[k]));
      slope = fmax(slope, fabs(x->E[k][e]));
    }
    *A = fmax(*A, sum);
    *E = fmax(*E, slope);
  }
}

static void bound_rounding(BfCellBound *x) {
  const BfHeads *heads = x->x;
  const int      d     = heads->problem->layer.dim;
  const double   beta = fabs(heads->problem->layer.beta), N = (double)heads->data->tokens;
  double         A, E;
  bound_A(x, &A, &E);
  for (int64_t s = 0; s < heads->data->contexts; s++) {
    const double Z = largest_of(heads, s, x->z), S = largest_of(heads, s, x->s);
    const double L = beta * d * d * S * S * A, eta = 1.1 * (4 * d + 10) * u * L + 0x1p-48;
    const double kappa = 2 * (2.2 * eta + 4 * (bf_heads_tokens(heads, s) + 4) * u);
    for (int64_t i = bf_heads_token(heads, s); i < bf_heads_token(heads, s + 1); i++)
      for (int a = 0; a < d; a++) {
        const double r = fabs(x->r[i * d + a]);
        x->entry_error[a] += r * Z * (kappa + 4 * (N + 4) * u);
        x->derivative_error[a] += r * beta * d * d * S * E * S * Z * (4 * kappa + 4 * (N + 2 * d + 8) * u);
      }
    x->variance_error = fmax(x->variance_error, 4 * kappa * d * S * S);
  }
}

static void estimate_curvature(BfCellBound *x) {
  const BfHeads *heads = x->x;
  const int      d     = heads->problem->layer.dim;
  const double   beta  = heads->problem->layer.beta;
  double         V     = 0;
  for (int v = 0; v < x->values; v++) V = fmax(V, x->V[v].most);
  for (int64_t s = 0; s < heads->data->contexts; s++)
    for (int64_t i = bf_heads_token(heads, s); i < bf_heads_token(heads, s + 1); i++)
      for (int k = 0; k < x->numbers; k++) {
        double r = 0, along2 = 0;
        for (int b = 0; b < d; b++) {
          double along = 0;
          for (int a = 0; a < d; a++) along += x->E[k][a * d + b] * x->s[i * d + a];
          along2 += along * along;
          r += fabs(x->r[i * d + b]);
        }
        x->curvature[k] +=
            V * r * x->across[2 * s] * beta * beta * along2 * x->across[2 * s + 1] * x->across[2 * s + 1] / 8;
      }
}

BfStatus bf_cell_bound_create(BfHeads *heads, const double *z, const double *r, BfCellBound *x, BfError *error) {
  const int     d = heads->problem->layer.dim;
  const int64_t n = heads->data->tokens * d;
  *x              = (BfCellBound){.x = heads, .z = z, .r = r};
  BF_TRY(BF_NEW(&x->s, n, error));
  BF_TRY(BF_NEW(&x->across, 2 * heads->data->contexts, error));
  for (int64_t i = 0; i < n; i++) x->s[i] = z[i] + (heads->encoded ? heads->encoded[i] : 0);
  for (int64_t s = 0; s < heads->data->contexts; s++) {
    const int64_t at     = bf_heads_token(heads, s) * d;
    x->across[2 * s]     = diameter(bf_heads_tokens(heads, s), d, z + at);
    x->across[2 * s + 1] = diameter(bf_heads_tokens(heads, s), d, x->s + at);
  }
  BF_TRY(BF_NEW(&x->logit, heads->most_tokens, error));
  take_forms(x);
  bound_rounding(x);
  estimate_curvature(x);
  return BF_OK;
}

void bf_cell_bound_clear(BfCellBound *x) {
  bf_free(x->s);
  bf_free(x->across);
  bf_free(x->logit);
  *x = (BfCellBound){0};
}
