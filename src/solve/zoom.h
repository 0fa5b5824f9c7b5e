/* -zoom R: after a solve the action set is laid again around its answer, in smaller boxes, and solved again. */
#pragma once
#include "solve/zoom_set.h"
#include "train/session.h"

typedef struct BfSolveState BfSolveState; /* solve/trainer.h */

/* What a round has come to. Its open loops: of -best all, else the best alone. */
typedef struct {
  int64_t  actions;             /* K of its set */
  int64_t  next;                /* the first point of the sampler's sequence that neither it nor a set before has had */
  int64_t  count, layers, free; /* open loops; T, q */
  int32_t *action;              /* [count][T] in its own set; owned, like all arrays here */
  double  *control;             /* [count][T][q] */
  double  *value;               /* [count] quantized costs */
  double   cost;                /* of the best, unquantized */
} BfZoomRound;

typedef struct {
  int              rounds; /* complete ones, the first solve among them */
  BfZoomRound     *round;  /* [R + 1] room; owned */
  bool             under_way;
  const BfProblem *given;
  BfProblem        problem; /* that, with the set of the last round in its place, which it owns */
} BfZoom;

/* Solve, and zoom: the last round's answer into the session's, whose problem then is the one with the last set. Every
 * complete round is in every checkpoint that is saved. Collective. */
BfStatus bf_zoom_train(BfSolveState *state, BfSession *session, BfError *error);
void     bf_zoom_clear(BfZoom *zoom);

/* The rounds so far into a checkpoint, and back. Collective. */
BfStatus bf_zoom_save(const BfZoom *zoom, BfStore *store, BfError *error);
BfStatus bf_zoom_restore(BfZoom *zoom, int64_t wanted, BfStore *store, BfError *error);
/* /zoom of a result: all rounds with their sets, which are laid again. Collective. */
BfStatus bf_zoom_write(const BfZoom *zoom, double factor, BfStore *store, BfError *error);
/* A line a round on standard output. */
void bf_zoom_report(const BfRun *run, const BfZoom *zoom);

/* ---- what these share -------------------------------------------------------------------------------------------- */

/* factor^round. */
double bf_zoom_part(double factor, int round);
/* What the set of round r >= 1 is laid around. Local. */
BfStatus bf_zoom_plan(const BfZoom *zoom, double factor, int round, BfZoomPlan *plan, BfError *error);
