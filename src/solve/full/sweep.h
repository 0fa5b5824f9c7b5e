/* One layer of the dynamic program in the full space, over all ranks. */
#pragma once
#include "solve/full/plan.h"
#include "solve/full/sweep_kernel.h"
#include "solve/full/terminal.h"

/* Measures are cut into pieces, a piece's groups dealt to the ranks in contiguous ranges. While the ranks compute a
 * piece, the leaders of the nodes reduce the pieces before it: V of a node is +inf where another node computes. */
typedef struct {
  BfRun          *run;
  const BfPlan   *plan;
  const BfTables *tables;
  int             pieces;
  int64_t        *piece; /* [pieces + 1] first group of every piece */
  int64_t        *own;   /* [pieces][2] this rank's groups; all owned */
  int64_t         owned; /* measures of this rank, all pieces */
  int64_t        *base;  /* [actives] */
  BfSweepWork     work;
  double         *last_outer, *last_lane; /* terms of the last layer, or NULL where it takes the general way */
  const double  **last_mid;
  int64_t         last_padded;
  MPI_Request    *arrived; /* [pieces] */
  int64_t        *part;    /* [pieces + 1] first entry of a piece in `reduced`: what one reduction takes is bounded */
  MPI_Request    *reduced; /* [part[pieces]] */
} BfSweep;

BfStatus bf_sweep_create(BfRun *run, const BfPlan *plan, const BfTables *tables, const BfTerminal *terminal,
                         BfSweep *sweep, BfError *error);
void     bf_sweep_clear(BfSweep *sweep);

/* V from `next` = V_{t+1}, both one copy a node; policy[sweep->owned] of this rank's measures, piece after piece.
 * terminal: given for the last layer (next = V_T), else NULL. Collective; on return V is complete on every node. */
void bf_sweep_layer(BfSweep *sweep, const BfTerminal *terminal, const BfShared *next, BfShared *V, int32_t *policy,
                    BfProgress *progress);

/* This rank's measures of a piece: first and number; where they stand in `policy`. */
void bf_sweep_range(const BfSweep *sweep, int piece, int64_t *first, int64_t *count);
/* policy at measure i if this rank owns it, else -1. */
int32_t bf_sweep_policy(const BfSweep *sweep, const int32_t *policy, int64_t i);
