/* Components of the tokens z_t before a layer as variables, the axes of a table: whatever controls before layer t do,
 * all components of the same number (model.h) are one quantity, and those that are no axis stay within what they are
 * over all such controls. So what holds at every value of the axes in a cell, the others anywhere in their ranges,
 * holds at every z_t whose axes are in the cell.
 *
 * Two axes may be one quantity: then a box is only of those values at which both are equal, as they are at every z_t.
 * The first of them is the variable, in what both intervals have in common, with the slopes of both. */
#pragma once
#include "check/bound.h"

enum { BF_AXIS_CONTEXT, BF_AXIS_TOKEN, BF_AXIS_COMPONENT, BF_AXIS_WORDS };

struct BfCheckAxes {
  int           count; /* axis a is variable a of a box */
  int          *of;    /* [tokens d] which axis a component is, the first of equal ones; -1: none; owned */
  int          *first; /* [count] the first axis that is the same quantity; owned */
  int64_t      *place; /* [count] the component; owned */
  BfSpan       *fixed; /* [tokens d] all that a component that is no axis may be; owned */
  const double *tilt;  /* [count] g: bounds are of the cost less sum g_a z_a; borrowed */
};

/* Of the names name[count][BF_AXIS_WORDS] before layer t, 1 <= t < T. BF_BAD_INPUT where one is none of the problem's,
 * or there twice. Clear them also after a failure. Local. */
BfStatus bf_check_axes(const BfCheckModel *model, int64_t t, int count, const int32_t *name, BfCheckAxes *out,
                       BfError *error);
void     bf_check_axes_clear(BfCheckAxes *axes);
/* Component i of the tokens as a form, for the box of forms that begin at axes. Rounds upwards, as all below. */
void bf_check_axis_form(const BfCheckForms *forms, int64_t i, BfLinears *space, BfLinear *out);
/* sum -= sum_a g_a z_a. */
void bf_check_tilt(BfCheckForms *forms, BfLinear *sum);
/* At least the largest of sum_a g_a z_a on a part of the box. */
double bf_check_most_tilt(const BfCheckForms *forms, const BfCheckPart *part);
