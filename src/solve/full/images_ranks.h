/* BF_IMAGES_RANKS: what src/kernel/images_ranks.h compares. */
#pragma once
#include "kernel/images_ranks.h"
#include "solve/full/images_plan.h"

/* Of a tag g, for each action of a block: ranks of the other tag's laws, limits of its own. Kept once where tags are
 * alike. Numbers of 16 bits, offsets from the action's. */
typedef struct {
  int64_t rank, range,
      limit;             /* [chunks][n][borders][BF_RANK_LAWS]; [chunks][n][borders][2]; [laws][atoms][borders][2] */
  int16_t *cell;         /* [laws][atoms] of its own */
  int16_t *choose;       /* [atoms][n] */
  int64_t *first, *with; /* [n + 1]; first[q] .. first[q+1]-1: of which laws, times atoms, q is the atom's cell */
} BfRankTag;

/* What a border of a query cell is found by. */
typedef struct {
  double   *cell[2][2];               /* [own, other][g, e] of a cell */
  double   *own_g, *own_e, *g, *e;    /* of laws */
  double   *sorted, *reach, *retreat; /* the others' g in order; the largest g + e so far, the least g - e from there */
  uint64_t *key[2];
  uint16_t *order[2];
} BfRankWork;

typedef struct {
  int         tags, borders; /* that differ; of a cell */
  int        *axis, *border; /* [borders] t of which axis */
  int16_t    *step;          /* [borders] cells of the axes after it */
  int64_t     numbers;       /* of an action */
  BfRankTag   tag[2];
  int16_t    *image[2]; /* [BF_RANK_LAWS][BF_RANK_LAWS] of a tile */
  BfRankWork *work;
} BfRanks;

static inline int64_t bf_rank_chunks(int64_t laws) { return (laws + BF_RANK_LAWS - 1) / BF_RANK_LAWS; }

/* Whether a context is for this: two tags that see each other, one head, a grid's nearest cells, numbers of
 * measures in one part; and whether there are
 * so many laws that to sort them a border of a query cell is little beside a table. */
bool bf_ranks_fit(const BfImagesPlan *plan);
bool bf_ranks_pay(const BfImagesPlan *plan);
/* Bytes that a node shares, and that a rank has beside. */
int64_t  bf_ranks_bytes(const BfImagesPlan *plan);
int64_t  bf_ranks_rank_bytes(const BfImagesPlan *plan);
BfStatus bf_ranks_create(const BfImagesPlan *plan, BfRanks *ranks, BfError *error);
void     bf_ranks_clear(BfRanks *ranks);
