#include "check/linear.h"
#include <assert.h>
#include <stdbool.h>
#include <string.h>

int64_t bf_linear_size(int n) { return (int64_t)(sizeof(BfLinear) / sizeof(double)) + n; }

BfLinear *bf_linear_new(BfLinears *space) {
  BfLinear *x = (BfLinear *)(space->memory + space->used);
  assert(space->used + space->size <= space->room);
  space->used += space->size;
  return x;
}

int bf_linear_is_constant(const BfLinear *x) { return x->sum == 0 && x->e == 0; }
int bf_linear_is_zero(const BfLinear *x) { return bf_linear_is_constant(x) && x->c == 0; }

/* The range, as a form: all of it in e; or, where that has no ends, nothing. */
static void take_range(const BfLinears *space, BfLinear *x) {
  const double middle = bf_span_middle(x->range);
  if (bf_span_is_finite(x->range)) *x = (BfLinear){.c = middle, .e = bf_span_half(x->range, middle), .range = x->range};
  else *x = (BfLinear){.e = INFINITY, .range = x->range};
  memset(x->b, 0, sizeof *x->b * (size_t)space->n);
}

static bool is_known(const BfLinear *x) { return x->sum + x->e < INFINITY && isfinite(x->c); }

/* Also what is out of range becomes its range here. */
void bf_linear_end(const BfLinears *space, BfLinear *x) {
  double sum = 0;
  for (int k = 0; k < space->n; k++) sum += fabs(x->b[k]);
  x->sum              = sum;
  const double radius = sum + x->e;
  x->range            = bf_span_meet(x->range, (BfSpan){bf_add_down(x->c, -radius), x->c + radius});
  if (!is_known(x)) take_range(space, x);
}

void bf_linear_span(const BfLinears *space, BfLinear *x, BfSpan known) {
  x->range = known;
  take_range(space, x);
}

void bf_linear_variable(const BfLinears *space, BfLinear *x, int k, BfSpan known, double factor) {
  const double middle = bf_span_middle(known), half = bf_span_half(known, middle);
  const BfSpan c = bf_span_scale(factor, bf_span(middle)), b = bf_span_scale(factor, bf_span(half));
  bf_linear_span(space, x, bf_span(0));
  x->c     = c.hi;
  x->b[k]  = b.hi;
  x->e     = (c.hi - c.lo) + (b.hi - b.lo);
  x->range = bf_span_scale(factor, known);
  bf_linear_end(space, x);
}

void bf_linear_copy(const BfLinears *space, const BfLinear *from, BfLinear *x) {
  memcpy(x, from, sizeof *x + sizeof *x->b * (size_t)space->n);
}

/* s y = m y + (s - m) y with m the middle of s; every b becomes the upper end of its sum, the lower one of which is no
 * more than the rounding away. */
void bf_linear_add(const BfLinears *space, BfLinear *x, BfSpan s, const BfLinear *y) {
  const double m = bf_span_middle(s), half = bf_span_half(s, m);
  double       error = 0;
  for (int k = 0; k < space->n; k++) {
    const double up = x->b[k] + m * y->b[k], down = -x->b[k] + (-m) * y->b[k]; /* down: of the negative */
    x->b[k] = up;
    error += up + down;
  }
  const double up = x->c + m * y->c, down = -x->c + (-m) * y->c;
  x->c = up;
  error += up + down;
  if (half > 0) error += half * bf_span_size(y->range);
  x->e += fabs(m) * y->e + error;
  x->sum   = NAN;
  x->range = bf_span_add(x->range, bf_span_mul(s, y->range));
}

void bf_linear_shift(BfLinear *x, BfSpan s) {
  const double m = bf_span_middle(s), up = x->c + m, down = -x->c - m;
  x->e += (up + down) + bf_span_half(s, m);
  x->c     = up;
  x->range = bf_span_add(x->range, s);
}

