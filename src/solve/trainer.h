/* The trainer `solve`. */
#pragma once
#include "solve/space.h"
#include "solve/zoom.h"
#include "train/info.h"
#include "train/trainer.h"

typedef struct BfSolveState {
  BfSolveSettings set; /* first: as its options fill it */
  BfSpaceChoice   choice;
  BfBest          best;
  BfBeamAnswer    answer;          /* of a beam */
  double          covering_radius; /* of the actions, where it is asked for */
  BfZoom          zoom;
} BfSolveState;

/* One solve: of all, or of a round of a zoom. */
typedef struct {
  const BfProblem *problem;
  bool             tables;                          /* they are kept, if there is a result */
  bool (*is_last)(const void *state, double value); /* whether the tables of this V_0 are kept; NULL: yes */
} BfSolveOnce;
/* Into session->trained.model and state->best. Collective. */
BfStatus bf_solve_once(BfSolveState *state, BfSession *session, const BfSolveOnce *once, BfError *error);

/* Refuse options of a zoom that mean nothing, or that the problem does not allow. Local. */
BfStatus bf_solve_check_zoom(const BfSolveSettings *settings, const BfOptions *given, const BfProblem *problem,
                             BfError *error);

/* What `info` tells of it. */
BfStatus bf_solve_estimate(void *state, const BfInfo *info, BfError *error);

extern const BfTrainer bf_solve_trainer;
