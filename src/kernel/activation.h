/* sigma and its slope, in lanes: what kernels need of the feed-forward part. */
#pragma once
#include "bellformer/kernel.h"

/* sigma on x[count][BF_LANES], in place. */
void bf_activate(const BfActivation *activation, double *x, int count);

/* slope[i] = sigma'(x[i]), [count][BF_LANES]. */
void bf_activate_slope(const BfActivation *activation, const double *x, double *slope, int count);
