#include "certify/lower.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { STEPS = 12, TRIES = 12, SWEEPS = 12 };
enum { BELOW = 10 };              /* steps where phi is known to be below the target, so that no form is a proof */
static const double apart = 0.5,  /* of a form's radius, between the slopes that its curvature is made of */
    flat                  = 1e-3, /* of the Hessian's trace, added to its diagonal */
    enough                = 0.5;  /* of what is between the form and the target, where no form is a proof */

BfStatus bf_lower_create(const BfObjective *of, BfLower *x, BfError *error) {
  const int64_t n = x->n = of->n, m = x->count = of->features + (int)of->logits.count;
  x->of                        = of;
  x->cost                      = &of->cost[0];
  double **const of_features[] = {&x->c,    &x->e,     &x->x0,   &x->g,    &x->remainder, &x->first,
                                  &x->from, &x->least, &x->most, &x->bent, &x->away};
  double **const of_numbers[]  = {&x->centre, &x->width, &x->slope,    &x->own,    &x->rest,   &x->at,
                                  &x->next,   &x->best,  &x->gradient, &x->end[0], &x->end[1], &x->part};
  for (size_t i = 0; i < sizeof of_features / sizeof *of_features; i++) BF_TRY(BF_NEW(of_features[i], m, error));
  for (size_t i = 0; i < sizeof of_numbers / sizeof *of_numbers; i++) BF_TRY(BF_NEW(of_numbers[i], n, error));
  BF_TRY(BF_NEW(&x->stiff, of->logits.count, error));
  BF_TRY(BF_NEW(&x->slack, of->logits.count, error));
  BF_TRY(BF_NEW(&x->b, m * n, error));
  BF_TRY(BF_NEW(&x->hessian, n * n, error));
  BF_TRY(BF_NEW(&x->r, m * n, error));
  x->size = of->to < of->problem->horizon ? 0 : (int)(n + 2 * of->logits.count); /* planes have no tangents */
  return BF_NEW(&x->point, x->size, error);
}

