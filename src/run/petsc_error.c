#include "run/petsc_error.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode bf_petsc_hear(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                             PetscErrorType type, const char *text, void *heard) {
  (void)comm, (void)line, (void)function, (void)file;
  if (type != PETSC_ERROR_INITIAL || !text) return code;
  size_t length = strcspn(text, "\n");
  while (length && text[length - 1] == ' ') length--;
  snprintf(heard, BF_PETSC_HEARD, "%.*s", (int)length, text);
  return code;
}
