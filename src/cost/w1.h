/* W1, the distance of Kantorovich and Rubinstein, of laws on R^d. Pure. */
#pragma once
#include "bellformer/error.h"

/* Of n distinct points of one law and m <= n of the other, in more than one dimension, n^2 m at most: some seconds. */
#define BF_W1_WORK 0x1p33

/* min over couplings of the mean of |x - y|, Euclidean: of the uniform laws on x [n][dim] and on y [m][dim], points as
 * often as they stand there. Exact up to rounding: in one dimension by distribution functions, O((n + m) log(n + m));
 * in more by optimal transport of what the two do not share. *w1 is NaN where that is more than BF_W1_WORK. */
BfStatus bf_w1(int dim, int64_t n, const double x[], int64_t m, const double y[], double *w1, BfError *error);
