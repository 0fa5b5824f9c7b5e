/* One claim of a certificate's tree: that no controls of a box cost less than `lower`, or none beyond a cut of it. Or
 * of a plane's proof: where forms begin at axes the cost is less what leans there (axes.h). */
#pragma once
#include "check/bound.h"
#include "check/tree.h"

typedef struct {
  int               n;                                /* variables */
  double            lower;                            /* what is claimed */
  BfCheckForms     *forms;                            /* borrowed */
  BfCheckBound      stored[BF_TREE_POINTS], other[3]; /* of the stored tangents, of others; owned */
  double           *xi;                               /* [n]; owned */
  double           *box;                              /* [deepest halving + 2][2][n] lower, upper; owned */
  const BfTreeItem *item;                             /* the claim at hand */
  int               boxes;                            /* that may be halved for it yet */
  double            proved;                           /* of what does not hold: the cost from below, */
  int               of;                               /* the variable that is cut there; -1: of a leaf */
} BfCheckClaims;

/* forms are of n variables. Clear them also after a failure. Local. */
BfStatus bf_check_claims_create(BfCheckForms *forms, int n, double lower, BfCheckClaims *out, BfError *error);
void     bf_check_claims_clear(BfCheckClaims *claims);
/* Whether it is proved here. Rounds upwards. */
bool bf_check_claim(BfCheckClaims *claims, const BfTreeItem *item);
