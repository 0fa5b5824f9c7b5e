/* The program's own options, read strictly from the options of a run. */
#include "train/options.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BF_NAME = 320 }; /* of an option with all that is put behind it */

static void *field(const BfOption *row, void *settings) { return (char *)settings + row->at; }

static bool *was_chosen(const BfOption *row, void *settings) { return (bool *)((char *)settings + row->chosen); }

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

static BfStatus parse(const BfOption *row, BfOptions *options, void *settings, BfError *error) {
  const char *text = bf_options_read(options, row->name);
  if (row->type == BF_OPTION_CHOICE) *(int *)field(row, settings) = -1;
  if (row->chosen) *was_chosen(row, settings) = !text;
  if (row->standard) BF_TRY(set(row, settings, row->standard, error));
  return text ? set(row, settings, text, error) : BF_OK;
}

const BfOption *bf_options_row(const BfOption rows[], const char *name) {
  while (rows->name && strcmp(rows->name, name)) rows++;
  return rows->name ? rows : NULL;
}

BfStatus bf_options_parse(const BfOption rows[], BfOptions *options, void *settings, BfError *error) {
  for (const BfOption *row = rows; row->name; row++) {
    BF_TRY(bf_options_know(options, row->name, error));
    if (row->type != BF_OPTION_OTHER) BF_TRY(parse(row, options, settings, error));
  }
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
    return bf_store_put_int(store, path, row->name, *(const bool *)from, error);
  case BF_OPTION_INT:
    return bf_store_put_int(store, path, row->name, *(const int64_t *)from, error);
  case BF_OPTION_NUMBER:
    return bf_store_put_double(store, path, row->name, *(const double *)from, error);
  case BF_OPTION_TEXT:
    return bf_store_put_text(store, path, row->name, *(char *const *)from ? *(char *const *)from : "", error);
  case BF_OPTION_CHOICE:
    return bf_store_put_text(store, path, row->name, name < 0 ? "" : row->choice(name), error);
  case BF_OPTION_OTHER:
    break;
  }
  return BF_OK;
}

BfStatus bf_options_save(const BfOption rows[], const void *settings, BfOptionRole least, BfStore *store,
                         BfError *error) {
  for (const BfOption *row = rows; row->name; row++) {
    char name[BF_NAME];
    if (row->role < least || row->type == BF_OPTION_OTHER) continue;
    BF_TRY(save(row, (const char *)settings + row->at, store, error));
    if (!row->chosen) continue;
    snprintf(name, sizeof name, "%s_chosen", row->name);
    BF_TRY(bf_store_put_int(store, "/options", name, *((const bool *)((const char *)settings + row->chosen)), error));
  }
  return BF_OK;
}

/* The shorter form where it gives the bits. */
static void print_number(double number, size_t size, char text[]) {
  snprintf(text, size, "%.15g", number);
  if (strtod(text, NULL) != number) snprintf(text, size, "%.17g", number);
}

