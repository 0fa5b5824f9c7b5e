/* A command reads its input, calls a solver, reports. */
#pragma once
#include "bellformer/train.h"
#include "command/manual.h"
#include "train/result.h"

typedef BfStatus BfCommandRun(BfRun *run, const BfArguments *arguments, BfError *error);

/* What it tells of itself; name: its own. */
typedef void BfCommandManual(const char *name, BfManual *manual);

typedef struct {
  const char      *name;
  BfCommandRun    *run;
  BfCommandManual *manual;
  const BfTrainer *trainer; /* of a command that trains, which has its name; NULL of the others */
  const char      *summary;
} BfCommand;

/* The table (main.c); a row without a name ends it. */
extern const BfCommand bf_commands[];
const BfCommand       *bf_command(const char *name); /* NULL for an unknown one */
/* The manual page of the program, which lists its commands. */
void bf_manual_page_of_all(FILE *out);

BfCommandRun    bf_command_info, bf_command_train, bf_command_check, bf_command_eval, bf_command_study;
BfCommandManual bf_manual_info, bf_manual_train, bf_manual_check, bf_manual_eval, bf_manual_study;

extern const BfOption bf_eval_options[];
/* Its options and its table, where there is no result yet; problem: of a model like that which there will be, whose
 * encoding may grow. Collective. */
BfStatus bf_eval_check(BfRun *run, BfProblem *problem, BfError *error);

/* Tables of what every command takes: -node_size, -quiet; and of those that read a problem: its keys. */
extern const BfOption bf_run_options[], bf_key_options[];

/* Start MPI and PETSc, run the command, print its error on rank 0, stop; returns the exit code. */
int bf_program(const BfCommand *command, int argc, char **argv);
/* Whether this process is the one that speaks, before MPI starts: rank 0 by what the launcher has put into the
 * environment. */
bool bf_speaks(void);
/* "bellformer: ..." on stderr, once; returns BF_BAD_INPUT. Before MPI starts. */
int bf_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
int bf_print_versions(void);
