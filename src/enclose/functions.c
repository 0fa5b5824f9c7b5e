/* Functions of an affine form that are not convex, or have kinks. */
#include "inside.h"

/* ---- 1 / (1 + e^-x) ----------------------------------------------------------------------------------------------
 *
 * s' = s (1 - s), so that s - alpha x has its extrema at the ends and where s = (1 -+ q) / 2, q = sqrt(1 - 4 alpha): x
 * =
 * -+L, L = log((1 + q) / (1 - q)), the values (1 -+ q) / 2 +- alpha L; for alpha > 1/4 at the ends alone.
 *
 * The computed q is that of another slope: of q^2 off by 3 u, so q by at most min(3 u / q, 2e-8), and x by 2 / (1 -
 * q^2) = 1 / (2 alpha) times that: dx <= 4e-8 where q is small, 3 u 2^29 <= 2e-7 for alpha >= 2^-30. There the value is
 * off by 1/2 max |s''| dx^2, |s''| <= 0.1, or 4 alpha next to small alpha: at most u. That of alpha L: (1 + q) / (1 -
 * q) is off by (2 + 2 / (1 - q)) u of it, alpha / (1 - q) <= 1/2 (as 1 - q >= 2 alpha), alpha L <= 1/4, log by 2^-48.
 * So 2^-48 is more than all. An extremum within 1e-6 of the range counts as inside, which makes the enclosure no
 * wronger. */
void bf_affine_sigmoid(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  const double     l = x->lower, h = x->upper;
  const BfEnclosed at_l = bf_enclose_sigmoid(l), at_h = bf_enclose_sigmoid(h);
  Chord            f = {.least = at_l.down, .most = at_h.up, .lower = at_l.down, .upper = at_h.up};
  if (!(x->radius < 1e300)) {
    bf_affine_interval(space, f.lower, f.upper, NULL, out);
    return;
  }
  const double middle = 0.5 * (at_l.up + at_h.up);
  f.alpha             = h - l < NARROW ? middle * (1 - middle) : (at_h.up - at_l.down) / (h - l);
  if (f.alpha >= 0x1p-30) {
    f.most  = larger(over(at_l.up, f.alpha, l), over(at_h.up, f.alpha, h));
    f.least = smaller(under(at_l.down, f.alpha, l), under(at_h.down, f.alpha, h));
    if (f.alpha < 0.25) {
      const double q = sqrt(1 - 4 * f.alpha), L = bf_enclose_log((1 + q) / (1 - q)).up;
      const double value = 0.5 * (1 - q) + f.alpha * L, off = 0x1p-48;
      if (-L > l - 1e-6 && -L < h + 1e-6) f.least = BF_EXTREME("sigmoid below", smaller(f.least, value - off), f.least);
      if (L > l - 1e-6 && L < h + 1e-6) f.most = BF_EXTREME("sigmoid above", larger(f.most, (1 - value) + off), f.most);
    }
  } else {
    f.alpha = 0;
  }
  bf_affine_chord(space, x, &f, out);
}

/* 2 / (1 + e^-2x) - 1. */
void bf_affine_tanh(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  bf_affine_scale(space, x, 2, out);
  bf_affine_sigmoid(space, out, out);
  bf_affine_scale(space, out, 2, out);
  bf_affine_shift(space, out, -1, out);
  bf_affine_meet(space, -1, 1, out);
}

/* ---- piecewise linear -------------------------------------------------------------------------------------------- */

static double clipped(double x, double lower, double upper) { return x < lower ? lower : x > upper ? upper : x; }

/* f - alpha x, 0 <= alpha <= 1, falls up to the lower kink, rises to the upper one, falls again: its extrema are at the
 * ends and at these. */
