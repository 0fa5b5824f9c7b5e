/* The numbers that the training cost depends on, proved by algebra alone: which components of tokens are equal over the
 * tokens of every context whatever the controls are (forward), and which components are read (backward).
 *
 * Softmax does not see what is added to all logits of a query: where component b of N(z) + e_p is equal over the tokens
 * of each context, column b of A changes every logit of a query alike, and J ignores it; and the mean of such a
 * component is the component itself, so that V's column b leaves it equal. A component is read at the end where columns
 * of the readout differ between classes; before, where r z, V or the columns of A that count carry it to one that is.
 */
#pragma once
#include "problem/number.h"

typedef struct {
  int64_t  all;    /* T q controls [t][j], then the numbers of a trained readout */
  int      n;      /* free: J depends on them, and their range is no point */
  int32_t *number; /* [n] of all, increasing */
  double  *lower, *upper;
  double  *decay;      /* [n] eps lambda of a control, 0 of a readout's number */
  double  *rest;       /* [all] the value of one that is not free which costs least: nearest to 0 in its range */
  char    *depends;    /* [all] whether J depends on it */
  char    *shifts;     /* [all] 1: it does not, since all logits of a query change alike; else since nothing reads it */
  char    *constant;   /* [T][d] components of z_t that are equal over the tokens of every context */
  char    *reads;      /* [T + 1][d] components of z_t that J may depend on, given all controls behind */
  double   rest_decay; /* sum of eps lambda/2 rest^2 of those that are not free, from below */
} BfFreeNumbers;

/* Clear it also after a failure. Local. */
BfStatus bf_free_numbers(const BfProblem *problem, BfFreeNumbers *out, BfError *error);
void     bf_free_numbers_clear(BfFreeNumbers *free);
/* The part of rest_decay that numbers first .. last - 1 have, from below. */
double bf_rest_decay(const BfProblem *problem, const BfFreeNumbers *free, int64_t first, int64_t last);
/* Range of number i of all. */
void bf_number_range(const BfProblem *problem, int64_t i, double *lower, double *upper);
