/* What a rank measured of itself, and what rank 0 tells of it. */
#pragma once
#include "bellformer/run.h"
#include <pthread.h>

enum { BF_PHASE_DEPTH = 4 }; /* phases begun inside another */

/* The work of a phase of the whole run, in units of its own, all ranks together. */
typedef struct {
  const char *unit;
  double      all, done; /* 0: not known, or none */
  double      weight;    /* seconds a unit, as it was guessed before the run */
  double      before;    /* seconds of the phase when the first unit was expected */
  bool        at_most;   /* `all` is a bound */
} BfPhaseWork;

typedef struct BfProgress BfProgress; /* the line, and the thread that tells it: progress.c */

/* Told of every phase that begins and, in the order in which they end, of the innermost that ends. Local. */
typedef struct {
  void (*begins)(void *context, BfPhase phase); /* NULL, with the other: nobody listens */
  void (*ends)(void *context);
  void *context;
} BfPhaseListener;

typedef struct BfPhases {
  double          started;
  double          seconds[BF_PHASES], begun[BF_PHASES];
  double          values;                          /* Q-values computed */
  double          sent;                            /* bytes sent */
  double          earlier_seconds, earlier_values; /* of earlier starts, all ranks together */
  int             earlier_starts;
  BfPhase         active[BF_PHASE_DEPTH];
  int             depth;
  BfPhaseListener listener;
  BfPhaseWork     work[BF_PHASES];
  BfProgress     *progress; /* NULL: nothing is told */
} BfPhases;

extern const char *const bf_phase_name[BF_PHASES];

/* Columns of the terminal that standard output ends at; 0: it is none. */
int bf_terminal_width(void);

/* Hold the line while phases change or text is printed; both do nothing where there is none. */
void bf_progress_lock(const BfRun *run);
void bf_progress_unlock(const BfRun *run);
/* Under the lock: clear the line for other output, of which `text` is the last. */
void bf_progress_clear(const BfRun *run);
void bf_progress_printed(const BfRun *run, const char *text);
/* Under the lock: the seconds of a phase so far, and the run's seconds left and part done (NAN: not known).
 * *at_most: a bound. */
double bf_phase_seconds(const BfRun *run, BfPhase phase);
double bf_work_left(const BfRun *run, double *part, bool *at_most);
