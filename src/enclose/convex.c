/* Convex functions of an affine form: f - alpha x is largest at the ends of the range, and nowhere below the tangent's
 * of slope alpha. Any alpha is right; the chord's loses least, near a point the tangent's in the middle, which loses as
 * much and is no quotient of small differences. */
#include "inside.h"

/* e^x - alpha x >= alpha (1 - log alpha), where e^x = alpha. */
void bf_affine_exp(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  const double     l = x->lower, h = x->upper;
  const BfEnclosed at_l = bf_enclose_exp(l), at_h = bf_enclose_exp(h);
  Chord            f = {.least = at_l.down, .most = at_h.up, .lower = at_l.down, .upper = at_h.up};
  if (!(x->radius < 1e300 && h <= 700)) {
    bf_affine_unknown(space, at_l.down, at_h.up, out);
    return;
  }
  f.alpha = h - l < NARROW ? 0.5 * (at_l.down + at_h.up) : (at_h.up - at_l.down) / (h - l);
  if (f.alpha > 1e-290) {
    const double L = bf_enclose_log(f.alpha).up;
    f.most         = larger(over(at_l.up, f.alpha, l), over(at_h.up, f.alpha, h));
    f.least        = BF_EXTREME("exp", f.alpha * (1 - L) - 0x1p-51 * f.alpha * (1 + fabs(L)), f.most);
  } else {
    f.alpha = 0;
  }
  bf_affine_chord(space, x, &f, out);
}

/* x^2 - alpha x >= -alpha^2 / 4. */
void bf_affine_square(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  const double l = x->lower, h = x->upper, at_l = l * l, at_h = h * h, alpha = l + h;
  Chord        f = {.alpha = alpha, .upper = above(larger(at_l, at_h)) + BF_TINY};
  if (!(x->radius < 1e140)) {
    bf_affine_unknown(space, 0, f.upper, out);
    return;
  }
  f.lower = l > 0 || h < 0 ? larger(0, below(smaller(at_l, at_h)) - BF_TINY) : 0;
  f.most  = larger(over(above(at_l), alpha, l), over(above(at_h), alpha, h));
  f.least = BF_EXTREME("square", -above(above(0.25 * alpha * alpha)) - BF_TINY, f.most);
  bf_affine_chord(space, x, &f, out);
}

/* 1/x - alpha x >= 2 sqrt(-alpha), where 1/x^2 = -alpha; alpha = -1/(l h) is the chord's. */
void bf_affine_reciprocal(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  const double l = x->lower, h = x->upper, at_l = above(1 / l), at_h = above(1 / h);
  if (!(x->radius < 1e140 && l > 1e-140 && h < 1e140)) {
    bf_affine_unknown(space, h > 0 ? below(1 / h) : 0, l > 0 ? at_l : INFINITY, out);
    return;
  }
  Chord f = {.alpha = -1 / (l * h), .lower = below(1 / h), .upper = at_l};
  f.most  = larger(over(at_l, f.alpha, l), over(at_h, f.alpha, h));
  f.least = BF_EXTREME("reciprocal", below(below(2 * sqrt(-f.alpha))), f.most);
  bf_affine_chord(space, x, &f, out);
}

/* With t = x0^(-1/2) the tangent at x0 is 1.5 t - 0.5 t/x0 x, for any x0; of slope alpha where x0 = (4 alpha^2)^(-1/3).
 * What is left of the slopes' difference takes its part at h. */
void bf_affine_inverse_root(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  const double l = x->lower, h = x->upper, root_l = sqrt(l), root_h = sqrt(h);
  const double at_l = above(above(1 / root_l)), at_h = above(above(1 / root_h));
  if (!(x->radius < 1e140 && l > 1e-90 && h < 1e90)) {
    bf_affine_unknown(space, h > 0 ? below(below(1 / root_h)) : 0, l > 0 ? at_l : INFINITY, out);
    return;
  }
  const double alpha = -1 / (root_l * root_h * (root_l + root_h)), x0 = 1 / cbrt(4 * alpha * alpha);
  const double t = 1 / sqrt(x0), slope = -0.5 * t / x0, off = 0x1p-49 * (t + (fabs(slope) + fabs(alpha)) * h);
  Chord        f = {.alpha = alpha, .lower = below(below(1 / root_h)), .upper = at_l};
  f.most         = larger(over(at_l, alpha, l), over(at_h, alpha, h));
  f.least        = BF_EXTREME("inverse root", 1.5 * t - fabs(slope - alpha) * h - off, f.most);
  bf_affine_chord(space, x, &f, out);
}
