/* How kinds read their keys (bellformer/kind.h): from a problem's YAML, command line and tables. */
#include "reader.h"
#include "table.h"

#include <stdarg.h>
#include <stdio.h>

static BfReader *of(const BfKeyReader *keys) { return keys->state; }

static bool given(const BfKeyReader *keys, const char *key) { return bf_keys_given(of(keys)->keys, key); }

static BfStatus choose(const BfKeyReader *keys, const BfFamily *family, int *kind, BfError *error) {
  return bf_family_choose(of(keys)->keys, family, kind, error);
}

static BfStatus word(const BfKeyReader *keys, const char *key, const char *const words[], int *out, BfError *error) {
  return bf_key_choice(of(keys)->keys, key, words, out, error);
}

static BfStatus text(const BfKeyReader *keys, const char *key, const char **out, BfError *error) {
  return bf_key_text(of(keys)->keys, key, out, error);
}

static BfStatus integer(const BfKeyReader *keys, const char *key, int64_t *out, BfError *error) {
  return bf_key_integer(of(keys)->keys, key, out, error);
}

static BfStatus number(const BfKeyReader *keys, const char *key, double *out, BfError *error) {
  return bf_key_number(of(keys)->keys, key, out, error);
}

static BfStatus integers(const BfKeyReader *keys, const char *key, int64_t *count, int64_t **out, BfError *error) {
  return bf_key_integers(of(keys)->keys, key, count, out, error);
}

static BfStatus numbers(const BfKeyReader *keys, const char *key, int64_t *count, double **out, BfError *error) {
  return bf_key_numbers(of(keys)->keys, key, count, out, error);
}

static BfStatus exactly(const BfKeyReader *keys, const char *key, int64_t wanted, const char *each, double **out,
                        BfError *error) {
  return bf_read_numbers(of(keys), key, wanted, each, out, error);
}

static BfStatus rows(const BfKeyReader *keys, const char *key, int64_t width, int64_t *count, double **out,
                     BfError *error) {
  const BfFile *file;
  BF_TRY(bf_read_file(of(keys), key, &file, error));
  return bf_rows_parse(file, width, count, out, error);
}

/* The text of a message, to be passed on. */
#define FORMAT(text, format)                                                                                           \
  do {                                                                                                                 \
    va_list arguments;                                                                                                 \
    va_start(arguments, format);                                                                                       \
    vsnprintf(text, sizeof text, format, arguments);                                                                   \
    va_end(arguments);                                                                                                 \
  } while (0)

static BfStatus fail(const BfKeyReader *keys, const char *key, BfError *error, const char *format, ...) {
  char line[BF_ERROR_LENGTH];
  FORMAT(line, format);
  return bf_key_fail(of(keys)->keys, key, error, "%s", line);
}

static BfStatus fail_row(const BfKeyReader *keys, const char *key, int64_t row, BfError *error, const char *format,
                         ...) {
  char          line[BF_ERROR_LENGTH], place[BF_PLACE];
  const BfFile *file;
  FORMAT(line, format);
  BF_TRY(bf_read_file(of(keys), key, &file, error));
  return bf_fail(error, BF_BAD_INPUT, "%s: %s: %s", file->name, bf_rows_place(file, row, place), line);
}

static BfStatus warn(const BfKeyReader *keys, BfError *error, const char *format, ...) {
  char line[BF_ERROR_LENGTH];
  FORMAT(line, format);
  return bf_problem_warn(of(keys)->problem, error, "%s", line);
}

static BfStatus note(const BfKeyReader *keys, const char *key, const char *value, BfError *error) {
  return bf_settings_add(bf_keys_taken(of(keys)->keys), key, value, error);
}

static bool is_list(const BfKeyReader *keys, const char *key) { return bf_keys_is_list(of(keys)->keys, key); }

static void alike(const BfKeyReader *keys, const char *key) { bf_settings_alike(bf_keys_taken(of(keys)->keys), key); }

BfKeyReader bf_key_reader(BfReader *reader) {
  return (BfKeyReader){.state    = reader,
                       .given    = given,
                       .choose   = choose,
                       .word     = word,
                       .text     = text,
                       .integer  = integer,
                       .number   = number,
                       .integers = integers,
                       .numbers  = numbers,
                       .exactly  = exactly,
                       .rows     = rows,
                       .fail     = fail,
                       .fail_row = fail_row,
                       .warn     = warn,
                       .note     = note,
                       .is_list  = is_list,
                       .alike    = alike};
}
