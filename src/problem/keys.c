#include "keys_inside.h"
#include "run/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a key holds. */
typedef struct {
  int64_t      count; /* 0 where the key is absent, and of an empty list */
  int          given;
  const char  *whole; /* of the command line: the text as it is, commas and all; else NULL */
  char       **item;  /* [count] */
  char       **owned; /* item, where it is to be freed; one block with its text */
  const BfKey *row;
} Value;

/* ---- what is given ---------------------------------------------------------------------------------------------- */

/* Note a key, in the spelling of the file or of an option, where it is a known one. */
static BfStatus note(BfKeys *keys, const char *spelling, int on_line, int64_t at, BfError *error) {
  BfGiven given = {.on_line = on_line, .at = at};
  char    option[BF_OPTION_LENGTH], dotted[BF_OPTION_LENGTH];
  bf_option_name(spelling, option);
  if (!bf_key_name(option, &given.name)) return BF_OK;
  if (on_line) spelling = bf_key_dotted(&given.name, option, dotted);
  BF_TRY(bf_array_room(&keys->given, keys->givens, &keys->given_room, sizeof *keys->given, error));
  given.key = bf_text_copy(spelling, (int64_t)strlen(spelling), error);
  if (!given.key) return error->status;
  keys->given[keys->givens++] = given;
  return BF_OK;
}

static BfStatus note_all(BfKeys *keys, BfError *error) {
  const char *name;
  for (int64_t k = 0; (name = bf_overrides_name_at(keys->overrides, k)); k++) BF_TRY(note(keys, name, 1, k, error));
  for (int64_t k = 0; k < keys->yaml.count; k++)
    if (keys->yaml.entry[k].kind != BF_YAML_MAP) BF_TRY(note(keys, keys->yaml.entry[k].key, 0, k, error));
  return BF_OK;
}

const BfGiven *bf_keys_next(const BfKeys *keys, int64_t *at) {
  while (*at < keys->givens) {
    const BfGiven *given = &keys->given[(*at)++];
    if (given->on_line || !keys->yaml.entry[given->at].aside) return given;
  }
  return NULL;
}

void bf_keys_set_aside(BfKeys *keys, const BfGiven *given) {
  if (!given->on_line) keys->yaml.entry[given->at].aside = 1;
}

BfStatus bf_keys_create(const BfFile *file, const char *record, BfOptions *line, BfKeys **out, BfError *error) {
  BfKeys  *keys;
  BfStatus status;
  BF_TRY(BF_NEW(&keys, 1, error));
  keys->file = file->name;
  BF_GOTO(bf_yaml_parse(file, &keys->yaml, error));
  BF_GOTO(bf_overrides_create(record, line, &keys->overrides, error));
  BF_GOTO(note_all(keys, error));
  *out = keys;
done:
  if (status != BF_OK) bf_keys_destroy(&keys);
  return status;
}

void bf_keys_destroy(BfKeys **keys) {
  if (!*keys) return;
  bf_yaml_clear(&(*keys)->yaml);
  bf_overrides_destroy(&(*keys)->overrides);
  for (int64_t k = 0; k < (*keys)->asked; k++) bf_free((*keys)->ask[k].key);
  bf_free((*keys)->ask);
  for (int64_t k = 0; k < (*keys)->givens; k++) bf_free((*keys)->given[k].key);
  bf_free((*keys)->given);
  bf_settings_clear(&(*keys)->taken);
  bf_free(*keys);
  *keys = NULL;
}

/* What the file says, and was not set aside. */
static BfYamlEntry *in_file(const BfKeys *keys, const char *key) {
  BfYamlEntry *entry = bf_yaml_find(&keys->yaml, key);
  return entry && !entry->aside ? entry : NULL;
}

bool bf_keys_given(const BfKeys *keys, const char *key) {
  return bf_overrides_given(keys->overrides, key) || in_file(keys, key);
}

bool bf_keys_is_list(const BfKeys *keys, const char *key) {
  const BfYamlEntry *entry = in_file(keys, key);
  return entry && entry->kind == BF_YAML_LIST && !bf_overrides_given(keys->overrides, key);
}

const char *bf_keys_in_file(const BfKeys *keys, const char *key) {
  const BfYamlEntry *entry = bf_yaml_find(&keys->yaml, key);
  if (!entry || entry->kind == BF_YAML_MAP) return NULL;
  return entry->kind == BF_YAML_SCALAR ? entry->value[0] : "[]";
}

