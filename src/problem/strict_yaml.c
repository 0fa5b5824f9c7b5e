#include "strict_yaml.h"
#include "run/text.h"
#include "yaml_mistake.h"
#include "yaml_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LENGTH = 64, PATH_LENGTH = 384, DEPTH = 4, ENTRIES = 4096 };

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_" /* what a key consists of */

typedef struct {
  BfYamlStream stream;
  BfYaml      *yaml;
  BfError     *error;
} Reader;

static int line_of(const Reader *reader) { return bf_yaml_line(&reader->stream); }

static BfStatus next(Reader *reader) { return bf_yaml_next(&reader->stream, reader->error); }

static const char *scalar_text(const Reader *reader) { return (const char *)reader->stream.event.data.scalar.value; }

static BfStatus add_value(Reader *reader, BfYamlEntry *entry) {
  size_t length = reader->stream.event.data.scalar.length;
  if (bf_yaml_is_null(&reader->stream))
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s has no value", line_of(reader), entry->key);
  /* An escape ("\0") can make a byte that the file does not hold. */
  if (strlen(scalar_text(reader)) != length)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s holds a NUL byte", line_of(reader), entry->key);
  BF_TRY(bf_array_room(&entry->value, entry->count, &entry->room, sizeof *entry->value, reader->error));
  char *copy = bf_text_copy(scalar_text(reader), (int64_t)length, reader->error);
  if (!copy) return reader->error->status;
  entry->value[entry->count++] = copy;
  return BF_OK;
}

static BfStatus add_list(Reader *reader, BfYamlEntry *entry) {
  const int flow = reader->stream.event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
  for (;;) {
    BF_TRY(next(reader));
    if (reader->stream.event.type == YAML_SEQUENCE_END_EVENT) return BF_OK;
    if (reader->stream.event.type != YAML_SCALAR_EVENT)
      return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s must be a flat list of values%s", line_of(reader),
                     entry->key,
                     flow && reader->stream.event.type == YAML_MAPPING_START_EVENT ? " (is a ']' missing?)" : "");
    BF_TRY(add_value(reader, entry));
  }
}

static bool is_number(const char *text) {
  char *end;
  strtod(text, &end);
  return end != text && !*end;
}

/* Start the entry of the key that the event holds, below the map `parent` ("" at the top). */
static BfStatus add_key(Reader *reader, const char *parent, BfYamlEntry **out) {
  char        path[PATH_LENGTH], quoted[BF_QUOTE];
  BfYaml     *yaml = reader->yaml;
  const char *key  = reader->stream.event.type == YAML_SCALAR_EVENT ? scalar_text(reader) : NULL;
  if (!key) return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a key must be a word", line_of(reader));
  size_t length = reader->stream.event.data.scalar.length;
  size_t word   = strspn(key, WORD);
  if (is_number(key))
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: '%s' stands where a key should (a list stands in brackets)",
                   line_of(reader), bf_text_quote(key, quoted));
  if (word && key[word] == ':')
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a blank is missing behind the colon of '%s'", line_of(reader),
                   bf_text_quote(key, quoted));
  if (length && key[length - 1] == ')')
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a list stands in [ ], not in ( ): at '%s'", line_of(reader),
                   bf_text_quote(key, quoted));
  if (!length || length > KEY_LENGTH || word != length)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a key must be a word of letters, digits and _, got '%s'",
                   line_of(reader), bf_text_quote(key, quoted));
  if (snprintf(path, sizeof path, "%s%s%s", parent, *parent ? "." : "", key) >= (int)sizeof path)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a key is too long", line_of(reader));
  const BfYamlEntry *earlier = bf_yaml_find(yaml, path);
  if (earlier)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s is given twice, first in line %d", line_of(reader), path,
                   earlier->line);
  if (yaml->count >= ENTRIES)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: more than %d keys", line_of(reader), ENTRIES);
  BF_TRY(bf_array_room(&yaml->entry, yaml->count, &yaml->room, sizeof *yaml->entry, reader->error));
  char *copy = bf_text_copy(path, (int64_t)strlen(path), reader->error);
  if (!copy) return reader->error->status;
  *out  = &yaml->entry[yaml->count++];
  **out = (BfYamlEntry){.key = copy, .line = line_of(reader)};
  return BF_OK;
}

