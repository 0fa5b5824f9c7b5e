/* Functions of one form (linear.h), each in place: the chord's slope, and the extremes of f(x) - slope x over the
 * range [l, h] of the argument, proved in unary.c. */
#pragma once
#include "check/linear.h"

typedef void BfUnary(const BfLinears *space, BfLinear *x);

BfUnary bf_unary_exp, bf_unary_sigmoid, bf_unary_tanh, bf_unary_relu, bf_unary_gelu;
BfUnary bf_unary_square;
BfUnary bf_unary_inverse;      /* 1 / x of an x above 0 */
BfUnary bf_unary_inverse_root; /* x^(-1/2) of an x above 0 */
void    bf_unary_clip(const BfLinears *space, BfLinear *x, double lower, double upper);
