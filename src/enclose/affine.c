/* Affine forms: made, met with what else is known, added, scaled; and the frame of all functions of one. */
#include "inside.h"

BfFormSpace bf_form_space(int n) {
  const int room = (n + 3) / 4 * 4;
  return (BfFormSpace){.n        = n,
                       .room     = room,
                       .size     = (sizeof(BfAffine) + 2 * (size_t)room * sizeof(double) + 63) / 64 * 64,
                       .rounding = 1.5 * room + 48};
}

void bf_affine_unknown(const BfFormSpace *space, double lower, double upper, BfAffine *out) {
  *out = (BfAffine){.e      = INFINITY,
                    .lower  = lower > -INFINITY ? lower : -INFINITY,
                    .upper  = upper < INFINITY ? upper : INFINITY,
                    .radius = INFINITY};
  no_terms(space, out);
}

void bf_affine_constant(const BfFormSpace *space, double value, BfAffine *out) {
  *out = (BfAffine){.c = value, .lower = value, .upper = value};
  no_terms(space, out);
}

void bf_affine_variable(const BfFormSpace *space, int k, double lower, double upper, BfAffine *out) {
  const double c = 0.5 * lower + 0.5 * upper, w = lower < upper ? half_width(c, lower, upper) : 0;
  *out = (BfAffine){.c = c, .lower = lower, .upper = upper, .spread = w, .radius = w};
  no_terms(space, out);
  ((double *)slope_of(out))[k] = w;
}

void bf_affine_copy(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  if (x != out) memcpy(out, x, space->size);
}

/* X is within w of c. Each r_k is off by at most 4 u of it, and all together may miss (room + 16) u of w, by as much as
 * radius may exceed its sum. */
void bf_affine_interval(const BfFormSpace *space, double lower, double upper, const BfAffine *from, BfAffine *out) {
  const double c = 0.5 * lower + 0.5 * upper, w = BF_REMAINDER("interval", half_width(c, lower, upper));
  if (!(w < 1e300 && fabs(c) < 1e300)) {
    bf_affine_unknown(space, lower, upper, out);
    return;
  }
  const int    shared = from && from->radius > 0 && from->radius < 1e300;
  const double part   = shared ? w / from->radius : 0;
  BfPair       sum    = pair(0);
  if (!shared) no_terms(space, out);
  for (int i = 0; shared && i < space->room / 2; i++) {
    rest_of(space, out)[i] = pair(part) * (pair_abs(slope_in(from)[i]) + rest_in(space, from)[i]);
    slope_of(out)[i]       = pair(0);
    sum += rest_of(space, out)[i];
  }
  out->e = shared ? part * from->e : w;
  if (w > 0) out->e += BF_ROUNDING("interval rounding", 0x1p-53 * (space->room + 32) * w + BF_TINY);
  out->c = c;
  settle(space, pair_sum(sum), lower, upper, out);
}

void bf_affine_meet(const BfFormSpace *space, double lower, double upper, BfAffine *x) {
  if (lower > x->lower) x->lower = lower;
  if (upper < x->upper) x->upper = upper;
  if (2 * (x->upper - x->lower) < x->radius) bf_affine_interval(space, x->lower, x->upper, x, x);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* x + s y, s = 1 or -1. Each of c, b_k, r_k and e is one operation, off by u of what it gives: together u (|c| + sum
 * |b|
 * + sum r + e). Three times that is added to e, which is off by u e once more. */
static inline void combine(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, double s, BfAffine *out) {
  const double lower = below(x->lower + (s > 0 ? y->lower : -y->upper));
  const double upper = above(x->upper + (s > 0 ? y->upper : -y->lower));
  const int    n     = x->spread > 0 || y->spread > 0 ? space->room / 2 : 0;
  BfPair       b = pair(0), r = pair(0);
  for (int i = 0; i < n; i++) {
    slope_of(out)[i]       = slope_in(x)[i] + pair(s) * slope_in(y)[i];
    rest_of(space, out)[i] = rest_in(space, x)[i] + rest_in(space, y)[i];
    b += pair_abs(slope_of(out)[i]);
    r += rest_of(space, out)[i];
  }
  if (!n) no_terms(space, out);
  out->c = x->c + s * y->c;
  out->e = x->e + y->e;
  out->e += BF_ROUNDING("addition", 0x1.8p-52) * (fabs(out->c) + pair_sum(b + r) + out->e);
  settle(space, pair_sum(b + r), lower, upper, out);
}

void bf_affine_add(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out) {
  combine(space, x, y, 1, out);
}

void bf_affine_sub(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out) {
  combine(space, x, y, -1, out);
}

/* b and r as they are. */
void bf_affine_shift(const BfFormSpace *space, const BfAffine *x, double s, BfAffine *out) {
  bf_affine_copy(space, x, out);
  out->c += s;
  out->e += BF_ROUNDING("shift", 0x1.8p-52) * (fabs(out->c) + out->e);
  out->radius        = above(out->spread + out->e);
  const double lower = below(x->lower + s), upper = above(x->upper + s);
  const double least = below(out->c - out->radius), most = above(out->c + out->radius);
  out->lower = lower > least ? lower : least;
  out->upper = upper < most ? upper : most;
}

void bf_affine_scale(const BfFormSpace *space, const BfAffine *x, double s, BfAffine *out) {
  const double end[] = {s * x->lower, s * x->upper};
  const Chord  f     = {.alpha = s,
                        .lower = below(below(smaller(end[0], end[1]))) - BF_TINY,
                        .upper = above(above(larger(end[0], end[1]))) + BF_TINY};
  bf_affine_chord(space, x, &f, out);
}

/* ---- functions of one -------------------------------------------------------------------------------------------- */

/* c, b_k, r_k and e are each at most five operations on numbers of one sign, or two: off by at most 6 u of S = |alpha|
 * (|c| + R) + |middle| + d, alpha itself by 2 u of it (bf_affine_scale), d is rounded upwards. Of d, what the r_k and e
 * get sums to d but for (room + 16) u, by which R may exceed its sum. */
void bf_affine_chord(const BfFormSpace *space, const BfAffine *x, const Chord *f, BfAffine *out) {
  const double middle = 0.5 * f->least + 0.5 * f->most;
  const double d      = f->least < f->most ? BF_REMAINDER("chord", half_width(middle, f->least, f->most)) : 0;
  const double size = fabs(f->alpha), R = x->radius, part = R > 0 ? d / R : 0;
  if (!(R < 1e300 && d < 1e300)) {
    bf_affine_unknown(space, f->lower, f->upper, out);
    return;
  }
  const double rounding = 0x1p-53 * (space->room + 32) * (size * (fabs(x->c) + R) + fabs(middle) + d);
  const double e        = (size + part) * x->e + (R > 0 ? 0 : d);
  const int    n        = x->spread > 0 ? space->room / 2 : 0;
  BfPair       sum      = pair(0);
  if (!n) no_terms(space, out);
  for (int i = 0; i < n; i++) {
    const BfPair b = slope_in(x)[i], r = rest_in(space, x)[i];
    slope_of(out)[i]       = pair(f->alpha) * b;
    rest_of(space, out)[i] = pair(size + part) * r + pair(part) * pair_abs(b);
    sum += pair_abs(slope_of(out)[i]) + rest_of(space, out)[i];
  }
  out->c = f->alpha * x->c + middle;
  out->e = rounding > 0 ? e + BF_ROUNDING("chord rounding", rounding) + BF_TINY : 0;
  settle(space, pair_sum(sum), f->lower, f->upper, out);
}