/* The value as it would be typed; to be freed with bf_free. */
static BfStatus read_value(const BfOption *row, BfStore *store, char **text, BfError *error) {
  const char *path = "/options", *standard = row->standard ? row->standard : row->type <= BF_OPTION_NUMBER ? "0" : "";
  char        print[64];
  int64_t     whole;
  double      number;
  bool        there = true;
  *text             = NULL;
  if (row->later) BF_TRY(bf_store_has_attribute(store, path, row->name, &there, error));
  if (!there) return bf_store_together(store, set_text(standard, text, error), error);
  if (row->type == BF_OPTION_TEXT || row->type == BF_OPTION_CHOICE)
    return bf_store_get_text(store, path, row->name, text, error);
  if (row->type == BF_OPTION_NUMBER) {
    BF_TRY(bf_store_get_double(store, path, row->name, &number, error));
    print_number(number, sizeof print, print);
  } else {
    BF_TRY(bf_store_get_int(store, path, row->name, &whole, error));
    snprintf(print, sizeof print, "%lld", (long long)whole);
  }
  return bf_store_together(store, set_text(print, text, error), error);
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
    print_number(*(const double *)from, sizeof print, print);
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

static BfStatus read_chosen(const BfOption *row, BfStore *store, bool *chosen, BfError *error) {
  char    name[BF_NAME];
  int64_t is = 0;
  snprintf(name, sizeof name, "%s_chosen", row->name);
  if (row->chosen) BF_TRY(bf_store_get_int(store, "/options", name, &is, error));
  *chosen = is != 0;
  return BF_OK;
}

/* 0 for a number that was not given and has no default, which need not be one that could be typed. */
static bool is_not_given(const BfOption *row, const char *then) {
  return !*then || (row->type == BF_OPTION_INT && !row->standard && !strcmp(then, "0"));
}

/* What is read is checked as if it had been typed: attributes carry no checksum. */
static BfStatus restore(const BfOption *row, void *settings, BfStore *store, BfError *error) {
  char *then = NULL;
  bool  chosen;
  BF_TRY(read_chosen(row, store, &chosen, error));
  BF_TRY(read_value(row, store, &then, error));
  const bool     given  = !is_not_given(row, then);
  const BfStatus status = bf_store_together(store, given ? set(row, settings, then, error) : BF_OK, error);
  if (row->chosen) *was_chosen(row, settings) = chosen;
  bf_free(then);
  return status;
}

BfStatus bf_options_restore(const BfOption rows[], const BfOptions *options, void *settings, BfStore *store,
                            BfError *error) {
  for (const BfOption *row = rows; row->name; row++)
    if (row->role >= BF_KEPT && row->type != BF_OPTION_OTHER && !bf_options_given(options, row->name))
      BF_TRY(restore(row, settings, store, error));
  return BF_OK;
}

static BfStatus tell(const char *name, const char *then, const char *now, bool *differ, BfError *error) {
  *differ = true;
  return bf_fail(error, BF_BAD_INPUT, "-%s was %s, now %s", name, then && *then ? then : "not given",
                 now && *now ? now : "not given");
}

static BfStatus compare(const BfOption *row, const void *settings, BfStore *store, bool *differ, BfError *error) {
  char *then = NULL, *now = NULL;
  bool  chosen;
  BF_TRY(read_chosen(row, store, &chosen, error));
  if (chosen && *((const bool *)((const char *)settings + row->chosen))) return BF_OK;
  BF_TRY(read_value(row, store, &then, error));
  bf_store_together(store, print_value(row, (const char *)settings + row->at, &now, error), error);
  if (error->status == BF_OK && strcmp(then, now)) tell(row->name, then, now, differ, error);
  bf_free(then);
  bf_free(now);
  return error->status;
}

BfStatus bf_options_compare(const BfOption rows[], const void *settings, const BfOptions *given, BfStore *store,
                            bool *differ, BfError *error) {
  for (const BfOption *row = rows; row->name; row++)
    if (row->role == BF_ANSWER && row->type != BF_OPTION_OTHER && (!given || bf_options_given(given, row->name)))
      BF_TRY(compare(row, settings, store, differ, error));
  return BF_OK;
}

/* ---- PETSc's ---------------------------------------------------------------------------------------------------- */

/* What only shows. */
static bool shows(const char *name) {
  return strstr(name, "view") || strstr(name, "monitor") || strstr(name, "converged_reason");
}

/* The next "-name value" of a text, value "" where there is none; false at its end. */
static bool next(const char **text, size_t size, char name[], char value[]) {
  *text += strspn(*text, " ");
  if (**text != '-') return false;
  size_t length = strcspn(++*text, " ");
  snprintf(name, size, "%.*s", (int)length, *text);
  *text += length;
  *text += strspn(*text, " ");
  const bool other = !**text || ((*text)[0] == '-' && isalpha((unsigned char)(*text)[1]));
  length           = other ? 0 : strcspn(*text, " ");
  snprintf(value, size, "%.*s", (int)length, *text);
  *text += length;
  return true;
}

/* The value of a name in a text, or its default. */
static const char *look_up(const BfOption rows[], const char *text, const char *name, size_t size, char value[]) {
  char other[BF_NAME];
  while (next(&text, sizeof other, other, value))
    if (!strcmp(other, name)) return value;
  const BfOption *row = rows ? bf_options_row(rows, name) : NULL;
  if (!row || row->type != BF_OPTION_OTHER || !row->standard) return NULL;
  snprintf(value, size, "%s", row->standard);
  return value;
}

static bool same_value(const char *a, const char *b) {
  char *end_a, *end_b;
  if (!a || !b) return a == b;
  const double x = strtod(a, &end_a), y = strtod(b, &end_b);
  return !strcmp(a, b) || (end_a > a && !*end_a && end_b > b && !*end_b && x == y);
}

/* The names of one text against both. */
static BfStatus compare_names(const BfOption rows[], const char *names, const char *then, const char *now, bool *differ,
                              BfError *error) {
  char name[BF_NAME], value[BF_NAME], old[BF_NAME], new[BF_NAME];
  while (next(&names, sizeof name, name, value)) {
    const char *was = look_up(rows, then, name, sizeof old, old), *is = look_up(rows, now, name, sizeof new, new);
    if (!shows(name) && !same_value(was, is)) return tell(name, was, is, differ, error);
  }
  return BF_OK;
}

BfStatus bf_petsc_compare(const BfOption rows[], const char *then, const char *now, bool all, bool *differ,
                          BfError *error) {
  BF_TRY(compare_names(rows, now, then, now, differ, error));
  return all ? compare_names(rows, then, then, now, differ, error) : BF_OK;
}

BfStatus bf_petsc_join(const char *text, const char *more, char **both, BfError *error) {
  const size_t room = strlen(text) + strlen(more) + 2;
  char         name[BF_NAME], value[BF_NAME], old[BF_NAME];
  BF_TRY(BF_NEW(both, (int64_t)room, error));
  strcpy(*both, text);
  while (next(&more, sizeof name, name, value)) {
    const size_t used = strlen(*both);
    if (look_up(NULL, text, name, sizeof old, old)) continue;
    snprintf(*both + used, room - used, "%s-%s%s%s", used ? " " : "", name, *value ? " " : "", value);
  }
  return BF_OK;
}
