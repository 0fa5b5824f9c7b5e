/* G on a cell A = A_0 + sum_k delta_k E_k, |delta_k| <= half_k.
 *
 * With x_j = beta <Delta^T s_i, s_j>, m_i(A_0 + Delta) is the mean of z under P tilted by exp(x). Along the way from
 * A_0 to A_0 + Delta its first derivative is Cov(x, z), its second the third cumulant E[(x - Ex)^2 (z - Ez)], of size
 * at most Var(x) D_z, D the diameters of what token i sees. With g_i >= |Delta^T s_i|, x has a range of at most |beta|
 * g_i D_s, so that Var(x) <= beta^2 g_i^2 D_s^2 / 4 (Popoviciu), and, as tilting changes probabilities by at most
 * exp(range) and Var is the least mean square, Var(x) <= exp(|beta| g_i D_s) beta^2 g_i^2 C_i with C_i the largest
 * eigenvalue of the covariance of s under P at A_0. So
 *     m_i = m_i(A_0) + sum_k delta_k dm_i/dA_k + rest,  |rest| <= (1/2) D_z beta^2 g_i^2 min(exp(..) C_i, D_s^2 / 4),
 * M's entries follow with sum_i |r_ia| |rest_i|. The least value over V of sum_k c_k v_k + (lambda/2) v_k^2 is
 * - sum_k h_k(c_k), h_k convex, and c_k affine in delta but for a rest: it is least at a corner of the cell.
 *
 * Rounding, u = 2^-53. Let L be the largest sum of |beta| |s_ia| |A_ab| |s_jb| over the box. A logit has an error of at
 * most (2 d + 4) u L, a difference to the maximum of twice that and 2 u L; exp of the C library one unit in the last
 * place, which is trusted up to 32. So weights are right but for factors within 1 +- eta, eta = 1.1 ((4 d + 10) u L) +
 * 2^-48; their sums of n terms add n u; a mean of values of size Z then has an error of at most kappa Z, kappa = 2.2
 * eta
 * + 4 (n + 4) u, a covariance of at most 4 kappa times the two sizes (three means, and a product). All this is doubled
 * here, which covers the roundings of the bounds' own evaluation. A subnormal weight adds less than 2^-1000 of the sum.
 */
#include "heads/certify/bound.h"
#include "heads/variation/variation.h"
#include "run/largest.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const double u = DBL_EPSILON / 2;

/* ---- a token ----------------------------------------------------------------------------------------------------- */

/* Means under P_i at the centre: z, s, z s^T, s s^T. */
typedef struct {
  double z[BF_CERTIFY_DIM], s[BF_CERTIFY_DIM];
  double sz[BF_CERTIFY_DIM][BF_CERTIFY_DIM], ss[BF_CERTIFY_DIM][BF_CERTIFY_DIM];
} Moments;

static inline __attribute__((always_inline)) void moments_of(const int d, int n, const double *z, const double *s,
                                                             const double a[], double *logit, Moments *out) {
  double most = -INFINITY, sum = 0;
  memset(out, 0, sizeof *out);
  for (int j = 0; j < n; j++) {
    double l = 0;
    for (int b = 0; b < d; b++) l += a[b] * s[j * d + b];
    logit[j] = l;
    most     = l > most ? l : most;
  }
  for (int j = 0; j < n; j++) {
    const double e = exp(logit[j] - most);
    sum += e;
    for (int b = 0; b < d; b++) {
      const double es = e * s[j * d + b];
      out->z[b] += e * z[j * d + b];
      out->s[b] += es;
      for (int c = 0; c < d; c++) out->sz[b][c] += es * z[j * d + c];
      for (int c = 0; c <= b; c++) out->ss[b][c] += es * s[j * d + c];
    }
  }
  const double inverse = 1 / sum;
  for (int b = 0; b < d; b++) {
    out->z[b] *= inverse;
    out->s[b] *= inverse;
  }
  for (int b = 0; b < d; b++)
    for (int c = 0; c < d; c++) {
      out->sz[b][c] = out->sz[b][c] * inverse - out->s[b] * out->z[c];
      if (c <= b) out->ss[b][c] = out->ss[b][c] * inverse - out->s[b] * out->s[c];
    }
}

/* Not below the largest eigenvalue of the covariance ss: exact for d <= 2 but for rounding, else its Frobenius norm. */
static double largest_eigenvalue(const int d, const Moments *m) {
  if (d == 1) return fmax(m->ss[0][0], 0);
  if (d == 2) {
    const double middle = (m->ss[0][0] + m->ss[1][1]) / 2, half = (m->ss[0][0] - m->ss[1][1]) / 2;
    return fmax(middle + sqrt(half * half + m->ss[1][0] * m->ss[1][0]), 0);
  }
  double sum = 0;
  for (int b = 0; b < d; b++)
    for (int c = 0; c <= b; c++) sum += (b == c ? 1 : 2) * m->ss[b][c] * m->ss[b][c];
  return sqrt(sum);
}

