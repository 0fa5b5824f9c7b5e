#include "certify/contract.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const double sure  = 1e-3;    /* of H's trace, added to its diagonal: a flat direction is not infinite */
static const double push  = 0.01;    /* of what is between F and the target: a slope that holds a number at its end */
static const double worth = 1. / 32; /* of xi, that a form has to promise to cut */

BfStatus bf_contraction_create(const BfLower *of, BfContraction *x, BfError *error) {
  const int64_t  n            = of->n;
  double **const of_numbers[] = {&x->xi, &x->slope, &x->column, &x->step, &x->newton};
  x->n                        = of->n;
  x->size                     = of->size;
  for (size_t i = 0; i < sizeof of_numbers / sizeof *of_numbers; i++) BF_TRY(BF_NEW(of_numbers[i], n, error));
  BF_TRY(BF_NEW(&x->point, (2 * n + 1) * x->size, error));
  BF_TRY(BF_NEW(&x->cut, 2 * n, error));
  BF_TRY(BF_NEW(&x->by, 2 * n, error));
  BF_TRY(BF_NEW(&x->held, n, error));
  BF_TRY(BF_NEW(&x->hessian, n * n, error));
  return BF_NEW(&x->exchanged, n * n, error);
}

void bf_contraction_clear(BfContraction *x) {
  void *const owned[] = {x->xi, x->slope, x->column,  x->step,      x->point, x->cut,
                         x->by, x->held,  x->hessian, x->exchanged, x->newton};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  *x = (BfContraction){0};
}

double bf_contraction_bytes(double n, double size) { return 16 * n * n + 2 * n * size + 54 * n; }

/* ---- what a form cuts -------------------------------------------------------------------------------------------- */

/* Where a cut of so many 256ths ends. */
static double end_of(const BfLower *x, int k, int side, int cut) {
  return side < 0 ? x->end[0][k] + cut * x->part[k] : x->end[1][k] - cut * x->part[k];
}

/* Whether part k is at least `most` on the side of xi that `side` (-1, 1) points to; beyond 1 no logit is. */
static bool is_above(const BfLower *x, int k, double xi, double side, double most, double shift) {
  if (side * xi - shift > 1) return true;
  const double slope = bf_lower_part_slope(x, k, xi);
  return side * slope >= 0 && bf_lower_part(x, k, xi) - fabs(slope) * shift > most;
}

/* 256ths that can go from below (side -1) or above (1): found by bisection, since a convex part passes `most` once. */
static int cut_of(const BfLower *x, int k, int side, double most, double shift) {
  int none = 0, all = 256;
  while (all - none > 1) {
    const int middle = (none + all) / 2;
    if (is_above(x, k, end_of(x, k, side, middle), side, most, shift)) none = middle;
    else all = middle;
  }
  return none;
}

/* The form that x stands at joins those that cut, if it cuts more than they do somewhere: the other numbers take what
 * is least for them on the whole box. */
static void join(BfContraction *c, const BfLower *x, double target, const double lower[], const double upper[]) {
  const double slack = target - x->lower + 2 * x->error;
  bool         more  = false;
  if (!(slack < INFINITY) || c->count > UINT8_MAX - 1) return; /* a record counts its forms in a byte */
  for (int k = 0; k < c->n; k++) {
    /* ends of the cut, computed from the box's ends, lie within 4 roundings of where xi says; a logit's, whose xi is
     * computed by 3 more operations on what is at most twice its ends, and 256ths of that, within 24 */
    const double roundings = k < x->of->free.n ? 4 : 24;
    const double shift     = roundings * DBL_EPSILON * (1 + fmax(fabs(lower[k]), fabs(upper[k])) / x->width[k]);
    const double most      = x->own[k] + slack;
    for (int s = 0; s < 2; s++) {
      const int then = c->cut[2 * k + s], side = 2 * s - 1;
      if (then == 255 || !is_above(x, k, end_of(x, k, side, then + 1), side, most, shift)) continue;
      const int cut = cut_of(x, k, side, most, shift);
      if (k >= x->of->free.n && side * end_of(x, k, side, cut) > 1 - worth) continue; /* of what is left nothing */
      if (cut <= then || cut + c->cut[2 * k + 1 - s] >= 256) continue;                /* something is left */
      c->cut[2 * k + s] = (uint8_t)cut;
      c->by[2 * k + s]  = (uint8_t)c->count;
      more              = true;
    }
  }
  if (!more) return;
  memcpy(c->point + (int64_t)c->count * c->size, x->point, (size_t)c->size);
  c->count++;
}

/* Forms whose cuts all went to later ones are forgotten. */
static void forget_idle(BfContraction *c) {
  int kept = 0;
  for (int i = 0; i < c->count; i++) {
    bool cuts = false;
    for (int j = 0; j < 2 * c->n; j++) cuts = cuts || (c->cut[j] && c->by[j] == i);
    if (!cuts) continue;
    for (int j = 0; j < 2 * c->n; j++)
      if (c->cut[j] && c->by[j] == i) c->by[j] = (uint8_t)kept;
    memmove(c->point + (int64_t)kept * c->size, c->point + (int64_t)i * c->size, (size_t)c->size);
    kept++;
  }
  c->count = kept;
}

