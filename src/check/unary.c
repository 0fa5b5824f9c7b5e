/* D(x) = f(x) - alpha x, alpha any double, best the chord's slope: extremes over [l, h] are at the ends, or where
 * f' = alpha. Where f is convex (exp, 1/x, x^(-1/2)) the largest is at an end, and the least no less than that over all
 * x, which is known in closed form. */
#include "check/unary.h"
#include "check/elementary.h"

typedef struct {
  BfSpan at[2]; /* f at l and h */
  BfSpan d[2];  /* D there */
  double alpha;
} Chord;

static BfSpan difference(BfSpan f, double alpha, double x) {
  return bf_span_sub(f, bf_span_mul(bf_span(alpha), bf_span(x)));
}

static Chord line(BfSpan range, BfSpan low, BfSpan high, double alpha) {
  if (!isfinite(alpha)) alpha = 0;
  return (Chord){
      .at = {low, high}, .d = {difference(low, alpha, range.lo), difference(high, alpha, range.hi)}, .alpha = alpha};
}

/* Of numbers that nearly cancel, the slope of a short chord may be anything. */
static double slope(BfSpan range, BfSpan low, BfSpan high) {
  return range.hi > range.lo ? (bf_span_middle(high) - bf_span_middle(low)) / (range.hi - range.lo) : 0;
}

static Chord chord(BfSpan range, BfSpan low, BfSpan high) { return line(range, low, high, slope(range, low, high)); }

static void widen(BfSpan *all, BfSpan x) { *all = bf_span_hull(*all, x); }

/* f convex, its D nowhere below `least`; D is f itself where alpha is 0. As `least` is that over all x, it says
 * something only where it is near the range: where alpha is a slope of f there. So a quotient of differences, of which
 * nothing may be left, is not taken for alpha, or held between the slopes at the ends. */
static void convex(const BfLinears *space, BfLinear *x, const Chord *c, double least, BfSpan image) {
  BfSpan d = bf_span_hull(c->d[0], c->d[1]);
  if (c->alpha == 0) least = image.lo;
  d.lo = least < d.lo || isnan(least) ? least : d.lo;
  bf_linear_unary(space, x, c->alpha, isnan(d.lo) ? bf_span_all() : d, image);
}

static BfSpan ends(const Chord *c) { return bf_span_hull(c->at[0], c->at[1]); }

/* D is least where e^x = alpha: alpha (1 - log alpha). */
void bf_unary_exp(const BfLinears *space, BfLinear *x) {
  const BfSpan range = x->range;
  const BfSpan low = bf_span_exp(bf_span(range.lo)), high = bf_span_exp(bf_span(range.hi));
  const Chord  c     = line(range, low, high, fmin(fmax(slope(range, low, high), low.lo), high.hi));
  const BfSpan alpha = bf_span(c.alpha);
  convex(space, x, &c, bf_span_mul(alpha, bf_span_sub(bf_span(1), bf_span_log(alpha))).lo, ends(&c));
}

/* x^2 - alpha x is least at alpha / 2: -alpha^2 / 4. */
void bf_unary_square(const BfLinears *space, BfLinear *x) {
  const BfSpan range = x->range;
  const Chord  c =
      line(range, bf_span_square(bf_span(range.lo)), bf_span_square(bf_span(range.hi)), range.lo + range.hi);
  convex(space, x, &c, -bf_span_scale(0.25, bf_span_square(bf_span(c.alpha))).hi, bf_span_square(range));
}

/* 1/x - alpha x, alpha < 0, is least at x = (-alpha)^(-1/2): 2 (-alpha)^(1/2). */
void bf_unary_inverse(const BfLinears *space, BfLinear *x) {
  const BfSpan range = x->range;
  if (!(range.lo > 0)) {
    bf_linear_span(space, x, bf_span_all());
    return;
  }
  const BfSpan low  = bf_span_quotient(bf_span(1), bf_span(range.lo));
  const BfSpan high = bf_span_quotient(bf_span(1), bf_span(range.hi));
  const Chord  c    = line(range, low, high, -(low.hi * high.hi));
  convex(space, x, &c, bf_span_scale(2, bf_span_sqrt(bf_span(-c.alpha))).lo, ends(&c));
}

