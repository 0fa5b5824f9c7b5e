/* Successors without transition tables, where there is one context: those of a few measures under eight actions are
 * found as a table's are (table_shape.h), used at once, and forgotten. V is then all that grows with M. */
#pragma once
#include "bellformer/run.h"
#include "kernel/sweep.h"
#include "solve/full/table_shape.h"

typedef struct {
  BfRun                    *run;
  const BfFullSpace        *space;
  const BfActionParameters *actions;
  int64_t                   radix;        /* laws of the last tag */
  int64_t                   leads, types; /* of a tile of measures, at most */
  BfScratch                *scratch;
  BfShared                  images; /* of a block, one copy a node */
  BfTableFiller            *filler;
  int32_t                  *next; /* [BF_LANES][leads][types], */
  int32_t                  *last; /* and its second part, see BfTableShare; NULL: none */
  BfTableWay                way;
  int64_t                   block;
  /* Is told of the Q-values of each tile as they are taken; NULL: nobody. */
  void (*told)(void *with, double values);
  void *with;
} BfUntabled;

/* Collective; clear it also after a failure. */
BfStatus bf_untabled_create(BfRun *run, const BfFullSpace *space, const BfActionParameters *actions,
                            BfUntabled *untabled, BfError *error);
void     bf_untabled_clear(BfUntabled *untabled); /* safe on a zeroed struct */

/* Measures that so many nodes and ranks should take from begin to end, so that what a block of actions begins with is
 * little beside them; bytes that a node of so many ranks holds. */
double bf_untabled_piece(const BfFullSpace *space, const BfTableWay *way, int nodes, int ranks);
double bf_untabled_bytes(const BfFullSpace *space, const BfTableWay *way, int ranks);

/* A block of actions, from begin to end: collective on the node, also where a rank takes no measures or failed. */
void bf_untabled_begin(BfUntabled *untabled, int64_t block);
void bf_untabled_end(const BfUntabled *untabled);
/* Take the block's Q-values of measures first .. first+count-1 into value[count] and policy[count], which hold the
 * minima over the blocks before. V = V_{t+1}. Not collective. */
BfStatus bf_untabled_take(BfUntabled *untabled, int64_t first, int64_t count, const double *V, double *value,
                          int32_t *policy, BfError *error);
/* Seconds that this takes: to begin and end a block, of an entry, of a Q-value once that is there. */
typedef struct {
  double start, entry, value;
} BfUntabledSeconds;
/* Means over some blocks and measures in the middle. V[V_count] stands for V_{t+1}, smaller where M is large.
 * Collective on the node. */
BfStatus bf_untabled_time(BfUntabled *untabled, const double *V, int64_t V_count, BfUntabledSeconds *seconds,
                          BfError *error);
/* T(i, k), by a whole layer. */
BfStatus bf_untabled_next(const BfUntabled *untabled, int64_t i, int32_t k, int64_t *next, BfError *error);
