/* The cells of a certificate with a table (share/doc/formats.md): parts of the range of z_t, halved again and again,
 * some of them with a plane c + <g, z>, of which a tree over the cell and the later controls is the proof. What is read
 * here is where all that is; the ends of cells are the doubles of whoever wrote them: rounds to nearest. Local. */
#pragma once
#include "check/tree.h"

/* In preorder: the lower half of a cell comes behind it, then the upper one. */
typedef struct {
  int64_t parent;       /* -1: none */
  int64_t behind;       /* the first cell that is no part of it */
  int64_t depth, plane; /* its plane; -1: none */
  int     axis;         /* that it is halved at; -1: it is not */
} BfCheckCell;

typedef struct {
  int64_t cell, readout;
  int64_t proof; /* where it begins in the bytes */
} BfCheckPlane;

typedef struct {
  int            axes, later; /* variables of a proof: axes, then later numbers */
  const double  *low, *high;  /* [axes + later] the root cell, the ranges of later numbers; borrowed */
  int64_t        roots;       /* one for each readout of a decision */
  const uint8_t *bytes;       /* [count]; borrowed */
  int64_t        count;
} BfCheckCellRoots;

typedef struct {
  BfCheckCellRoots of;
  BfCheckCell     *cell;        /* [cells]; owned */
  double          *ends;        /* [cells][2][axes] lower, upper; owned */
  BfCheckPlane    *plane;       /* [planes]; owned */
  double          *coefficient; /* [planes][1 + axes] c, g; owned */
  int64_t         *root;        /* [roots + 1] cells; owned */
  int64_t          cells, planes, claims;
  double          *box; /* room; owned */
} BfCheckCells;

/* BF_BAD_INPUT where bytes are no cells with proofs that cover their boxes, whatever they claim. Clear it also after a
 * failure. */
BfStatus bf_check_cells_create(const BfCheckCellRoots *roots, BfCheckCells *out, BfError *error);
void     bf_check_cells_clear(BfCheckCells *cells);
/* The proof of a plane, to be destroyed. */
BfStatus bf_check_cells_proof(const BfCheckCells *cells, int64_t plane, BfTree **out, BfError *error);

static inline const double *bf_check_cells_low(const BfCheckCells *x, int64_t cell) {
  return x->ends + cell * 2 * x->of.axes;
}
static inline const double *bf_check_cells_high(const BfCheckCells *x, int64_t cell) {
  return bf_check_cells_low(x, cell) + x->of.axes;
}
