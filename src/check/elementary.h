/* Elementary functions of intervals, by MPFI and MPFR, whose results are correctly rounded outwards to doubles. In
 * whatever mode the processor rounds; not for several threads at once. */
#pragma once
#include "check/span.h"
#include <stdbool.h>

BfSpan bf_span_exp(BfSpan x);
BfSpan bf_span_log(BfSpan x);  /* x > 0; else nothing is known */
BfSpan bf_span_sqrt(BfSpan x); /* of what of x is not below 0 */
BfSpan bf_span_cbrt(BfSpan x);
BfSpan bf_span_quotient(BfSpan x, BfSpan y); /* all, where y holds 0 */
BfSpan bf_span_sigmoid(BfSpan x);            /* 1 / (1 + exp(-x)) */
BfSpan bf_span_normal(BfSpan x);             /* exp(-x^2 / 2) / sqrt(2 pi) */
BfSpan bf_gelu(double x);                    /* x Phi(x) */

/* A number of `digits` digits no larger than x (no smaller, where `up`), as text. */
enum { BF_SPAN_TEXT = 40 };
const char *bf_span_text(double x, int digits, bool up, char text[BF_SPAN_TEXT]);
