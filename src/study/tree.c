#include "study/tree.h"
#include "problem/yaml_mistake.h"
#include "problem/yaml_stream.h"
#include "run/text.h"
#include <string.h>

enum { DEPTH = 8, KEY_LENGTH = 256 };
enum { NODES = 1 << 20 };

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_." /* what a key consists of */

typedef struct {
  BfYamlStream stream;
  int64_t      nodes;
  BfError     *error;
} Reader;

static BfStatus add_node(Reader *reader, BfTree *tree, int depth);

static const char *scalar(const Reader *reader, size_t *length) {
  *length = reader->stream.event.data.scalar.length;
  return (const char *)reader->stream.event.data.scalar.value;
}

static BfStatus add_text(Reader *reader, BfTree *tree) {
  size_t      length;
  const char *text = scalar(reader, &length);
  if (bf_yaml_is_null(&reader->stream))
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s has no value", tree->line,
                   tree->key ? tree->key : "an item");
  if (strlen(text) != length || strchr(text, '\n'))
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a value is one line of text", tree->line);
  tree->text = bf_text_copy(text, (int64_t)length, reader->error);
  return tree->text ? BF_OK : reader->error->status;
}

/* Room for one more child, whose event was fetched. */
static BfStatus add_child(Reader *reader, BfTree *tree, BfTree **out) {
  if (++reader->nodes > NODES)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: more than %d values", bf_yaml_line(&reader->stream), NODES);
  BF_TRY(bf_array_room(&tree->child, tree->count, &tree->room, sizeof *tree->child, reader->error));
  *out  = &tree->child[tree->count++];
  **out = (BfTree){.line = bf_yaml_line(&reader->stream)};
  return BF_OK;
}

static BfStatus add_list(Reader *reader, BfTree *tree, int depth) {
  for (;;) {
    BfTree *child;
    BF_TRY(bf_yaml_next(&reader->stream, reader->error));
    if (reader->stream.event.type == YAML_SEQUENCE_END_EVENT)
      return tree->count ? BF_OK : bf_fail(reader->error, BF_BAD_INPUT, "line %d: a list without items", tree->line);
    BF_TRY(add_child(reader, tree, &child));
    BF_TRY(add_node(reader, child, depth + 1));
  }
}

static BfStatus take_key(Reader *reader, BfTree *tree, BfTree *child) {
  size_t      length = 0;
  char        quoted[BF_QUOTE];
  const char *key = reader->stream.event.type == YAML_SCALAR_EVENT ? scalar(reader, &length) : NULL;
  if (!key) return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a key must be a word", child->line);
  if (!length || length > KEY_LENGTH || strspn(key, WORD) != length)
    return bf_fail(reader->error, BF_BAD_INPUT,
                   "line %d: a key must be a word of letters, digits, _ and dots, got '%s'", child->line,
                   bf_text_quote(key, quoted));
  for (const BfTree *other = tree->child; other < child; other++)
    if (!strcmp(other->key, key))
      return bf_fail(reader->error, BF_BAD_INPUT, "line %d: %s is given twice, first in line %d", child->line, key,
                     other->line);
  child->key = bf_text_copy(key, (int64_t)length, reader->error);
  return child->key ? BF_OK : reader->error->status;
}

static BfStatus add_map(Reader *reader, BfTree *tree, int depth) {
  for (;;) {
    BfTree *child;
    BF_TRY(bf_yaml_next(&reader->stream, reader->error));
    if (reader->stream.event.type == YAML_MAPPING_END_EVENT)
      return tree->count ? BF_OK : bf_fail(reader->error, BF_BAD_INPUT, "line %d: a map without keys", tree->line);
    BF_TRY(add_child(reader, tree, &child));
    const BfStatus status = take_key(reader, tree, child);
    if (status != BF_OK) {
      if (!child->key) tree->count--; /* entries have keys, whoever looks */
      return status;
    }
    BF_TRY(bf_yaml_next(&reader->stream, reader->error));
    BF_TRY(add_node(reader, child, depth + 1));
  }
}

/* What the event that was fetched begins. */
static BfStatus add_node(Reader *reader, BfTree *tree, int depth) {
  if (depth > DEPTH) return bf_fail(reader->error, BF_BAD_INPUT, "line %d: nested too deeply", tree->line);
  switch (reader->stream.event.type) {
  case YAML_SCALAR_EVENT:
    tree->kind = BF_TREE_TEXT;
    return add_text(reader, tree);
  case YAML_SEQUENCE_START_EVENT:
    tree->kind = BF_TREE_LIST;
    return add_list(reader, tree, depth);
  default:
    tree->kind = BF_TREE_MAP;
    return add_map(reader, tree, depth);
  }
}

static BfStatus read_stream(Reader *reader, BfTree *out) {
  BfYamlStream *stream = &reader->stream;
  BF_TRY(bf_yaml_next(stream, reader->error)); /* the stream's start */
  BF_TRY(bf_yaml_next(stream, reader->error));
  if (stream->event.type == YAML_STREAM_END_EVENT)
    return bf_fail(reader->error, BF_BAD_INPUT, "line 1: the file holds no keys");
  BF_TRY(bf_yaml_next(stream, reader->error));
  out->line = bf_yaml_line(stream);
  if (stream->event.type == YAML_SCALAR_EVENT) BF_TRY(bf_yaml_check_line(stream->file, out->line, reader->error));
  if (stream->event.type != YAML_MAPPING_START_EVENT)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: the top level must be a map of keys", out->line);
  BF_TRY(add_node(reader, out, 0));
  BF_TRY(bf_yaml_next(stream, reader->error)); /* the document's end */
  BF_TRY(bf_yaml_next(stream, reader->error));
  if (stream->event.type != YAML_STREAM_END_EVENT)
    return bf_fail(reader->error, BF_BAD_INPUT, "line %d: a second document", bf_yaml_line(stream));
  return BF_OK;
}

BfStatus bf_tree_parse(const BfFile *file, BfTree *out, BfError *error) {
  Reader reader   = {.error = error};
  *out            = (BfTree){.kind = BF_TREE_MAP, .line = 1};
  BfStatus status = bf_yaml_open(&reader.stream, file, error);
  if (status == BF_OK) status = read_stream(&reader, out);
  bf_yaml_close(&reader.stream);
  return status;
}

void bf_tree_clear(BfTree *tree) {
  for (int64_t i = 0; i < tree->count; i++) bf_tree_clear(&tree->child[i]);
  bf_free(tree->child);
  bf_free(tree->key);
  bf_free(tree->text);
  *tree = (BfTree){0};
}

const BfTree *bf_tree_find(const BfTree *map, const char *key) {
  for (int64_t i = 0; i < map->count; i++)
    if (!strcmp(map->child[i].key, key)) return &map->child[i];
  return NULL;
}
