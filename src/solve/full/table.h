/* The transition tables of the full space: T(i, k) = sum_s stride_s T_s(j_s, k), so that only sum over shapes of M_s K
 * entries are kept, one copy a node, in shared memory. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/run.h"
#include "solve/full/space.h"
#include "solve/transition.h"

typedef struct {
  int       shapes;
  BfShared *memory;  /* [shapes] */
  int32_t **next;    /* [shapes]: next[shape][k * M_s + j] */
  int64_t   actives; /* actions that are kept */
  int32_t  *active;  /* [actives] their numbers, increasing; owned */
} BfTables;

/* Fill the tables: every rank its share of the pairs (measure, block of actions), then the nodes exchange.
 * `value_bound` bounds |V| at every layer and measure: with it, actions that no table distinguishes are collapsed to
 * those that can win. Goes on from what `checkpoint` (may be NULL) holds, and saves to it. Collective on run->world. */
BfStatus bf_tables_create(BfRun *run, const BfFullSpace *space, const BfActions *actions, double value_bound,
                          BfCheckpoint *checkpoint, BfTables *tables, BfError *error);
void     bf_tables_clear(BfTables *tables);

/* Successors next[k * M_s + j] for j0 <= j < j1 of context s under the actions of blocks block0 .. block1-1, by a whole
 * layer for every measure. */
BfStatus bf_table_fill_directly(const BfFullSpace *space, const BfActions *actions, int64_t s, int64_t block0,
                                int64_t block1, int64_t j0, int64_t j1, BfScratch *scratch, int32_t *next,
                                BfError *error);