void bf_linear_scale(const BfLinears *space, BfLinear *x, BfSpan s) {
  const double m = bf_span_middle(s), half = bf_span_half(s, m), up = m * x->c, down = (-m) * x->c;
  double       error = up + down;
  for (int k = 0; k < space->n; k++) {
    const double high = m * x->b[k], low = (-m) * x->b[k];
    x->b[k] = high;
    error += high + low;
  }
  if (half > 0) error += half * bf_span_size(x->range);
  x->c     = up;
  x->e     = fabs(m) * x->e + error;
  x->sum   = NAN;
  x->range = bf_span_mul(s, x->range);
}

/* With X = cx + Lx + dx, |dx| <= ex, and Y alike:
 *     X Y = cx cy + (cx Ly + cy Lx) + Lx Ly + cx dy + cy dx + Lx dy + Ly dx + dx dy,
 * Lx Ly = sum_k bx_k by_k xi_k^2 + sum_{k != l} bx_k by_l xi_k xi_l. The first sum is within half its coefficients of
 * half of each; the second at most (sum |bx|) (sum |by|) - sum |bx_k by_k|. In all, R = sum |b| + e:
 *     c = cx cy + 1/2 sum bx_k by_k,    remainder |cx| ey + |cy| ex + Rx Ry - 1/2 sum |bx_k by_k| .
 * Or about the middles mx, my of the ranges: X Y = mx Y + my X - mx my + (X - mx) (Y - my), the last within hx hy, the
 * product of half widths: where that is less than Rx Ry - .., the ranges say more than the forms. */
void bf_linear_mul(const BfLinears *space, const BfLinear *x, const BfLinear *y, BfLinear *z) {
  const double mx = bf_span_middle(x->range), my = bf_span_middle(y->range);
  const double narrow = bf_span_half(x->range, mx) * bf_span_half(y->range, my);
  double       error = 0, high = 0, low = 0, size = 0; /* of the diagonal: upper end, -lower end, -sum of sizes */
  for (int k = 0; k < space->n; k++) {
    const double bx = x->b[k], by = y->b[k];
    high += bx * by;
    low += (-bx) * by;
    size += (-fabs(bx)) * fabs(by);
  }
  double       up = x->c * y->c + 0.5 * high, down = (-x->c) * y->c + 0.5 * low;
  double       rest  = (x->sum + x->e) * (y->sum + y->e) + 0.5 * size;
  const int    tight = narrow < rest;
  const double cx = tight ? mx : x->c, cy = tight ? my : y->c;
  if (tight) {
    const BfSpan away = bf_span_sub(bf_span(x->c), bf_span(mx));
    const BfSpan c    = bf_span_add(bf_span_scale(mx, bf_span(y->c)), bf_span_scale(my, away));
    rest              = narrow;
    up                = c.hi;
    down              = -c.lo;
  }
  for (int k = 0; k < space->n; k++) {
    const double bx = x->b[k], by = y->b[k];
    const double most = cx * by + cy * bx, least = (-cx) * by + (-cy) * bx;
    z->b[k] = most;
    error += most + least;
  }
  z->c     = up;
  z->e     = fabs(cx) * y->e + fabs(cy) * x->e + (rest > 0 ? rest : 0) + (up + down) + error;
  z->sum   = NAN;
  z->range = bf_span_mul(x->range, y->range);
  if (isnan(rest)) z->e = INFINITY;
}

/* Where the range says more than the form by far, it is the better argument of what follows. */
void bf_linear_meet_by(const BfLinears *space, BfLinear *x, BfSpan known, double trust) {
  x->range = bf_span_meet(x->range, known);
  if (!(x->sum + x->e <= trust * (0.5 * (x->range.hi - x->range.lo)))) take_range(space, x);
}

void bf_linear_meet(const BfLinears *space, BfLinear *x, BfSpan known) {
  bf_linear_meet_by(space, x, known, space->trust);
}

void bf_linear_unary(const BfLinears *space, BfLinear *x, double alpha, BfSpan deviation, BfSpan image) {
  bf_linear_scale(space, x, bf_span(alpha));
  x->range = image;
  if (!bf_span_is_finite(deviation)) {
    take_range(space, x);
    return;
  }
  bf_linear_shift(x, deviation);
  x->range = image;
  bf_linear_end(space, x);
}
