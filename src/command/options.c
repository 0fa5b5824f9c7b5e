/* The program's own options, read strictly from PETSc's database. */
#include "problem/options.h"
#include "command/command.h"
#include <errno.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>

BfStatus bf_option_text(const char *name, char **value, BfError *error) {
  char      text[4096];
  PetscBool set = PETSC_FALSE;
  *value        = NULL;
  if (PetscOptionsGetString(NULL, NULL, name, text, sizeof text, &set))
    return bf_fail(error, BF_FAILURE, "option %s", name);
  if (!set) return BF_OK;
  if (!*text) return bf_fail(error, BF_BAD_INPUT, "option %s needs a value", name);
  BF_TRY(BF_NEW(value, (int64_t)strlen(text) + 1, error));
  strcpy(*value, text);
  return BF_OK;
}

BfStatus bf_option_int(const char *name, int64_t least, int64_t most, int64_t *value, BfError *error) {
  char *text, *end;
  BF_TRY(bf_option_text(name, &text, error));
  if (!text) return BF_OK;
  errno                = 0;
  const long long read = strtoll(text, &end, 10);
  if (errno || *end) bf_fail(error, BF_BAD_INPUT, "option %s must be a whole number, got '%s'", name, text);
  else if (read < least || read > most)
    bf_fail(error, BF_BAD_INPUT, "option %s must be between %lld and %lld, got %lld", name, (long long)least,
            (long long)most, read);
  bf_free(text);
  if (error->status == BF_OK) *value = read;
  return error->status;
}

BfStatus bf_option_number(const char *name, double least, double most, double *value, BfError *error) {
  char *text, *end;
  BF_TRY(bf_option_text(name, &text, error));
  if (!text) return BF_OK;
  const double read = strtod(text, &end);
  if (end == text || *end) bf_fail(error, BF_BAD_INPUT, "option %s must be a number, got '%s'", name, text);
  else if (!(read >= least && read <= most))
    bf_fail(error, BF_BAD_INPUT, "option %s must be between %g and %g, got %s", name, least, most, text);
  bf_free(text);
  if (error->status == BF_OK) *value = read;
  return error->status;
}

BfStatus bf_option_bool(const char *name, bool *value, BfError *error) {
  static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};
  char      text[64];
  PetscBool set = PETSC_FALSE;
  if (PetscOptionsGetString(NULL, NULL, name, text, sizeof text, &set))
    return bf_fail(error, BF_FAILURE, "option %s", name);
  if (!set) return BF_OK;
  if (!*text) {
    *value = true;
    return BF_OK;
  }
  for (int i = 0; i < 4; i++) {
    if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
      *value = !strcmp(text, yes[i]);
      return BF_OK;
    }
  }
  return bf_fail(error, BF_BAD_INPUT, "option %s must be 1 or 0, got '%s'", name, text);
}

BfStatus bf_refuse_unread_options(BfError *error) {
  char name[BF_OPTION_LENGTH];
  BF_TRY(bf_options_left(NULL, name, error));
  return *name ? bf_fail(error, BF_BAD_INPUT, "unknown option -%s", name) : BF_OK;
}
