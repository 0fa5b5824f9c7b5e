/* A problem from keys in memory: written down as a YAML file, which is then read as any other. A result carries that
 * file along, so that whoever has the result can read what the problem was. */
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "key_table.h"
#include "run/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char YAML[] = "problem.yaml";

/* Words joined by dots: what would be something else in YAML is not written. */
static BfStatus check_keys(const BfSettings *settings, BfError *error) {
  for (int64_t k = 0; k < settings->count; k++) {
    const char *key = settings->setting[k].key;
    const char *at  = key;
    char        quote[BF_QUOTE];
    size_t      word;
    do word = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    while (word && at[word] == '.' && (at += word + 1));
    if (!word || at[word])
      return bf_fail(error, BF_BAD_INPUT, "%s: a key is of words joined by dots, got '%s'", YAML,
                     bf_text_quote(key, quote));
  }
  return BF_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Whether an item means itself where it stands alone. */
static bool is_plain(const char *text, size_t length) {
  char *end;
  if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./") >= length)
    return length && !(length == 4 && !strncasecmp(text, "null", 4));
  strtod(text, &end);
  return end == text + length;
}

static void write_scalar(FILE *out, const char *text, size_t length) {
  if (is_plain(text, length)) {
    fprintf(out, "%.*s", (int)length, text);
    return;
  }
  fputc('"', out);
  for (size_t k = 0; k < length; k++) {
    if (text[k] == '"' || text[k] == '\\') fputc('\\', out);
    if ((unsigned char)text[k] < ' ') fprintf(out, "\\x%02X", (unsigned)text[k]);
    else fputc(text[k], out);
  }
  fputc('"', out);
}

/* Whether commas in the key's value stand between the items of a list. */
static bool takes_list(const char *key) {
  char      option[BF_OPTION_LENGTH];
  BfKeyName name;
  bf_option_name(key, option);
  return bf_key_name(option, &name) && (strstr(name.row->type, "numbers") || strstr(name.row->type, "integers"));
}

static void write_value(FILE *out, const BfSetting *setting) {
  const char *text = setting->value;
  if (!takes_list(setting->key) || (*text && !strchr(text, ','))) {
    write_scalar(out, text, strlen(text));
    return;
  }
  fputc('[', out);
  for (const char *at = text; *at;) {
    const size_t length = strcspn(at, ",");
    write_scalar(out, at, length);
    at += length;
    if (*at && *++at) fputs(", ", out);
  }
  fputc(']', out);
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

/* Whether both keys begin with the same `length` bytes and go on with the same word. */
static bool same_word(const char *a, const char *b, size_t length) {
  const size_t word = strcspn(a + length, ".");
  return !strncmp(a, b, length + word) && (b[length + word] == '.' || !b[length + word]);
}

/* The keys that have the first `length` bytes of `prefix`, which ends with a dot, as a map. */
static void write_map(FILE *out, const BfSettings *settings, const char *prefix, size_t length, int depth) {
  for (int64_t k = 0; k < settings->count; k++) {
    const char *key   = settings->setting[k].key;
    bool        fresh = !strncmp(key, prefix, length);
    for (int64_t i = 0; i < k && fresh; i++)
      fresh = strncmp(settings->setting[i].key, prefix, length) || !same_word(key, settings->setting[i].key, length);
    if (!fresh) continue;
    const size_t word = strcspn(key + length, ".");
    fprintf(out, "%*s%.*s:", 2 * depth, "", (int)word, key + length);
    if (key[length + word]) {
      fputc('\n', out);
      write_map(out, settings, key, length + word + 1, depth + 1);
    } else {
      fputc(' ', out);
      write_value(out, &settings->setting[k]);
      fputc('\n', out);
    }
  }
}

/* A key that is a value and a map at once: "data" beside "data.file". */
static BfStatus check_maps(const BfSettings *settings, BfError *error) {
  for (int64_t k = 0; k < settings->count; k++)
    for (int64_t i = 0; i < settings->count; i++) {
      const char  *whole = settings->setting[k].key, *part = settings->setting[i].key;
      const size_t length = strlen(whole);
      if (!strncmp(whole, part, length) && part[length] == '.')
        return bf_fail(error, BF_BAD_INPUT, "%s: %s has a value, and so has %s", YAML, whole, part);
    }
  return BF_OK;
}

static BfStatus add_yaml(BfFiles *files, const BfSettings *settings, BfError *error) {
  char  *text   = NULL;
  size_t length = 0;
  BF_TRY(check_keys(settings, error));
  BF_TRY(check_maps(settings, error));
  FILE *out = open_memstream(&text, &length);
  if (!out) return bf_fail(error, BF_FAILURE, "out of memory");
  write_map(out, settings, "", 0, 0);
  if (fclose(out)) bf_fail(error, BF_FAILURE, "%s", strerror(errno));
  else bf_files_add(files, YAML, text, (int64_t)length, error);
  free(text);
  return error->status;
}

BfStatus bf_problem_create(BfFiles *files, const BfSettings *settings, const BfSections *sections, BfProblem **out,
                           BfError *error) {
  const MPI_Comm comm    = files->comm;
  BfProblem     *problem = NULL;
  if (bf_together(comm, add_yaml(files, settings, error), error) != BF_OK) {
    bf_files_destroy(&files);
    return error->status;
  }
  bf_problem_restore(files, YAML, NULL, sections, &problem, error);
  if (bf_agree(comm, error) != BF_OK) {
    bf_problem_destroy(&problem);
    return error->status;
  }
  *out = problem;
  return BF_OK;
}
