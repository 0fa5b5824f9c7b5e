/* The commands of the program, from within another one. */
#pragma once
#include "bellformer/run.h"

BF_API_BEGIN

/* Run a command, "solve", "eval" or another of those that `bellformer help` lists, on the ranks of a run, with
 * run->options: the command's and the problem's ("o", "horizon"); what every command takes of its run ("quiet",
 * "node_size", "memory", "plugin") is set in the run, or at its creation, instead, and refused here. file: what stands
 * behind the command's name, or NULL. Needs MPI and PETSc started. Prints no error; nothing at all where run->quiet and
 * run->silent are set, but warnings. Returns BF_STOPPED where it stopped with a checkpoint, BF_BAD_INPUT for a name
 * that is none.
 *
 * Times and counts of a run add up: a run for each command tells those of that command alone. After a failure ranks go
 * on with a run of a communicator that is no duplicate of the one that failed. Collective on run->world. */
BfStatus bf_run_command(BfRun *run, const char *name, const char *file, BfError *error);

BF_API_END