static BfSpan inverse_root(double x) { return bf_span_quotient(bf_span(1), bf_span_sqrt(bf_span(x))); }

/* x^(-1/2) - alpha x, alpha < 0, is least where x^(-3/2) = -2 alpha, -alpha x = x^(-1/2) / 2: 3/2 (-2 alpha)^(1/3). */
void bf_unary_inverse_root(const BfLinears *space, BfLinear *x) {
  const BfSpan range = x->range;
  if (!(range.lo > 0)) {
    bf_linear_span(space, x, bf_span_all());
    return;
  }
  const BfSpan low = inverse_root(range.lo), high = inverse_root(range.hi);
  const double both = low.hi * high.hi;
  const Chord  c    = line(range, low, high, -(both * both / (low.hi + high.hi)));
  convex(space, x, &c, bf_span_scale(1.5, bf_span_cbrt(bf_span(-2 * c.alpha))).lo, ends(&c));
}

/* s' = s (1 - s) is at most 1/4, at 0: D falls where alpha >= 1/4, and rises where alpha <= 0. Between, D' = 0 where
 * s (1 - s) = alpha: the larger s+ = (1 + q) / 2, q = sqrt(1 - 4 alpha), at x+ = log(s+ / (1 - s+)) =
 * log(s+^2 / alpha) > 0, where D has its one maximum; its one minimum at -x+, where s = alpha / s+. */
void bf_unary_sigmoid(const BfLinears *space, BfLinear *x) {
  const BfSpan range = x->range;
  const Chord  c     = chord(range, bf_span_sigmoid(bf_span(range.lo)), bf_span_sigmoid(bf_span(range.hi)));
  BfSpan       d     = bf_span_hull(c.d[0], c.d[1]);
  if (c.alpha > 0 && c.alpha < 0.25) {
    const BfSpan alpha = bf_span(c.alpha), q = bf_span_sqrt(bf_span_sub(bf_span(1), bf_span_scale(4, alpha)));
    const BfSpan high = bf_span_scale(0.5, bf_span_add(bf_span(1), q)), low = bf_span_quotient(alpha, high);
    const BfSpan at = bf_span_log(bf_span_quotient(bf_span_square(high), alpha)), rise = bf_span_mul(alpha, at);
    if (!(at.hi < range.lo) && !(at.lo > range.hi)) widen(&d, bf_span_sub(high, rise));
    if (!(-at.lo < range.lo) && !(-at.hi > range.hi)) widen(&d, bf_span_add(low, rise));
  }
  bf_linear_unary(space, x, c.alpha, d, bf_span_hull(c.at[0], c.at[1]));
}

/* tanh x = 2 s(2x) - 1. */
void bf_unary_tanh(const BfLinears *space, BfLinear *x) {
  bf_linear_scale(space, x, bf_span(2));
  bf_linear_end(space, x);
  bf_unary_sigmoid(space, x);
  bf_linear_scale(space, x, bf_span(2));
  bf_linear_end(space, x);
  bf_linear_shift(x, bf_span(-1));
  bf_linear_meet(space, x, (BfSpan){-1, 1});
}

/* Linear between its kinks: D is extreme at the ends and there. A kink outside of the range is left out. */
static void kinked(const BfLinears *space, BfLinear *x, double lower, double upper) {
  const BfSpan range = x->range;
  const double low = fmin(fmax(range.lo, lower), upper), high = fmin(fmax(range.hi, lower), upper);
  const Chord  c = chord(range, bf_span(low), bf_span(high));
  BfSpan       d = bf_span_hull(c.d[0], c.d[1]);
  if (range.lo < lower && lower < range.hi) widen(&d, difference(bf_span(lower), c.alpha, lower));
  if (range.lo < upper && upper < range.hi) widen(&d, difference(bf_span(upper), c.alpha, upper));
  bf_linear_unary(space, x, c.alpha, d, (BfSpan){low, high});
}

