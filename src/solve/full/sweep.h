/* One layer of the dynamic program in the full space, over all ranks. */
#pragma once
#include "kernel/sweep.h"
#include "solve/full/exchange.h"
#include "solve/full/plan.h"
#include "solve/full/terminal.h"
#include "solve/full/untabled.h"

/* Measures are cut into pieces, a piece's groups dealt to the ranks in contiguous ranges. While the ranks compute a
 * piece, the leaders of the nodes exchange the pieces before it. */
typedef struct {
  BfRun          *run;
  const BfPlan   *plan;
  const BfTables *tables;
  BfUntabled     *untabled; /* borrowed; NULL: there are tables */
  int             pieces;
  int64_t        *piece;   /* [pieces + 1] first group of every piece */
  int64_t        *start;   /* [pieces + 1] first measure of every piece */
  int64_t        *own;     /* [pieces][2] this rank's groups; all owned */
  int64_t        *of_node; /* [pieces][2] first measure of this node's groups, and the end of them */
  int64_t         owned;   /* measures of this rank, all pieces */
  int64_t        *base;    /* [actives] */
  BfShared        least;   /* [outers * mids] the minimum of each row of V_{t+1}, one copy a node */
  BfSweepWork     work;
  double         *last_outer, *last_lane; /* terms of the last layer, or NULL where it takes the general way */
  BfLastMid      *last_mid;
  int64_t         last_padded;
  BfExchange      exchange;
} BfSweep;

/* sync: how V comes to other nodes, a number of bf_sync_name. Collective; nothing is left after a failure. */
BfStatus bf_sweep_create(BfRun *run, const BfPlan *plan, const BfTables *tables, const BfTerminalTables *terminal,
                         int sync, BfSweep *sweep, BfError *error);
void     bf_sweep_clear(BfSweep *sweep);

/* Pieces that a sweep by so many ranks is cut into. */
int bf_sweep_pieces(const BfPlan *plan, int ranks);

/* What is asked after every piece, on all ranks alike, and done where the answer is yes: by then V is complete on every
 * node, and policy on its ranks, for the pieces before number `pieces`. A status other than BF_OK ends the sweep. */
typedef struct {
  bool (*ask)(void *context);
  BfStatus (*pause)(void *context, int pieces, BfError *error);
  void *context;
} BfSweepPause;

/* V from `next` = V_{t+1}, both one copy a node; policy[sweep->owned] of this rank's measures, piece after piece.
 * terminal: given for the last layer (next = V_T), else NULL. begin: the first piece; those before it are there
 * already. pause: may be NULL. Collective; on success V is complete on every node. */
BfStatus bf_sweep_layer(BfSweep *sweep, const BfTerminalTables *terminal, const BfShared *next, BfShared *V,
                        int32_t *policy, int begin, const BfSweepPause *pause, BfError *error);

/* One group of that by itself: value and policy of its measures, given the minima of rows in sweep->least. Not
 * collective. */
void bf_sweep_group(BfSweep *sweep, const BfTerminalTables *terminal, int64_t group, const double *next, double *value,
                    int32_t *policy);

/* This rank's measures of pieces 0 .. pieces-1: first[pieces] and count[pieces]; returns their sum. They stand in this
 * order in `policy`. */
int64_t bf_sweep_blocks(const BfSweep *sweep, int pieces, int64_t first[], int64_t count[]);
/* First measure of a piece, over all ranks; of number sweep->pieces: M. And the last piece that begins at or before i.
 */
int64_t bf_sweep_start(const BfSweep *sweep, int piece);
int     bf_sweep_piece(const BfSweep *sweep, int64_t i);
/* policy at measure i if this rank owns it, else -1. */
int32_t bf_sweep_policy(const BfSweep *sweep, const int32_t *policy, int64_t i);
