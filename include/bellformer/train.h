/* Training, whichever way: a problem and the options of a run in, a trained model out. What `bellformer solve`,
 * `flow` and `heads` do, for a program: on any communicator, any number of them in one process. */
#pragma once
#include "bellformer/model.h"
#include "bellformer/problem.h"
#include "bellformer/run.h"

BF_API_BEGIN

/* A way to find a model, and a command of that name. */
typedef struct BfTrainer BfTrainer;
const BfTrainer         *bf_trainer(const char *name); /* "solve", "flow", "heads"; NULL for an unknown one */
const BfTrainer         *bf_trainer_at(int i);         /* NULL behind the last */
const char              *bf_trainer_name(const BfTrainer *trainer);
/* What it reads of a problem: for bf_problem_read. */
const BfSections *bf_trainer_sections(const BfTrainer *trainer);

/* Read the trainer's own options (-o, -restart and PETSc's among them) of run->options, and refuse wrong ones, as
 * bf_train will again: what is then unread are keys. Call it before a bf_problem_read that is given the same options,
 * which refuses those that nothing has read. Collective on run->world. */
BfStatus bf_trainer_read_options(BfRun *run, const BfTrainer *trainer, BfError *error);

typedef struct {
  BfModel   model;
  BfRollout train, test; /* the model on the problem's data; test: empty where the problem has none */
} BfTrained;
void bf_trained_clear(BfTrained *trained);

/* Train on a problem that was read, with run->options (those of the command: -o and -restart among them, which write
 * and read files; BF_BAD_INPUT where one is wrong, or is none of the trainer's). The answer into *out, a zeroed struct
 * that is to be cleared also after a failure; nothing where -restart finds the run finished. BF_STOPPED: stopped with a
 * checkpoint. Collective on run->world. */
BfStatus bf_train(BfRun *run, const BfTrainer *trainer, const BfProblem *problem, BfTrained *out, BfError *error);

BF_API_END