void bf_unary_clip(const BfLinears *space, BfLinear *x, double lower, double upper) {
  if (x->range.lo >= lower && x->range.hi <= upper) return;
  if (!bf_span_is_finite(x->range)) bf_linear_span(space, x, (BfSpan){lower, upper});
  else kinked(space, x, lower, upper);
}

void bf_unary_relu(const BfLinears *space, BfLinear *x) {
  if (x->range.lo >= 0) return;
  if (!bf_span_is_finite(x->range)) bf_linear_span(space, x, bf_span_all());
  else kinked(space, x, 0, INFINITY);
}

/* ---- gelu ------------------------------------------------------------------------------------------------------- */

/* f'' = phi(x) (2 - x^2), even, on [l, h]: f''' = phi(x) x (x^2 - 4), so that it falls from |x| = 0 to 2 and rises
 * beyond. */
static BfSpan gelu_curvature(BfSpan range) {
  const double least = range.lo > 0 ? range.lo : range.hi < 0 ? -range.hi : 0, most = fmax(-range.lo, range.hi);
  const double at[] = {least, most, least < 2 && most > 2 ? 2 : most};
  BfSpan       all  = {INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++)
    widen(&all, bf_span_mul(bf_span_normal(bf_span(at[i])), bf_span_sub(bf_span(2), bf_span_square(bf_span(at[i])))));
  return all;
}

/* Falls to its one minimum, between -0.7518 and -0.7517, then rises. At x of that interval f is no less than at its
 * left end minus what the slope, within 0.001 of 0 there, takes away over 0.0001. */
static BfSpan gelu_image(BfSpan range, BfSpan low, BfSpan high) {
  BfSpan image = bf_span_hull(low, high);
  if (range.lo < -0.7517 && range.hi > -0.7518) {
    const BfSpan near = bf_gelu(-0.7518);
    widen(&image, (BfSpan){bf_add_down(near.lo, -1e-7), image.lo});
  }
  return image;
}

/* relu - 0.17 <= gelu <= relu, which tells more far from 0: D of relu at its ends and its kink. */
static BfSpan beside_relu(BfSpan range, double alpha) {
  BfSpan d = bf_span_hull(difference(bf_span(fmax(range.lo, 0)), alpha, range.lo),
                          difference(bf_span(fmax(range.hi, 0)), alpha, range.hi));
  if (range.lo < 0 && range.hi > 0) widen(&d, bf_span(0));
  return bf_span_add(d, (BfSpan){-0.17, 0});
}

/* f(x) - chord(x) = -f''(y) (x - l) (h - x) / 2 for some y, and the product is at most (h - l)^2 / 4; chord(x) - alpha
 * x is between its values at the ends. */
void bf_unary_gelu(const BfLinears *space, BfLinear *x) {
  const BfSpan range = x->range;
  if (!bf_span_is_finite(range)) {
    bf_linear_span(space, x, range.lo >= 0 ? (BfSpan){0, range.hi} : (BfSpan){-0.17, fmax(range.hi, 0)});
    return;
  }
  const Chord  c     = chord(range, bf_gelu(range.lo), bf_gelu(range.hi));
  const BfSpan image = gelu_image(range, c.at[0], c.at[1]), bend = gelu_curvature(range);
  const double width = range.hi - range.lo, square = 0.125 * (width * width);
  BfSpan       d = bf_span_hull(c.d[0], c.d[1]);
  d.hi += fmax(-bend.lo, 0) * square;
  d.lo = bf_add_down(d.lo, -(fmax(bend.hi, 0) * square));
  bf_linear_unary(space, x, c.alpha, bf_span_meet(d, beside_relu(range, c.alpha)), image);
}
