/* T(i, u): one layer and the quantizer behind it, for a block of BF_LANES actions at once. What both spaces share. */
#pragma once
#include "bellformer/problem.h"

/* The problem's controls as matrices, BF_LANES actions a block; the last block repeats the last action. */
typedef struct {
  int64_t blocks;
  int64_t size;       /* doubles a block: parameters * BF_LANES */
  double *parameters; /* [blocks][parameters][BF_LANES]; owned */
  double *stage;      /* [K] c(u_k); owned */
} BfActionParameters;
BfStatus bf_action_parameters_create(const BfProblem *problem, BfActionParameters *actions, BfError *error);
void     bf_action_parameters_clear(BfActionParameters *actions);
/* How many of the block's lanes are actions of their own. */
static inline int bf_action_parameters_in_block(const BfProblem *problem, int64_t block) {
  const int64_t left = problem->actions - block * BF_LANES;
  return left < BF_LANES ? (int)left : BF_LANES;
}

/* Scratch memory for laws of up to `slots` slots. */
typedef struct {
  double          *z, *next; /* [slots][d][BF_LANES] */
  double          *work;     /* of bf_layer_apply */
  int64_t         *cell;     /* [slots] */
  int             *first;    /* [tags + 1], [slots]: of the law that bf_scratch_load has made */
  int             *times;
  BfTransitionRoom room;
} BfScratch;
BfStatus bf_scratch_create(const BfProblem *problem, BfScratch *scratch, BfError *error);
void     bf_scratch_clear(BfScratch *scratch);

/* The law of a context whose atoms stand in these cells [slots], non-decreasing within a tag: atoms of one tag in one
 * cell are one slot, so that a layer costs cells, not atoms. Fills scratch->z; law borrows of context and scratch. What
 * a layer makes of it is what it makes of single atoms, bit by bit, of up to BF_MOST_REPEATED in one cell. */
void bf_scratch_load(const BfProblem *problem, const BfContext *context, const int64_t cell[], BfScratch *scratch,
                     BfContext *law);

/* bf_terminal_cost for a minimum to be taken over: refuses (BF_BAD_INPUT) what is not finite. */
BfStatus bf_finite_cost(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                        double g[BF_LANES], BfError *error);

/* The successor's cells [atoms] of one lane of `next` (images of the law's slots under one action), non-decreasing
 * within a tag, by the problem's transition. */
BfStatus bf_successor_cells(const BfProblem *problem, const BfContext *law, const double *next, int lane,
                            BfScratch *scratch, int64_t cell[], BfError *error);
