/* Depth in two: J is the least over early controls, of layers 0 .. t - 1, of their decay and of
 *
 *     W_t(z_t),   W_t(z) = min over late controls, of layers t .. T - 1, of the terminal cost from z on and their
 * decay,
 *
 * the value function ([AJM26] eq. 9). Each part is an objective of its own for those who bound boxes: the early one's
 * features are the components of z_t that are not constant, the axes; of the late one these are the first variables. */
#pragma once
#include "certify/objective.h"

enum { BF_MOST_AXES = 12 };

/* A component of z_t that is a variable: of that slot of a context and those that are alike; of all slots where it is
 * equal over them whatever the controls are. */
typedef struct {
  int64_t context;
  int     slot, component;
} BfTokenAxis;

typedef struct BfTokenAxes {
  int          count;
  BfTokenAxis *axis;          /* [count] by context, then by slot; owned */
  double      *lower, *upper; /* [count] what holds all that they can be; owned */
  int         *of;            /* [slots of all contexts][dim] which one a component is; -1: none; owned */
  double      *least, *most;  /* as `of`: all that it can be; owned */
} BfTokenAxes;

typedef struct {
  int         t;
  int         first; /* free numbers of layers before t */
  BfTokenAxes axes;
  int        *features; /* [contexts + 1] the early objective's `first`; owned */
  BfObjective
      early; /* of the same variables as the whole, of which the late ones do nothing; its features are the axes */
  BfObjective late; /* of axes.count + n - first variables; a point of it is [all + axes.count], the axes behind */
} BfDepth;

/* Of an objective that is a whole without logits, which it borrows. More axes than BF_MOST_AXES are counted, and there
 * are no objectives then. Clear it also after a failure. Local. */
BfStatus bf_depth_create(const BfObjective *whole, int t, BfDepth *out, BfError *error);
void     bf_depth_clear(BfDepth *x);
