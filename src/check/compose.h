/* Claims of the tree of a certificate with a table: that of all controls in a box (or of those that a cut takes away)
 * those before layer t lead to a z_t in cells some of whose planes are, with the decay so far, at least `lower`. Later
 * controls may be what they like: what planes say of z_t they say for all of them. */
#pragma once
#include "check/axes.h"
#include "check/cells.h"

typedef struct {
  int    n, early; /* variables; those of layers before t, the first of them */
  double lower;    /* what is claimed, above 0 */
} BfCheckComposed;

typedef struct {
  BfCheckForms       *forms; /* of the layers before t; borrowed */
  const BfCheckAxes  *axes;  /* borrowed */
  const BfCheckCells *cells; /* borrowed */
  int                 n, early;
  double              lower;
  BfCheckBound        work;       /* the composition at hand; owned */
  double             *multiplier; /* [axes]; owned */
  double             *nothing;    /* [1 + axes] a plane of zeros; owned */
  BfSpan             *range;      /* [2][axes] of z_t on the part at hand; what of it is in a cell; owned */
  double             *box;        /* [deepest halving + 2][2][n] lower, upper; owned */
  int                 way;        /* in which the forms are made, 2 w + (1: by query); -1: not for this box */
  int                 boxes;      /* that may be halved for it yet */
  /* Of what does not hold: the cost from below, on which cell (-1: z_t may leave the root cell); the variable that is
   * cut there (-1: of a leaf). */
  double  proved;
  int64_t cell;
  int     of;
} BfCheckCompose;

/* Clear it also after a failure. Local. */
BfStatus bf_check_compose_create(BfCheckForms *forms, const BfCheckAxes *axes, const BfCheckCells *cells,
                                 const BfCheckComposed *of, BfCheckCompose *out, BfError *error);
void     bf_check_compose_clear(BfCheckCompose *compose);
/* Whether a claim is proved here. Rounds upwards. */
bool bf_check_composed(BfCheckCompose *compose, const BfTreeItem *item);
