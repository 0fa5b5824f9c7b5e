/* Images of a law by ranks, for two tags of one head whose atoms go to the nearest cell of a grid. A coordinate of the
 * image of query cell q lies at or above border t, in units of cells, where g(own law) + g(other law) >= 0, with
 *
 *   g(law) = sum over its atoms (c, mass) of mass w_q(c) (eps (V z_c)_a scale_a + base_a - t)
 *
 * (images.h; w_q(c) is positive). Once the other tag's laws are numbered in the order of g, that is a comparison of
 * 16-bit numbers: rank[other law] >= limit[own law]. Where lo <= rank < hi the sign of the sum is uncertain. */
#pragma once
#include <stdint.h>

#define BF_RANK_LAWS 64   /* laws of a chunk, which stand together */
#define BF_RANK_TESTS 256 /* borders of a cell at most */

/* A cell's borders: those of the first axis, then of the next. */
typedef struct {
  int            atoms, n, borders;
  const int16_t *step;   /* [borders] by how much the cell's number grows at one */
  const int16_t *choose; /* [atoms][n] C(c + k, k + 1): the number of a law is the sum over its atoms in order */
  /* Of a chunk of the other tag's laws: */
  const int16_t *rank;       /* [n][borders][BF_RANK_LAWS] */
  const int16_t *range;      /* [n][borders][2] the least and the largest of these */
  int            begin, end; /* of the chunk's laws are wanted */
  /* Of own laws: */
  int            laws;
  const int16_t *cell;   /* [laws][atoms] in order */
  const int16_t *limit;  /* [laws][atoms][borders][2] lo, hi; of the first atom in a cell alone */
  int16_t       *number; /* [laws][BF_RANK_LAWS] out: the law that each goes to; -1 where that is uncertain */
} BfRankRows;

/* Successors of the measures of a tile: first [BF_RANK_LAWS][BF_RANK_LAWS] the first tag's images, its own law the
 * slower index, second the second tag's, its own law the slower index. */
typedef struct {
  const int16_t *first, *second;
  int            row[2], column[2]; /* laws of the first tag and of the second, of their chunks, that are wanted */
  int32_t        radix;             /* laws of the second tag */
  int32_t       *next;              /* of the first of both, */
  int64_t        stride;            /* and from a law of the first tag to the next */
  int            certain;           /* no image is -1 */
} BfRankTile;

/* Returns how many of those wanted may be uncertain, or more. */
typedef int BfRankRowsOf(const BfRankRows *rows);
/* Returns how many are uncertain, whose successor is negative. */
typedef int BfRankJoin(const BfRankTile *tile);
