/* W1, the distance of Kantorovich and Rubinstein, of laws on R^d. Pure. */
#pragma once
#include "bellformer/error.h"

/* Pairs of distinct points of one law and of the other, in more than one dimension: memory of 16 bytes each, and a time
 * of about their number times that of the points. */
#define BF_W1_PAIRS (1 << 22)

/* min over couplings of the mean of |x - y|, Euclidean: of the uniform laws on x [n][dim] and on y [m][dim], points as
 * often as they stand there. Exact up to rounding: in one dimension by distribution functions, O((n + m) log(n + m));
 * in more by optimal transport of what the two do not share. *w1 is NaN where that has more than BF_W1_PAIRS pairs. */
BfStatus bf_w1(int dim, int64_t n, const double x[], int64_t m, const double y[], double *w1, BfError *error);
