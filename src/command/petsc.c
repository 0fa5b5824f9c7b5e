#include "command/petsc.h"
#include <petscsys.h>
#include <stdio.h>
#include <string.h>

/* What PETSc itself reads no sooner than in PetscFinalize. */
static bool is_read_at_the_end(const char *name) {
  static const char *const names[] = {"options_left", "options_view", "citations",    "get_total_flops",
                                      "malloc_dump",  "malloc_view",  "objects_dump", "memory_view"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (!strcmp(names[k], name)) return true;
  return false;
}

static BfStatus petsc(PetscErrorCode code, BfError *error) {
  return code ? bf_fail(error, BF_FAILURE, "PETSc's options database: error %d", (int)code) : BF_OK;
}

/* Names and values of PetscOptionsLeftGet are exact; the database as one text is not, where values have blanks. */
static BfStatus copy(BfOptions *options, BfError *error) {
  PetscInt left  = 0;
  char   **names = NULL, **values = NULL;
  BF_TRY(petsc(PetscOptionsLeftGet(NULL, &left, &names, &values), error));
  for (PetscInt k = 0; k < left && error->status == BF_OK; k++)
    if (!is_read_at_the_end(names[k])) bf_options_add(options, names[k], values[k], error);
  petsc(PetscOptionsLeftRestore(NULL, &left, &names, &values), error);
  return error->status;
}

static BfStatus clear(const BfOptions *options, BfError *error) {
  for (int64_t i = 0; i < bf_options_count(options); i++) {
    char dashed[1024];
    snprintf(dashed, sizeof dashed, "-%s", bf_options_name(options, i));
    BF_TRY(petsc(PetscOptionsClearValue(NULL, dashed), error));
  }
  return BF_OK;
}

BfStatus bf_petsc_take_options(BfOptions **out, BfError *error) {
  BfOptions *options;
  BfStatus   status;
  BF_TRY(bf_options_create(&options, error));
  BF_GOTO(copy(options, error));
  BF_GOTO(clear(options, error));
  *out = options;
done:
  if (status != BF_OK) bf_options_destroy(&options);
  return status;
}
