/* A run that trains: where it starts, its result file and its checkpoints. What `solve` and `flow` share. */
#pragma once
#include "bellformer/checkpoint.h"
#include "command/command.h"

typedef struct {
  char  *out;
  bool   overwrite;
  char  *restart;  /* RUN.h5, "auto" or NULL */
  double interval; /* of checkpoints; -1: automatic */
  double hours;    /* -maxh; 0: the SLURM job's limit */
  int    newest;   /* the generation that bf_restart_read took; INT_MAX: none was read */
} BfStartOptions;

/* Tables of options into it: -o, -overwrite; and -restart, -maxh, -checkpoint_interval. */
extern const BfOption bf_output_options[], bf_restart_options[];
BfStatus              bf_start_options(BfStartOptions *o, BfError *error);
void                  bf_start_options_clear(BfStartOptions *o);

/* Where a run starts. */
typedef enum {
  BF_FRESH,    /* from its problem */
  BF_GOING_ON, /* from a checkpoint of o->out */
  BF_FINISHED  /* o->out is there: nothing to do */
} BfStart;

/* What a command keeps in a checkpoint and a result of how it was started. */
typedef struct {
  const BfOption *options;
  void           *settings;
  void           *more; /* beside the options, for save and restore; which may be NULL */
  BfStatus (*save)(const void *more, BfStore *store, BfError *error);
  BfStatus (*restore)(void *more, BfStore *store, BfError *error);
} BfKept;

/* ---- restart.c ----------------------------------------------------------------------------------------------------
 */

/* Decide that from the options, o->out and its checkpoints; settle o->out. Refuses what would destroy a result, or a
 * run that can go on. Collective. */
BfStatus bf_restart_plan(const BfRun *run, const BfArguments *arguments, BfStartOptions *o, BfStart *start,
                         BfError *error);
/* The problem of a run that goes on, from its newest generation that can be read, and the options that it was started
 * with. given: the problem that the command line names, or NULL; another one than the run's is refused. Collective. */
BfStatus bf_restart_read(const BfRun *run, const BfArguments *arguments, const BfProblem *given, BfStartOptions *o,
                         const BfKept *kept, BfProblem **problem, BfError *error);

/* ---- session.c ----------------------------------------------------------------------------------------------------
 */

typedef struct {
  BfRun             *run;
  const BfArguments *arguments;
  const BfProblem   *problem;
  BfStartOptions    *o;
  BfStart            start;
  const char        *space; /* full, reachable, flow: attribute of the result */
  const BfKept      *kept;
  BfStore           *store; /* NULL without -o, as is */
  BfCheckpoint      *checkpoint;
  bool               begun; /* files were made */
} BfSession;

/* The problem that the command line names, or that of the checkpoint and its options. */
BfStatus bf_session_problem(BfRun *run, const BfArguments *arguments, BfStartOptions *o, BfStart start,
                            const BfKept *kept, BfProblem **problem, BfError *error);
/* With -o: open the result file and the checkpoint, and save the first generation. Collective. */
BfStatus bf_session_open(BfSession *session, BfError *error);
/* The result appears, and its checkpoints go. */
BfStatus bf_session_publish(BfSession *session, BfError *error);
/* Close what is open; after a failure before anything was done nothing is left. */
void bf_session_close(BfSession *session, BfStatus status);

/* The layers on the unquantized data, and on the test data where the problem has them. */
BfStatus bf_session_rollout(BfRun *run, const BfProblem *problem, const BfOpenLoop *loop, BfRollout *train,
                            BfRollout *test, BfError *error);
/* "training loss 0.1, accuracy 1"; without accuracy where that is NaN. */
void bf_print_loss(const BfRun *run, const char *what, double loss, double accuracy);