int bf_keys_pass_default(BfKeys *keys, const BfGiven *given) {
  const char *text = NULL, *fallback = given->name.row->fallback;
  BfError     unused = {0};
  double      a, b;
  if (given->on_line) bf_overrides_read(keys->overrides, given->key, &text, &unused);
  else text = bf_keys_in_file(keys, given->key);
  if (!text || !fallback) return 0;
  if (strcmp(text, fallback) && (bf_text_number(text, &a) || bf_text_number(fallback, &b) || a != b)) return 0;
  bf_keys_set_aside(keys, given);
  return 1;
}

void bf_keys_replace(BfKeys *keys, const BfGiven *given) {
  if (!given->on_line) keys->yaml.entry[given->at].read = 1;
}

int bf_keys_on_line(const BfKeys *keys, const char *key) { return bf_overrides_given(keys->overrides, key); }

const char *bf_keys_overrides(const BfKeys *keys) { return bf_overrides_record(keys->overrides); }

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* "xor.yaml: control.A.range" or "-control_A_range". */
void bf_key_spell(const BfKeys *keys, const char *key, size_t size, char name[]) {
  if (bf_overrides_given(keys->overrides, key)) {
    size_t length = (size_t)snprintf(name, size, "-%s", key);
    for (size_t k = 0; k < length && k < size; k++)
      if (name[k] == '.') name[k] = '_';
  } else {
    snprintf(name, size, "%s: %s", keys->file, key);
  }
}

BfStatus bf_key_fail(const BfKeys *keys, const char *key, BfError *error, const char *format, ...) {
  char    name[BF_ERROR_LENGTH / 2], text[BF_ERROR_LENGTH / 2];
  va_list arguments;
  bf_key_spell(keys, key, sizeof name, name);
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return bf_fail(error, BF_BAD_INPUT, "%s %s", name, text);
}

