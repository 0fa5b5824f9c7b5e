/* How a sweep walks through the measures. The contexts fall into three groups, and with them the index of a lifted
 * measure: i = (outer * mids + mid) * lanes + lane. Lanes (the last contexts, some 64 or more measures) are what vector
 * instructions run over; mids (the contexts before) share permuted rows of V; outers are all others.
 * A piece of work, a "group", is a block of mids (or of lanes, where there is one mid) of one outer: a contiguous range
 * of measures. */
#pragma once
#include "kernel/sweep.h"
#include "solve/full/table.h"

#define BF_LANE_BLOCK 512 /* lanes of a group where there is one mid */

typedef struct {
  const BfFullSpace *space;
  const BfTables    *tables;
  BfWalk             walk; /* what the kernels read; its arrays are the plan's, but `number`, which is the tables' */
  int64_t            outers;
  int64_t  mid_context, lane_context; /* first contexts of these groups; contexts before mid_context are outer */
  int64_t  chunks;                    /* blocks of BF_CHUNK active actions; the last repeats its first action */
  int32_t *lane_memory;               /* where a group merges several contexts */
  int32_t *digit;                     /* [mid contexts][mids] the measure of each mid context */
  int64_t  groups;                    /* of the whole sweep */
  int64_t  groups_outer;              /* groups an outer */
  double   least_piece;               /* measures between two words between nodes, at least; 0: as few as pay */
} BfPlan;

/* A plan for `ranks` ranks; the values that a sweep gives do not depend on it. */
BfStatus bf_plan_create(const BfFullSpace *space, const BfTables *tables, const BfActionParameters *actions, int ranks,
                        BfPlan *plan, BfError *error);
void     bf_plan_clear(BfPlan *plan);
/* First measure of a group; that of group number plan->groups is M. */
int64_t bf_plan_start(const BfPlan *plan, int64_t group);
/* base[actives]: the first measure of the successors of an outer, under every active action. */
void bf_plan_base(const BfPlan *plan, int64_t outer, int64_t base[]);
