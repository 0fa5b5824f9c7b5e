/* What ranks learn of the tasks of a piece. */
#pragma once
#include "certify/ladder.h"

typedef struct {
  int64_t index; /* among the boxes that wait */
  int64_t boxes, bytes, open, stuck, left;
  int64_t asked; /* planes of cells, of those that not all ranks know (BfStateCells) */
  double  least, value;
  int64_t rank;
} BfDone;

/* Planes that tasks were the first to ask for, in the order of tasks. */
typedef struct {
  int64_t  count, room;
  int64_t *task, *rank; /* [room] by their place in done[], and whose task that was */
  BfProofs seen;        /* their names */
} BfAsked;

/* Of done [count], which all have; their boxes become those of the searches that they were the first to ask for, too.
 * Clear it also after a failure. Collective. */
BfStatus bf_asked_gather(BfLadder *x, BfDone done[], int64_t count, BfAsked *out, BfError *error);
/* All ranks know the proofs that the first `kept` tasks asked for, in that order. Collective. */
BfStatus bf_asked_know(BfLadder *x, const BfAsked *asked, int64_t kept, BfError *error);
void     bf_asked_clear(BfAsked *x);
