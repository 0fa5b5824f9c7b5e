/* A run that trains: where it starts, its result file and its checkpoints. What `solve` and `flow` share. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/model.h"
#include "command/command.h"

typedef struct {
  char  *out;
  bool   overwrite;
  char  *restart;  /* RUN.h5, "auto" or NULL */
  double interval; /* of checkpoints; -1: automatic */
  double hours;    /* -maxh; 0: the SLURM job's limit */
  int    newest;   /* the generation that bf_restart_read took; INT_MAX: none was read */
} BfSessionOptions;

/* Tables of options into it: -o, -overwrite; and -restart, -maxh, -checkpoint_interval. */
extern const BfOption bf_output_options[], bf_restart_options[];
BfStatus              bf_session_options(BfOptions *options, BfSessionOptions *o, BfError *error);
void                  bf_session_options_clear(BfSessionOptions *o);

/* Where a run starts. */
typedef enum {
  BF_FRESH,    /* from its problem */
  BF_GOING_ON, /* from a checkpoint of o->out */
  BF_FINISHED  /* o->out is there: nothing to do */
} BfBeginning;

/* What a command keeps in a checkpoint and a result of how it was started. Functions may be NULL; `more` is what they
 * get. */
typedef struct {
  const BfOption *options;
  void           *settings;
  void           *more;
  /* Put what the problem decides, where the command line does not, into the settings: of a run that starts afresh, or
   * that does if there is nothing to go on from (-restart auto). */
  BfStatus (*settle)(void *more, const BfRun *run, const BfProblem *problem, BfError *error);
  /* What is kept beside the options. */
  BfStatus (*save)(const void *more, BfStore *store, BfError *error);
  BfStatus (*restore)(void *more, BfStore *store, BfError *error);
  /* As bf_options_compare. then: the problem of the file. */
  BfStatus (*compare)(void *more, const BfRun *run, const BfProblem *then, bool all, BfStore *store, bool *differ,
                      BfError *error);
} BfKept;

typedef struct {
  BfRun             *run;
  const BfArguments *arguments;
  const BfSections  *sections; /* of the problem, that the command reads */
  const BfProblem   *problem;
  BfSessionOptions  *o;
  BfBeginning        start;
  const char        *input; /* what is read beside the problem, or NULL */
  const char        *space; /* full, reachable, flow: attribute of the result */
  const BfKept      *kept;
  BfStore           *store; /* NULL without -o, as is */
  BfCheckpoint      *checkpoint;
  bool               begun; /* files were made */
} BfSession;

/* Where the run starts, into session->start; its problem, which is the caller's: the one that the command line names,
 * or that of the checkpoint, whose options are put into the settings; none where it is finished. A checkpoint or a
 * result that is not of what is asked for now is refused, with the first difference. Collective. */
BfStatus bf_session_begin(BfSession *session, BfProblem **problem, BfError *error);
/* With -o: open the result file and the checkpoint, and save the first generation. Collective. */
BfStatus bf_session_open(BfSession *session, BfError *error);
/* The result appears, and its checkpoints go. */
BfStatus bf_session_publish(BfSession *session, BfError *error);
/* Agree on `error`, close what is open, and return its status; after a failure before anything was done nothing is
 * left. Collective. */
BfStatus bf_session_close(BfSession *session, BfError *error);

/* ---- restart.c ----------------------------------------------------------------------------------------------------
 */

/* Decide session->start from the options, o->out and its checkpoints; settle o->out. Refuses what would destroy a run
 * that can go on. Collective. */
BfStatus bf_restart_plan(BfSession *session, BfError *error);
/* The problem of a run that goes on, from its newest generation that can be read, and the options that it was started
 * with. given: the problem that the command line names, or NULL. Refuses, with its first difference from what is asked
 * for now, a run of another command or problem, or with other options that change the answer. Collective. */
BfStatus bf_restart_read(BfSession *session, const BfProblem *given, BfProblem **problem, BfError *error);
/* Refuse a finished result in the same way. Collective. */
BfStatus bf_restart_check_result(BfSession *session, const BfProblem *given, BfError *error);

/* ---- the answer ------------------------------------------------------------------------------------------------- */

/* The layers on the unquantized data, and on the test data where the problem has them. */
BfStatus bf_session_rollout(BfRun *run, const BfProblem *problem, const BfModel *model, BfRollout *train,
                            BfRollout *test, BfError *error);
/* "training loss 0.1, accuracy 1"; without accuracy where that is NaN. */
void bf_print_loss(const BfRun *run, const char *what, double loss, double accuracy);
