/* PETSc around a command: it reads the command line as it reads any, with -options_file, .petscrc and PETSC_OPTIONS;
 * what is not its own then leaves its database, so that nothing of a run is global. */
#pragma once
#include "bellformer/options.h"

/* Whether PETSc will be able to do at its end what it was asked for (-log_view and the like): BF_BAD_INPUT where a
 * viewer cannot be opened, or a value is none. Collective on PETSC_COMM_WORLD. */
BfStatus bf_petsc_check_end(BfError *error);

/* Take out of PETSc's database what PETSc has not read at its start: the options of the run. Not collective. */
BfStatus bf_petsc_take_options(BfOptions **out, BfError *error);