/* ---- a cell ------------------------------------------------------------------------------------------------------ */

typedef struct {
  double M[BF_CERTIFY_ENTRIES];                   /* at the centre */
  double by[BF_CERTIFY_MOST][BF_CERTIFY_ENTRIES]; /* its derivatives */
  double rest[BF_CERTIFY_DIM];                    /* of the entries of a row */
} Expansion;

static inline __attribute__((always_inline)) void add_token(const BfCellBound *x, const int d, const BfCell *cell,
                                                            int64_t s, int64_t i, const Moments *m, Expansion *out) {
  const double beta = x->x->problem->layer.beta, *si = x->s + i * d, *r = x->r + i * d;
  double       reach2 = 0, sweep[BF_CERTIFY_DIM] = {0};
  for (int k = 0; k < x->numbers; k++) {
    double direction[BF_CERTIFY_DIM], dm[BF_CERTIFY_DIM] = {0};
    for (int b = 0; b < d; b++) {
      direction[b] = 0;
      for (int a = 0; a < d; a++) direction[b] += x->E[k][a * d + b] * si[a];
      sweep[b] += cell->half[k] * fabs(direction[b]);
      for (int c = 0; c < d; c++) dm[c] += beta * direction[b] * m->sz[b][c];
    }
    for (int a = 0; a < d; a++)
      for (int c = 0; c < d; c++) out->by[k][a * d + c] += r[a] * dm[c];
  }
  for (int b = 0; b < d; b++) reach2 += sweep[b] * sweep[b];
  const double Dz = x->across[2 * s], Ds = x->across[2 * s + 1], range = fabs(beta) * sqrt(reach2) * Ds;
  const double C = largest_eigenvalue(d, m) + x->variance_error;
  const double rest =
      0.5 * Dz * beta * beta * reach2 * fmin(exp(range * (1 + 0x1p-40)) * C, Ds * Ds / 4) * (1 + 0x1p-30);
  for (int a = 0; a < d; a++) {
    out->rest[a] += fabs(r[a]) * rest;
    for (int c = 0; c < d; c++) out->M[a * d + c] += r[a] * m->z[c];
  }
}

static inline __attribute__((always_inline)) void expand(const BfCellBound *x, const int d, const BfCell *cell,
                                                         Expansion *out) {
  const BfHeads *heads = x->x;
  double         A[BF_CERTIFY_ENTRIES];
  memset(out, 0, sizeof *out);
  for (int e = 0; e < d * d; e++) {
    A[e] = x->A[e];
    for (int k = 0; k < x->numbers; k++) A[e] += cell->centre[k] * x->E[k][e];
  }
  for (int64_t s = 0; s < heads->data->contexts; s++) {
    const int64_t first = bf_heads_token(heads, s);
    for (int64_t i = first; i < first + bf_heads_tokens(heads, s); i++) {
      double  a[BF_CERTIFY_DIM];
      Moments m;
      for (int b = 0; b < d; b++) {
        a[b] = 0;
        for (int c = 0; c < d; c++) a[b] += x->s[i * d + c] * A[c * d + b];
        a[b] *= heads->problem->layer.beta;
      }
      moments_of(d, heads->sees[i], x->z + first * d, x->s + first * d, a, x->logit, &m);
      add_token(x, d, cell, s, i, &m, out);
    }
  }
}

static void expand_any(const BfCellBound *x, const BfCell *cell, Expansion *out) {
  switch (x->x->problem->layer.dim) {
  case 1:
    expand(x, 1, cell, out);
    break;
  case 2:
    expand(x, 2, cell, out);
    break;
  default:
    expand(x, 3, cell, out);
    break;
  }
}

static double best_number(const BfVNumber *V, double c) { return bf_best_number(c, V->decay, V->lower, V->upper); }

static double h(const BfVNumber *V, double c) {
  const double v = best_number(V, c);
  return -c * v - V->decay / 2 * v * v;
}

/* (lambda/2) of the least |A|^2 on the cell. */
static double least_decay(const BfCellBound *x, const BfCell *cell) {
  double sum = 0;
  for (int k = 0; k < x->numbers; k++) {
    const double away = fmax(fabs(cell->centre[k]) - cell->half[k] * (1 + 0x1p-40), 0);
    sum += away * away;
  }
  return x->lambda / 2 * sum * (1 - 0x1p-40);
}

/* Per number of V: c at the centre, its derivatives, and what both may be off. */
typedef struct {
  double c, by[BF_CERTIFY_MOST], off;
} Affine;