void bf_affine_clip(const BfFormSpace *space, const BfAffine *x, double lower, double upper, BfAffine *out) {
  const double l = x->lower, h = x->upper, at_l = clipped(l, lower, upper), at_h = clipped(h, lower, upper);
  if (l >= lower && h <= upper) {
    bf_affine_copy(space, x, out);
    return;
  }
  if (at_l == at_h) {
    bf_affine_constant(space, at_l, out);
    return;
  }
  if (!(x->radius < 1e300)) {
    bf_affine_interval(space, at_l, at_h, NULL, out);
    return;
  }
  Chord f = {.alpha = (at_h - at_l) / (h - l), .lower = at_l, .upper = at_h};
  f.least = smaller(under(at_l, f.alpha, l), under(at_h, f.alpha, h));
  f.most  = larger(over(at_l, f.alpha, l), over(at_h, f.alpha, h));
  if (l < lower) f.least = BF_EXTREME("lower kink", smaller(f.least, under(lower, f.alpha, lower)), f.least);
  if (h > upper) f.most = BF_EXTREME("upper kink", larger(f.most, over(upper, f.alpha, upper)), f.most);
  bf_affine_chord(space, x, &f, out);
}

void bf_affine_relu(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  bf_affine_clip(space, x, 0, INFINITY, out);
}

/* ---- x Phi(x) ----------------------------------------------------------------------------------------------------
 *
 * f'' = phi(x) (2 - x^2): convex within sqrt 2 of 0, concave beyond. On [l, h] a function is off its chord by at most
 * max |f''| (h - l)^2 / 8, above where it is concave, below where it is convex. |f''| falls from 2 phi(0) = 0.79789 at
 * 0 to 0 at sqrt 2, and beyond is at most 2 phi(2) = 0.10799, at 2, rising before and falling after. Where the range is
 * wide, relu - 0.17 <= f <= relu says more: max |f - relu| = 0.16997, at -+0.75179, where f has its minimum, too. */
static double gelu_down(double x) {
  const BfEnclosed p = bf_enclose_normal(x);
  return below(smaller(x * p.down, x * p.up)) - BF_TINY;
}
static double gelu_up(double x) {
  const BfEnclosed p = bf_enclose_normal(x);
  return above(larger(x * p.down, x * p.up)) + BF_TINY;
}

/* At least phi(x): 5e-8 of it more, so that roundings do not matter. */
static double density(double x) { return 0.3989423 * bf_enclose_exp(-0.5 * x * x).up; }

/* At least max f'' and max -f'' of |x| in [a, b]. */
static double convexity(double a) { return a < 1.4142136 ? density(a) * (2.00000001 - a * a) : 0; }
static double concavity(double a, double b) {
  const double x = b < 2 ? b : a > 2 ? a : 2;
  return x > 1.4142135 ? density(x) * (x * x - 1.99999999) : 0;
}

/* relu - alpha x is convex: largest at the ends, least there or at the kink. */
static void gelu_as_relu(double l, double h, Chord *f) {
  const double at_l = l > 0 ? l : 0, at_h = h > 0 ? h : 0;
  const double most  = larger(over(at_l, f->alpha, l), over(at_h, f->alpha, h));
  const double least = smaller(under(at_l, f->alpha, l), under(at_h, f->alpha, h));
  f->most            = smaller(f->most, most);
  f->least = larger(f->least, below((l < 0 && h > 0 ? smaller(least, 0) : least) - BF_REMAINDER("gelu far", 0.17)));
}

void bf_affine_gelu(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  const double l = x->lower, h = x->upper, width = h - l, middle = 0.5 * l + 0.5 * h;
  const double l_up = gelu_up(l), h_up = gelu_up(h), l_down = gelu_down(l), h_down = gelu_down(h);
  const double a = l > 0 ? l : h < 0 ? -h : 0, b = larger(-l, h), wide = 0.125 * width * width;
  Chord        f = {.lower = l < -0.7517 && h > -0.7518 ? -0.17 : smaller(l_down, h_down), .upper = larger(l_up, h_up)};
  if (!(x->radius < 1e140)) {
    bf_affine_unknown(space, -0.17, h > 0 ? h : 0, out);
    return;
  }
  f.alpha = width < NARROW ? bf_enclose_normal(middle).up + middle * density(middle) : (h_up - l_down) / width;
  f.most  = larger(over(l_up, f.alpha, l), over(h_up, f.alpha, h)) + BF_REMAINDER("gelu above", concavity(a, b) * wide);
  f.least =
      smaller(under(l_down, f.alpha, l), under(h_down, f.alpha, h)) - BF_REMAINDER("gelu below", convexity(a) * wide);
  f.most  = above(f.most);
  f.least = below(f.least);
  gelu_as_relu(l, h, &f);
  bf_affine_chord(space, x, &f, out);
}
