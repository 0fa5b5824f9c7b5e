/* Affine forms with a remainder: what the checker knows of a quantity X at every point of a box, whose points are
 * |xi_k| <= 1, k < n:
 *
 *     X  in  c + sum_k b_k xi_k  +-  e,      and      X  in  [lo, hi] .
 *
 * c and b are doubles, taken as they are; all that rounding, and what is not linear, may add stands in e. Every
 * function here wants the processor to round upwards (rounding.h). Where numbers run out of range e becomes infinite,
 * never too small. */
#pragma once
#include "check/span.h"
#include <stddef.h>
#include <stdint.h>

typedef struct {
  double c, e;
  double sum; /* at least sum_k |b_k| */
  BfSpan range;
  double b[]; /* [n] */
} BfLinear;

/* Forms of n numbers, taken from memory one behind the other, and given back to a mark. */
typedef struct {
  int     n;
  int64_t size, used, room; /* doubles: of a form, in use, in all */
  double *memory;           /* [room] */
  double  trust;            /* in forms: see bf_linear_meet */
} BfLinears;

/* A form, undefined; there has to be room. */
BfLinear *bf_linear_new(BfLinears *space);
/* Doubles of a form of n numbers. */
int64_t bf_linear_size(int n);

void bf_linear_span(const BfLinears *space, BfLinear *x, BfSpan known); /* x is somewhere there */
void bf_linear_variable(const BfLinears *space, BfLinear *x, int k, BfSpan known, double factor);
void bf_linear_copy(const BfLinears *space, const BfLinear *from, BfLinear *x);
int  bf_linear_is_zero(const BfLinear *x);
int  bf_linear_is_constant(const BfLinear *x); /* c and nothing else */

/* A sum is open between its first term and bf_linear_end: its range is that of the terms alone, its `sum` NaN, so that
 * nothing is known of what is made of it before. x += s y with s an interval; x = s x; z = x y, which is neither. */
void bf_linear_add(const BfLinears *space, BfLinear *x, BfSpan s, const BfLinear *y);
void bf_linear_scale(const BfLinears *space, BfLinear *x, BfSpan s);
void bf_linear_mul(const BfLinears *space, const BfLinear *x, const BfLinear *y, BfLinear *z);
/* Its range met with c +- what the form allows. */
void bf_linear_end(const BfLinears *space, BfLinear *x);
/* x += s; open or not. */
void bf_linear_shift(BfLinear *x, BfSpan s);
/* x is known to be there, too. Where the form allows more than `trust` times the half width of the range that is left,
 * the range becomes the form: any trust is right. bf_linear_meet: that of the space. */
void bf_linear_meet(const BfLinears *space, BfLinear *x, BfSpan known);
void bf_linear_meet_by(const BfLinears *space, BfLinear *x, BfSpan known, double trust);

/* x becomes f(x), of which alpha x + deviation holds f at every number of x's range, and image is f's range there. */
void bf_linear_unary(const BfLinears *space, BfLinear *x, double alpha, BfSpan deviation, BfSpan image);
