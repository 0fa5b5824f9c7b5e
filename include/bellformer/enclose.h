/* Affine forms over a box, with which a layer and a cost are bounded for all parameters in it at once. Pure.
 *
 * n variables x_k = c_k + w_k xi_k run over a box, |xi_k| <= 1. A form says of a quantity X, at every point of the box,
 *
 *     X = c + sum_k b_k xi_k + rest,  |rest| <= sum_k r_k + e,      and      lower <= X <= upper
 *
 * r_k: what variable k has caused of the rest, which is to say that halving its interval would make it smaller; e: what
 * none has, rounding among it. This holds in exact arithmetic of the stored doubles: every function adds to e a proved
 * multiple of the rounding that it may have committed (round to nearest, no fused operations). What is not finite
 * bounds nothing: a form with e = infinity says nothing but its range. Functions do not allocate; an output may be an
 * input wherever it is not said to be a sum. */
#pragma once
#include "bellformer/error.h"

BF_API_BEGIN

/* ---- elementary functions ---------------------------------------------------------------------------------------- */

/* f(x) is in [down, up], by proof, not on trust of a library. */
typedef struct {
  double down, up;
} BfEnclosed;

/* e^x. Relative width 2^-48 for |x| <= 700; below [0, tiny], above [DBL_MAX, infinity]. */
BfEnclosed bf_enclose_exp(double x);
/* log x for normal x > 0. Width 2^-48 |log x|. */
BfEnclosed bf_enclose_log(double x);
/* 1 / (1 + e^-x), within [0, 1]. Relative width 2^-47 for x >= -700. */
BfEnclosed bf_enclose_sigmoid(double x);
/* Phi(x) = (1 + erf(x / sqrt 2)) / 2, within [0, 1]. Width 2^-43. */
BfEnclosed bf_enclose_normal(double x);

/* ---- forms ------------------------------------------------------------------------------------------------------- */

typedef struct {
  int    n;        /* variables, 0 or more */
  int    room;     /* n rounded up to a multiple of 4 */
  size_t size;     /* bytes of a form, a multiple of 64 */
  double rounding; /* what end of a sum counts for it beside its steps, in units of 2^-53 */
} BfFormSpace;

/* Behind it, and not in arrays by itself, stand b [room] and r [room], 0 behind n: space->size bytes, 64-byte aligned.
 */
typedef struct {
  double c, e, lower, upper;
  double radius;      /* >= sum |b_k| + sum r_k + e */
  double spread;      /* >= sum |b_k| + sum r_k; 0 exactly where all of them are 0 */
  double size, steps; /* of a sum that is open */
} BfAffine;

BfFormSpace bf_form_space(int n);
/* The i-th of an array of forms; its b; its r. */
static inline BfAffine *bf_affine_at(const BfFormSpace *space, const BfAffine *base, int64_t i) {
  return (BfAffine *)((const char *)base + i * (int64_t)space->size);
}
static inline const double *bf_affine_slope(const BfAffine *x) { return (const double *)(x + 1); }
static inline const double *bf_affine_rest(const BfFormSpace *space, const BfAffine *x) {
  return (const double *)(x + 1) + space->room;
}

void bf_affine_constant(const BfFormSpace *space, double value, BfAffine *out);
/* Variable k, in [lower, upper]. c = 0.5 lower + 0.5 upper, b_k >= both distances of c from the ends. */
void bf_affine_variable(const BfFormSpace *space, int k, double lower, double upper, BfAffine *out);
/* X is in [lower, upper], which is all that is known: r in proportion of |b| + r of `from`, what that has in e in e;
 * all in e where it is NULL. */
void bf_affine_interval(const BfFormSpace *space, double lower, double upper, const BfAffine *from, BfAffine *out);
void bf_affine_copy(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
/* What else is known of X: its range becomes the intersection with [lower, upper], and where that is less than a
 * quarter of what the form says, the form that of the interval. */
void bf_affine_meet(const BfFormSpace *space, double lower, double upper, BfAffine *x);

/* x + y, x - y, x + s, s x. Equal constants have the difference 0 exactly. */
void bf_affine_add(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out);
void bf_affine_sub(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out);
void bf_affine_shift(const BfFormSpace *space, const BfAffine *x, double s, BfAffine *out);
void bf_affine_scale(const BfFormSpace *space, const BfAffine *x, double s, BfAffine *out);
/* x y, where out is neither. */
void bf_affine_mul(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out);

/* A sum of many terms, whose rounding and radius are counted once: begin, then any of plus (+ s x) and plus_product
 * (+ s x y), then end, until when it is no form. s may itself be off by 2^-52 of it, which is counted. The sum is none
 * of x and y. */
void bf_affine_begin(const BfFormSpace *space, BfAffine *sum);
void bf_affine_plus(const BfFormSpace *space, double s, const BfAffine *x, BfAffine *sum);
void bf_affine_plus_product(const BfFormSpace *space, double s, const BfAffine *x, const BfAffine *y, BfAffine *sum);
void bf_affine_end(const BfFormSpace *space, BfAffine *sum);

/* f(x) for x in its range [lower, upper]: the chord's slope (near a point the tangent's), what is left of f in r. */
void bf_affine_exp(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
void bf_affine_sigmoid(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
void bf_affine_tanh(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
void bf_affine_relu(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
void bf_affine_gelu(const BfFormSpace *space, const BfAffine *x, BfAffine *out); /* x Phi(x) */
void bf_affine_clip(const BfFormSpace *space, const BfAffine *x, double lower, double upper, BfAffine *out);
void bf_affine_square(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
/* The shares e^(x_j) / sum_k e^(x_k) of m forms, m >= 2, into out[m]; work: BF_SOFTMAX_WORK(m) forms. */
void bf_affine_softmax(const BfFormSpace *space, int m, const BfAffine *x, BfAffine *out, BfAffine *work);
#define BF_SOFTMAX_WORK(m) (2 + (((int64_t)(m) + 5) * (m) + 7) / 8)
/* 1 / x and 1 / sqrt(x) of x > 0: where x may be 0 or less, infinity. */
void bf_affine_reciprocal(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
void bf_affine_inverse_root(const BfFormSpace *space, const BfAffine *x, BfAffine *out);

/* Forms of work that the entries `bound` of norms, projections, terms and costs may use, of tokens of d components. */
#define BF_BOUND_WORK(dim) (2 * (dim) + 4)

BF_API_END
