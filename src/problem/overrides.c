#include "overrides.h"
#include "run/text.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  const char *name, *value; /* borrowed of the line or of the record */
  int         read;
} Override;

struct BfOverrides {
  BfOptions *line;    /* borrowed */
  BfOptions *earlier; /* the record */
  int64_t    count;
  Override  *override;
  char      *record; /* lines; owned */
  int64_t    length;
};

void bf_option_name(const char *key, char name[BF_OPTION_LENGTH]) {
  snprintf(name, BF_OPTION_LENGTH, "%s", key);
  for (char *c = name; *c; c++)
    if (*c == '.') *c = '_';
}

static Override *find(const BfOverrides *overrides, const char *key) {
  char name[BF_OPTION_LENGTH];
  bf_option_name(key, name);
  for (int64_t k = 0; k < overrides->count; k++)
    if (!strcmp(overrides->override[k].name, name)) return &overrides->override[k];
  return NULL;
}

static BfStatus read_record(BfOptions *options, const char *record, BfError *error) {
  for (const char *line = record; *line;) {
    const size_t length = strcspn(line, "\n");
    const char  *equals = memchr(line, '=', length);
    if (!equals || equals == line) return bf_fail(error, BF_BAD_INPUT, "the record of overrides is damaged");
    char *name  = bf_text_copy(line, equals - line, error);
    char *value = bf_text_copy(equals + 1, line + length - equals - 1, error);
    if (name && value) bf_options_add(options, name, value, error);
    bf_free(name);
    bf_free(value);
    if (error->status != BF_OK) return error->status;
    line += length + (line[length] == '\n');
  }
  return BF_OK;
}

/* First those of the line: the first of two that a look-up finds counts. */
static void list(BfOverrides *overrides) {
  const BfOptions *const from[] = {overrides->line, overrides->earlier};
  for (int part = 0; part < 2; part++)
    for (int64_t i = 0; i < bf_options_count(from[part]); i++)
      overrides->override[overrides->count++] =
          (Override){.name = bf_options_name(from[part], i), .value = bf_options_value(from[part], i)};
}

BfStatus bf_overrides_create(const char *record, BfOptions *line, BfOverrides **out, BfError *error) {
  BfOverrides *overrides;
  BfStatus     status;
  BF_TRY(BF_NEW(&overrides, 1, error));
  overrides->line = line;
  BF_GOTO(BF_NEW(&overrides->record, 1, error));
  BF_GOTO(bf_options_create(&overrides->earlier, error));
  if (record) BF_GOTO(read_record(overrides->earlier, record, error));
  BF_GOTO(BF_NEW(&overrides->override, bf_options_count(line) + bf_options_count(overrides->earlier), error));
  list(overrides);
  *out = overrides;
done:
  if (status != BF_OK) bf_overrides_destroy(&overrides);
  return status;
}

void bf_overrides_destroy(BfOverrides **overrides) {
  if (!*overrides) return;
  bf_options_destroy(&(*overrides)->earlier);
  bf_free((*overrides)->override);
  bf_free((*overrides)->record);
  bf_free(*overrides);
  *overrides = NULL;
}

bool bf_overrides_given(const BfOverrides *overrides, const char *key) { return find(overrides, key) != NULL; }

const char *bf_overrides_name_at(const BfOverrides *overrides, int64_t k) {
  return k < overrides->count ? overrides->override[k].name : NULL;
}

bool bf_overrides_is_of_line(const BfOverrides *overrides, int64_t k) { return k < bf_options_count(overrides->line); }

bool bf_overrides_was_read(const BfOverrides *overrides, int64_t k) { return overrides->override[k].read; }

const char *bf_overrides_record(const BfOverrides *overrides) { return overrides->record; }

static BfStatus append(BfOverrides *overrides, const Override *override, BfError *error) {
  int64_t more   = (int64_t)(strlen(override->name) + strlen(override->value)) + 2;
  char   *record = bf_calloc(overrides->length + more + 1, 1, error);
  if (!record) return error->status;
  snprintf(record, (size_t)(overrides->length + more + 1), "%s%s=%s\n", overrides->record, override->name,
           override->value);
  bf_free(overrides->record);
  overrides->record = record;
  overrides->length += more;
  return BF_OK;
}

BfStatus bf_overrides_read(BfOverrides *overrides, const char *key, const char **value, BfError *error) {
  Override *override = find(overrides, key);
  *value             = NULL;
  if (!override) return BF_OK;
  if (bf_overrides_is_of_line(overrides, override - overrides->override)) {
    if (!*override->value) return bf_fail(error, BF_BAD_INPUT, "-%s has no value", override->name);
    if (strchr(override->value, '\n')) return bf_fail(error, BF_BAD_INPUT, "-%s must be one line", override->name);
    bf_options_read(overrides->line, override->name);
  }
  if (!override->read) BF_TRY(append(overrides, override, error));
  override->read = 1;
  *value         = override->value;
  return BF_OK;
}

const char *bf_overrides_unread(const BfOverrides *overrides) {
  if (overrides->line) return bf_options_unread(overrides->line);
  for (int64_t k = 0; k < overrides->count; k++)
    if (!overrides->override[k].read) return overrides->override[k].name;
  return NULL;
}

const char *bf_overrides_like(const BfOverrides *overrides, const char *name, int *distance) {
  return bf_options_like(overrides->line, name, distance);
}
