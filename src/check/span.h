/* Intervals of doubles, outward. What includes this computes with the processor set to round upwards (rounding.h): a
 * sum or a product of doubles is then no less than the true one, and -((-a) b) no more. These files are compiled with
 * -frounding-math, without which a compiler takes -((-a) b) for a b. */
#pragma once
#include <math.h>

typedef struct {
  double lo, hi; /* all numbers between, and both; infinite where no bound is known */
} BfSpan;

static inline double bf_add_down(double a, double b) { return -(-a - b); }
static inline double bf_mul_down(double a, double b) { return -((-a) * b); }

static inline BfSpan bf_span(double x) { return (BfSpan){x, x}; }
static inline BfSpan bf_span_all(void) { return (BfSpan){-INFINITY, INFINITY}; }
static inline BfSpan bf_span_negative(BfSpan x) { return (BfSpan){-x.hi, -x.lo}; }
static inline BfSpan bf_span_add(BfSpan x, BfSpan y) { return (BfSpan){bf_add_down(x.lo, y.lo), x.hi + y.hi}; }
static inline BfSpan bf_span_sub(BfSpan x, BfSpan y) { return (BfSpan){bf_add_down(x.lo, -y.hi), x.hi - y.lo}; }
static inline int    bf_span_is_finite(BfSpan x) { return isfinite(x.lo) && isfinite(x.hi); }

static inline double bf_larger(double a, double b) { return a > b ? a : b; } /* of numbers */

static inline BfSpan bf_span_mul(BfSpan x, BfSpan y) {
  if (!bf_span_is_finite(x) || !bf_span_is_finite(y)) return bf_span_all();
  const double hi = bf_larger(bf_larger(x.lo * y.lo, x.lo * y.hi), bf_larger(x.hi * y.lo, x.hi * y.hi));
  const double lo = bf_larger(bf_larger((-x.lo) * y.lo, (-x.lo) * y.hi), bf_larger((-x.hi) * y.lo, (-x.hi) * y.hi));
  return (BfSpan){-lo, hi};
}

static inline BfSpan bf_span_scale(double s, BfSpan x) { return bf_span_mul(bf_span(s), x); }
static inline double bf_span_size(BfSpan x) { return fmax(fabs(x.lo), fabs(x.hi)); } /* largest absolute value */

static inline BfSpan bf_span_square(BfSpan x) {
  const double least = x.lo > 0 ? x.lo : x.hi < 0 ? -x.hi : 0, most = bf_span_size(x);
  return (BfSpan){bf_mul_down(least, least), most * most};
}

/* Of two that both hold the number; where one is no bound the other stands. */
static inline BfSpan bf_span_meet(BfSpan x, BfSpan y) {
  return (BfSpan){x.lo > y.lo ? x.lo : isnan(y.lo) ? x.lo : y.lo, x.hi < y.hi ? x.hi : isnan(y.hi) ? x.hi : y.hi};
}

/* Of both. */
static inline BfSpan bf_span_hull(BfSpan x, BfSpan y) {
  return (BfSpan){x.lo < y.lo ? x.lo : y.lo, x.hi > y.hi ? x.hi : y.hi};
}

/* A double within, and the largest distance from it. */
static inline double bf_span_middle(BfSpan x) { return 0.5 * x.lo + 0.5 * x.hi; }
static inline double bf_span_half(BfSpan x, double middle) { return fmax(x.hi - middle, middle - x.lo); }
