/* What a result file holds beside the trainer's tables: README, A result file. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/store.h"

/* The words behind the command's name. */
typedef struct {
  const char *name;
  const char *file; /* PROBLEM.yaml or RUN.h5; NULL where none was given */
  int         argc; /* the whole command line, for provenance */
  char      **argv;
} BfArguments;

/* Who has written a file, when, where and how: /provenance. comm: the store's. Collective on comm. */
BfStatus bf_result_provenance(MPI_Comm comm, const BfRun *run, const BfArguments *arguments, const BfKernels *kernels,
                              int format, BfStore *store, BfError *error);
/* What the result of every trainer may hold: attributes "/rollout@cost" ("/@space" of the file itself) and datasets
 * "/rollout/tokens", a * for any name; NULL ends them. */
extern const char *const bf_result_outputs[];
/* Provenance, and the problem with all its files: what a run can go on from. */
BfStatus bf_result_identify(const BfRun *run, const BfArguments *arguments, const BfProblem *problem, const char *space,
                            BfStore *store, BfError *error);
/* That, and the data, the layer and tags. */
BfStatus bf_result_describe(const BfRun *run, const BfArguments *arguments, const BfProblem *problem, const char *space,
                            BfStore *store, BfError *error);
/* The set of actions that those of the result are numbers in. */
BfStatus bf_result_write_actions(const BfProblem *problem, BfStore *store, BfError *error);
/* Wall time, Q-values and starts of the whole run, into /provenance. */
BfStatus bf_result_totals(const BfRun *run, BfStore *store, BfError *error);
