/* A search under way: what its steps share. */
#pragma once
#include "flow/dispatch.h"
#include "flow/flow.h"

enum { BF_LOG_HEAD = 2 }; /* columns of a logged evaluation before the gradient: a hash of the control, J */
/* Columns of the table of starts; behind them, where the best are told, the n numbers where a start has ended. */
enum { BF_START_FINISHED, BF_START_INITIAL, BF_START_COST, BF_START_ITERATIONS, BF_START_COLUMNS };

/* A start under way: what TAO was given in it. */
typedef struct {
  int64_t start;     /* -1: none */
  int64_t evaluated; /* rows of the log */
  int64_t room;      /* that there is memory for */
  double *log;       /* [evaluated][BF_LOG_HEAD + n] of the leader; NULL on other ranks */
} BfStartLog;

typedef struct {
  BfRun                   *whole;      /* all ranks */
  BfRun                   *run;        /* this rank's group; its phases are those of `whole` */
  struct BfPhases         *phases;     /* the group's own, put away */
  BfFlow                  *flow, *own; /* of the group; what it made for itself */
  const BfProblem         *problem;
  const BfInitialControls *points;
  BfCheckpoint            *checkpoint;
  int                      group, groups;
  BfFlowAnswer            *out;
  BfDispatch              *dispatch;
  bool                     over; /* all ranks know how it has ended: stopped, or a checkpoint could not be written */
  bool                     abandoned;   /* another group has failed */
  int64_t                  n;           /* bf_flow_numbers */
  int64_t                  all;         /* starts */
  int64_t                  fresh;       /* that no group has begun */
  int64_t                 *fresh_start; /* [fresh] their numbers */
  int64_t                  columns;     /* of the table */
  double                  *table; /* [all][columns] of starts that this group has finished, else 0; 0 but on leaders */
  int64_t                  evaluations; /* in them */
  double                   most;        /* evaluations of a start, about, if it goes to the last iteration */
  double                   left;        /* such evaluations of all starts when this process began */
  int64_t                  finished;    /* starts of all groups, as far as rank 0 knows */

  BfStartLog  now;
  int64_t     waiting; /* starts of a checkpoint that this group is to go on with, after this one */
  BfStartLog *wait;
  double     *x, *gradient; /* [n] on all ranks */
  int64_t     here;         /* evaluations since this process has begun */
  double      longest;      /* seconds of one */

  /* The leader alone: */
  int64_t served; /* rows of the log that TAO was given */
  int64_t iterations, history_room;
  double *history; /* [iterations + 1][2] */
  double *best;    /* [n] the iterate of this start of least J, the start among them */
  double  best_cost;
  BfError error; /* what ended the start from within TAO */
  bool    known; /* all ranks of the group met it */

  /* Of the best start of this group, -1: none; the leader's. */
  int64_t top, top_iterations;
  int     top_reason;
  double  top_cost, *top_control, *top_history;
} BfSearch;

/* Row i of the log of the start under way: a hash of the control, J, the gradient. The leader. */
static inline double *bf_search_row(const BfSearch *search, int64_t i) {
  return search->now.log + i * (BF_LOG_HEAD + search->n);
}

/* ---- groups.c -----------------------------------------------------------------------------------------------------
 */

/* Split the ranks into groups, each with a flow of its own. Collective on whole->world, as the rest is; clear it also
 * after a failure. */
BfStatus bf_search_split(BfSearch *search, BfFlow *flow, BfError *error);
void     bf_search_join(BfSearch *search);

/* ---- save.c -------------------------------------------------------------------------------------------------------
 */

double   bf_search_row_bytes(const BfSearch *search); /* of a checkpoint for a row of a log; beside all of them */
double   bf_search_other_bytes(const BfSearch *search);
BfStatus bf_search_save(BfSearch *search, BfError *error);
/* Fill from a checkpoint what was finished and what was under way, and the list of fresh starts. */
BfStatus bf_search_restore(BfSearch *search, BfError *error);

/* ---- finished.c ---------------------------------------------------------------------------------------------------
 */

/* A group has finished a start. The leader. */
void bf_search_note(BfSearch *search, double cost, int reason);
/* Rank that holds the best of all finished starts, -1: none is. Collective on whole->world. */
int bf_search_owner(const BfSearch *search);
/* The tables of all groups, added up, into table; evaluations of all. Collective on whole->world. */
int64_t bf_search_add_up(const BfSearch *search, double *table);
/* Fill `out` on all ranks: all starts, and the best. Collective on whole->world. */
BfStatus bf_search_gather(const BfSearch *search, BfFlowAnswer *out, BfError *error);

/* ---- evaluate.c ------------------------------------------------------------------------------------------------- */

/* The leader's order to its group, returned on all its ranks; those that wait for it look meanwhile whether a signal
 * has come to them. By all ranks of the group. */
BfSearchOrder bf_search_tell(const BfSearch *search, BfSearchOrder order);
/* J and gradient [n] at x [n]: of the log while there are any, else evaluated by the group. The leader. */
BfStatus bf_search_evaluate(BfSearch *search, const double *x, double *cost, double *gradient, BfError *error);
/* J at x [n] where it was evaluated, else infinite. The leader. */
double bf_search_logged(const BfSearch *search, const double *x);
/* Take part in what the leader asks for, until it says that the start has ended. All other ranks of the group. */
BfStatus bf_search_serve(BfSearch *search, BfError *error);
/* The next start into search->now: one of a checkpoint, else a fresh one; -1 where none is left. By all ranks of the
 * group; meanwhile they take part in what all do together, as below. */
BfStatus bf_search_take(BfSearch *search, BfError *error);
/* Of a group that has no more starts, or has failed: take part in what all do together, until all groups have ended. */
BfStatus bf_search_wait(BfSearch *search, BfError *error);

/* ---- minimize.c: TAO on the leader ---------------------------------------------------------------------------------
 */

/* The start from search->x. The leader; other ranks serve. *reason: TAO's; *cost, and search->x: where it ended, or the
 * iterate in U of least J where that is less: never more than at the start, whatever TAO's method does.
 */
BfStatus bf_search_minimize(BfSearch *search, double *cost, int *reason, BfError *error);
