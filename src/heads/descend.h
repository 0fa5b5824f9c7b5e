/* The gradient flow of particles by PETSc's TS, step by step. */
#pragma once
#include "bellformer/checkpoint.h"
#include "heads/heads.h"
#include "heads/settings.h"

/* Columns of the history, a row a report. */
typedef enum {
  BF_HISTORY_TAU,
  BF_HISTORY_RISK,
  BF_HISTORY_LOSS,
  BF_HISTORY_ACCURACY,
  BF_HISTORY_GRADIENT,
  BF_HISTORY_SLOPE,
  BF_HISTORY_STEPS,
  BF_HISTORY_EVALUATIONS,
  BF_HISTORY_COLUMNS
} BfHistoryColumn;
extern const char *const bf_history_name[BF_HISTORY_COLUMNS];

/* How a descent ended. */
typedef enum { BF_DESCENT_GOES_ON, BF_DESCENT_TAU, BF_DESCENT_RISK, BF_DESCENT_SLOPE, BF_DESCENT_STEPS } BfDescentEnd;
const char *bf_descent_words(BfDescentEnd end); /* "tau was reached" */

typedef struct {
  BfRun                  *run;
  const BfProblem        *problem;
  const BfHeadsSettings  *set;
  struct _n_PetscOptions *database;
  BfHeads                *heads;
  BfCheckpoint           *checkpoint; /* NULL: nothing is saved */

  BfHeadLaw    law;     /* what was evaluated last; between steps the particles at tau */
  BfHeadsValue value;   /* of law, with its velocity: within -box that of the projected flow, and its slope */
  double      *initial; /* [T][count][q] */
  double      *base, *base_velocity; /* the same at the beginning of a step, which begins there again if it fails */
  bool         filled;               /* the law is where a fresh start begins */
  double       tau, next;            /* where it is; the step that is proposed */
  int64_t      steps, rejected, evaluations;
  BfDescentEnd end;
  int64_t      rows; /* of the history; at most K + 2 */
  double      *history;
  bool         broken; /* an evaluation was not finite */
  BfError      error;  /* of an evaluation within TS */
} BfDescent;

/* Doubles of a rank's particles: [T][count][q]. */
static inline int64_t bf_descent_size(const BfDescent *x) {
  return (int64_t)x->law.layers * x->law.count * x->law.free;
}

/* Room for a law of x->heads; clear it also after a failure. Local. */
BfStatus bf_descent_create(BfDescent *x, BfError *error);
void     bf_descent_clear(BfDescent *x);
/* From the newest checkpoint, if it has any position, else from x->law, which is filled where it is not yet: to the
 * end; x->law and x->value are then of where it ended. BF_STOPPED after a checkpoint that was asked for. Collective, as
 * all that follows. */
BfStatus bf_descend(BfDescent *x, BfError *error);
/* x->law of -init or of the problem, within the box where there is one. */
BfStatus bf_descent_fill(BfDescent *x, BfError *error);
/* x->value of x->law. */
BfStatus bf_descent_evaluate(BfDescent *x, BfError *error);
/* theta [T][count][q] into the box: whether any rank's was outside. */
bool bf_descent_project(const BfDescent *x, double *theta);

/* ---- step.c: a step of TS ---------------------------------------------------------------------------------------- */

typedef struct BfStepper BfStepper;
BfStatus                 bf_stepper_create(BfDescent *x, BfStepper **out, BfError *error);
void                     bf_stepper_destroy(BfStepper **stepper);
/* One accepted step from x->tau, of x->next or what TS takes in its place, cut so that it ends at `most` at the latest:
 * moves x->tau, law, value, next, and counts. */
BfStatus bf_stepper_step(BfStepper *stepper, double most, BfError *error);
/* Whether -ts_max_steps was reached. */
bool bf_stepper_is_spent(const BfStepper *stepper);
/* What -ts_view asks for. */
BfStatus bf_stepper_view(BfStepper *stepper, BfError *error);

/* ---- history.c --------------------------------------------------------------------------------------------------- */

double   bf_history_tau(const BfDescent *x, int64_t row); /* of row 0 .. K + 1 */
void     bf_history_note(BfDescent *x);                   /* the next row. Local */
BfStatus bf_history_write(const BfDescent *x, BfStore *store, BfError *error);

/* ---- save.c ------------------------------------------------------------------------------------------------------ */

double   bf_descent_bytes(const BfDescent *x); /* of a checkpoint, all ranks together */
BfStatus bf_descent_save(BfDescent *x, BfError *error);
/* *restored: 0 where there is no position to go on from. */
BfStatus bf_descent_restore(BfDescent *x, int *restored, BfError *error);
