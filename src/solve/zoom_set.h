/* The action set of a round of a zoom: controls of the answers before, and a box around each. */
#pragma once
#include "bellformer/problem.h"

/* Whether the problem's actions can be laid again in other boxes: BF_BAD_INPUT where they are given one by one, or
 * where nothing is free. Local. */
BfStatus bf_zoom_check(const BfProblem *problem, BfError *error);

/* What a round's set is laid around. */
typedef struct {
  const BfProblem *problem; /* the first set is its own */
  double           part;    /* sides of the boxes, in units of U's */
  int64_t          first;   /* the first point of the sampler's sequence that no set has had */
  int64_t          centres; /* m */
  double          *centre;  /* [m][q] distinct; owned */
} BfZoomPlan;

/* Around the distinct ones of `count` controls [count][q], in the order in which they come. Local; clear it also after
 * a failure. */
BfStatus bf_zoom_plan_create(const BfProblem *problem, double part, int64_t first, int64_t count,
                             const double control[], BfZoomPlan *plan, BfError *error);
void     bf_zoom_plan_clear(BfZoomPlan *plan);

/* Points of a set around so many centres that are laid in each box: all levels of a grid, else the problem's count
 * shared, rounded up. */
double bf_zoom_each(const BfProblem *problem, double centres);
/* Actions of such a set at most: before equal ones are merged. */
double bf_zoom_most(const BfProblem *problem, double centres);
/* The same of `centres` or fewer: count shared among m and rounded up is at most count + m in all, beside the m. */
double bf_zoom_most_up_to(const BfProblem *problem, double centres);
/* Bytes that a rank takes to lay so many actions and hold them, as matrices too. */
double bf_zoom_bytes(const BfProblem *problem, double actions);

/* The centres, then box by box the points in it; of equal ones the first. u: *count rows of q, to be freed with
 * bf_free. *taken: the points of the sequence that were taken, those that were merged too. Refuses (BF_BAD_INPUT) 2^31
 * and more. Local. */
BfStatus bf_zoom_lay(const BfZoomPlan *plan, int64_t *count, double **u, int64_t *taken, BfError *error);
