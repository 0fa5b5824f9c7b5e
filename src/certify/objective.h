/* What is bounded: J of a problem as a function of its free numbers. Borrows the problem. */
#pragma once
#include "certify/free.h"
#include "certify/symmetry.h"

typedef struct {
  int32_t number;   /* of all that the entry is, -1: none */
  int     variable; /* of the free ones, -1: none */
  double  factor;   /* times which */
  double  value;    /* of an entry that is no free number */
} BfEntry;

/* Of the contexts' layers, those that boxes are halved at. */
typedef struct {
  int64_t       count;
  BfLogitRange *logit; /* [count] by context, then by layer */
  int64_t      *first; /* [contexts T + 1] where those of each begin; NULL: there are none */
} BfLogits;
void bf_logits_clear(BfLogits *x);

enum { BF_MOST_VARIABLES = 255 }; /* a byte names one */

struct BfTokenAxes;

typedef struct {
  const BfProblem          *problem;
  int                       from, to; /* layers that it is of: 0 .. T, or a part of depth (depth.h), which has */
  const struct BfTokenAxes *axes;     /* components of tokens between the parts; NULL: it is the whole; borrowed */
  BfFreeNumbers             free;
  BfLogits                  logits;        /* none, where bf_objective_logits has not found any */
  int                       n;             /* variables of a box: free.n numbers, then logits.count logits */
  double                   *lower, *upper; /* [n] the whole box */
  double                   *decay;         /* [n] eps lambda of a control, else 0 */
  BfMergedData              data;
  BfSymmetry                symmetry; /* empty, where bf_objective_order has not found any */
  int                       features; /* of all contexts */
  int                      *first;    /* [contexts + 1] where those of each begin */
  BfEntry                  *entry;    /* [T][layer->parameters] */
  int                       roots;    /* readouts that are decided on, each a problem of its own */
  BfCost                   *cost;     /* [roots] with that readout as its only one; borrows */
} BfObjective;

/* Refuse what has no enclosure, in one line. Local. */
BfStatus bf_objective_check(const BfProblem *problem, BfError *error);
/* Clear it also after a failure. Local. */
BfStatus bf_objective_create(const BfProblem *problem, BfObjective *out, BfError *error);
/* Finds the inequalities that symmetries allow, which narrow boxes from then on. Local. */
BfStatus bf_objective_order(BfObjective *x, BfError *error);
void     bf_objective_clear(BfObjective *x);