/* Everything up to the end of a map whose start was fetched. `parent` is copied: the entries move as they grow. */
static BfStatus add_map(Reader *reader, const char *parent, int line, int depth) {
  char path[PATH_LENGTH];
  snprintf(path, sizeof path, "%s", parent);
  if (depth > DEPTH) return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s is nested too deeply", line, path);
  for (int count = 0;; count++) {
    BfYamlEntry *entry = NULL;
    BF_TRY(next(reader));
    if (reader->stream.event.type == YAML_MAPPING_END_EVENT)
      return count ? BF_OK
                   : bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s holds no keys", line,
                             *path ? path : "the problem");
    BF_TRY(add_key(reader, path, &entry));
    BF_TRY(next(reader));
    if (reader->stream.event.type == YAML_SCALAR_EVENT) {
      entry->kind = BF_YAML_SCALAR;
      BF_TRY(add_value(reader, entry));
    } else if (reader->stream.event.type == YAML_SEQUENCE_START_EVENT) {
      entry->kind = BF_YAML_LIST;
      BF_TRY(add_list(reader, entry));
    } else {
      entry->kind = BF_YAML_MAP;
      BF_TRY(add_map(reader, entry->key, entry->line, depth + 1));
    }
  }
}

static BfStatus read_stream(Reader *reader) {
  BF_TRY(next(reader)); /* the stream's start */
  BF_TRY(next(reader));
  if (reader->stream.event.type == YAML_STREAM_END_EVENT)
    return bf_fail(reader->error, BF_BAD_INPUT, "line 1: the problem holds no keys");
  BF_TRY(next(reader));
  if (reader->stream.event.type == YAML_SCALAR_EVENT)
    BF_TRY(bf_yaml_check_line(reader->stream.file, line_of(reader), reader->error));
  if (reader->stream.event.type != YAML_MAPPING_START_EVENT)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: the top level must be a map of keys", line_of(reader));
  BF_TRY(add_map(reader, "", line_of(reader), 0));
  BF_TRY(next(reader)); /* the document's end */
  BF_TRY(next(reader));
  if (reader->stream.event.type != YAML_STREAM_END_EVENT)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a second document", line_of(reader));
  return BF_OK;
}

BfStatus bf_yaml_parse(const BfFile *file, BfYaml *out, BfError *error) {
  BfYaml   yaml   = {0};
  Reader   reader = {.yaml = &yaml, .error = error};
  BfStatus status;
  if (bf_file_is_hdf5(file))
    return bf_fail(error, BF_BAD_INPUT, "%s: an HDF5 file, not a problem in YAML (`bellformer eval` reads results)",
                   file->name);
  status = bf_yaml_open(&reader.stream, file, error);
  if (status == BF_OK) status = read_stream(&reader);
  bf_yaml_close(&reader.stream);
  if (status == BF_OK) {
    *out = yaml;
  } else {
    bf_error_prefix(error, "%s", file->name);
    bf_yaml_clear(&yaml);
  }
  return status;
}

void bf_yaml_clear(BfYaml *yaml) {
  for (int64_t k = 0; k < yaml->count; k++) {
    BfYamlEntry *entry = &yaml->entry[k];
    for (int64_t j = 0; j < entry->count; j++) bf_free(entry->value[j]);
    bf_free(entry->value);
    bf_free(entry->key);
  }
  bf_free(yaml->entry);
  *yaml = (BfYaml){0};
}

BfYamlEntry *bf_yaml_find(const BfYaml *yaml, const char *key) {
  for (int64_t k = 0; k < yaml->count; k++)
    if (!strcmp(yaml->entry[k].key, key)) return &yaml->entry[k];
  return NULL;
}
