/* Early boxes bounded by minorants of W_t: set-valued dynamic programming within the tree.
 *
 * The box of z_t is the first cell; a cell is halved at the axis whose remainders cost most there, where boxes need
 * it. Given a box of early controls, whose z_t is within a form's range, J is at least the target on it if every cell
 * that the range meets has a plane that, composed with the form, is at least that with the decay of early controls; or
 * if both of the cell's halves are proved so. Where a cell is small against the range, or a good control at its
 * middle says that no halving would help, it is the box that has to be halved; what planes of all such cells allow is
 * cut.
 *
 * Which cells there are, what planes they have, and what a box comes to are functions of the target alone; what is
 * known already saves time, nothing else. */
#pragma once
#include "certify/proofs.h"

typedef struct {
  double     *doubles; /* its arrays; owned */
  BfStateCell cell;
  uint64_t    path;
  int64_t     child;            /* the lower half, in front of the upper one; 0: it is not halved */
  int         axis;             /* that it is to be halved at; -1: it is too small */
  int64_t     proof[BF_PLANES]; /* -1: not asked for */
  bool        needed;           /* it, or a part of it, has a plane that is written */
} BfStateNode;

typedef struct {
  const BfDepth *depth;
  BfMinorants    minorants;
  BfProofs       proofs;
  BfBytes        asked; /* BfPlaneName of what tasks have asked for that not all ranks know, task by task */
  int64_t        task;  /* the number of this rank's task */
  int64_t        count, room;
  BfStateNode   *node; /* [count] the first ones: the whole, of every readout */
  /* of the box at hand */
  double  *least, *most;          /* [axes] what z_t is in it, and a little more */
  double  *none;                  /* [axes] 0 */
  double  *score;                 /* [n] what its width costs, variable by variable */
  uint8_t *cut;                   /* [n][2] that planes of all cells that are not proved allow */
  bool     uncut;                 /* some cell allows nothing to be cut */
  int64_t  visited, most_visited; /* cells */
  int64_t  left;                  /* cells that are not proved, */
  int64_t  worst;                 /* of which that one has the least cost at its middle */
} BfStateCells;

/* Clear it also after a failure. Local, as all here. */
BfStatus bf_state_cells_create(const BfDepth *depth, BfStateCells *out, BfError *error);
void     bf_state_cells_clear(BfStateCells *x);
/* No cells, for another target; gap: between what was found and that. */
BfStatus bf_state_cells_begin(BfStateCells *x, double target, double gap, BfError *error);
/* Of a worker of the early objective that has x->bounds_by such cells. */
BfBoundBox bf_state_cells_bound;
/* Cells with the planes that all ranks know, as /certificate/cells has them: behind what is in `out`. */
BfStatus bf_state_cells_write(BfStateCells *x, BfBytes *out, BfError *error);
