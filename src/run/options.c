#include "bellformer/options.h"
#include "run/text.h"
#include <string.h>

typedef struct {
  char *name, *value;
  bool  read;
} Option;

struct BfOptions {
  int64_t      count, room;
  Option      *option;
  int64_t      names, name_room; /* that are known */
  const char **name;
};

BfStatus bf_options_create(BfOptions **out, BfError *error) { return BF_NEW(out, 1, error); }

void bf_options_destroy(BfOptions **options) {
  BfOptions *o = *options;
  if (!o) return;
  for (int64_t i = 0; i < o->count; i++) {
    bf_free(o->option[i].name);
    bf_free(o->option[i].value);
  }
  bf_free(o->option);
  bf_free(o->name);
  bf_free(o);
  *options = NULL;
}

static Option *find(const BfOptions *o, const char *name) {
  for (int64_t i = 0; o && i < o->count; i++)
    if (!strcmp(o->option[i].name, name)) return &o->option[i];
  return NULL;
}

static BfStatus add_name(BfOptions *o, const char *name, Option **out, BfError *error) {
  BF_TRY(bf_array_room(&o->option, o->count, &o->room, sizeof *o->option, error));
  *out         = &o->option[o->count];
  (*out)->name = bf_text_copy(name, (int64_t)strlen(name), error);
  if (!(*out)->name) return error->status;
  o->count++;
  return BF_OK;
}

BfStatus bf_options_add(BfOptions *o, const char *name, const char *value, BfError *error) {
  Option *option = find(o, name);
  char   *copy   = value ? bf_text_copy(value, (int64_t)strlen(value), error) : NULL;
  if (value && !copy) return error->status;
  if (!option && add_name(o, name, &option, error) != BF_OK) {
    bf_free(copy);
    return error->status;
  }
  bf_free(option->value);
  option->value = copy;
  option->read  = false;
  return BF_OK;
}

bool bf_options_given(const BfOptions *o, const char *name) { return find(o, name) != NULL; }

static const char *text_of(const Option *option) { return option->value ? option->value : ""; }

const char *bf_options_read(BfOptions *o, const char *name) {
  Option *option = find(o, name);
  if (!option) return NULL;
  option->read = true;
  return text_of(option);
}

int64_t     bf_options_count(const BfOptions *o) { return o ? o->count : 0; }
const char *bf_options_name(const BfOptions *o, int64_t i) { return o->option[i].name; }
const char *bf_options_value(const BfOptions *o, int64_t i) { return text_of(&o->option[i]); }
bool        bf_options_was_read(const BfOptions *o, int64_t i) { return o->option[i].read; }

/* ---- what nothing has read -------------------------------------------------------------------------------------- */

BfStatus bf_options_know(BfOptions *o, const char *name, BfError *error) {
  if (!o) return BF_OK;
  for (int64_t i = 0; i < o->names; i++)
    if (!strcmp(o->name[i], name)) return BF_OK;
  BF_TRY(bf_array_room(&o->name, o->names, &o->name_room, sizeof *o->name, error));
  o->name[o->names++] = name;
  return BF_OK;
}

const char *bf_options_unread(const BfOptions *o) {
  for (int64_t i = 0; o && i < o->count; i++)
    if (!o->option[i].read) return o->option[i].name;
  return NULL;
}

const char *bf_options_like(const BfOptions *o, const char *name, int *distance) {
  const char *like = NULL;
  for (int64_t i = 0; o && i < o->names; i++) {
    const int here = bf_text_distance(name, o->name[i]);
    if (here >= *distance) continue;
    *distance = here;
    like      = o->name[i];
  }
  return like;
}

BfStatus bf_options_refuse_unread(const BfOptions *o, BfError *error) {
  const char *name = bf_options_unread(o);
  if (!name) return BF_OK;
  int         distance = bf_text_far(name);
  const char *like     = bf_options_like(o, name, &distance);
  return bf_fail(error, BF_BAD_INPUT, "unknown option -%s%s%s%s", name, like ? ", did you mean -" : "",
                 like ? like : "", like ? "?" : "");
}
