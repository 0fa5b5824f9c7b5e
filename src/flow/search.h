/* A search under way: what its steps share. */
#pragma once
#include "flow/flow.h"

enum { BF_LOG_HEAD = 2 }; /* columns of a logged evaluation before the gradient: a hash of the control, J */

typedef struct {
  BfRun                   *run;
  BfFlow                  *flow;
  const BfProblem         *problem;
  const BfInitialControls *points;
  BfCheckpoint            *checkpoint;
  BfTraining              *out;
  int64_t                  n;         /* T q */
  int64_t                  all;       /* starts */
  int64_t                  start;     /* under way */
  int64_t                  evaluated; /* of it, all told: rows of the log */
  int64_t                  before;    /* evaluations of earlier starts */
  /* Rank 0 alone: */
  int64_t served, room; /* rows of the log that TAO was given; that there is memory for */
  double *log;          /* [evaluated][BF_LOG_HEAD + n] */
  int64_t iterations, history_room;
  double *history; /* [iterations + 1][2] */
  double  most;    /* evaluations of a start, about, if it goes to the last iteration */
  double *best;    /* [n] the iterate of this start of least J, the start among them */
  double  best_cost;
  double *x, *gradient; /* [n] on all ranks */
  BfError error;        /* what ended the search from within TAO */
  bool    known;        /* all ranks met it */
} BfSearch;

/* ---- save.c -------------------------------------------------------------------------------------------------------
 */

double   bf_search_save_bytes(const BfSearch *search);
BfStatus bf_search_save(BfSearch *search, BfError *error);
/* Fill start, evaluated, before, log, and in `out` all of the starts that were finished. Without a checkpoint: the
 * first start. */
BfStatus bf_search_restore(BfSearch *search, BfError *error);

/* ---- evaluate.c ------------------------------------------------------------------------------------------------- */

enum { BF_SEARCH_EVALUATE, BF_SEARCH_ENDED, BF_SEARCH_FAILED }; /* what rank 0 tells the others */

/* J and gradient [n] at x [n]: of the log while there are any, else evaluated by all ranks. Rank 0 alone. */
BfStatus bf_search_evaluate(BfSearch *search, const double *x, double *cost, double *gradient, BfError *error);
/* J at x [n] where it was evaluated, else infinite. Rank 0 alone. */
double bf_search_logged(const BfSearch *search, const double *x);
/* Row i of the log: a hash of the control, J, the gradient. Rank 0 alone. */
double *bf_search_row(const BfSearch *search, int64_t i);
/* Take part in what rank 0 asks for, until it says that the start has ended. All other ranks. */
BfStatus bf_search_serve(BfSearch *search, BfError *error);

/* ---- minimize.c: TAO on rank 0 -------------------------------------------------------------------------------------
 */

/* The search from search->x, the start. Rank 0 alone; other ranks serve. *reason: TAO's; *cost, and search->x: where it
 * ended, or the iterate in U of least J where that is less: never more than at the start, whatever TAO's method does.
 */
BfStatus bf_search_minimize(BfSearch *search, double *cost, int *reason, BfError *error);
