/* What `bellformer solve` is told, and where it starts. */
#pragma once
#include "bellformer/checkpoint.h"
#include "command/command.h"

typedef struct {
  char         *out;
  bool          overwrite;
  char         *space;     /* NULL: the full space where it fits */
  char         *restart;   /* RUN.h5, "auto" or NULL */
  double        interval;  /* of checkpoints; -1: automatic */
  double        hours;     /* -maxh; 0: the SLURM job's limit */
  int           newest;    /* the generation that bf_restart_read took; INT_MAX: none was read */
  BfFullOptions full;
} BfSolveOptions;

/* Where a run starts. */
typedef enum {
  BF_FRESH,    /* from its problem */
  BF_GOING_ON, /* from a checkpoint of o->out */
  BF_FINISHED  /* o->out is there: nothing to do */
} BfStart;

/* Decide that from the options, o->out and its checkpoints; settle o->out. Refuses what would destroy a result, or a run that can
 * go on. Collective. */
BfStatus bf_restart_plan(const BfRun *run, const BfArguments *arguments, BfSolveOptions *o, BfStart *start, BfError *error);
/* The problem of a run that goes on, from its newest generation that can be read, and the options that it was started with.
 * given: the problem that the command line names, or NULL; another one than the run's is refused. Collective. */
BfStatus bf_restart_read(const BfRun *run, const BfProblem *given, BfSolveOptions *o, BfProblem **problem, BfError *error);
/* The options, for bf_restart_read, into a generation. */
BfStatus bf_restart_write(const BfSolveOptions *o, bool full, BfStore *store, BfError *error);
