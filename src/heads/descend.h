/* The gradient flow of particles by PETSc's TS, step by step. */
#pragma once
#include "bellformer/checkpoint.h"
#include "heads/certify/certify.h"
#include "heads/heads.h"
#include "heads/settings.h"
#include "heads/tangent/tangent.h"

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
  BF_HISTORY_KERNEL_SMALLEST, /* the tangent kernel's: these with -kernel alone */
  BF_HISTORY_KERNEL_LARGEST,
  BF_HISTORY_KERNEL_TRACE,
  BF_HISTORY_KERNEL_POOLED,
  BF_HISTORY_COLUMNS
} BfHistoryColumn;
extern const char *const bf_history_name[BF_HISTORY_COLUMNS];

/* How a descent ended. */
typedef enum {
  BF_DESCENT_GOES_ON,
  BF_DESCENT_TAU,
  BF_DESCENT_RISK,
  BF_DESCENT_SLOPE,
  BF_DESCENT_STEPS,
  BF_DESCENT_STATIONARY
} BfDescentEnd;
const char *bf_descent_words(BfDescentEnd end); /* "tau was reached" */

typedef struct {
  BfRun                  *run;
  const BfProblem        *problem;
  const BfHeadsSettings  *set;
  struct _n_PetscOptions *database;
  BfHeads                *heads;
  BfCheckpoint           *checkpoint; /* NULL: nothing is saved */

  BfHeadLaw    law;   /* what was evaluated last; between steps the particles at tau */
  BfHeadsValue value; /* of law, with its velocity: within -box that of the projected flow, and its slope */
  double      *initial, *initial_weight; /* [T][count][q], [T][count] */
  bool         conic;                    /* weights move too, as those of -insert do */
  double      *weight_velocity;          /* [T][count] d log alpha/dtau; NULL unless conic */
  double      *arrived;                  /* numbers where a step has ended */
  double      *base, *base_velocity;     /* numbers where a step begins, which begins there again if it fails */
  bool         filled;                   /* the law is where a fresh start begins */
  double       tau, next;                /* where it is; the step that is proposed */
  int64_t      round, inserted;          /* of -insert: descents that have ended, particles that were added */
  double       round_begin;              /* tau at the beginning of this one */
  int64_t      round_rows;               /* of the history, in this one */
  int64_t      steps, rejected, evaluations;
  BfDescentEnd end;
  int64_t      rows; /* of the history; at most 1 + (K + 1) a round */
  double      *history;
  BfTangent    first_kernel, last_kernel; /* -kernel: of the first row of the history, and of the last behind it */
  BfOpenCells  open;                      /* -certify: the search that is under way */
  double      *lower;                     /* [T] -certify, T > 1: bounds of the layers that are done, ... */
  int64_t      lowers;                    /* ... of which there are so many */
  bool         broken;                    /* an evaluation was not finite */
  BfError      error;                     /* of an evaluation within TS */
} BfDescent;

/* Doubles of a rank's particles: [T][count][q]. */
static inline int64_t bf_descent_size(const BfDescent *x) {
  return (int64_t)x->law.layers * x->law.count * x->law.free;
}

/* Numbers of TS on this rank: particles, and where they are conic the logarithms of their weights. */
static inline int64_t bf_descent_numbers(const BfDescent *x) {
  return bf_descent_size(x) + (x->conic ? x->law.layers * x->law.count : 0);
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
/* With tokens, adjoint and variation, for which there is room from then on; does not count as an evaluation. */
BfStatus bf_descent_evaluate_all(BfDescent *x, BfError *error);
/* The law as numbers; the law of numbers, its weights normalized at every layer; how numbers move. */
void     bf_descent_pack(const BfDescent *x, double *numbers);
BfStatus bf_descent_unpack(BfDescent *x, const double *numbers, BfError *error);
void     bf_descent_motion(const BfDescent *x, double *velocity);
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

/* -kernel: of the law where the descent has ended. */
static inline const BfTangent *bf_last_kernel(const BfDescent *x) {
  return x->rows == 1 ? &x->first_kernel : &x->last_kernel;
}
double   bf_history_tau(const BfDescent *x); /* of the next row */
int64_t  bf_history_room(const BfHeadsSettings *set);
BfStatus bf_history_note(BfDescent *x, BfError *error); /* the next row */
BfStatus bf_history_write(const BfDescent *x, BfStore *store, BfError *error);

/* ---- insert.c ---------------------------------------------------------------------------------------------------- */

/* A particle at the layer and head where int G_t dnu_t - min G_t is largest, into the next place that is left there: of
 * weight 1/20, or a half of that, and so on, until R falls; the others keep alpha V, or where that leads nowhere theta.
 * *lower: whether it did; if not, all is as it was. */
BfStatus bf_descent_insert(BfDescent *x, bool *lower, BfError *error);

/* ---- save.c ------------------------------------------------------------------------------------------------------ */

double bf_descent_bytes(const BfDescent *x); /* of a checkpoint, all ranks together */
/* A checkpoint if one is due; BF_STOPPED after it if the run is to stop. Between steps, or where the descent has ended.
 */
BfStatus bf_descent_pause(BfDescent *x, BfError *error);
BfStatus bf_descent_save(BfDescent *x, BfError *error);
/* *restored: 0 where there is no position to go on from. */
BfStatus bf_descent_restore(BfDescent *x, int *restored, BfError *error);
