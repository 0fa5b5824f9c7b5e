/* What a box's stored tangent point proves: J from below on the box, and outside of a smaller one within it. */
#pragma once
#include "check/forms.h"

/* L(xi) = constant + sum_k (gradient_k xi_k + decay_k(xi_k)) <= J on the box, and what it comes to. */
typedef struct {
  int       n;
  double   *least;    /* [n] the least of variable k's part over |xi_k| <= 1, rounded down; owned */
  double    constant; /* rounded down */
  double    bound;    /* L's least on the box, rounded down */
  BfLinear *sum;      /* the affine part; owned */
} BfCheckBound;

BfStatus bf_check_bound_create(int n, BfCheckBound *out, BfError *error);
void     bf_check_bound_clear(BfCheckBound *bound);

/* For forms->low, high; readout: of a decision. xi [n] any point. Rounds upwards, as all here. */
void bf_check_bound(BfCheckForms *forms, int64_t readout, const double xi[], BfCheckBound *out);
/* J from below at the box's points with x_k <= to (side 0), or x_k >= to (side 1), once the bound is there. */
double bf_check_beyond(const BfCheckForms *forms, const BfCheckBound *bound, int k, int side, double to);
/* J at forms->numbers.point from above. */
double bf_check_most(BfCheckForms *forms, int64_t readout);
