/* The layer on a grid of cells, for the transition tables of one context shape. A token's logits depend only on cells,
 * so that <z + e_p, A (z' + e_p')> is computed once an action for every pair of (position, cell), and what a query sees
 * of a tag's law (BfTagSight) once for that law; what is left for a measure is to combine its tags. Two tags of one
 * atom each need no sights: their measures are pairs of cells, treated in one loop. The arithmetic is that of
 * attend.h, in the same order as in bf_layer_apply: the same bits. */
#pragma once
#include "kernel/flat.h"

#define BF_TYPE_BLOCK 64 /* laws of the last tag whose sights are held at once */
#define BF_MOST_ATOMS 32

typedef struct {
  BfFlatLayer      layer;
  const BfContext *context;
  int              n, d;
  int              positions, queries;    /* positions of the context that are told apart; positions * n */
  int             *place;                 /* [tags] a tag's position among these */
  int             *position;              /* [positions] */
  double          *point;                 /* [n][d] cell centres z */
  double          *seen;                  /* [n][d] N(z), or `point` itself where there is no norm */
  int              forwards;              /* 1: there are terms of single tokens */
  int              nearest;               /* 1: successors by a grid's nearest cell, in lanes */
  double          *lower, *width, *cells; /* [d] the grid's axes */
  double         **choose;                /* [atoms + 1][atoms][n + atoms]: C(b, k + 1) at [k * (n + atoms) + b] */
  double          *radix;                 /* [tags] */
  int              sight;                 /* lanes of a sight: 2 + d (max, weight, sum of z') */
  /* In lanes (BF_LANES actions), filled by the kernels: */
  double *logit;   /* [heads][queries][queries] */
  double *forward; /* [n][d] what the terms of single tokens give, where there are any */
  double *term;    /* work of theirs */
  double *lead;    /* [heads][tags][queries][sight] of the tags before the last */
  double *last;    /* [BF_TYPE_BLOCK][heads][queries][sight] of laws of the last tag */
  double *next;    /* [slots][d] images of a measure's atoms */
  double *image;   /* [n][n] of pairs, else NULL: the first atom's new cell */
} BfTableShape;

/* For a block of actions: logits of all pairs of (position, cell), what the other terms give in all cells. */
typedef void BfTablePrepare(BfTableShape *shape, const double *parameters);
/* What all queries see of tag g when its atoms are in cell[]: to[head * stride + query * sight ...]. */
typedef void BfTableSight(const BfTableShape *shape, int g, const int64_t cell[], double *to, int64_t stride);
/* Images of the atoms in cell[slots]; last: the sights of the last tag's law (a block of `last`). */
typedef void BfTableMeasure(BfTableShape *shape, const double *parameters, const int64_t cell[], const double *last);
/* The successors' numbers in the context, by nearest cells, in lanes. */
typedef void BfTableRank(const BfTableShape *shape, double rank[BF_LANES]);
/* The same at once for pairs whose first atom is in cell lead0 .. lead1-1: next[l * n * n + measure] of the first
 * `lanes` actions of the block. */
typedef void BfTablePairs(BfTableShape *shape, const double *parameters, int64_t lead0, int64_t lead1, int lanes,
                          int32_t *next);
