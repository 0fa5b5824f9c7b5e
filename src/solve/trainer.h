/* The trainer `solve`. */
#pragma once
#include "solve/space.h"
#include "train/info.h"
#include "train/trainer.h"

typedef struct {
  BfSolveSettings set; /* first: as its options fill it */
  BfSpaceChoice   choice;
  BfBest          best;
  BfBeamAnswer    answer;          /* of a beam */
  double          covering_radius; /* of the actions, where it is asked for */
} BfSolveState;

/* What `info` tells of it. */
BfStatus bf_solve_estimate(void *state, const BfInfo *info, BfError *error);

extern const BfTrainer bf_solve_trainer;
