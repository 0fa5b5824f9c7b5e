/* sigma and its slope, in lanes: what kernels need of the feed-forward part. */
#pragma once
#include "bellformer/enclose.h"
#include "bellformer/kernel.h"
#include "bellformer/kind.h"

/* The choice of a sigma, the first of which is that there is none. */
extern const BfFamily bf_activation_family;
const BfActivation   *bf_activation_at(int k); /* its k-th; NULL for the first */

/* Whether sigma(x) is x > 0 ? x : 0, the one that is cheap enough for a call of it to show. */
int bf_activation_cuts(const BfActivation *activation);

/* sigma on x[count][BF_LANES], in place. */
void bf_activate(const BfActivation *activation, double *x, int count);

/* slope[i] = sigma'(x[i]), [count][BF_LANES]. */
void bf_activate_slope(const BfActivation *activation, const double *x, double *slope, int count);

/* The form of sigma(x), in exact arithmetic. */
void bf_activation_bound(const BfActivation *activation, const BfFormSpace *space, const BfAffine *x, BfAffine *out);
