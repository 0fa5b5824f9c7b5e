#include "check/bound.h"
#include "check/axes.h"
#include "check/logit.h"
#include "check/terminal.h"

BfStatus bf_check_bound_create(int n, BfCheckBound *out, BfError *error) {
  char *memory;
  *out = (BfCheckBound){.n = n};
  BF_TRY(BF_NEW(&out->least, n, error));
  BF_TRY(BF_NEW(&out->point, n, error));
  BF_TRY(BF_NEW(&memory, bf_linear_size(n) * (int64_t)sizeof(double), error));
  out->sum = (BfLinear *)memory;
  return BF_OK;
}

void bf_check_bound_clear(BfCheckBound *bound) {
  bf_free(bound->least);
  bf_free(bound->point);
  bf_free(bound->sum);
  *bound = (BfCheckBound){0};
}

/* eps lambda / 2. */
static BfSpan decay(const BfCheckForms *forms) {
  const BfCost *cost = &forms->model->problem->cost;
  return bf_span_mul(bf_span(cost->step), bf_span_scale(0.5, bf_span(cost->weight_decay)));
}

/* The first control of the layers that are gone through, and the first behind them. */
static int64_t first_control(const BfCheckForms *forms) { return forms->from * forms->model->problem->layer.free; }
static int64_t last_control(const BfCheckForms *forms) { return forms->to * forms->model->problem->layer.free; }

/* The least of b xi + kappa (c + w xi)^2 over [from, to], rounded down: a xi^2 + s xi + kappa c^2 with a = kappa w^2,
 * s = b + 2 kappa c w. Where the slope s + 2 a xi surely has one sign, at an end; else no less than -s^2 / (4 a). */
static double least(double b, BfSpan kappa, double c, double w, BfSpan between) {
  const BfSpan cw = bf_span_mul(bf_span(c), bf_span(w)), a = bf_span_mul(kappa, bf_span_square(bf_span(w)));
  const BfSpan s          = bf_span_add(bf_span(b), bf_span_scale(2, bf_span_mul(kappa, cw)));
  const BfSpan slope_from = bf_span_add(s, bf_span_scale(2, bf_span_mul(a, bf_span(between.lo))));
  const BfSpan slope_to   = bf_span_add(s, bf_span_scale(2, bf_span_mul(a, bf_span(between.hi))));
  const double rest       = bf_span_mul(kappa, bf_span_square(bf_span(c))).lo;
  if (slope_from.lo >= 0 || slope_to.hi <= 0) {
    const BfSpan xi = bf_span(slope_from.lo >= 0 ? between.lo : between.hi);
    return bf_add_down(bf_span_add(bf_span_mul(a, bf_span_square(xi)), bf_span_mul(s, xi)).lo, rest);
  }
  if (!(a.lo > 0)) { /* no decay: linear, least at an end */
    const double ends = fmin(bf_span_mul(s, bf_span(between.lo)).lo, bf_span_mul(s, bf_span(between.hi)).lo);
    return bf_add_down(ends, rest);
  }
  return bf_add_down(-(bf_span_size(s) * bf_span_size(s) / (4 * a.lo)), rest);
}

/* Of a variable: logits have none, nor have a trained readout, axes, and controls of other layers. */
static BfSpan decay_of(const BfCheckForms *forms, int k) {
  const int64_t i = forms->logits && k >= forms->logits->first ? -1 : forms->numbers.number[k];
  return i >= first_control(forms) && i < last_control(forms) ? decay(forms) : bf_span(0);
}

static double least_of(const BfCheckForms *forms, const BfCheckBound *bound, int k, BfSpan between) {
  const BfSpan box = bf_check_within(forms, k);
  const double c   = bf_span_middle(box);
  return least(bound->sum->b[k], decay_of(forms, k), c, bf_span_half(box, c), between);
}

/* Of controls that are no variables. */
static double least_ignored(const BfCheckForms *forms) {
  const BfCheckNumbers *x   = &forms->numbers;
  double                sum = 0;
  for (int64_t i = first_control(forms); i < last_control(forms); i++)
    if (x->variable[i] < 0)
      sum = bf_add_down(sum, bf_span_mul(decay(forms), bf_span_square((BfSpan){x->lower[i], x->upper[i]})).lo);
  return sum;
}

/* What constant and slopes come to on the box. */
static void finish(const BfCheckForms *forms, BfCheckBound *out) {
  out->bound = out->constant;
  for (int i = 0; i < out->n; i++) {
    out->least[i] = least_of(forms, out, i, (BfSpan){-1, 1});
    out->bound    = bf_add_down(out->bound, out->least[i]);
  }
}

void bf_check_finish(const BfCheckForms *forms, double constant, BfCheckBound *out) {
  out->constant = bf_add_down(bf_add_down(bf_add_down(constant, out->sum->c), -out->sum->e), least_ignored(forms));
  finish(forms, out);
}

