/* What a tangent point proves: J from below on a box, and outside of a smaller one within it. */
#pragma once
#include "check/forms.h"

/* L(xi) = constant + sum_k (gradient_k xi_k + decay_k(xi_k)) <= J on the box, and what it comes to. J is of the layers
 * of the forms; where these begin at axes, less what leans there (axes.h). */
typedef struct {
  int       n;
  double   *least;    /* [n] the least of variable k's part over |xi_k| <= 1, rounded down; owned */
  double   *point;    /* [n] room; owned */
  double    constant; /* rounded down */
  double    bound;    /* L's least on the box, rounded down */
  BfLinear *sum;      /* the affine part; owned */
} BfCheckBound;

BfStatus bf_check_bound_create(int n, BfCheckBound *out, BfError *error);
void     bf_check_bound_clear(BfCheckBound *bound);

/* Of the box: all of it where variable is -1, else where that variable is at most `to` (side 0), or at least (1). */
typedef struct {
  int    variable, side;
  double to;
} BfCheckPart;

/* For forms->low, high; readout: of a decision. xi [n] any point. Rounds upwards, as all here. */
void bf_check_bound(BfCheckForms *forms, int64_t readout, const double xi[], BfCheckBound *out);
/* At another xi [n], once that is done for the box. */
void bf_check_bound_at(BfCheckForms *forms, int64_t readout, const double xi[], BfCheckBound *out);
/* J from below on a part of the box, once the bound is there: at least what is sure, since no loss and no decay is
 * below 0; infinite where no controls are there, as logits tell. */
double bf_check_on(const BfCheckForms *forms, const BfCheckBound *bound, const BfCheckPart *part);
/* The same by mixtures of tangents, from the one at xi [n] on, at these forms and at others (bf_check_way), until one
 * gives `target`, or for a while; the best that was found. The forms are those of bf_check_bound before and after.
 * work: others than that of bf_check_bound. */
double bf_check_search(BfCheckForms *forms, int64_t readout, const BfCheckPart *part, double target, const double xi[],
                       BfCheckBound work[3]);
/* The best mixture of tangents at xi alone, where features whose range and form end at about the same count as the one,
 * or as the other: what whoever made it may have taken either way. */
double bf_check_mixture(BfCheckForms *forms, int64_t readout, const BfCheckPart *part, const double xi[],
                        BfCheckBound work[3]);
/* What a form in out->sum, made by whoever calls, and a constant come to on the box, with the decay. */
void bf_check_finish(const BfCheckForms *forms, double constant, BfCheckBound *out);
/* The least of a bound on a part, whatever is sure otherwise. */
double bf_check_least(const BfCheckForms *forms, const BfCheckBound *bound, const BfCheckPart *part);
/* xi of the part's variable there: (x - c) / w, rounded outwards. */
BfSpan bf_check_between(const BfCheckForms *forms, const BfCheckPart *part);
/* J at forms->numbers.point from above. */
double bf_check_most(BfCheckForms *forms, int64_t readout);