void bf_lower_clear(BfLower *x) {
  void *const owned[] = {x->c,       x->e,      x->x0,    x->g,         x->centre,   x->width, x->slope, x->own,
                         x->rest,    x->at,     x->next,  x->best,      x->gradient, x->b,     x->bent,  x->away,
                         x->hessian, x->r,      x->point, x->remainder, x->first,    x->from,  x->least, x->most,
                         x->end[0],  x->end[1], x->part,  x->stiff,     x->slack};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  *x = (BfLower){0};
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

double bf_lower_part(const BfLower *x, int k, double xi) {
  const double u = x->centre[k] + x->width[k] * xi;
  return x->slope[k] * xi + x->of->decay[k] / 2 * u * u;
}

double bf_lower_part_slope(const BfLower *x, int k, double xi) {
  return x->slope[k] + x->of->decay[k] * x->width[k] * (x->centre[k] + x->width[k] * xi);
}

/* Where a part is least, about. */
static double least_at(const BfLower *x, int k) {
  const double bend = x->of->decay[k] * x->width[k] * x->width[k];
  if (!(bend > 0)) return x->slope[k] > 0 ? -1 : 1;
  const double xi = -(x->slope[k] + x->of->decay[k] * x->width[k] * x->centre[k]) / bend;
  return xi > 1 ? 1 : xi >= -1 ? xi : -1; /* -1 also for NaN */
}

/* From below: a part is convex, so that it lies above its tangent at the computed minimizer. */
static double least_part(const BfLower *x, int k) {
  const double xi    = least_at(x, k);
  const double slope = bf_lower_part_slope(x, k, xi);
  return bf_lower_part(x, k, xi) - fmax(0, fmax(slope * (xi + 1), -slope * (1 - xi)));
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

/* Decay, and the tilt. */
static double own_at(const BfLower *x, const double xi[]) {
  double sum = 0;
  for (int k = 0; k < x->n; k++) {
    const double u = x->centre[k] + x->width[k] * xi[k];
    sum += x->of->decay[k] / 2 * u * u;
    if (x->tilt) sum += x->tilt[k] * u;
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
  *value += bf_couple_cost(x);
  return base;
}

/* The support at x0: at the point within remainders of it and within ranges where phi is least, a feature at a time. */
static double support_near(BfLower *x, double *value, double *size) {
  bool turns = false;
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

/* phi, as far down as remainders go, decay and tilt. */
static double value_at(BfLower *x, const double xi[]) {
  double value, size;
  place(x, xi);
  support_near(x, &value, &size);
  return value + own_at(x, xi);
}

/* Whether a feature's range says more where its support is than its form does. */
static bool is_range(const BfLower *x, int f) { return x->x0[f] == (x->g[f] > 0 ? x->least[f] : x->most[f]); }

/* The form of sum + <x->g, x->x0> about x->x0: fills slope, own, lower, error. size: of what was added up for sum.
 *
 * Rounding: every sum below has at most m = count + contexts + n + 32 terms (n more where there is a tilt) and factors
 * behind one another, so that it is off by at most m 2^-53 (1 + 2^-20) times the sum of the sizes of its terms
 * (remainders are sums of n + 1 more); these are in `size` once for the slopes and once for what is added up. */
static void add_up(BfLower *x, double base, double size) {
  double rest = 0, parts = 0;
  memset(x->slope, 0, sizeof(double) * (size_t)x->n);
  for (int f = 0; f < x->count; f++) {
    const double *b = x->b + (int64_t)f * x->n, g = x->g[f], a = fabs(g);
    if (g == 0) continue;
    if (is_range(x, f)) {
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
    const double u = fabs(x->centre[k]) + x->width[k], tilt = x->tilt ? x->tilt[k] : 0;
    x->slope[k] += tilt * x->width[k];
    if (x->slope[k] == 0 && x->of->decay[k] == 0 && tilt == 0) {
      x->own[k] = 0;
      continue;
    }
    base += tilt * x->centre[k];
    x->own[k] = least_part(x, k);
    parts += x->own[k];
    size += 4 * x->of->decay[k] * u * u + 2 * fabs(tilt) * u;
  }
  const double terms = (double)x->count + (double)x->of->data.contexts + (x->tilt ? 2.0 : 1.0) * x->n + 32;
  x->error           = terms * DBL_EPSILON * 2 * (size + rest + x->of->free.rest_decay);
  x->lower           = base + parts - rest - x->error;
}

/* The form at xi; returns phi there, with decay and tilt. */
static double tangent(BfLower *x, const double xi[]) {
  double value, size;
  place(x, xi);
  const double base = support_near(x, &value, &size), rest = x->of->free.rest_decay;
  add_up(x, base + rest, size);
  return value + rest + own_at(x, xi);
}

void bf_lower_remainders(BfLower *x) {
  for (int f = 0; f < x->count; f++) {
    const double *r = x->r + (int64_t)f * x->n;
    x->remainder[f] = x->e[f];
    for (int k = 0; k < x->n; k++) x->remainder[f] += r[k];
  }
}

void bf_lower_at(BfLower *x) {
  for (int k = 0; k < x->n; k++) x->at[k] = x->point[k] / 127.0;
  bf_lower_remainders(x);
  tangent(x, x->at);
  if (!(x->lower > -INFINITY)) x->lower = -INFINITY; /* also NaN: no bound */
  bf_couple_put(x);
}

/* The end of the range of a feature that a plane is least at. */
static double range_end(const BfLower *x, int f) { return x->g[f] > 0 ? x->least[f] : x->most[f]; }

/* Of a plane: all forms; or ranges where these say more at the least of the form that stands there. */
static void choose_ends(BfLower *x, bool ranges) {
  for (int k = 0; ranges && k < x->n; k++) x->at[k] = least_at(x, k);
  for (int f = 0; f < x->count; f++) {
    const double *b = x->b + (int64_t)f * x->n, g = x->g[f];
    double        end = x->c[f] - (g > 0 ? 1 : -1) * x->remainder[f];
    for (int k = 0; ranges && k < x->n; k++) end += b[k] * x->at[k];
    const bool range = ranges && !(g * (range_end(x, f) - end) <= 0);
    x->x0[f]         = range ? range_end(x, f) : NAN;
  }
}

void bf_lower_plane(BfLower *x, double constant, const double slope[], double target) {
  const double rest = x->of->free.rest_decay;
  memcpy(x->g, slope, sizeof(double) * (size_t)x->count);
  choose_ends(x, false);
  add_up(x, constant + rest, fabs(constant));
  const double forms = x->lower;
  if (forms >= target) return;
  choose_ends(x, true);
  add_up(x, constant + rest, fabs(constant));
  if (x->lower < forms) {
    choose_ends(x, false);
    add_up(x, constant + rest, fabs(constant));
  }
  if (!(x->lower > -INFINITY)) x->lower = -INFINITY; /* also NaN: no bound */
}

double bf_lower_slopes(BfLower *x, const double xi[], double slope[]) {
  const double value = tangent(x, xi);
  for (int k = 0; k < x->n; k++) slope[k] = bf_lower_part_slope(x, k, xi[k]);
  return value;
}

static double form_slope(const BfLower *x, int f) { return is_range(x, f) ? 0 : x->g[f]; }

/* Two terms for every two numbers and feature; of phi two more supports. */
void bf_lower_hessian(BfLower *x, double hessian[]) {
  const int n = x->n;
  double    value, size;
  memset(hessian, 0, sizeof(double) * (size_t)n * (size_t)n);
  for (int f = 0; f < x->count; f++) {
    const double *b      = x->b + (int64_t)f * n;
    double        radius = 0;
    for (int k = 0; k < n; k++) radius += fabs(b[k]);
    x->bent[f] = form_slope(x, f);
    x->away[f] = (x->first[f] < 0 ? -apart : apart) * radius;
    x->x0[f]   = x->from[f] + x->away[f];
  }
  support_near(x, &value, &size);
  for (int f = 0; f < x->count; f++) {
    const double *b = x->b + (int64_t)f * n, bend = (form_slope(x, f) - x->bent[f]) / x->away[f];
    if (!(bend > 0 && bend < INFINITY)) continue;
    for (int k = 0; k < n; k++)
      for (int l = 0; l <= k; l++) hessian[k * n + l] += bend * b[k] * b[l];
  }
  for (int k = 0; k < n; k++) {
    hessian[k * n + k] += x->of->decay[k] * x->width[k] * x->width[k];
    for (int l = 0; l < k; l++) hessian[l * n + k] = hessian[k * n + l];
  }
}

/* ---- the search -------------------------------------------------------------------------------------------------- */

static double clip(double xi) { return xi > 1 ? 1 : xi >= -1 ? xi : -1; }

/* A model of F at x->at: its slope, x->hessian times a scale that follows what F does. */
typedef struct {
  double scale, linear, square; /* of the last step: gradient step, step H step / 2 */
} Model;

/* The model's least in the box, about: a number at a time. Into x->next. */
static void minimize(BfLower *x, Model *model) {
  const int n     = x->n;
  double    ridge = 0, moved = 1;
  memcpy(x->next, x->at, sizeof(double) * (size_t)n);
  for (int k = 0; k < n; k++) ridge += flat * x->hessian[k * n + k];
  for (int sweep = 0; sweep < SWEEPS && moved > 0.01; sweep++) {
    moved = 0;
    for (int k = 0; k < n; k++) {
      const double *row = x->hessian + k * n, then = x->next[k], bend = model->scale * (row[k] + ridge);
      double        slope = ridge * (then - x->at[k]);
      for (int l = 0; l < n; l++) slope += row[l] * (x->next[l] - x->at[l]);
      slope      = x->gradient[k] + model->scale * slope;
      x->next[k] = bend > 0 ? clip(then - slope / bend) : slope > 0 ? -1 : slope < 0 ? 1 : then;
      moved      = fmax(moved, fabs(x->next[k] - then));
    }
  }
  model->linear = model->square = 0;
  for (int k = 0; k < n; k++) {
    const double *row = x->hessian + k * n, step = x->next[k] - x->at[k];
    model->linear += x->gradient[k] * step;
    model->square += 0.5 * ridge * step * step;
    for (int l = 0; l < n; l++) model->square += 0.5 * row[l] * step * (x->next[l] - x->at[l]);
  }
}

/* From x->at, where F is `value`, to x->next, which is lower: what F is there. The scale becomes the one with which the
 * model would have been right, so that steps that are too long or too short are mended by the next. */
static double step(BfLower *x, double value, Model *model) {
  double next = value;
  for (int tries = 0; tries < TRIES; tries++) {
    minimize(x, model);
    next = value_at(x, x->next) + x->of->free.rest_decay;
    if (!(model->square > 0)) break;
    const double seen = (next - value - model->linear) / model->square;
    model->scale      = fmax(0.1 * model->scale, fmin(4 * model->scale, seen));
    if (next <= value + 1e-12 * fabs(value)) break;
  }
  return next;
}

/* No form gives more than F is anywhere: little of it is left to gain. */
static bool is_near(double value, double best, double target) {
  return value - best <= 0.1 * fmin(target - best, fabs(best));
}

/* Newton's steps on F. The best form is the last one's mostly; where F is below the target somewhere it is what cuts.
 */
static void search(BfLower *x, double target) {
  Model  model  = {.scale = 1};
  double best   = -INFINITY;
  bool   within = false; /* F is below the target somewhere */
  memset(x->at, 0, sizeof(double) * (size_t)x->n);
  memset(x->best, 0, sizeof(double) * (size_t)x->n);
  for (int i = 0; i < STEPS; i++) {
    double       steepest = 0;
    const double value    = tangent(x, x->at);
    if (x->lower > best) {
      best = x->lower;
      memcpy(x->best, x->at, sizeof(double) * (size_t)x->n);
    }
    if (best >= target || is_near(value, best, target)) return;
    within = within || value < target;
    if (i && within && (i >= BELOW || value - best <= enough * (target - best))) return;
    for (int k = 0; k < x->n; k++) {
      x->gradient[k] = bf_lower_part_slope(x, k, x->at[k]);
      steepest       = fmax(steepest, fabs(x->gradient[k]));
    }
    if (!(steepest > 0)) return;
    bf_lower_hessian(x, x->hessian);
    const double next = step(x, value, &model);
    within            = within || next < target;
    if (is_near(next, best, target)) return;
    memcpy(x->at, x->next, sizeof(double) * (size_t)x->n);
  }
}

void bf_lower_find(BfLower *x, double target) {
  if (x->empty) {
    memset(x->point, 0, (size_t)x->size);
    x->lower = INFINITY;
    return;
  }
  bf_lower_remainders(x);
  search(x, target);
  for (int k = 0; k < x->n; k++) x->point[k] = (int8_t)lrint(127 * x->best[k]);
  bf_lower_at(x);
}
