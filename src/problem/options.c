#include "options.h"
#include "text.h"

#include <ctype.h>
#include <petscsys.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  char *name;  /* without the dash */
  char *value; /* NULL until it is looked up on the command line */
  int   read;
  int   live; /* of the command line, not of the record */
} Option;

struct BfOptions {
  int     command_line;
  int64_t count, room;
  Option *option;
  char   *record; /* lines; owned */
  int64_t length;
};

void bf_option_name(const char *key, char name[BF_OPTION_LENGTH]) {
  snprintf(name, BF_OPTION_LENGTH, "%s", key);
  for (char *c = name; *c; c++)
    if (*c == '.') *c = '_';
}

static BfStatus petsc(PetscErrorCode code, BfError *error) {
  return code ? bf_fail(error, BF_FAILURE, "PETSc's options database: error %d", (int)code) : BF_OK;
}

static Option *find(const BfOptions *options, const char *key) {
  char name[BF_OPTION_LENGTH];
  bf_option_name(key, name);
  for (int64_t k = 0; k < options->count; k++)
    if (!strcmp(options->option[k].name, name)) return &options->option[k];
  return NULL;
}

/* value: NULL of the command line, where it is looked up later. */
static BfStatus add(BfOptions *options, const char *name, int64_t length, const char *value, int64_t size,
                    BfError *error) {
  BF_TRY(bf_array_room(&options->option, options->count, &options->room, sizeof *options->option, error));
  Option *option = &options->option[options->count++];
  option->live   = !value;
  option->name   = bf_text_copy(name, length, error);
  if (!option->name) return error->status;
  if (value && !(option->value = bf_text_copy(value, size, error))) return error->status;
  return BF_OK;
}

/* The names that the database holds. A look-up of -control_A_0_form there would also find -control_A_form (a name with
 * "_0_" is taken for one of a family), so that only names that are in this list are looked up. */
static BfStatus list_names(BfOptions *options, BfError *error) {
  char    *all    = NULL;
  BfStatus status = petsc(PetscOptionsGetAll(NULL, &all), error);
  for (const char *at = all; status == BF_OK && at && *at;) {
    at += strspn(at, " ");
    size_t length = strcspn(at, " ");
    if (length > 1 && at[0] == '-' && isalpha((unsigned char)at[1]))
      status = add(options, at + 1, (int64_t)length - 1, NULL, 0, error);
    at += length;
  }
  PetscFree(all);
  return status;
}

static BfStatus read_record(BfOptions *options, const char *record, BfError *error) {
  for (const char *line = record; *line;) {
    size_t      length = strcspn(line, "\n");
    const char *equals = memchr(line, '=', length);
    if (!equals || equals == line) return bf_fail(error, BF_BAD_INPUT, "the record of overrides is damaged");
    BF_TRY(add(options, line, equals - line, equals + 1, line + length - equals - 1, error));
    line += length + (line[length] == '\n');
  }
  return BF_OK;
}

BfStatus bf_options_create(const char *record, bool line, BfOptions **out, BfError *error) {
  BfOptions *options;
  BfStatus   status;
  BF_TRY(BF_NEW(&options, 1, error));
  options->command_line = line;
  BF_GOTO(BF_NEW(&options->record, 1, error));
  if (line) BF_GOTO(list_names(options, error)); /* first: the first of two that a look-up finds counts */
  if (record) BF_GOTO(read_record(options, record, error));
  *out = options;
done:
  if (status != BF_OK) bf_options_destroy(&options);
  return status;
}

void bf_options_destroy(BfOptions **options) {
  if (!*options) return;
  for (int64_t k = 0; k < (*options)->count; k++) {
    bf_free((*options)->option[k].name);
    bf_free((*options)->option[k].value);
  }
  bf_free((*options)->option);
  bf_free((*options)->record);
  bf_free(*options);
  *options = NULL;
}

int bf_options_given(const BfOptions *options, const char *key) { return find(options, key) != NULL; }

const char *bf_options_name_at(const BfOptions *options, int64_t k) {
  return k < options->count ? options->option[k].name : NULL;
}

int bf_options_is_set(const BfOptions *options, int64_t k) {
  char        dashed[BF_OPTION_LENGTH + 1];
  const char *text = NULL;
  PetscBool   set  = PETSC_FALSE;
  if (options->option[k].value) return 1;
  snprintf(dashed, sizeof dashed, "-%s", options->option[k].name);
  return !PetscOptionsFindPair(NULL, NULL, dashed, &text, &set) && set;
}

int bf_options_was_read(const BfOptions *options, int64_t k) { return options->option[k].read; }

int bf_options_is_live(const BfOptions *options, int64_t k) { return options->option[k].live; }

const char *bf_options_record(const BfOptions *options) { return options->record; }

static BfStatus append(BfOptions *options, const Option *option, BfError *error) {
  int64_t more   = (int64_t)(strlen(option->name) + strlen(option->value)) + 2;
  char   *record = bf_calloc(options->length + more + 1, 1, error);
  if (!record) return error->status;
  snprintf(record, (size_t)(options->length + more + 1), "%s%s=%s\n", options->record, option->name, option->value);
  bf_free(options->record);
  options->record = record;
  options->length += more;
  return BF_OK;
}

BfStatus bf_options_read(BfOptions *options, const char *key, const char **value, BfError *error) {
  Option *option = find(options, key);
  *value         = NULL;
  if (!option) return BF_OK;
  if (!option->value) {
    char        dashed[BF_OPTION_LENGTH + 1];
    const char *text = NULL;
    PetscBool   set  = PETSC_FALSE;
    snprintf(dashed, sizeof dashed, "-%s", option->name);
    BF_TRY(petsc(PetscOptionsFindPair(NULL, NULL, dashed, &text, &set), error));
    if (!set) return BF_OK; /* part of another option's value */
    if (!text) return bf_fail(error, BF_BAD_INPUT, "%s has no value", dashed);
    if (strchr(text, '\n')) return bf_fail(error, BF_BAD_INPUT, "%s must be one line", dashed);
    option->value = bf_text_copy(text, (int64_t)strlen(text), error);
    if (!option->value) return error->status;
  }
  if (!option->read) BF_TRY(append(options, option, error));
  option->read = 1;
  *value       = option->value;
  return BF_OK;
}

/* What PETSc itself reads no sooner than in PetscFinalize. */
static int is_read_at_the_end(const char *name) {
  static const char *const names[] = {"options_left", "options_view", "citations",    "get_total_flops",
                                      "malloc_dump",  "malloc_view",  "objects_dump", "memory_view"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (!strcmp(names[k], name)) return 1;
  return 0;
}

BfStatus bf_options_left(const BfOptions *options, char name[BF_OPTION_LENGTH], BfError *error) {
  PetscInt left  = 0;
  char   **names = NULL, **values = NULL;
  name[0] = '\0';
  if (options && !options->command_line) {
    for (int64_t k = 0; k < options->count && !*name; k++)
      if (!options->option[k].read) snprintf(name, BF_OPTION_LENGTH, "%s", options->option[k].name);
    return BF_OK;
  }
  BF_TRY(petsc(PetscOptionsLeftGet(NULL, &left, &names, &values), error));
  for (PetscInt k = 0; k < left && !*name; k++)
    if (!is_read_at_the_end(names[k])) snprintf(name, BF_OPTION_LENGTH, "%s", names[k]);
  return petsc(PetscOptionsLeftRestore(NULL, &left, &names, &values), error);
}
