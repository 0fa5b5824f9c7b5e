#include "certify/lower.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { STEPS = 30, TRIES = 12 };

BfStatus bf_lower_create(const BfObjective *of, BfLower *x, BfError *error) {
  const int64_t n = x->n = of->free.n, m = x->count = of->features;
  x->of                        = of;
  x->cost                      = &of->cost[0];
  double **const of_features[] = {&x->c, &x->e, &x->x0, &x->g, &x->remainder, &x->first, &x->from, &x->least, &x->most};
  double **const of_numbers[]  = {&x->centre, &x->width, &x->slope, &x->own, &x->rest,
                                  &x->at,     &x->next,  &x->best,  &x->last};
  for (size_t i = 0; i < sizeof of_features / sizeof *of_features; i++) BF_TRY(BF_NEW(of_features[i], m + n, error));
  for (size_t i = 0; i < sizeof of_numbers / sizeof *of_numbers; i++) BF_TRY(BF_NEW(of_numbers[i], n, error));
  BF_TRY(BF_NEW(&x->b, m * n, error));
  BF_TRY(BF_NEW(&x->r, m * n, error));
  return BF_NEW(&x->point, n, error);
}

void bf_lower_clear(BfLower *x) {
  void *const owned[] = {x->c,   x->e,     x->x0,        x->g,     x->centre, x->width, x->slope,
                         x->own, x->rest,  x->at,        x->next,  x->best,   x->last,  x->b,
                         x->r,   x->point, x->remainder, x->first, x->from,   x->least, x->most};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  *x = (BfLower){0};
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static double part(const BfLower *x, int k, double xi) {
  const double u = x->centre[k] + x->width[k] * xi;
  return x->slope[k] * xi + x->of->free.decay[k] / 2 * u * u;
}

static double part_slope(const BfLower *x, int k, double xi) {
  return x->slope[k] + x->of->free.decay[k] * x->width[k] * (x->centre[k] + x->width[k] * xi);
}

/* From below: a part is convex, so that it lies above its tangent at the computed minimizer. */
static double least_part(const BfLower *x, int k) {
  const double bend = x->of->free.decay[k] * x->width[k] * x->width[k];
  double       xi   = x->slope[k] > 0 ? -1 : 1;
  if (bend > 0) {
    xi = -(x->slope[k] + x->of->free.decay[k] * x->width[k] * x->centre[k]) / bend;
    xi = xi > 1 ? 1 : xi >= -1 ? xi : -1; /* -1 also for NaN */
  }
  const double slope = part_slope(x, k, xi);
  return part(x, k, xi) - fmax(0, fmax(slope * (xi + 1), -slope * (1 - xi)));
}

/* ---- tangents ---------------------------------------------------------------------------------------------------- */

static void place(BfLower *x, const double xi[]) {
  for (int f = 0; f < x->count; f++) {
    const double *b   = x->b + (int64_t)f * x->n;
    double        sum = x->c[f];
    for (int k = 0; k < x->n; k++) sum += b[k] * xi[k];
    x->x0[f] = sum;
  }
}

static double decay_at(const BfLower *x, const double xi[]) {
  double sum = 0;
  for (int k = 0; k < x->n; k++) {
    const double u = x->centre[k] + x->width[k] * xi[k];
    sum += x->of->free.decay[k] / 2 * u * u;
  }
  return sum;
}

/* Supports at x0, with multiplicities: K's sum; *value: phi at x0; *size: of what was added up. */
static double support(BfLower *x, double *value, double *size) {
  const BfMergedData *data = &x->of->data;
  double              base = 0;
  *value = *size = 0;
  for (int64_t s = 0; s < data->contexts; s++) {
    const int    first = x->of->first[s], last = x->of->first[s + 1];
    const double times = data->context[s].times;
    const double K = times * x->cost->kind->support(x->cost, &data->context[s].context, x->x0 + first, x->g + first);
    base += K;
    *value += K;
    *size += fabs(K);
    for (int f = first; f < last; f++) {
      x->g[f] *= times;
      *value += x->g[f] * x->x0[f];
    }
  }
  return base;
}

/* The support at xi: at the point within remainders of c + b xi and within ranges where phi is least, a feature at a
 * time. */
static double support_at(BfLower *x, const double xi[], double *value, double *size) {
  bool turns = false;
  place(x, xi);
  support(x, value, size);
  for (int f = 0; f < x->count; f++) {
    x->first[f] = x->g[f];
    x->from[f]  = x->x0[f];
    if (x->g[f] > 0) x->x0[f] = fmax(x->x0[f] - x->remainder[f], x->least[f]);
    if (x->g[f] < 0) x->x0[f] = fmin(x->x0[f] + x->remainder[f], x->most[f]);
  }
  const double base = support(x, value, size);
  for (int f = 0; f < x->count; f++) {
    const double then = x->first[f], now = x->g[f];
    if (then * now >= 0) continue;
    x->x0[f] = x->from[f] + (x->x0[f] - x->from[f]) * (then / (then - now));
    turns    = true;
  }
  return turns ? support(x, value, size) : base;
}

/* phi, as far down as remainders go, and decay. */
static double value_at(BfLower *x, const double xi[]) {
  double value, size;
  support_at(x, xi, &value, &size);
  return value + decay_at(x, xi);
}

/* The form at xi: fills slope, own, rest, lower, error; returns phi there, and decay.
 *
 * Rounding: every sum below has at most m = count + contexts + n + 32 terms and factors behind one another, so that it
 * is off by at most m 2^-53 (1 + 2^-20) times the sum of the sizes of its terms (remainders are sums of n + 1 more);
 * these are in `size` once for the slopes and once for what is added up. */
static double tangent(BfLower *x, const double xi[]) {
  double value, size, rest = 0, parts = 0;
  double base = support_at(x, xi, &value, &size) + x->of->free.rest_decay;
  memset(x->slope, 0, sizeof(double) * (size_t)x->n);
  for (int f = 0; f < x->count; f++) {
    const double *b = x->b + (int64_t)f * x->n, g = x->g[f], a = fabs(g);
    if (g == 0) continue;
    if (x->x0[f] == (g > 0 ? x->least[f] : x->most[f])) { /* its range says more than its form */
      base += g * x->x0[f];
      size += a * fabs(x->x0[f]);
      continue;
    }
    base += g * x->c[f];
    rest += a * x->remainder[f];
    size += a * fabs(x->c[f]);
    for (int k = 0; k < x->n; k++) {
      x->slope[k] += g * b[k];
      size += a * fabs(b[k]);
    }
  }
  for (int k = 0; k < x->n; k++) {
    const double u = fabs(x->centre[k]) + x->width[k];
    x->own[k]      = least_part(x, k);
    parts += x->own[k];
    size += 4 * x->of->free.decay[k] * u * u;
  }
  const double terms = (double)x->count + (double)x->of->data.contexts + x->n + 32;
  x->error           = terms * DBL_EPSILON * 2 * (size + rest + x->of->free.rest_decay);
  x->lower           = base + parts - rest - x->error;
  return value + x->of->free.rest_decay + decay_at(x, xi);
}

static void find_remainders(BfLower *x) {
  for (int f = 0; f < x->count; f++) {
    const double *r = x->r + (int64_t)f * x->n;
    x->remainder[f] = x->e[f];
    for (int k = 0; k < x->n; k++) x->remainder[f] += r[k];
  }
}

void bf_lower_at(BfLower *x) {
  for (int k = 0; k < x->n; k++) x->at[k] = x->point[k] / 127.0;
  find_remainders(x);
  tangent(x, x->at);
  if (!(x->lower > -INFINITY)) x->lower = -INFINITY; /* also NaN: no bound */
}

/* ---- the search -------------------------------------------------------------------------------------------------- */

static double clip(double xi) { return xi > 1 ? 1 : xi >= -1 ? xi : -1; }

/* From x->at with slopes there, a step of length 1/curvature, curvature doubled until the quadratic bounds phi: into
 * x->next. Returns phi there. */
static double step(BfLower *x, double value, const double gradient[], double *curvature) {
  double next = value;
  for (int tries = 0; tries < TRIES; tries++, *curvature *= 2) {
    double linear = 0, square = 0;
    for (int k = 0; k < x->n; k++) {
      x->next[k]        = clip(x->at[k] - gradient[k] / *curvature);
      const double away = x->next[k] - x->at[k];
      linear += gradient[k] * away;
      square += away * away;
    }
    next = value_at(x, x->next) + x->of->free.rest_decay;
    if (next <= value + linear + *curvature / 2 * square + 1e-12 * fabs(value)) break;
  }
  return next;
}

static void search(BfLower *x, double target, double gradient[]) {
  double curvature = 0, momentum = 1, best = -INFINITY;
  memset(x->at, 0, sizeof(double) * (size_t)x->n);
  memset(x->last, 0, sizeof(double) * (size_t)x->n);
  memset(x->best, 0, sizeof(double) * (size_t)x->n);
  for (int i = 0; i < STEPS; i++) {
    double       steepest = 0, back = 0;
    const double value = tangent(x, x->at);
    if (x->lower > best) {
      best = x->lower;
      memcpy(x->best, x->at, sizeof(double) * (size_t)x->n);
    }
    if (best >= target) return;
    for (int k = 0; k < x->n; k++) {
      gradient[k] = part_slope(x, k, x->at[k]);
      steepest    = fmax(steepest, fabs(gradient[k]));
    }
    if (!(steepest > 0)) return;
    if (i == 0) curvature = steepest;
    else curvature *= 0.7;
    const double next = step(x, value, gradient, &curvature);
    /* no form gives more than `next` */
    if (next - best <= 0.1 * fmin(target - best, fabs(best)) || (i >= 1 && next < target)) return;
    const double then = (1 + sqrt(1 + 4 * momentum * momentum)) / 2;
    for (int k = 0; k < x->n; k++) back += gradient[k] * (x->next[k] - x->last[k]);
    const double push = back > 0 ? 0 : (momentum - 1) / then;
    momentum          = back > 0 ? 1 : then;
    for (int k = 0; k < x->n; k++) {
      x->at[k]   = clip(x->next[k] + push * (x->next[k] - x->last[k]));
      x->last[k] = x->next[k];
    }
  }
}

void bf_lower_find(BfLower *x, double target) {
  find_remainders(x);
  search(x, target, x->g + x->count); /* behind the features' */
  for (int k = 0; k < x->n; k++) x->point[k] = (int8_t)lrint(127 * x->best[k]);
  bf_lower_at(x);
}

/* ---- contraction ------------------------------------------------------------------------------------------------- */

/* Whether part k is at least `most` on the side of xi that `side` (-1, 1) points to. */
static bool is_above(const BfLower *x, int k, double xi, double side, double most, double shift) {
  const double slope = part_slope(x, k, xi);
  return side * slope >= 0 && part(x, k, xi) - fabs(slope) * shift > most;
}

/* 256ths that can go from below (side -1) or above (1): found by bisection, since a convex part passes `most` once. */
static int cut_of(const BfLower *x, int k, double side, double most, double shift) {
  int none = 0, all = 256;
  while (all - none > 1) {
    const int middle = (none + all) / 2;
    if (is_above(x, k, side * (1 - middle / 128.0), side, most, shift)) none = middle;
    else all = middle;
  }
  return none;
}

double bf_lower_contract(const BfLower *x, double target, const double lower[], const double upper[], uint8_t cut[]) {
  const double slack = target - x->lower + 2 * x->error;
  double       left  = 1;
  for (int k = 0; k < x->n; k++) {
    /* ends of the cut, computed from the box's ends, lie within 4 roundings of where xi says */
    const double shift = 4 * DBL_EPSILON * (1 + fmax(fabs(lower[k]), fabs(upper[k])) / x->width[k]);
    const double most  = x->own[k] + slack;
    const int    below = cut_of(x, k, -1, most, shift), above = cut_of(x, k, 1, most, shift);
    cut[2 * k]     = (uint8_t)below;
    cut[2 * k + 1] = (uint8_t)(below + above < 256 ? above : 0);
    left *= 1 - (cut[2 * k] + cut[2 * k + 1]) / 256.0;
  }
  return left;
}

int bf_lower_branch(BfLower *x) {
  int    most = 0;
  double best = -1;
  memset(x->rest, 0, sizeof(double) * (size_t)x->n);
  for (int f = 0; f < x->count; f++) {
    const double *r = x->r + (int64_t)f * x->n, slope = sqrt(fabs(x->first[f] * x->g[f]));
    for (int k = 0; k < x->n; k++) x->rest[k] += slope * r[k];
  }
  for (int k = 0; k < x->n; k++)
    if (x->rest[k] > best) {
      best = x->rest[k];
      most = k;
    }
  if (best > x->error) return most; /* else of rounding, which no split makes less */
  best = -1;
  for (int k = 0; k < x->n; k++) {
    const double part = x->width[k] / (x->of->free.upper[k] - x->of->free.lower[k]);
    if (part > best) {
      best = part;
      most = k;
    }
  }
  return most;
}
