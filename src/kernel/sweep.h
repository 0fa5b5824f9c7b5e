/* The Q-values of one group of measures: the hot loops of the full space, compiled once for each instruction set.
 *
 * The index of a measure is (outer * mids + mid) * lanes + lane, src/solve/full/plan.h. Lanes are what vector
 * instructions run over; mids share permuted rows of V. */
#pragma once
#include <stdint.h>

#define BF_CHUNK 8             /* actions whose permuted rows are held at once */
#define BF_MOST_BLOCK_MIDS 256 /* of one group */

/* What the kernels need to know of the successors. */
typedef struct {
  int64_t         mids, lanes;
  int64_t         actives;    /* actions */
  double         *stage;      /* [actives] c(u_k) */
  const int32_t  *number;     /* [actives] k, increasing */
  const int32_t **lane_next;  /* [actives][lanes] */
  int64_t         tile;       /* lanes that are treated together, a multiple of BF_LANES */
  int64_t         block_mids; /* mids of a block */
  int64_t         blocks;     /* of mids */
  uint16_t       *slot;       /* [chunks][mids][BF_CHUNK] which of the block's distinct successors a mid goes to */
  int32_t        *image;      /* [actives][mids] the block's distinct successors, from the block's first mid on */
  int32_t        *images;     /* [actives][blocks] how many they are */
} BfWalk;

/* The successor of a block's mid under active action a. */
static inline int64_t bf_walk_mid(const BfWalk *walk, int64_t a, int64_t first, int64_t m) {
  const uint16_t slot = walk->slot[(a / BF_CHUNK * walk->mids + first + m) * BF_CHUNK + a % BF_CHUNK];
  return walk->image[a * walk->mids + first + slot];
}

/* A block of mids, and lanes lane0 .. lane1-1 of each: at most a tile of them. */
typedef struct {
  int64_t block, lane0, lane1;
} BfTile;

/* Work for a group: doubles, 64-byte aligned. */
typedef struct {
  double  *rows;  /* [BF_CHUNK][block_mids][tile] permuted rows of V; in the last layer its terms: mids, then lanes */
  double  *best;  /* [block_mids][tile] */
  int64_t *chunk; /* [block_mids][tile] first action of the chunk that attains it */
  int64_t  kept;  /* Q-values that were formed; the others were pruned. Never reset */
} BfSweepWork;

/* How many doubles `rows` holds. */
static inline int64_t bf_sweep_rows(const BfWalk *walk) {
  return BF_CHUNK * (walk->block_mids * walk->tile + walk->block_mids + walk->tile);
}

/* A mid context in the last layer, where g is a sum over contexts. */
typedef struct {
  int64_t        measures; /* M_s */
  const int32_t *next;     /* [K][measures] successors */
  const int32_t *digit;    /* [mids] the measure of this context in each mid */
  const double  *g;        /* [measures] g_s */
} BfLastMid;

/* The terms of the last layer where g is a sum over contexts: no gather is needed. */
typedef struct {
  const double    *outer; /* [actives] sum of g_s over the successor's outer contexts, in their order */
  int64_t          contexts;
  const BfLastMid *mid;  /* [contexts] */
  const double    *lane; /* [actives][padded] g_s of the lane context's successors */
  int64_t          padded;
} BfLastTerms;

/* min over active actions of c + V(base + mid' * lanes + lane'), and the smallest k that attains it, for a tile. value
 * and policy point at the block's first mid, lane 0; base[actives]: the first measure of the outer's successors.
 *
 * For every action of a chunk, one row of V is permuted for each distinct successor of the block's mids (a gather: one
 * load of an index and one of V an entry), and every mid that goes there takes the minimum with it: one load and one
 * minimum an eight Q-values. Which action won is found at the end, within the chunk that won. The second part is bound
 * by L2 bandwidth (a cache line an eight Q-values), the first, where V exceeds the caches, by memory: rows of V are
 * short and far apart, some 10 GB a second a core, divided by the mids that share a row.
 *
 * least[outers * mids]: the minimum of each row of V. An action is left out of both parts for a mid where c + least is
 * no less than the largest minimum so far of the mid's lanes: exact, as c + V rounds monotonically and later actions
 * replace none that are equal. */
typedef void BfSweepBlock(const BfWalk *walk, const int64_t *base, const double *V, const double *least,
                          const BfTile *tile, double *value, int32_t *policy, BfSweepWork *work);
/* The same for the last layer, c + ((outer + mid') + lane'): two additions and a minimum, bound by arithmetic. */
typedef void BfSweepLast(const BfWalk *walk, const BfLastTerms *terms, const BfTile *tile, double *value,
                         int32_t *policy, BfSweepWork *work);

/* Successors of some measures under a few actions, which no table holds. */
typedef struct {
  int            actions; /* with numbers first, first + 1, .. */
  int32_t        first;
  const double  *stage; /* [actions] c(u_k) */
  const int32_t *next;  /* next[a * stride + i], */
  const int32_t *last;  /* or next * radix + last, laid out alike; NULL: none */
  int64_t        radix;
  int64_t        stride; /* at least count */
  int64_t        count;  /* measures */
} BfTaken;
/* Their Q-values c + V(next) into the minima so far, value[count], and the actions that attain these, policy[count];
 * where they are equal the earlier stays. An entry loads an index and a value of V: bound by the latency of memory
 * where V exceeds the caches, some ten loads under way at once. */
typedef void BfSweepTake(const BfTaken *taken, const double *V, double *value, int32_t *policy);