static Affine affine_of(const BfCellBound *x, const BfCell *cell, const Expansion *at, const BfVNumber *V) {
  const int d    = x->x->problem->layer.dim;
  Affine    out  = {0};
  double    size = 0;
  for (int e = 0; e < d * d; e++) {
    const double f = V->factor[e];
    out.c += f * at->M[e];
    size += fabs(f * at->M[e]);
    out.off += fabs(f) * (at->rest[e / d] + x->entry_error[e / d]);
    for (int k = 0; k < x->numbers; k++) {
      out.by[k] += f * at->by[k][e];
      size += fabs(f * at->by[k][e]) * cell->half[k];
      out.off += fabs(f) * x->derivative_error[e / d] * cell->half[k];
    }
  }
  out.off = (out.off + 64 * u * size) * (1 + 0x1p-40);
  return out;
}

void bf_cell_coefficients(const BfCellBound *x, const BfCell *cell, double c[]) {
  Expansion at;
  expand_any(x, cell, &at);
  for (int v = 0; v < x->values; v++) c[v] = affine_of(x, cell, &at, &x->V[v]).c;
}

double bf_cell_value(const BfCellBound *x, const BfCell *cell, const double c[], double scale) {
  double G = 0;
  for (int k = 0; k < x->numbers; k++) G += x->lambda / 2 * cell->centre[k] * cell->centre[k];
  for (int v = 0; v < x->values; v++) G -= h(&x->V[v], scale * c[v]);
  return G;
}

/* The largest sum of h_k over the corners of the cell. */
static double largest_h(const BfCellBound *x, const BfCell *cell, const Affine c[]) {
  double most = -INFINITY;
  for (int corner = 0; corner < 1 << x->numbers; corner++) {
    double sum = 0;
    for (int v = 0; v < x->values; v++) {
      double here = c[v].c;
      for (int k = 0; k < x->numbers; k++) here += (corner >> k & 1 ? 1 : -1) * cell->half[k] * c[v].by[k];
      sum += bf_larger(h(&x->V[v], here - c[v].off), h(&x->V[v], here + c[v].off));
    }
    most = bf_larger(most, sum);
  }
  return most;
}

void bf_cell_bound(const BfCellBound *x, BfCell *cell) {
  Expansion at;
  Affine    c[BF_CERTIFY_ENTRIES + 1];
  double    centre[BF_CERTIFY_ENTRIES + 1] = {0}, size = 0;
  expand_any(x, cell, &at);
  for (int k = 0; k < x->numbers; k++) cell->weight[k] = 0;
  for (int v = 0; v < x->values; v++) {
    c[v]      = affine_of(x, cell, &at, &x->V[v]);
    centre[v] = c[v].c;
    size += x->V[v].most * (fabs(c[v].c) + c[v].off + x->V[v].decay * x->V[v].most);
    for (int k = 0; k < x->numbers; k++) {
      size += x->V[v].most * fabs(c[v].by[k]) * cell->half[k];
      cell->weight[k] += x->V[v].most * fabs(c[v].by[k]);
    }
  }
  cell->value = bf_cell_value(x, cell, centre, 1);
  cell->lower = least_decay(x, cell) - largest_h(x, cell, c) - 64 * u * size;
  if (!(cell->lower <= cell->value)) cell->lower = -INFINITY; /* numbers that overflow bound nothing */
}

void bf_cell_theta(const BfCellBound *x, const BfCell *cell, double theta[]) {
  double c[BF_CERTIFY_ENTRIES + 1];
  bf_cell_coefficients(x, cell, c);
  for (int k = 0; k < x->numbers; k++) theta[k] = cell->centre[k];
  for (int v = 0; v < x->x->free_V; v++) theta[x->numbers + v] = best_number(&x->V[v], c[v]);
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static double wider(double half, double centre) { return half * (1 + 0x1p-45) + fabs(centre) * 0x1p-51; }

BfCell bf_cell_all(const BfCellBound *x) {
  BfCell cell = {0};
  for (int k = 0; k < x->numbers; k++) {
    cell.centre[k] = x->lower[k] + (x->upper[k] - x->lower[k]) / 2;
    cell.half[k]   = wider((x->upper[k] - x->lower[k]) / 2, fmax(fabs(x->lower[k]), fabs(x->upper[k])));
  }
  return cell;
}

void bf_cell_split(const BfCellBound *x, const BfCell *cell, BfCell half[2]) {
  int    across = 0;
  double most   = -1;
  for (int k = 0; k < x->numbers; k++) {
    const double score = cell->half[k] * (cell->weight[k] + cell->half[k] * (x->curvature[k] + x->lambda));
    if (score > most) across = k;
    most = fmax(most, score);
  }
  for (int i = 0; i < 2; i++) {
    half[i] = *cell;
    half[i].centre[across] += (i ? 0.5 : -0.5) * cell->half[across];
    half[i].half[across] = wider(cell->half[across] / 2, half[i].centre[across]);
  }
}
