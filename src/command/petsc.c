#include "command/petsc.h"
#include "bellformer/run.h"
#include "run/petsc_error.h"
#include <petscviewer.h>
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

/* ---- what PETSc does at its end --------------------------------------------------------------------------------- */

static PetscErrorCode open_viewer(const char *dashed) {
  PetscViewer viewer = NULL;
  PetscBool   given;
  PetscCall(PetscOptionsGetViewer(PETSC_COMM_WORLD, NULL, NULL, dashed, &viewer, NULL, &given));
  return PetscViewerDestroy(&viewer);
}

static PetscErrorCode read_bool(const char *dashed) {
  PetscBool value;
  return PetscOptionsGetBool(NULL, NULL, dashed, &value, NULL);
}

/* Collective. */
static BfStatus check(PetscErrorCode (*try)(const char *), const char *dashed, BfError *error) {
  char heard[BF_PETSC_HEARD] = "";
  PetscPushErrorHandler(bf_petsc_hear, heard);
  const PetscErrorCode code = try(dashed);
  PetscPopErrorHandler();
  if (code) bf_fail(error, BF_BAD_INPUT, "option %s: PETSc does not take it: %s", dashed, heard);
  if (bf_agree(PETSC_COMM_WORLD, error) != BF_OK)
    PetscOptionsClearValue(NULL, dashed); /* or it would fail at the end */
  return error->status;
}

BfStatus bf_petsc_check_end(BfError *error) {
  static const char *const flags[] = {"-options_left", "-options_view", "-get_total_flops"};
  for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) BF_TRY(check(read_bool, flags[k], error));
  return check(open_viewer, "-log_view", error);
}

/* ---- the options of the run ------------------------------------------------------------------------------------- */

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
