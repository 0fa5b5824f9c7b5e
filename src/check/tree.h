/* A certificate's tree, record by record: its boxes and what is claimed of each (share/doc/formats.md). The doubles of
 * boxes are those of whoever wrote them: rounds to nearest. Local. */
#pragma once
#include "bellformer/error.h"
#include "check/order.h"

typedef enum { BF_TREE_LEAF, BF_TREE_CUT } BfTreeClaim;
enum { BF_TREE_POINTS = 255 }; /* of a claim, at most: a byte counts them */

typedef struct {
  BfTreeClaim   claim;
  int64_t       number;                 /* of the claim, from 0 */
  int64_t       of_kind;                /* the same among leaves, or among cuts */
  int64_t       depth;                  /* splits and contractions above it */
  int64_t       readout;                /* of a decision; else 0 */
  int64_t       plane;                  /* whose proof it is of, where that is one (minorant.h) */
  const double *low, *high;             /* [n] the box; until the next claim */
  const double *inner_low, *inner_high; /* [n] of a cut: what is left of it */
  int           points;                 /* 1 of a leaf; 0 where claims have none */
  int           n, stride;              /* variables; bytes of a tangent point */
  const int8_t *xi;                     /* [points][stride] [n] 127 times it, and multipliers of couplings */
} BfTreeItem;

typedef struct BfTree BfTree;

/* The whole box, of which each readout of a decision has one, and the inequalities that leave a part of every box. */
typedef struct {
  int                  n;
  const double        *low, *high; /* [n] */
  const BfCheckOrders *orders;
  int64_t              roots;
  int64_t              width;  /* of rounds of tasks; 0: no bound */
  int                  logits; /* the last of the n: they are split where a record says, not in the middle */
  bool                 bare;   /* claims have no tangent points, */
  int                  late;   /* and the last of the n are neither split nor cut */
  bool                 inside; /* one record of one box, in an array that goes on behind it; */
  int64_t              from;   /* where in the array it begins */
  const char          *array;  /* its name; NULL: tree */
} BfTreeRoots;

/* Borrows bytes [count], and what `whole` has. */
BfStatus bf_tree_create(const BfTreeRoots *whole, const uint8_t bytes[], int64_t count, BfTree **out, BfError *error);
void     bf_tree_destroy(BfTree **tree);
/* The next claim, and *there; not, behind the last. BF_BAD_INPUT where the records do not cover the box: one is
 * incomplete or unknown, bytes are left over, or boxes; or one leaves a box out that the inequalities do not. */
BfStatus bf_tree_next(BfTree *tree, BfTreeItem *item, bool *there, BfError *error);
/* Where in the array the next record begins. */
int64_t bf_tree_at(const BfTree *tree);
/* Of coupling l with a tangent point. */
float bf_tree_multiplier(const BfTreeItem *item, int point, int l);
/* Claims of a kind so far. */
int64_t bf_tree_claims(const BfTree *tree, BfTreeClaim kind);
