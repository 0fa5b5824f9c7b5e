/* Symmetries of J as inequalities between free numbers.
 *
 * A move g (moves.h) that leaves J and the box as they are is a signed permutation of the free numbers: (g x)_k =
 * +-x_j. Of all images of a minimizer under such moves, and under any of them one after the other, let x be the least
 * in the lexicographic order that begins with the last number. No g x is less; so x_k <= (g x)_k for the last k that g
 * moves, since behind it both agree. Hence for any set of moves all these inequalities hold together at one minimizer:
 *
 *     x_k <= s x_j,  j < k, s = 1 or -1;  or j = k, s = -1:  x_k <= 0
 *
 * and boxes where one of them holds nowhere need not be bounded. With the first number in front of the order searches
 * of many boxes took up to twice as many: V and W2, which come behind A and W1, decide more. */
#pragma once
#include "certify/free.h"
#include "certify/moves.h"

typedef struct {
  int k, j, sign;
} BfInequality;

/* What was found, for those who are told. */
typedef struct {
  int heads, units, signs; /* pairs of heads, of hidden units, units whose sign is free, of all layers */
  int data;                /* moves of the data, with the classes, that are none of components that stay */
} BfSymmetryCount;

enum { BF_MOST_INEQUALITIES = 255 };

typedef struct {
  int             count, length;
  int32_t        *move; /* [count][length] which gives each; owned */
  BfInequality   *row;  /* [count]; owned */
  BfSymmetryCount of;
} BfSymmetry;

/* All that are looked for, and proved. Clear it also after a failure. Local. */
BfStatus bf_symmetry_find(const BfProblem *problem, const BfMergedData *data, const BfFreeNumbers *free,
                          BfSymmetry *out, BfError *error);
void     bf_symmetry_clear(BfSymmetry *x);
/* The box lower, upper [n] without what the inequalities exclude of it by its ends alone, again and again until nothing
 * changes: the largest box that none of them narrows, whatever their order. Exact: ends are compared and copied. False:
 * nothing is left. */
bool bf_symmetry_narrow(const BfSymmetry *x, double lower[], double upper[]);
/* What was found: "1 pair of heads, 2 moves of the data; 3 inequalities". Returns the text. */
enum { BF_SYMMETRY_TEXT = 160 };
const char *bf_symmetry_text(const BfSymmetry *x, char text[BF_SYMMETRY_TEXT]);
