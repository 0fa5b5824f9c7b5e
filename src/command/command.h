/* A command reads its input, calls a solver, reports. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/solve.h"
#include "bellformer/store.h"

/* The words behind the command's name. */
typedef struct {
  const char *name;
  const char *file; /* PROBLEM.yaml or RUN.h5; NULL where none was given */
  int         argc; /* the whole command line, for provenance */
  char      **argv;
} BfArguments;

typedef BfStatus BfCommandRun(BfRun *run, const BfArguments *arguments, BfError *error);

typedef struct {
  const char   *name;
  BfCommandRun *run;
  const char   *summary;
  const char   *help;
} BfCommand;

BfCommandRun      bf_command_info, bf_command_solve, bf_command_flow, bf_command_eval;
extern const char bf_help_info[], bf_help_solve[], bf_help_flow[], bf_help_eval[];

/* Start MPI and PETSc, run the command, print its error on rank 0, stop; returns the exit code. */
int bf_run_command(const BfCommand *command, int argc, char **argv);
/* Whether this process is the one that speaks, before MPI starts: rank 0 by what the launcher has put into the
 * environment. */
bool bf_speaks(void);
/* "bellformer: ..." on stderr, once; returns BF_BAD_INPUT. Before MPI starts. */
int bf_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
int bf_print_versions(void);

/* ---- options (PETSc's database) --------------------------------------------------------------------------------- */

/* *value keeps its default where the option is not given. Refuses what is not a number, a bool or in range. */
BfStatus bf_option_int(const char *name, int64_t least, int64_t most, int64_t *value, BfError *error);
BfStatus bf_option_number(const char *name, double least, double most, double *value, BfError *error);
BfStatus bf_option_bool(const char *name, bool *value, BfError *error);
/* NULL where it is not given; else to be freed with bf_free. An option without a value is refused. */
BfStatus bf_option_text(const char *name, char **value, BfError *error);

/* For commands that read no problem from YAML, after their last option: those that nothing has read are errors. */
BfStatus bf_refuse_unread_options(BfError *error);

/* Print the problem's warnings. */
void bf_print_warnings(const BfRun *run, const BfProblem *problem);

/* ---- the result file -------------------------------------------------------------------------------------------- */

/* Provenance, and the problem with all its files: what a run can go on from. */
BfStatus bf_result_identify(const BfRun *run, const BfArguments *arguments, const BfProblem *problem, const char *space,
                            BfStore *store, BfError *error);
/* That, and the data, the layer, tags and actions. */
BfStatus bf_result_describe(const BfRun *run, const BfArguments *arguments, const BfProblem *problem, const char *space,
                            BfStore *store, BfError *error);
/* /rollout and /model. test may be NULL. */
BfStatus bf_result_rollout(const BfProblem *problem, const BfOpenLoop *loop, const BfRollout *train,
                           const BfRollout *test, BfStore *store, BfError *error);
/* Wall time, Q-values and starts of the whole run, into /provenance. */
BfStatus bf_result_totals(const BfRun *run, BfStore *store, BfError *error);
/* The problem of a file that was identified; path: its name, for messages. */
BfStatus bf_result_problem(const BfRun *run, BfStore *store, const char *path, BfProblem **problem, BfError *error);
/* The problem and the open loop of a result file. */
BfStatus bf_result_read(const BfRun *run, const char *path, BfProblem **problem, BfOpenLoop *loop, BfError *error);
