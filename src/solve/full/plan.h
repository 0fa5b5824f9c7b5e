/* How a sweep walks through the measures. The contexts fall into three groups, and with them the index of a lifted
 * state: i = (outer * mids + mid) * lanes + lane. Lanes (the last contexts, some 64 or more measures) are what vector
 * instructions run over; mids (the contexts before) share permuted rows of V; outers are all others.
 * A piece of work, a "group", is a block of mids (or of lanes, where there is one mid) of one outer: a contiguous range
 * of measures. */
#pragma once
#include "solve/full/table.h"

#define BF_CHUNK 8             /* actions whose permuted rows are held at once */
#define BF_MOST_BLOCK_MIDS 256 /* of one group */
#define BF_LANE_BLOCK 512      /* lanes of a group where there is one mid */

typedef struct {
  const BfFullSpace *space;
  const BfTables    *tables;
  int64_t            outers, mids, lanes;
  int64_t         mid_context, lane_context; /* first contexts of these groups; contexts before mid_context are outer */
  int64_t         actives, chunks; /* actions, and blocks of BF_CHUNK of them; the last repeats its first action */
  double         *stage;           /* [actives] c(u_k) */
  const int32_t  *number;          /* [actives] k; borrowed from the tables */
  const int32_t **lane_next;       /* [actives][lanes] */
  int32_t        *lane_memory;     /* where a group merges several contexts */
  int64_t         tile;            /* lanes that are treated together, a multiple of BF_LANES */
  int64_t         block_mids;      /* mids of a block: few enough that every rank has groups */
  int64_t         blocks;          /* of mids, an outer */
  uint16_t       *slot;            /* [chunks][mids][BF_CHUNK] which of the block's distinct successors a mid goes to */
  int32_t        *image;           /* [actives][mids] the block's distinct successors, from the block's first mid on */
  int32_t        *images;          /* [actives][blocks] how many they are */
  int32_t        *digit;           /* [mid contexts][mids] the measure of each mid context */
  int64_t         groups;          /* of the whole sweep */
  int64_t         groups_outer;    /* groups an outer */
} BfPlan;

/* A plan for `ranks` ranks; the values that a sweep gives do not depend on it. */
BfStatus bf_plan_create(const BfFullSpace *space, const BfTables *tables, const BfActions *actions, int ranks,
                        BfPlan *plan, BfError *error);
void     bf_plan_clear(BfPlan *plan);
/* First measure of a group; that of group number plan->groups is M. */
int64_t bf_plan_start(const BfPlan *plan, int64_t group);
/* base[actives]: the first measure of the successors of an outer, under every active action. */
void bf_plan_base(const BfPlan *plan, int64_t outer, int64_t base[]);
/* The successor of a block's mid under active action a. */
static inline int64_t bf_plan_mid(const BfPlan *plan, int64_t a, int64_t first, int64_t m) {
  const uint16_t slot = plan->slot[(a / BF_CHUNK * plan->mids + first + m) * BF_CHUNK + a % BF_CHUNK];
  return plan->image[a * plan->mids + first + slot];
}
