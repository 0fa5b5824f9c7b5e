/* A run that trains: where it starts, its result file and its checkpoints, its end. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/train.h"
#include "train/options.h"
#include "train/result.h"

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
  BF_GOING_ON, /* from a checkpoint of o.out */
  BF_FINISHED  /* o.out is there: nothing to do */
} BfBeginning;

typedef struct BfSession {
  BfRun             *run;
  const BfArguments *arguments;
  const BfTrainer   *trainer;
  void              *state; /* of the trainer */
  BfSessionOptions   o;
  BfBeginning        start;
  const BfProblem   *given;   /* what is asked for now; NULL: whatever the checkpoint is of */
  const BfProblem   *problem; /* of the run: that, or the checkpoint's; NULL where it is finished */
  BfProblem         *read[2]; /* what of these was read from files; owned */
  const char        *space;   /* how the model is found, full, reachable or flow: attribute of the result */
  BfStore           *store;   /* NULL without -o, as is */
  BfCheckpoint      *checkpoint;
  char              *again; /* the command that goes on from a checkpoint, with its plug-ins; owned */
  bool               begun; /* files were made */
  bool               keeps; /* the trainer has files of its own that a restart goes on with, also after a failure */
  BfTrained          trained;
} BfSession;

/* The option that asks for something else in place of training, or NULL. Local. */
const char *bf_session_only(const BfSession *session);
/* Where the run starts, and its problem: the one that was given or that the command line names, or that of the
 * checkpoint, whose options are put into the state. A checkpoint or a result that is not of what is asked for now is
 * refused, with the first difference. Collective. */
BfStatus bf_session_begin(BfSession *session, BfError *error);
/* With -o: open the result file and the checkpoint, and save the first generation. Collective. */
BfStatus bf_session_open(BfSession *session, BfError *error);
/* The model on the problem's data, into session->trained. Collective. */
BfStatus bf_session_rollout(BfSession *session, BfError *error);
/* The result appears, and its checkpoints go. */
BfStatus bf_session_publish(BfSession *session, BfError *error);
/* Agree on `error`, close what is open, and return its status; after a failure before anything was done nothing is
 * left. Collective. */
BfStatus bf_session_close(BfSession *session, BfError *error);

/* Print the problem's warnings. */
void bf_print_warnings(const BfRun *run, const BfProblem *problem);
/* A space and a word as the shell takes it. */
void bf_print_word(const BfRun *run, const char *word);
/* "training loss 0.1, accuracy 1"; without accuracy where that is NaN. */
void bf_print_loss(const BfRun *run, const char *what, double loss, double accuracy);

/* ---- restart.c -------------------------------------------------------------------------------------------------- */

/* Decide session->start from the options, o.out and its checkpoints; settle o.out. Refuses what would destroy a run
 * that can go on. Collective. */
BfStatus bf_restart_plan(BfSession *session, BfError *error);
/* The problem of a run that goes on, from its newest generation that can be read, and the options that it was started
 * with. Refuses, with its first difference from what is asked for now, a run of another command or problem, or with
 * other options that change the answer. Collective. */
BfStatus bf_restart_read(BfSession *session, BfProblem **problem, BfError *error);
/* Refuse a finished result in the same way. Collective. */
BfStatus bf_restart_check_result(BfSession *session, BfError *error);
