/* Contraction: what can be cut from a box, since J is at least the target there. Several lower forms (lower.h) are each
 * bounds on the whole box, so that each may cut a number of its own.
 *
 * The form at the least of the convex bound F(xi) = phi + decay cuts what its slopes reach. Where F is curved, {F <
 * tau} is about an ellipsoid, whose extent in number k is sqrt(2 (tau - min F) (H^-1)_kk), H the Hessian on the numbers
 * that are not held by an end of the box: far less than the one form says. The form at the farthest point of it has a
 * slope in k alone, about, and cuts there. Where these points are is a guess, by differences of slopes: every form is a
 * bound wherever it touches. */
#pragma once
#include "certify/lower.h"

typedef struct {
  int      n, size; /* as in BfLower */
  int      count;   /* forms that cut something */
  int8_t  *point;   /* [2 n + 1][size] theirs, as in BfLower */
  uint8_t *cut;     /* [n][2] 256ths of the width, from below and from above: the most that one of the forms cuts */
  /* work */
  uint8_t *by;                                  /* [n][2] which form that is */
  bool    *held;                                /* [n] by an end of the box */
  double  *xi, *slope, *column, *step, *newton; /* [n] */
  double  *hessian, *exchanged;                 /* [n][n] */
} BfContraction;

/* For boxes of `of`, which is created. Clear it also after a failure. Local. */
BfStatus bf_contraction_create(const BfLower *of, BfContraction *out, BfError *error);
void     bf_contraction_clear(BfContraction *x);
double   bf_contraction_bytes(double n, double size);

/* From the form that x stands at, of less than the target, on the box lower, upper [n]. Returns the part of the volume
 * that is left. x stands at another form then. */
double bf_contract(BfContraction *c, BfLower *x, double target, const double lower[], const double upper[]);
/* By that form alone. */
double bf_contract_once(BfContraction *c, const BfLower *x, double target, const double lower[], const double upper[]);
