/* The terminal cost g = (sum over contexts of convex functions of features) / denominator, on forms of the last tokens
 * (forms.h): features are differences of logits, or components. */
#pragma once
#include "check/forms.h"

/* Affine from below: sum over contexts of K + sum_f g_f x_f <= the sum of the losses, for the features x, by tangents
 * at the features' values at xi [n] (any are valid); divided by the denominator into `sum`, a form that is made.
 * Returns what K comes to, divided too, rounded down. near: where a support is so near to the end of a feature's range,
 * the end takes the place of its form, which is the better for some, not for all; -INFINITY: nowhere. */
double bf_check_tangent(BfCheckForms *forms, int64_t readout, const double xi[], double near, BfLinear *sum);

/* g is at most that, by the features' ranges. */
double bf_check_terminal_most(BfCheckForms *forms, int64_t readout);
