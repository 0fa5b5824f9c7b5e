/* The program's own options, read strictly from PETSc's database. */
#include "command/options.h"
#include "problem/options.h"
#include <errno.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>

static void *field(const BfOption *row, void *settings) { return (char *)settings + row->at; }

bool bf_option_given(const char *name) {
  char      dashed[BF_OPTION_LENGTH];
  PetscBool given = PETSC_FALSE;
  snprintf(dashed, sizeof dashed, "-%s", name);
  return !PetscOptionsHasName(NULL, NULL, dashed, &given) && given;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static BfStatus set_int(const BfOption *row, const char *text, int64_t *value, BfError *error) {
  const int64_t most = row->most >= 0x1p63 ? INT64_MAX : (int64_t)row->most, least = (int64_t)row->least;
  char         *end;
  errno                = 0;
  const long long read = strtoll(text, &end, 10);
  if (errno || end == text || *end)
    return bf_fail(error, BF_BAD_INPUT, "option -%s must be a whole number, got '%s'", row->name, text);
  if (read < least || read > most)
    return bf_fail(error, BF_BAD_INPUT, "option -%s must be between %lld and %lld, got %lld", row->name,
                   (long long)least, (long long)most, read);
  *value = read;
  return BF_OK;
}

static BfStatus set_number(const BfOption *row, const char *text, double *value, BfError *error) {
  char        *end;
  const double read = strtod(text, &end);
  if (end == text || *end)
    return bf_fail(error, BF_BAD_INPUT, "option -%s must be a number, got '%s'", row->name, text);
  if (!(read >= row->least && read <= row->most))
    return bf_fail(error, BF_BAD_INPUT, "option -%s must be between %g and %g, got %s", row->name, row->least,
                   row->most, text);
  *value = read;
  return BF_OK;
}

static BfStatus set_bool(const BfOption *row, const char *text, bool *value, BfError *error) {
  static const char *const yes[] = {"", "1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    if (!strcmp(text, yes[i])) return *value = true, BF_OK;
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    if (!strcmp(text, no[i])) return *value = false, BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "option -%s must be 1 or 0, got '%s'", row->name, text);
}

static BfStatus set_text(const char *text, char **value, BfError *error) {
  char *copy;
  BF_TRY(BF_NEW(&copy, (int64_t)strlen(text) + 1, error));
  bf_free(*value);
  *value = strcpy(copy, text);
  return BF_OK;
}

static BfStatus set_choice(const BfOption *row, const char *text, int *value, BfError *error) {
  char list[256] = "";
  for (int i = 0; row->choice(i); i++) {
    if (!strcmp(text, row->choice(i))) return *value = i, BF_OK;
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", !i ? "" : row->choice(i + 1) ? ", " : " or ", row->choice(i));
  }
  return bf_fail(error, BF_BAD_INPUT, "option -%s must be %s, got '%s'", row->name, list, text);
}

static BfStatus set(const BfOption *row, void *settings, const char *text, BfError *error) {
  void *to = field(row, settings);
  if (!*text && row->type != BF_OPTION_BOOL) return bf_fail(error, BF_BAD_INPUT, "option -%s needs a value", row->name);
  switch (row->type) {
  case BF_OPTION_BOOL:
    return set_bool(row, text, to, error);
  case BF_OPTION_INT:
    return set_int(row, text, to, error);
  case BF_OPTION_NUMBER:
    return set_number(row, text, to, error);
  case BF_OPTION_TEXT:
    return set_text(text, to, error);
  case BF_OPTION_CHOICE:
    return set_choice(row, text, to, error);
  case BF_OPTION_OTHER:
    break;
  }
  return BF_OK;
}

static BfStatus parse(const BfOption *row, void *settings, BfError *error) {
  char      text[4096], dashed[BF_OPTION_LENGTH];
  PetscBool given = PETSC_FALSE;
  if (row->type == BF_OPTION_CHOICE) *(int *)field(row, settings) = -1;
  if (row->standard) BF_TRY(set(row, settings, row->standard, error));
  snprintf(dashed, sizeof dashed, "-%s", row->name);
  if (PetscOptionsGetString(NULL, NULL, dashed, text, sizeof text, &given))
    return bf_fail(error, BF_FAILURE, "option %s", dashed);
  return given ? set(row, settings, text, error) : BF_OK;
}

BfStatus bf_options_parse(const BfOption rows[], void *settings, BfError *error) {
  for (const BfOption *row = rows; row->name; row++)
    if (row->type != BF_OPTION_OTHER) BF_TRY(parse(row, settings, error));
  return BF_OK;
}

void bf_options_clear(const BfOption rows[], void *settings) {
  for (const BfOption *row = rows; row->name; row++) {
    if (row->type != BF_OPTION_TEXT) continue;
    char **text = field(row, settings);
    bf_free(*text);
    *text = NULL;
  }
}

/* ---- in a file -------------------------------------------------------------------------------------------------- */

static BfStatus save(const BfOption *row, const void *from, BfStore *store, BfError *error) {
  const char *path = "/options";
  const int   name = row->type == BF_OPTION_CHOICE ? *(const int *)from : -1;
  switch (row->type) {
  case BF_OPTION_BOOL:
    return bf_store_attribute_int(store, path, row->name, *(const bool *)from, error);
  case BF_OPTION_INT:
    return bf_store_attribute_int(store, path, row->name, *(const int64_t *)from, error);
  case BF_OPTION_NUMBER:
    return bf_store_attribute_double(store, path, row->name, *(const double *)from, error);
  case BF_OPTION_TEXT:
    return bf_store_attribute_text(store, path, row->name, *(char *const *)from ? *(char *const *)from : "", error);
  case BF_OPTION_CHOICE:
    return bf_store_attribute_text(store, path, row->name, name < 0 ? "" : row->choice(name), error);
  case BF_OPTION_OTHER:
    break;
  }
  return BF_OK;
}

BfStatus bf_options_save(const BfOption rows[], const void *settings, BfOptionRole least, BfStore *store,
                         BfError *error) {
  for (const BfOption *row = rows; row->name; row++)
    if (row->role >= least && row->type != BF_OPTION_OTHER)
      BF_TRY(save(row, (const char *)settings + row->at, store, error));
  return BF_OK;
}

/* The value as it would be typed; to be freed with bf_free. */
static BfStatus read_value(const BfOption *row, BfStore *store, char **text, BfError *error) {
  const char *path = "/options";
  char        print[64];
  int64_t     whole;
  double      number;
  *text = NULL;
  if (row->type == BF_OPTION_TEXT || row->type == BF_OPTION_CHOICE)
    return bf_store_read_text(store, path, row->name, text, error);
  if (row->type == BF_OPTION_NUMBER) {
    BF_TRY(bf_store_read_double(store, path, row->name, &number, error));
    snprintf(print, sizeof print, "%.17g", number);
  } else {
    BF_TRY(bf_store_read_int(store, path, row->name, &whole, error));
    snprintf(print, sizeof print, "%lld", (long long)whole);
  }
  return set_text(print, text, error);
}

/* The value of the settings in the same words. */
static BfStatus print_value(const BfOption *row, const void *from, char **text, BfError *error) {
  char        print[64];
  const char *is = print;
  switch (row->type) {
  case BF_OPTION_BOOL:
    snprintf(print, sizeof print, "%d", *(const bool *)from);
    break;
  case BF_OPTION_INT:
    snprintf(print, sizeof print, "%lld", (long long)*(const int64_t *)from);
    break;
  case BF_OPTION_NUMBER:
    snprintf(print, sizeof print, "%.17g", *(const double *)from);
    break;
  case BF_OPTION_TEXT:
    is = *(char *const *)from;
    break;
  default:
    is = *(const int *)from < 0 ? NULL : row->choice(*(const int *)from);
  }
  *text = NULL;
  return set_text(is ? is : "", text, error);
}

/* What is read is checked as if it had been typed: attributes carry no checksum. */
static BfStatus restore(const BfOption *row, void *settings, BfStore *store, BfError *error) {
  char *then = NULL;
  BF_TRY(read_value(row, store, &then, error));
  if (*then) set(row, settings, then, error);
  bf_free(then);
  return error->status;
}

BfStatus bf_options_restore(const BfOption rows[], void *settings, BfStore *store, BfError *error) {
  for (const BfOption *row = rows; row->name; row++)
    if (row->role >= BF_KEPT && row->type != BF_OPTION_OTHER && !bf_option_given(row->name))
      BF_TRY(restore(row, settings, store, error));
  return BF_OK;
}

static BfStatus compare(const BfOption *row, const void *settings, BfStore *store, bool *differ, BfError *error) {
  char *then = NULL, *now = NULL;
  BF_TRY(read_value(row, store, &then, error));
  print_value(row, (const char *)settings + row->at, &now, error);
  *differ = now && strcmp(then, now) != 0;
  if (*differ)
    bf_fail(error, BF_BAD_INPUT, "-%s was %s, now %s", row->name, *then ? then : "not given", *now ? now : "not given");
  bf_free(then);
  bf_free(now);
  return error->status;
}

BfStatus bf_options_compare(const BfOption rows[], const void *settings, BfStore *store, bool *differ, BfError *error) {
  *differ = false;
  for (const BfOption *row = rows; row->name; row++)
    if (row->role == BF_ANSWER && row->type != BF_OPTION_OTHER && bf_option_given(row->name))
      BF_TRY(compare(row, settings, store, differ, error));
  return BF_OK;
}

BfStatus bf_refuse_unread_options(BfError *error) {
  char name[BF_OPTION_LENGTH];
  BF_TRY(bf_options_left(NULL, name, error));
  return *name ? bf_fail(error, BF_BAD_INPUT, "unknown option -%s", name) : BF_OK;
}