/* The form at xi, of the tokens that are there. */
static void tangent(BfCheckForms *forms, int64_t readout, const double xi[], double near, BfCheckBound *out) {
  const double k = bf_check_tangent(forms, readout, xi, near, out->sum);
  if (forms->logits) bf_check_couple(forms, xi, out->sum);
  if (forms->axes) bf_check_tilt(forms, out->sum);
  bf_check_finish(forms, k, out);
}

void bf_check_bound(BfCheckForms *forms, int64_t readout, const double xi[], BfCheckBound *out) {
  bf_check_tokens(forms);
  bf_check_bound_at(forms, readout, xi, out);
}

void bf_check_bound_at(BfCheckForms *forms, int64_t readout, const double xi[], BfCheckBound *out) {
  tangent(forms, readout, xi, 0, out);
}

BfSpan bf_check_between(const BfCheckForms *forms, const BfCheckPart *part) {
  const BfSpan box = bf_check_within(forms, part->variable);
  const double c = bf_span_middle(box), w = bf_span_half(box, c);
  BfSpan       all = {-1, 1};
  if (w > 0 && part->side == 0) all.hi = fmax(-1, fmin(1, (part->to - c) / w));
  if (w > 0 && part->side == 1) all.lo = -fmax(-1, fmin(1, (c - part->to) / w));
  return all;
}

/* Whether it is known that no controls are in a part of the box. */
static bool is_nowhere(const BfCheckForms *forms, const BfCheckPart *part) {
  if (!forms->logits) return false;
  if (part->variable < forms->logits->first) return forms->logits->empty;
  const BfSpan box = bf_check_within(forms, part->variable);
  return forms->logits->empty || (part->side == 0 ? part->to < box.lo : part->to > box.hi);
}

double bf_check_least(const BfCheckForms *forms, const BfCheckBound *bound, const BfCheckPart *part) {
  if (part->variable < 0) return bound->bound;
  double sum = bf_add_down(bound->constant, least_of(forms, bound, part->variable, bf_check_between(forms, part)));
  for (int i = 0; i < bound->n; i++)
    if (i != part->variable) sum = bf_add_down(sum, bound->least[i]);
  return sum;
}

/* Without any form: no loss and no decay is below 0. */
static double sure(const BfCheckForms *forms, const BfCheckPart *part) {
  return forms->axes ? -bf_check_most_tilt(forms, part) : 0;
}

double bf_check_on(const BfCheckForms *forms, const BfCheckBound *bound, const BfCheckPart *part) {
  return is_nowhere(forms, part) ? INFINITY : fmax(bf_check_least(forms, bound, part), sure(forms, part));
}

/* Near the least of variable k's part of the form. */
static double minimizer(const BfCheckForms *forms, const BfCheckBound *bound, int k, BfSpan within) {
  const BfSpan box   = bf_check_within(forms, k);
  const double kappa = decay_of(forms, k).hi, c = bf_span_middle(box), w = bf_span_half(box, c),
               slope = bound->sum->b[k] + 2 * kappa * c * w, bend = 2 * kappa * w * w;
  if (!(bend > 0)) return slope > 0 ? within.lo : within.hi;
  return fmax(within.lo, fmin(within.hi, -slope / bend));
}

/* (1 - s) x + s y of two bounds on the same box is one as well: decay is that of both. s is a multiple of 2^-6, so that
 * 1 - s is exact; what slopes are rounded by counts at most once, as |xi_k| <= 1. */
static double mix(const BfCheckForms *forms, const BfCheckBound *x, const BfCheckBound *y, double s,
                  const BfCheckPart *part, BfCheckBound *out) {
  const double r     = 1 - s;
  double       error = 0;
  for (int k = 0; k < out->n; k++) {
    const double bx = x->sum->b[k], by = y->sum->b[k], up = r * bx + s * by, down = (-r) * bx + (-s) * by;
    out->sum->b[k] = up;
    error += up + down;
  }
  out->constant = bf_add_down(bf_add_down(bf_mul_down(r, x->constant), bf_mul_down(s, y->constant)), -error);
  finish(forms, out);
  return bf_check_least(forms, out, part);
}

static void swap(BfCheckBound *x, BfCheckBound *y) {
  const BfCheckBound then = *x;
  *x                      = *y;
  *y                      = then;
}

/* work[0], which gives `best`, becomes the best mixture with work[1]; what that gives is returned. It is concave in the
 * share of work[1], which moves by ever smaller steps to where it gives more. Where features have two bounds, form and
 * range, or forms of two ways, a mixture proves what none does alone. */
static double improve(const BfCheckForms *forms, const BfCheckPart *part, double best, BfCheckBound work[3]) {
  enum { PARTS = 64 };
  int share = 0;
  if (!(best > -INFINITY)) /* the first, or numbers have run out of range */
    return mix(forms, &work[1], &work[1], 0, part, &work[0]);
  for (int step = PARTS; step > 0; step /= 2) { /* all of work[1] first */
    const int from = share;
    for (int to = from - step; to <= from + step; to += 2 * step) {
      if (to < 0 || to > PARTS) continue;
      const double found = mix(forms, &work[0], &work[1], (double)to / PARTS, part, &work[2]);
      if (found > best) best = found, share = to;
    }
  }
  if (share > 0) {
    mix(forms, &work[0], &work[1], (double)share / PARTS, part, &work[2]);
    swap(&work[0], &work[2]);
  }
  return best;
}

