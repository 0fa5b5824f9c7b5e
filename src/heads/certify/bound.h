/* A lower bound of G on a cell of A's box. */
#pragma once
#include "heads/certify/certify.h"
#include "heads/share.h"

enum { BF_CERTIFY_DIM = 3, BF_CERTIFY_ENTRIES = BF_CERTIFY_DIM * BF_CERTIFY_DIM };

/* c_k(A): what the k-th free number of V is multiplied by in sum_i <r_i, V m_i(A)>; the last one gathers given entries,
 * with range [1, 1] and no decay. */
typedef struct {
  double factor[BF_CERTIFY_ENTRIES]; /* of the entries of M = sum_i r_i m_i^T */
  double lower, upper, decay;        /* decay: lambda or 0 */
  double most;                       /* the larger of |lower|, |upper| */
} BfVNumber;

typedef struct {
  const BfHeads *x;
  const double  *z, *r;   /* [N][d] */
  double        *s;       /* [N][d] z + e; owned */
  double        *across;  /* [contexts][2] diameters of the sequences' z and s, rounded up; owned */
  int            numbers; /* of A */
  double         E[BF_CERTIFY_MOST][BF_CERTIFY_ENTRIES]; /* dA/d(number) */
  double         A[BF_CERTIFY_ENTRIES];                  /* given entries */
  double         lower[BF_CERTIFY_MOST], upper[BF_CERTIFY_MOST];
  double         lambda;
  double         curvature[BF_CERTIFY_MOST]; /* of G by a number of A, about: which one to split */
  double        *logit;                      /* [most tokens] work; owned */
  int            values;                     /* of V */
  BfVNumber      V[BF_CERTIFY_ENTRIES + 1];
  /* Bounds of rounding, see bound.c. */
  double entry_error[BF_CERTIFY_DIM];      /* of a row of M */
  double derivative_error[BF_CERTIFY_DIM]; /* of a row of dM/d(number), the largest of all numbers */
  double variance_error;
} BfCellBound;

/* Clear it also after a failure. Local, like all here. */
BfStatus bf_cell_bound_create(BfHeads *x, const double *z, const double *r, BfCellBound *bound, BfError *error);
void     bf_cell_bound_clear(BfCellBound *bound);
/* c [values] at the A of a cell's centre: with A all that G there depends on, and linear in r. */
void bf_cell_coefficients(const BfCellBound *bound, const BfCell *cell, double c[]);
/* G at that A with the best V, r being `scale` times the bound's. */
double bf_cell_value(const BfCellBound *bound, const BfCell *cell, const double c[], double scale);
/* Of a cell with centre and half set: the rest. */
void bf_cell_bound(const BfCellBound *bound, BfCell *cell);
/* Its two halves across the number that matters most, a little larger, so that they cover it whatever is rounded. */
void bf_cell_split(const BfCellBound *bound, const BfCell *cell, BfCell half[2]);
/* All of A's box. */
BfCell bf_cell_all(const BfCellBound *bound);
/* The best V for the A of a cell's centre: theta [q]. */
void bf_cell_theta(const BfCellBound *bound, const BfCell *cell, double theta[]);