BfStatus bf_keys_refuse(const BfKeys *keys, const BfGiven *given, BfError *error, const char *format, ...) {
  char    text[BF_ERROR_LENGTH / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char option[BF_OPTION_LENGTH];
  bf_option_name(given->key, option);
  if (given->on_line) return bf_fail(error, BF_BAD_INPUT, "-%s is not used %s", option, text);
  return bf_fail(error, BF_BAD_INPUT, "%s: %s is not used %s", keys->file, given->key, text);
}

void bf_key_prefix(const BfKeys *keys, const char *key, BfError *error) {
  char name[BF_ERROR_LENGTH / 2];
  bf_key_spell(keys, key, sizeof name, name);
  bf_error_prefix(error, "%s", name);
}

/* Whether two keys stand in the same map. */
static int siblings(const char *a, const char *b) {
  const char *dot_a = strrchr(a, '.'), *dot_b = strrchr(b, '.');
  size_t      n = dot_a ? (size_t)(dot_a - a) : 0, m = dot_b ? (size_t)(dot_b - b) : 0;
  return n == m && !strncmp(a, b, n);
}

/* Whether the file has anything in the map that a key stands in. */
static bool has_map(const BfKeys *keys, const char *key) {
  for (int64_t k = 0; k < keys->yaml.count; k++)
    if (siblings(keys->yaml.entry[k].key, key)) return true;
  return false;
}

/* Names an option that is no key, or a key of the file that nothing has read, and that looks like the missing one:
 * beside it, or where its whole map is missing (a misspelt map). */
BfStatus bf_key_missing(const BfKeys *keys, const char *key, BfError *error) {
  const int   map = has_map(keys, key);
  const char *name;
  char        option[BF_OPTION_LENGTH];
  BfKeyName   known;
  bf_option_name(key, option);
  for (int64_t k = 0; (name = bf_overrides_name_at(keys->overrides, k)); k++)
    if (!bf_key_name(name, &known) && bf_text_distance(name, option) <= 2)
      return bf_key_fail(keys, key, error, "is missing; the command line has -%s", name);
  for (int64_t k = 0; k < keys->yaml.count; k++) {
    const BfYamlEntry *entry = &keys->yaml.entry[k];
    if (!entry->read && (!map || siblings(entry->key, key)) && bf_text_distance(entry->key, key) <= 2)
      return bf_key_fail(keys, key, error, "is missing; line %d has %s", entry->line, entry->key);
  }
  return bf_key_fail(keys, key, error, "is missing");
}

/* ---- look-up ---------------------------------------------------------------------------------------------------- */

static BfStatus remember(BfKeys *keys, const char *key, const BfKey **row, BfError *error) {
  BfKeyName name;
  char      option[BF_OPTION_LENGTH];
  for (int64_t k = 0; k < keys->asked; k++)
    if (!strcmp(keys->ask[k].key, key)) return *row = keys->ask[k].row, BF_OK;
  bf_option_name(key, option);
  if (!bf_key_name(option, &name)) return bf_fail(error, BF_FAILURE, "the key %s is not in the table of keys", key);
  BF_TRY(bf_array_room(&keys->ask, keys->asked, &keys->asked_room, sizeof *keys->ask, error));
  char *copy = bf_text_copy(key, (int64_t)strlen(key), error);
  if (!copy) return error->status;
  keys->ask[keys->asked++] = (BfAsked){copy, name.row};
  *row                     = name.row;
  return BF_OK;
}

/* "8,8" as items, in one block: the pointers, then the text. An empty text is an empty list. */
static BfStatus split(const char *text, Value *value, BfError *error) {
  int64_t count = *text ? 1 : 0;
  for (const char *c = text; *c; c++) count += *c == ',';
  char **item = bf_calloc(count * (int64_t)sizeof *item + (int64_t)strlen(text) + 1, 1, error);
  if (!item) return error->status;
  char *copy = strcpy((char *)(item + count), text);
  for (int64_t k = 0; k < count; k++) {
    copy += strspn(copy, " \t");
    item[k] = copy;
    copy += strcspn(copy, ",");
    char *end = copy;
    if (*copy) copy++;
    while (end > item[k] && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *end = '\0';
  }
  value->item  = item;
  value->owned = item;
  value->count = count;
  return BF_OK;
}

static BfStatus look(BfKeys *keys, const char *key, Value *value, BfError *error) {
  *value             = (Value){0};
  BfYamlEntry *entry = in_file(keys, key);
  BF_TRY(remember(keys, key, &value->row, error));
  if (entry && entry->kind == BF_YAML_MAP)
    return bf_fail(error, BF_BAD_INPUT, "%s: line %d: %s must be a value, not a map of keys", keys->file, entry->line,
                   key);
  if (entry) {
    entry->read  = 1;
    value->count = entry->count;
    value->item  = entry->value;
    value->given = 1;
  }
  BF_TRY(bf_overrides_read(keys->overrides, key, &value->whole, error));
  if (value->whole) {
    BF_TRY(split(value->whole, value, error));
    value->given = 1;
  }
  if (!value->given && !value->row->fallback) return bf_key_missing(keys, key, error);
  return BF_OK;
}

/* The same for a key of one value. */
static BfStatus look_single(BfKeys *keys, const char *key, Value *value, BfError *error) {
  BF_TRY(look(keys, key, value, error));
  if (!value->given || value->count == 1) return BF_OK;
  bf_free(value->owned);
  return bf_key_fail(keys, key, error, "must be one value, got %lld", (long long)value->count);
}

/* ---- what was taken --------------------------------------------------------------------------------------------- */

/* Ranges and levels can be written in many ways: bf_note_box notes what comes of them. */
static bool is_of_box(const char *key) {
  const char *last = strrchr(key, '.');
  return last && !strncmp(key, "control.", 8) && (!strcmp(last, ".range") || !strcmp(last, ".levels"));
}

static BfStatus take_text(BfKeys *keys, const char *key, const char *text, BfError *error) {
  return text ? bf_settings_add(&keys->taken, key, text, error) : BF_OK;
}

BfSettings *bf_keys_taken(BfKeys *keys) { return &keys->taken; }

/* ---- values by type --------------------------------------------------------------------------------------------- */

BfStatus bf_key_text(BfKeys *keys, const char *key, const char **out, BfError *error) {
  Value value;
  BF_TRY(look(keys, key, &value, error));
  bf_free(value.owned); /* a text is never split at its commas */
  if (!value.given) {   /* a word's fallback is a word; that of a text or file is not one */
    if (strcmp(value.row->type, "text") && strcmp(value.row->type, "file")) *out = value.row->fallback;
    return take_text(keys, key, *out, error);
  }
  if (!value.whole && value.count != 1)
    return bf_key_fail(keys, key, error, "must be one value, got %lld", (long long)value.count);
  const char *text = value.whole ? value.whole : value.item[0];
  if (!*text) return bf_key_fail(keys, key, error, "must not be empty");
  *out = text;
  return take_text(keys, key, text, error);
}

BfStatus bf_key_choice(BfKeys *keys, const char *key, const char *const names[], int *out, BfError *error) {
  char        list[256] = "", quote[BF_QUOTE];
  const char *text      = NULL;
  BF_TRY(bf_key_text(keys, key, &text, error));
  for (int k = 0; names[k]; k++) {
    if (!strcmp(names[k], text)) {
      *out = k;
      return BF_OK;
    }
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", !k ? "" : names[k + 1] ? ", " : " or ", names[k]);
  }
  return bf_key_fail(keys, key, error, "must be %s, got '%s'%s", list, bf_text_quote(text, quote), bf_text_hint(text));
}

static BfStatus to_number(const BfKeys *keys, const char *key, const BfKey *row, const char *text, double *out,
                          BfError *error) {
  char        quote[BF_QUOTE];
  const char *wrong = bf_text_number(text, out);
  if (wrong) return bf_key_fail(keys, key, error, "%s: '%s'%s", wrong, bf_text_quote(text, quote), bf_text_hint(text));
  if (!bf_key_has_range(row)) return BF_OK;
  if (row->above && *out <= row->least)
    return bf_key_fail(keys, key, error, "must be greater than %g, got %g", row->least, *out);
  if (*out < row->least) return bf_key_fail(keys, key, error, "must be at least %g, got %g", row->least, *out);
  if (*out > row->most) return bf_key_fail(keys, key, error, "must be at most %g, got %g", row->most, *out);
  return BF_OK;
}

static BfStatus to_integer(const BfKeys *keys, const char *key, const BfKey *row, const char *text, int64_t *out,
                           BfError *error) {
  char        quote[BF_QUOTE];
  const char *wrong = bf_text_integer(text, out);
  if (wrong) return bf_key_fail(keys, key, error, "%s: '%s'%s", wrong, bf_text_quote(text, quote), bf_text_hint(text));
  if (!bf_key_has_range(row)) return BF_OK;
  if ((double)*out < row->least)
    return bf_key_fail(keys, key, error, "must be at least %.0f, got %lld", row->least, (long long)*out);
  if ((double)*out > row->most)
    return bf_key_fail(keys, key, error, "must be at most %.0f, got %lld", row->most, (long long)*out);
  return BF_OK;
}

BfStatus bf_key_integer(BfKeys *keys, const char *key, int64_t *out, BfError *error) {
  Value    value;
  int64_t  number;
  BfStatus status = BF_OK;
  BF_TRY(look_single(keys, key, &value, error));
  if (value.given) status = to_integer(keys, key, value.row, value.item[0], &number, error);
  else if (bf_text_integer(value.row->fallback, &number)) number = *out;
  bf_free(value.owned);
  BF_TRY(status);
  *out = number;
  return bf_settings_add_integers(&keys->taken, key, 1, out, error);
}

BfStatus bf_key_number(BfKeys *keys, const char *key, double *out, BfError *error) {
  Value    value;
  double   number;
  BfStatus status = BF_OK;
  BF_TRY(look_single(keys, key, &value, error));
  if (value.given) status = to_number(keys, key, value.row, value.item[0], &number, error);
  else if (bf_text_number(value.row->fallback, &number)) number = *out;
  bf_free(value.owned);
  BF_TRY(status);
  *out = number;
  return bf_settings_add_numbers(&keys->taken, key, 1, out, error);
}

BfStatus bf_key_integers(BfKeys *keys, const char *key, int64_t *count, int64_t **out, BfError *error) {
  Value    value;
  int64_t *list = NULL;
  BfStatus status;
  BF_TRY(look(keys, key, &value, error));
  if (!value.given) return BF_OK;
  BF_GOTO(BF_NEW(&list, value.count, error));
  for (int64_t k = 0; k < value.count; k++) BF_GOTO(to_integer(keys, key, value.row, value.item[k], &list[k], error));
  if (!is_of_box(key)) BF_GOTO(bf_settings_add_integers(&keys->taken, key, value.count, list, error));
  *count = value.count;
  *out   = list;
done:
  if (status != BF_OK) bf_free(list);
  bf_free(value.owned);
  return status;
}

BfStatus bf_key_numbers(BfKeys *keys, const char *key, int64_t *count, double **out, BfError *error) {
  Value    value;
  double  *list = NULL;
  BfStatus status;
  BF_TRY(look(keys, key, &value, error));
  if (!value.given) return BF_OK;
  BF_GOTO(BF_NEW(&list, value.count, error));
  for (int64_t k = 0; k < value.count; k++) BF_GOTO(to_number(keys, key, value.row, value.item[k], &list[k], error));
  if (!is_of_box(key)) BF_GOTO(bf_settings_add_numbers(&keys->taken, key, value.count, list, error));
  *count = value.count;
  *out   = list;
done:
  if (status != BF_OK) bf_free(list);
  bf_free(value.owned);
  return status;
}
