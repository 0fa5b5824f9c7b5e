/* What costs share that are bounded over a box of parameters: features that are differences of logits, and log-sum-exp
 * of them. Masses are whole numbers, so that their sums are exact. */
#pragma once
#include "bellformer/cost.h"

/* x_c = (R_c - R_label) r + b_c - b_label, for the classes c other than the label, from forms r [dim]: feature
 * [classes - 1]. work: 1 form. */
void bf_bound_logits(const BfCostBound *call, const BfAffine *r, int label, BfAffine *work, BfAffine *feature);

/* phi(x) = W log(1 + sum_c exp x_c) of x [count], W within 2^-53 of w: `support` and `upper` of a BfCostKind. */
double bf_log_sum_support(int count, double w, const double x0[], double g[]);
double bf_log_sum_upper(int count, double w, const double upper[]);