/* ---- where F is curved ------------------------------------------------------------------------------------------- */

static void find_hessian(BfContraction *c, BfLower *x) {
  const int n     = c->n;
  double    trace = 0;
  bf_lower_hessian(x, c->hessian);
  for (int k = 0; k < n; k++) trace += c->hessian[k * n + k];
  for (int k = 0; k < n; k++) c->hessian[k * n + k] += sure * trace;
}

/* Newton's step in what is not held, with the inverse of the Hessian there, by exchanges (Jordan): of slopes = H step,
 * slope p becomes what is given, and step p what is told. A number whose pivot is nothing is held, too. */
static void find_newton(BfContraction *c) {
  const int n = c->n;
  double   *a = c->exchanged;
  memcpy(a, c->hessian, sizeof(double) * (size_t)n * (size_t)n);
  for (int p = 0; p < n; p++) {
    const double pivot = a[p * n + p];
    c->held[p]         = c->held[p] || !(pivot > 0);
    if (c->held[p]) continue;
    for (int i = 0; i < n; i++)
      for (int j = 0; i != p && j < n; j++)
        if (j != p) a[i * n + j] -= a[i * n + p] * a[p * n + j] / pivot;
    for (int i = 0; i < n; i++) {
      if (i == p) continue;
      a[i * n + p] /= pivot;
      a[p * n + i] /= -pivot;
    }
    a[p * n + p] = 1 / pivot;
  }
  for (int i = 0; i < n; i++) {
    c->newton[i] = 0;
    for (int j = 0; j < n && !c->held[i]; j++) c->newton[i] -= c->held[j] ? 0 : a[i * n + j] * c->slope[j];
  }
}

/* Number k let go, if it is held: Newton's step then, into c->step; how the others follow it, c->column (1 at k); the
 * entry (k, k) of the inverse is returned. */
static double let_go(BfContraction *c, int k) {
  const int     n = c->n;
  const double *a = c->exchanged, own = a[k * n + k], inverse = c->held[k] ? 1 / own : own;
  double        down = 0;
  for (int i = 0; i < n; i++) c->column[i] = c->held[i] ? 0 : c->held[k] ? a[i * n + k] : a[i * n + k] / own;
  c->column[k] = 1;
  for (int i = 0; i < n; i++) down += c->column[i] * c->slope[i];
  for (int i = 0; i < n; i++) c->step[i] = c->newton[i] - (c->held[k] ? inverse * down * c->column[i] : 0);
  return inverse;
}

/* Stands x->point at the farthest point of {F < F(xi) + above} in number k, if that promises a cut. */
static bool is_farthest(BfContraction *c, BfLower *x, int k, double side, double above) {
  const double inverse = let_go(c, k);
  double       room    = above;
  for (int i = 0; i < c->n; i++) room -= 0.5 * c->slope[i] * c->step[i]; /* from F's least on */
  if (!(inverse > 0 && room > 0)) return false;
  const double far = sqrt(2 * room * inverse);
  if (!(side * (c->xi[k] + c->step[k]) + far < 1 - worth)) return false;
  for (int i = 0; i < c->n; i++) {
    const double xi = c->xi[i] + c->step[i] + side * far * c->column[i];
    x->point[i]     = (int8_t)lrint(127 * fmax(-1, fmin(1, xi)));
  }
  return true;
}

/* The part of the volume that cuts leave. */
static double left_of(const BfContraction *c, const BfLower *x) {
  double left = 1;
  for (int k = 0; k < c->n; k++)
    if (c->cut[2 * k] || c->cut[2 * k + 1])
      left *= 0.5 * (fmin(1, end_of(x, k, 1, c->cut[2 * k + 1])) - fmax(-1, end_of(x, k, -1, c->cut[2 * k])));
  return left;
}

static void begin(BfContraction *c) {
  c->count = 0;
  memset(c->cut, 0, 2 * (size_t)c->n);
}

double bf_contract_once(BfContraction *c, const BfLower *x, double target, const double lower[], const double upper[]) {
  begin(c);
  join(c, x, target, lower, upper);
  return left_of(c, x);
}

double bf_contract(BfContraction *c, BfLower *x, double target, const double lower[], const double upper[]) {
  const int n = c->n;
  begin(c);
  join(c, x, target, lower, upper);
  for (int k = 0; k < n; k++) c->xi[k] = x->point[k] / 127.0;
  const double above = target - bf_lower_slopes(x, c->xi, c->slope);
  for (int k = 0; k < n; k++) c->held[k] = fabs(c->xi[k]) >= 1 && -c->xi[k] * c->slope[k] > push * above;
  find_hessian(c, x);
  find_newton(c);
  for (int k = 0; k < n; k++)
    for (int side = -1; side <= 1; side += 2)
      if (is_farthest(c, x, k, side, above)) {
        bf_lower_at(x);
        join(c, x, target, lower, upper);
      }
  forget_idle(c);
  return left_of(c, x);
}