/* x and g times coupling l, from below like x. */
static double lean(const BfCheckForms *forms, const BfCheckBound *x, int l, double g, const BfCheckPart *part,
                   BfCheckBound *out) {
  bf_linear_copy(&forms->scratch, x->sum, out->sum);
  out->sum->c = out->sum->e = 0; /* they are in the constant */
  bf_linear_add(&forms->scratch, out->sum, bf_span(g), bf_check_coupling(forms->logits, l));
  out->constant = bf_add_down(bf_add_down(x->constant, out->sum->c), -out->sum->e);
  finish(forms, out);
  return bf_check_least(forms, out, part);
}

/* work[0], which gives `best`, with the multiple of every coupling that gives more: what that is. It is concave in each
 * of them. */
static double straighten(const BfCheckForms *forms, const BfCheckPart *part, double best, BfCheckBound work[3]) {
  enum { HALVINGS = 10 };
  for (int l = 0; l < forms->logits->count; l++) {
    double step = bf_check_steepest(forms->logits, l);
    for (int i = 0; i < HALVINGS && step > 0; i++, step /= 2)
      for (int side = -1; side <= 1; side += 2) {
        const double found = lean(forms, &work[0], l, side * step, part, &work[2]);
        if (!(found > best)) continue;
        best = found;
        swap(&work[0], &work[2]);
      }
  }
  return best;
}

typedef struct {
  BfCheckForms      *forms;
  int64_t            readout;
  const BfCheckPart *part;
  double             target, best;
  double            *xi;   /* [n] where the next tangent is */
  BfCheckBound      *work; /* [3] that of `best`, the last tangent, room */
} Search;

static void move(Search *x, double step) {
  const BfCheckBound *last = &x->work[1];
  for (int k = 0; k < last->n; k++) {
    const BfSpan within = k == x->part->variable ? bf_check_between(x->forms, x->part) : (BfSpan){-1, 1};
    const double start  = fmax(within.lo, fmin(within.hi, x->xi[k]));
    x->xi[k]            = start + step * (minimizer(x->forms, last, k, within) - start);
  }
}

/* How near a feature's range and the end of its form may be to count as either; the last one never takes the range. */
enum { NEAR = 4 };
static const double near[NEAR] = {1e-9, 0, -1e-9, -INFINITY};

/* Frank and Wolfe's steps, towards where the last tangent to forms alone is least. */
static void follow(Search *x, int steps) {
  for (int i = 0; i < NEAR * steps && !(x->best >= x->target); i++) {
    tangent(x->forms, x->readout, x->xi, near[i % NEAR], &x->work[1]);
    x->best = improve(x->forms, x->part, x->best, x->work);
    if (x->forms->logits && !(x->best >= x->target)) x->best = straighten(x->forms, x->part, x->best, x->work);
    if (i % NEAR == NEAR - 1) move(x, 2 / (i / NEAR + 3.0));
  }
}

double bf_check_mixture(BfCheckForms *forms, int64_t readout, const BfCheckPart *part, const double xi[],
                        BfCheckBound work[3]) {
  double best = -INFINITY;
  for (int i = 0; i < NEAR; i++) {
    tangent(forms, readout, xi, near[i], &work[1]);
    best = improve(forms, part, best, work);
  }
  return best;
}

/* A few steps in every way before many in one: where one proves the claim, it mostly does so at once. */
double bf_check_search(BfCheckForms *forms, int64_t readout, const BfCheckPart *part, double target, const double xi[],
                       BfCheckBound work[3]) {
  static const int steps[] = {1, 6, 30};
  Search           x       = {forms, readout, part, target, .best = -INFINITY, .xi = work->point, .work = work};
  int              way     = 0;
  for (int i = 0; i < 3 * BF_CHECK_WAYS && !(x.best >= target); i++) {
    way = i % BF_CHECK_WAYS;
    if (i > 0) bf_check_way(forms, way);
    if (i > 0) bf_check_tokens(forms);
    if (is_nowhere(forms, part)) x.best = INFINITY;
    for (int k = 0; k < work->n; k++) x.xi[k] = xi[k];
    follow(&x, steps[i / BF_CHECK_WAYS]);
  }
  if (way > 0) bf_check_way(forms, 0);
  if (way > 0) bf_check_tokens(forms);
  return fmax(x.best, sure(forms, part));
}

double bf_check_most(BfCheckForms *forms, int64_t readout) {
  double squares = 0;
  bf_check_tokens(forms);
  for (int64_t i = first_control(forms); i < last_control(forms); i++)
    squares += forms->numbers.point[i] * forms->numbers.point[i];
  return bf_check_terminal_most(forms, readout) + decay(forms).hi * squares;
}
