/* The triangle R of a tall matrix M = Q R, row block by row block; M itself is never held. Householder reflections
 * (LAPACK dtpqrt), so that small singular values of M survive, which are lost in M^T M. */
#pragma once
#include "bellformer/error.h"

typedef struct {
  int     n;       /* columns */
  int     rows;    /* that wait in the block */
  int     most;    /* room for */
  double *R;       /* [n][n] column by column, upper triangle, zeros below; owned */
  double *block;   /* [n][most] column by column; owned */
  double *scratch; /* owned */
} BfTriangle;

/* Clear it also after a failure. Local, like all here. */
BfStatus bf_triangle_create(int n, int most, BfTriangle *triangle, BfError *error);
void     bf_triangle_clear(BfTriangle *triangle);
/* The block's rows into R; the block is empty, and zero, then. 2 rows n^2 flops, in LAPACK's blocked reflections. */
BfStatus bf_triangle_fold(BfTriangle *triangle, BfError *error);
/* Another's R, [n][n], which is destroyed, into R. */
BfStatus bf_triangle_merge(BfTriangle *triangle, double *other, BfError *error);
/* Singular values, the largest first, of matrix [columns][rows] column by column, which is destroyed; values
 * [min(rows, columns)]. */
BfStatus bf_singular_values(int rows, int columns, double *matrix, double values[], BfError *error);
