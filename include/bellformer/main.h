/* The program `bellformer` as a function. */
#pragma once
#include "bellformer/api.h"

BF_API_BEGIN

/* What main does: starts MPI and PETSc where the command needs them, runs it, ends them; returns the exit code. Call it
 * once, before anything of MPI. */
int bf_main(int argc, char **argv);

BF_API_END
