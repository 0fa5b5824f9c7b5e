/* PETSc's own options of a trainer, in a database of its own. */
#include "train/petsc.h"
#include "run/petsc_error.h"
#include <petscsys.h>
#include <string.h>

BfStatus bf_petsc(int code, const char *what, BfError *error) {
  return code ? bf_fail(error, BF_FAILURE, "PETSc: %s: error %d", what, code) : BF_OK;
}

bool bf_petsc_is(const BfPetscOptions *kind, const char *name) {
  for (int i = 0; kind->prefix[i]; i++) {
    const size_t length = strlen(kind->prefix[i]);
    if (!strncmp(name, kind->prefix[i], length) && name[length]) return true;
  }
  return false;
}

/* ---- the database ----------------------------------------------------------------------------------------------- */

BfStatus bf_petsc_database_create(const BfOption rows[], const char *text, struct _n_PetscOptions **database,
                                  BfError *error) {
  BF_TRY(bf_petsc(PetscOptionsCreate(database), "PetscOptionsCreate", error));
  for (const BfOption *row = rows; row->name; row++) {
    char name[64];
    snprintf(name, sizeof name, "-%s", row->name);
    if (row->type == BF_OPTION_OTHER && row->standard)
      BF_TRY(bf_petsc(PetscOptionsSetValue(*database, name, row->standard), "PetscOptionsSetValue", error));
  }
  return bf_petsc(PetscOptionsInsertString(*database, text ? text : ""), "PetscOptionsInsertString", error);
}

void bf_petsc_database_destroy(struct _n_PetscOptions **database) { PetscOptionsDestroy(database); }

/* Whether PETSc takes what is in `database` alone. */
static bool is_taken(const BfPetscOptions *kind, PetscOptions database, char heard[BF_PETSC_HEARD]) {
  *heard = '\0';
  PetscOptionsPush(database);
  PetscPushErrorHandler(bf_petsc_hear, heard);
  const int code = kind->look();
  PetscPopErrorHandler();
  PetscOptionsPop();
  return !code;
}

/* ---- which option it was ---------------------------------------------------------------------------------------- */

static BfStatus refuse(const BfPetscOptions *kind, const char *name, const char *value, const char *heard,
                       BfError *error) {
  char known[512] = "";
  if (kind->values) kind->values(name, sizeof known, known);
  if (*known) return bf_fail(error, BF_BAD_INPUT, "option -%s must be one of %s, got '%s'", name, known, value);
  return bf_fail(error, BF_BAD_INPUT, "option -%s: PETSc does not take '%s': %s", name, value, heard);
}

/* Each option in a database of its own, beside the method that brings its options with it. */
static BfStatus blame(const BfPetscOptions *kind, const BfOptions *options, const char *method, BfError *error) {
  char heard[BF_PETSC_HEARD] = "", line[1024];
  for (int64_t i = 0; i < bf_options_count(options) && error->status == BF_OK; i++) {
    const char  *name = bf_options_name(options, i), *value = bf_options_value(options, i);
    PetscOptions database = NULL;
    if (!bf_petsc_is(kind, name)) continue;
    snprintf(line, sizeof line, "-%s %s%s%s%s%s", name, value, method ? " -" : "", method ? kind->method : "",
             method ? " " : "", method ? method : "");
    if (bf_petsc_database_create(kind->rows, line, &database, error) == BF_OK && !is_taken(kind, database, heard))
      refuse(kind, name, value, heard, error);
    bf_petsc_database_destroy(&database);
  }
  if (error->status == BF_OK)
    bf_fail(error, BF_BAD_INPUT, "PETSc does not take its options (-%s...) together", kind->prefix[0]);
  return error->status;
}

static BfStatus check_settled(const BfPetscOptions *kind, const BfOptions *options, BfError *error) {
  for (int i = 0; kind->settled[i][0]; i++)
    if (bf_options_given(options, kind->settled[i][0]))
      return bf_fail(error, BF_BAD_INPUT, "option -%s is not read: %s", kind->settled[i][0], kind->settled[i][1]);
  return BF_OK;
}

/* ---- from the options of a run ---------------------------------------------------------------------------------- */

/* "-name value -name value", as it is read again. */
static BfStatus write_text(const BfPetscOptions *kind, const BfOptions *options, char **text, BfError *error) {
  const int64_t count = bf_options_count(options);
  int64_t       room  = 1;
  for (int64_t i = 0; i < count; i++)
    room += (int64_t)(strlen(bf_options_name(options, i)) + strlen(bf_options_value(options, i))) + 4;
  BF_TRY(BF_NEW(text, room, error));
  for (int64_t i = 0; i < count; i++) {
    const char *name = bf_options_name(options, i), *value = bf_options_value(options, i);
    if (!bf_petsc_is(kind, name)) continue;
    if (strpbrk(value, " \t\n\"")) return bf_fail(error, BF_BAD_INPUT, "option -%s takes no blanks: '%s'", name, value);
    sprintf(*text + strlen(*text), "%s-%s%s%s", **text ? " " : "", name, *value ? " " : "", value);
  }
  return BF_OK;
}

/* What PETSc has looked up in the database is read; what it has not is misspelt. */
static BfStatus mark(const BfPetscOptions *kind, BfOptions *options, PetscOptions database, BfError *error) {
  for (int64_t i = 0; i < bf_options_count(options); i++) {
    const char *name = bf_options_name(options, i);
    PetscBool   used = PETSC_FALSE;
    if (bf_petsc_is(kind, name)) BF_TRY(bf_petsc(PetscOptionsUsed(database, name, &used), "PetscOptionsUsed", error));
    if (used) bf_options_read(options, name);
  }
  return BF_OK;
}

BfStatus bf_petsc_take(const BfPetscOptions *kind, BfOptions *options, char **text, BfError *error) {
  const char  *method = kind->method ? bf_options_read(options, kind->method) : NULL;
  char         heard[BF_PETSC_HEARD];
  PetscOptions database = NULL;
  BfStatus     status;
  *text = NULL;
  BF_TRY(check_settled(kind, options, error));
  BF_GOTO(write_text(kind, options, text, error));
  BF_GOTO(bf_petsc_database_create(kind->rows, *text, &database, error));
  status = is_taken(kind, database, heard) ? mark(kind, options, database, error) : blame(kind, options, method, error);
done:
  bf_petsc_database_destroy(&database);
  return status;
}
