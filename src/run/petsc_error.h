/* What PETSc says of an error, for one line of ours. */
#pragma once
#include <petscsys.h>

enum { BF_PETSC_HEARD = 256 };

/* For PetscPushErrorHandler, with heard [BF_PETSC_HEARD] as its context: its first line, without blanks at its end. */
PetscErrorCode bf_petsc_hear(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                             PetscErrorType type, const char *text, void *heard);
