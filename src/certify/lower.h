/* The lower form of a box, from the affine forms of what the terminal cost is a convex function of.
 *
 * Features x_f = c_f + sum_k b_fk xi_k +- (sum_k r_fk + e_f), |xi_k| <= 1, of each context; its cost phi(x) >= K + g x
 * for the support (K, g) of phi at any point x0. So
 *
 *     J(xi) >= L(xi) = base + sum_k part_k(xi_k) - rest,    part_k(xi) = G_k xi + decay_k/2 (c_k + w_k xi)^2,
 *     G = sum g_f b_f,   rest = sum_f |g_f| (sum_k r_fk + e_f),   base = sum K + g c,
 *
 * least where each part is. Where a range says more at x0 than the form does, g_f times its end takes the place of g_f
 * times the form. The best support is that at the least of phi(x) + decay over all xi and all x within the
 * remainders of c + b xi and the ranges. In x it is found for each feature by itself, which is right where phi is
 * monotone in every feature or a sum over them: from a = c + b xi down the slope, as far as the remainder goes or the
 * slope turns: that is F(xi). In xi it is found by Newton's method.
 *
 * Logits. Where a logit is a variable of the box, what numbers make of it less that variable is 0, a feature y, its
 * coupling, of form c + b xi +- rest; so J = J + g y for any multiplier g, and the form has that, too. In F a coupling
 * costs stiff/2 |y|^2, less a little slack, since xi is rounded to 8 bits: g is the slope of that, with 8 of its bits.
 */
#pragma once
#include "certify/objective.h"

typedef struct {
  const BfObjective *of;
  const BfCost      *cost;     /* with the one readout */
  int                n, count; /* variables; features, with couplings */
  /* the box and its features, as bf_bounder_box fills them */
  double *c, *e;          /* [count] */
  double *least, *most;   /* [count] their ranges */
  double *b, *r;          /* [count][n] */
  double *centre, *width; /* [n] */
  double *end[2], *part;  /* [n] in xi: the box's ends, which for logits may be outside of +-1, and a 256th of it */
  double *stiff, *slack;  /* [logits] of couplings, whose features are behind those of contexts */
  bool    empty;          /* no point of the box has logits in their ranges */
  double  scale;          /* about J, given: of stiff */
  const double *tilt;     /* [n] what is bounded is J + <tilt, variables>; NULL: J; borrowed */
  /* the form */
  int     size;  /* of a tangent point in a record, n + 2 logits: */
  int8_t *point; /* [size] 127 xi0; then multipliers of couplings, the upper half of a float each, as bf_lower_at makes
                    them */
  double  lower; /* its least value, from below */
  double *slope; /* [n] G */
  double *own;   /* [n] least value of each part, from below but for `error` */
  double *rest;  /* [n] what remainders of variable k take from phi at c + b xi0 */
  double  error; /* what rounding may amount to in any sum of it */
  /* work */
  double *x0, *g;                      /* [count] */
  double *hessian;                     /* [n][n] */
  double *bent, *away;                 /* [count] slopes, and how far from there others are */
  double *remainder, *first, *from;    /* [count] sum r + e; slopes at c + b xi; that */
  double *at, *next, *best, *gradient; /* [n] */
} BfLower;

/* Local. Clear it also after a failure. */
BfStatus bf_lower_create(const BfObjective *of, BfLower *out, BfError *error);
void     bf_lower_clear(BfLower *x);

/* The form at a good tangent point, looked for until the bound reaches `target` (INFINITY: as far as it goes). */
void bf_lower_find(BfLower *x, double target);
/* The form at the tangent point x->point. */
void bf_lower_at(BfLower *x);

/* The form of constant + <slope, features> with decay, in place of J: of features the forms, or, if that is less than
 * the target, ranges where these say more. */
void bf_lower_remainders(BfLower *x); /* of the features of a new box, first */
void bf_lower_plane(BfLower *x, double constant, const double slope[], double target);

/* F at xi [n], with slope [n]; x stands at the form there. */
double bf_lower_slopes(BfLower *x, const double xi[], double slope[]);
/* About F's Hessian at the form that x stands at, hessian [n][n]: of a feature, the difference of slopes over half of
 * its form's radius, away from where phi is least, all at once: right where phi is a sum over them. Nothing that is
 * proved depends on it. */
void bf_lower_hessian(BfLower *x, double hessian[]);
/* Of the form that x stands at, the part of number k at xi, and its slope. */
double bf_lower_part(const BfLower *x, int k, double xi);
double bf_lower_part_slope(const BfLower *x, int k, double xi);
/* ---- parts: halve.c ---------------------------------------------------------------------------------------------- */

/* The variable whose remainders take most from the bound, or the widest compared to its range. */
int bf_lower_branch(BfLower *x);
/* Where the box is halved at variable k: in the middle, of a logit in that of what is left of it, as a float. */
double bf_lower_middle(const BfLower *x, int k, const double lower[], const double upper[]);

/* ---- parts: couple.c --------------------------------------------------------------------------------------------- */

/* The coupling of logit l is to count, whose variable has that width, and the form that numbers make of it that radius.
 */
void bf_couple_count(BfLower *x, int l, double width, double radius);
/* What couplings cost in F at x0; their slopes x->g there are the form's multipliers. */
double bf_couple_cost(BfLower *x);
/* These into x->point. */
void bf_couple_put(BfLower *x);
/* Adds to x->rest what couplings take from F, though their multipliers may be 0 for all that remains; slopes of numbers
 * count as remainders, too, since below a part of these no multiplier is sharp (slack). */
void bf_couple_weigh(BfLower *x);
