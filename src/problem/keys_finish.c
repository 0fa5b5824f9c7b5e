/* What nothing has read, when all is read. */
#include "keys_inside.h"
#include "run/text.h"

#include <stdio.h>
#include <string.h>

static const char *next_name(BfKeyWalk *walk) {
  const BfKey *key = bf_key_next(walk);
  return key ? key->name : NULL;
}

/* The key that is most like this one, or NULL: of those that were looked up, then of all; nearer than *nearest, which
 * it sets. Options are compared with '_' for every dot. */
static const char *most_like(const BfKeys *keys, const char *name, int as_option, int *nearest,
                             char like[BF_OPTION_LENGTH]) {
  int         found = 0;
  BfKeyWalk   walk  = {0};
  const char *key;
  for (int64_t k = 0; (key = k < keys->asked ? keys->ask[k].key : next_name(&walk)); k++) {
    char other[BF_OPTION_LENGTH];
    snprintf(other, sizeof other, "%s", key);
    if (as_option) bf_option_name(key, other);
    int distance = bf_text_distance(name, other);
    if (distance >= *nearest) continue; /* of equally near ones, the first */
    *nearest = distance;
    found    = 1;
    strcpy(like, other);
  }
  return found ? like : NULL;
}

/* A key that this one holds, where it is the name of a map: "action" -> "action.kind"; NULL where it is none. */
static const char *held_by(const char *name, char held[BF_OPTION_LENGTH]) {
  const size_t length = strlen(name);
  char         option[BF_OPTION_LENGTH];
  BfKeyName    parts;
  const BfKey *row;
  for (BfKeyWalk walk = {0}; (row = bf_key_next(&walk));)
    if (!strncmp(row->name, name, length) && row->name[length] == '.') return row->name;
  if (snprintf(held, BF_OPTION_LENGTH, "%s.range", name) >= BF_OPTION_LENGTH) return NULL;
  bf_option_name(held, option);
  return bf_key_name(option, &parts) ? held : NULL;
}

/* Keys that the program knows and had no use for: a matrix's, where every head has its own. */
static BfStatus refuse_unread(const BfKeys *keys, BfError *error) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    const int read =
        given->on_line ? bf_overrides_was_read(keys->overrides, given->at) : keys->yaml.entry[given->at].read;
    if (!read) return bf_keys_refuse(keys, given, error, "%s", *given->name.matrix ? "by any head" : "here");
  }
  return BF_OK;
}

/* The option that it is most like, of all that the run reads; of a key and another option equally near, the key. */
static BfStatus refuse_option(const BfKeys *keys, const char *name, BfError *error) {
  char like[BF_OPTION_LENGTH];
  if (!name) return BF_OK;
  int         nearest = bf_text_far(name);
  const char *key     = most_like(keys, name, 1, &nearest, like);
  const char *option = bf_overrides_like(keys->overrides, name, &nearest), *hint = option ? option : key;
  return bf_fail(error, BF_BAD_INPUT, "unknown option -%s%s%s%s", name, hint ? ", did you mean -" : "",
                 hint ? hint : "", hint ? "?" : "");
}

BfStatus bf_keys_finish(const BfKeys *keys, BfError *error) {
  char      like[BF_OPTION_LENGTH];
  BfKeyName name;
  for (int64_t k = 0; k < keys->yaml.count; k++) {
    const BfYamlEntry *entry = &keys->yaml.entry[k];
    char               option[BF_OPTION_LENGTH];
    bf_option_name(entry->key, option);
    if (entry->read || entry->aside || entry->kind == BF_YAML_MAP || bf_key_name(option, &name)) continue;
    const char *hint = held_by(entry->key, like);
    if (hint)
      return bf_fail(error, BF_BAD_INPUT, "%s: line %d: %s is a map of keys, such as %s", keys->file, entry->line,
                     entry->key, hint);
    int nearest = bf_text_far(entry->key);
    hint        = most_like(keys, entry->key, 0, &nearest, like);
    return bf_fail(error, BF_BAD_INPUT, "%s: line %d: unknown key %s%s%s%s", keys->file, entry->line, entry->key,
                   hint ? ", did you mean " : "", hint ? hint : "", hint ? "?" : "");
  }
  BF_TRY(refuse_unread(keys, error));
  return refuse_option(keys, bf_overrides_unread(keys->overrides), error);
}
