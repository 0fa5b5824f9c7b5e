/* What the functions of affine forms share. u = 2^-53.
 *
 * Rounding. Every operation is round to nearest, so that its result is within u of it (of a sum or a difference), or
 * within u of it and 2^-1075 (of a product or a quotient that may vanish). Second-order terms are covered by constants
 * that are larger than the first-order ones that the comments count. */
#pragma once
#include "bellformer/enclose.h"

#include <math.h>
#include <string.h>

/* A test compiles these files again and makes each of these smaller, one at a time, which must show: a remainder; what
 * is there for rounding alone; an extreme of a function, which is nearer to what its ends say then. */
#ifndef BF_REMAINDER
#define BF_REMAINDER(name, x) (x)
#define BF_ROUNDING(name, x) (x)
#define BF_EXTREME(name, x, ends) (x)
#endif

typedef double  BfPair __attribute__((vector_size(16), may_alias));
typedef int64_t BfPairBits __attribute__((vector_size(16), may_alias));

#define BF_TINY 0x1p-1000 /* more than 2^70 products that vanish are off by */

static inline BfPair pair(double x) { return (BfPair){x, x}; }
static inline BfPair pair_abs(BfPair x) { return (BfPair)((BfPairBits)x & INT64_MAX); }
static inline double pair_sum(BfPair x) { return x[0] + x[1]; }

/* b and r of a form, by pairs. */
static inline BfPair       *slope_of(BfAffine *x) { return (BfPair *)(x + 1); }
static inline const BfPair *slope_in(const BfAffine *x) { return (const BfPair *)(x + 1); }
static inline BfPair       *rest_of(const BfFormSpace *space, BfAffine *x) { return slope_of(x) + space->room / 2; }
static inline const BfPair *rest_in(const BfFormSpace *space, const BfAffine *x) {
  return slope_in(x) + space->room / 2;
}
static inline void no_terms(const BfFormSpace *space, BfAffine *x) {
  for (int i = 0; i < space->room; i++) slope_of(x)[i] = pair(0);
}

/* Not above (below) x, where x is one operation's result: x -+ 3 u |x|, rounded once more, is beyond x -+ u |x|. */
static inline double below(double x) { return x - BF_ROUNDING("below", 0x1.8p-52) * fabs(x); }
static inline double above(double x) { return x + BF_ROUNDING("above", 0x1.8p-52) * fabs(x); }

static inline double larger(double x, double y) { return x > y ? x : y; }
static inline double smaller(double x, double y) { return x < y ? x : y; }

/* At least the distance of c from both ends, which are one operation each. */
static inline double half_width(double c, double lower, double upper) { return above(larger(upper - c, c - lower)); }

static inline int is_zero(const BfAffine *x) { return x->c == 0 && x->radius == 0; }

/* All that is left to say of X where numbers end: its range. */
void bf_affine_unknown(const BfFormSpace *space, double lower, double upper, BfAffine *out);

/* Of a form whose c, e, b and r are set, and whose range is known to be in [lower, upper]: spread, radius, range.
 *
 * `sum` is that of |b| + r by pairs: each of its parts a sum of room / 2 sums of two, the whole off by at most (room /
 * 2 + 3) u of itself, which the factor 1 + (room / 2 + 8) u undoes, its own rounding too. So spread is at least what it
 * says, and at most (room + 12) u more; radius at most (room + 16) u more. */
static inline void settle(const BfFormSpace *space, double sum, double lower, double upper, BfAffine *x) {
  x->spread = sum * (1 + BF_ROUNDING("spread", 0x1p-52 * (space->room / 4 + 4)));
  x->radius = above(x->spread + x->e);
  if (!(x->radius < 1e300 && fabs(x->c) < 1e300)) {
    bf_affine_unknown(space, lower, upper, x);
    return;
  }
  const double least = below(x->c - x->radius), most = above(x->c + x->radius);
  x->lower = lower > least ? lower : least;
  x->upper = upper < most ? upper : most;
}

/* alpha x + d, d in [least, most], of a range within [lower, upper]: how a function f is enclosed that differs from
 * alpha x by that on the range of x. What is left of d goes to r and e in proportion of |b| + r and e of x. */
typedef struct {
  double alpha, least, most, lower, upper;
} Chord;

#define NARROW 0x1p-20 /* of a range: below it the tangent's slope in its middle is taken for the chord's */

/* f(x) - alpha x from above, from below, f(x) being at most, at least `value`: a product and a difference, off by at
 * most 2.1 u of their sizes. */
static inline double over(double value, double alpha, double x) {
  const double p = alpha * x;
  return (value - p) + (0x1p-51 * (fabs(value) + fabs(p)) + BF_TINY);
}
static inline double under(double value, double alpha, double x) {
  const double p = alpha * x;
  return (value - p) - (0x1p-51 * (fabs(value) + fabs(p)) + BF_TINY);
}

void bf_affine_chord(const BfFormSpace *space, const BfAffine *x, const Chord *f, BfAffine *out);
