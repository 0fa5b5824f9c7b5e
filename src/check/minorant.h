/* The planes of a cells, proved: that for all z in a plane's cell and all later controls, what the tokens that z leads
 * to cost and the decay of these controls are together at least c + <g, z>. */
#pragma once
#include "check/axes.h"
#include "check/cells.h"
#include "check/claim.h"

typedef struct {
  const BfCheckCells *cells;    /* borrowed */
  BfCheckAxes        *axes;     /* borrowed; their tilt is set */
  int32_t            *number;   /* [axes + later]; owned */
  int                *variable; /* [count]; owned */
  BfCheckForms        forms;
  BfCheckClaims       claims;
  BfTree             *proof;         /* of the plane at hand; owned */
  double             *ends;          /* [4][axes + later] of a claim as it is checked; owned */
  int64_t             plane, before; /* the claims of planes before it */
} BfCheckMinorants;

/* numbers: all of them, n of which are variables, those of controls before layer t first. Borrows all but them. Clear
 * it also after a failure. Local. */
BfStatus bf_check_minorants(const BfCheckCells *cells, BfCheckAxes *axes, const BfCheckModel *model,
                            const BfCheckNumbers *numbers, int64_t t, BfCheckMinorants *out, BfError *error);
void     bf_check_minorants_clear(BfCheckMinorants *minorants);
/* Into axes->fixed, by the forms of the layers before t, which are of the whole box: before any claim. Rounds upwards.
 */
void bf_check_fix_axes(BfCheckAxes *axes, BfCheckForms *forms);
/* The next claim of the next plane, and *there; not, behind the last. Rounds to nearest. */
BfStatus bf_check_minorants_next(BfCheckMinorants *minorants, BfTreeItem *item, bool *there, BfError *error);
/* Whether it is proved here. Rounds upwards. */
bool bf_check_minorant(BfCheckMinorants *minorants, const BfTreeItem *item);
