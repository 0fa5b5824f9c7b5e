/* What varies, and what all runs take: from a file's tree, or from words. */
#include "run/text.h"
#include "study/read.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_VALUES = 100000, VALUE_LENGTH = 4096 };

BfStatus bf_study_at(const BfTree *node, const char *what, BfError *error) {
  if (node) bf_error_prefix(error, "line %d: %s", node->line, what);
  else bf_error_prefix(error, "%s", what);
  return error->status;
}

/* ---- sets -------------------------------------------------------------------------------------------------------- */

const char *bf_sets_find(const BfSets *sets, const char *key) {
  for (int64_t i = 0; i < sets->count; i++)
    if (!strcmp(sets->set[i].key, key)) return sets->set[i].value;
  return NULL;
}

BfStatus bf_sets_add(BfSets *sets, const char *key, const char *value, BfError *error) {
  if (bf_sets_find(sets, key)) return bf_fail(error, BF_BAD_INPUT, "%s is given twice", key);
  BF_TRY(bf_array_room(&sets->set, sets->count, &sets->room, sizeof *sets->set, error));
  BfSet *set = &sets->set[sets->count];
  set->key   = bf_text_copy(key, (int64_t)strlen(key), error);
  set->value = bf_text_copy(value, (int64_t)strlen(value), error);
  sets->count++;
  return error->status;
}

void bf_sets_clear(BfSets *sets) {
  for (int64_t i = 0; i < sets->count; i++) {
    bf_free(sets->set[i].key);
    bf_free(sets->set[i].value);
  }
  bf_free(sets->set);
  *sets = (BfSets){0};
}

/* A key as it was spelt, with its text. */
static BfStatus add_spelt(const BfStudyReader *reader, const BfStudyRun *run, const char *spelt, const char *text,
                          BfSets *out, BfError *error) {
  char *key = NULL, *value = NULL;
  bf_study_key(reader, run, spelt, &key, error);
  if (error->status == BF_OK) bf_study_text(reader, key, text, &value, error);
  if (error->status == BF_OK) bf_sets_add(out, key, value, error);
  bf_free(key);
  bf_free(value);
  return error->status;
}

/* Numbers of a list, and of lists in it, joined by commas: as an option takes them. */
static BfStatus flatten(const BfTree *node, size_t size, char text[], BfError *error) {
  const size_t used = strlen(text);
  if (node->kind == BF_TREE_MAP) return bf_fail(error, BF_BAD_INPUT, "a map of keys stands in a list of values");
  if (node->kind == BF_TREE_TEXT) {
    if (used + strlen(node->text) + 2 > size) return bf_fail(error, BF_BAD_INPUT, "a value is too long");
    snprintf(text + used, size - used, "%s%s", used ? "," : "", node->text);
  }
  for (int64_t i = 0; i < node->count; i++) BF_TRY(flatten(&node->child[i], size, text, error));
  return BF_OK;
}

static BfStatus read_sets(const BfStudyReader *reader, const BfStudyRun *run, const BfTree *node, const char *above,
                          BfSets *out, BfError *error) {
  for (int64_t i = 0; i < node->count; i++) {
    const BfTree *child = &node->child[i];
    char          name[1024], text[VALUE_LENGTH] = "";
    if (snprintf(name, sizeof name, "%s%s%s", above, *above ? "." : "", child->key) >= (int)sizeof name)
      return bf_fail(error, BF_BAD_INPUT, "line %d: a key is too long", child->line);
    if (child->kind == BF_TREE_MAP) {
      BF_TRY(read_sets(reader, run, child, name, out, error));
      continue;
    }
    BfStatus status = flatten(child, sizeof text, text, error);
    if (status == BF_OK) status = add_spelt(reader, run, name, text, out, error);
    if (status != BF_OK) {
      bf_error_prefix(error, "line %d", child->line);
      return status;
    }
  }
  return BF_OK;
}

BfStatus bf_read_sets(const BfStudyReader *reader, const BfStudyRun *run, const BfTree *node, BfSets *out,
                      BfError *error) {
  if (node->kind != BF_TREE_MAP)
    return bf_fail(error, BF_BAD_INPUT, "line %d: %s must be a map of keys", node->line, node->key);
  return read_sets(reader, run, node, "", out, error);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

typedef struct {
  int64_t count, room;
  char  **value;
} Values;

static void clear_values(Values *values) {
  for (int64_t i = 0; i < values->count; i++) bf_free(values->value[i]);
  bf_free(values->value);
  *values = (Values){0};
}

static BfStatus add_value(Values *values, const char *text, BfError *error) {
  if (values->count == ITEM_VALUES) return bf_fail(error, BF_BAD_INPUT, "more than %d values", ITEM_VALUES);
  BF_TRY(bf_array_room(&values->value, values->count, &values->room, sizeof *values->value, error));
  char *copy = bf_text_copy(text, (int64_t)strlen(text), error);
  if (!copy) return error->status;
  values->value[values->count++] = copy;
  return BF_OK;
}

typedef struct {
  double from, to, step, times; /* times is 0 where it goes by steps */
} Range;

static double of_range(const Range *r, double k) {
  return r->times ? r->from * pow(r->times, k) : r->from + k * r->step;
}

static BfStatus add_range(const Range *r, Values *out, BfError *error) {
  double most;
  if (r->times) {
    if (!(r->times > 0) || r->times == 1 || !(r->from * r->to > 0))
      return bf_fail(error, BF_BAD_INPUT,
                     "a range by factors goes from one number to another of the same sign, by a factor greater than 0 "
                     "other than 1, got %g to %g by %g",
                     r->from, r->to, r->times);
    most = floor(log(r->to / r->from) / log(r->times) + 1e-9);
  } else {
    if (r->step == 0) return bf_fail(error, BF_BAD_INPUT, "a range has no step of 0");
    most = floor((r->to - r->from) / r->step + 1e-9);
  }
  if (!(most >= 0)) return bf_fail(error, BF_BAD_INPUT, "a range from %g never comes to %g", r->from, r->to);
  if (most >= ITEM_VALUES) return bf_fail(error, BF_BAD_INPUT, "more than %d values", ITEM_VALUES);
  const double last = of_range(r, most);
  if (fabs(last - r->to) > 1e-3 * fabs(of_range(r, most + 1) - last)) /* rounded: to 1 in steps of 0.3333 */
    return bf_fail(error, BF_BAD_INPUT, "a range from %.15g %s %.15g never comes to %.15g: %.15g .. %.15g", r->from,
                   r->times ? "times" : "step", r->times ? r->times : r->step, r->to, r->from, last);
  for (int64_t k = 0; k <= (int64_t)most; k++) {
    char text[64];
    snprintf(text, sizeof text, "%.15g", of_range(r, (double)k));
    BF_TRY(add_value(out, text, error));
  }
  return BF_OK;
}

static BfStatus number(const BfTree *node, double *out, BfError *error) {
  char        quoted[BF_QUOTE];
  const char *wrong = node->kind == BF_TREE_TEXT ? bf_text_number(node->text, out) : "is not a number";
  if (!wrong) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s %s%s%s%s", node->key, wrong, node->text ? ": '" : "",
                 node->text ? bf_text_quote(node->text, quoted) : "", node->text ? "'" : "");
}

/* {from: 4, to: 64, times: 2}; step: 1 where neither is given. */
static BfStatus read_range(const BfTree *node, Values *out, BfError *error) {
  static const char *const names[] = {"from", "to", "step", "times"};
  Range                    r       = {.step = 1};
  double *const            field[] = {&r.from, &r.to, &r.step, &r.times};
  for (int64_t i = 0; i < node->count; i++) {
    size_t k = 0;
    while (k < 4 && strcmp(names[k], node->child[i].key)) k++;
    if (k == 4)
      return bf_fail(error, BF_BAD_INPUT, "a range has from, to, and times or step, not %s", node->child[i].key);
    BF_TRY(number(&node->child[i], field[k], error));
    if (k == 3 && r.times == 0) return bf_fail(error, BF_BAD_INPUT, "a range by factors has no factor 0");
  }
  if (!bf_tree_find(node, "from") || !bf_tree_find(node, "to"))
    return bf_fail(error, BF_BAD_INPUT, "a range needs both from and to");
  if (bf_tree_find(node, "step") && bf_tree_find(node, "times"))
    return bf_fail(error, BF_BAD_INPUT, "a range has either times or step");
  return add_range(&r, out, error);
}

/* "4..256", "4..256x2", "0.5..2+0.5"; false where it is none: "../a.csv", "8,8". */
static bool is_range(const char *word, Range *r) {
  char        first[64];
  const char *dots = strstr(word, "..");
  char       *end;
  *r = (Range){.step = 1};
  if (!dots || dots == word || dots - word >= (int)sizeof first) return false;
  snprintf(first, sizeof first, "%.*s", (int)(dots - word), word);
  if (bf_text_number(first, &r->from)) return false;
  r->to = strtod(dots + 2, &end);
  if (end == dots + 2 || !isfinite(r->to)) return false;
  if (!*end) return true;
  return *end == 'x' ? !bf_text_number(end + 1, &r->times) && r->times != 0
                     : *end == '+' && !bf_text_number(end + 1, &r->step);
}

static BfStatus add_word(const char *word, Values *out, BfError *error) {
  Range range;
  return is_range(word, &range) ? add_range(&range, out, error) : add_value(out, word, error);
}

static BfStatus read_values(const BfTree *node, Values *out, BfError *error) {
  if (node->kind == BF_TREE_MAP) return read_range(node, out, error);
  if (node->kind == BF_TREE_TEXT) return add_word(node->text, out, error);
  for (int64_t i = 0; i < node->count; i++) {
    char text[VALUE_LENGTH] = "";
    BF_TRY(flatten(&node->child[i], sizeof text, text, error));
    BF_TRY(add_value(out, text, error));
  }
  return BF_OK;
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

int bf_study_item(const BfStudy *study, const char *key, int *which) {
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++)
      if (!strcmp(study->item[i].key[k], key)) {
        if (which) *which = k;
        return i;
      }
  return -1;
}

bool bf_item_is_over(const BfStudy *study, int item) {
  for (int k = 0; k < study->item[item].keys; k++)
    for (int o = 0; o < study->overs; o++)
      if (!strcmp(study->item[item].key[k], study->over[o])) return true;
  return false;
}

void bf_item_clear(BfItem *item) {
  for (int k = 0; k < item->keys; k++) bf_free(item->key[k]);
  for (int64_t i = 0; i < item->count * item->keys; i++) bf_free(item->value[i]);
  bf_free(item->key);
  bf_free(item->value);
  *item = (BfItem){0};
}

/* A further key of an item, with its values. */
static BfStatus add_key(const BfStudyReader *reader, BfItem *item, int room, const char *spelt, const Values *values,
                        BfError *error) {
  char *key = NULL;
  BF_TRY(bf_study_key(reader, NULL, spelt, &key, error));
  if (!item->keys) {
    item->count = values->count;
    BF_NEW(&item->key, room, error);
    if (error->status == BF_OK) BF_NEW(&item->value, room * item->count, error);
    item->keys = error->status == BF_OK ? room : 0; /* of which those behind are NULL at first */
  } else if (item->count != values->count) {
    bf_fail(error, BF_BAD_INPUT, "keys of one item move together: %s has %lld values, %s %lld", item->key[0],
            (long long)item->count, key, (long long)values->count);
  }
  for (int k = 0; error->status == BF_OK && k < item->keys; k++)
    if (item->key[k] && !strcmp(item->key[k], key)) bf_fail(error, BF_BAD_INPUT, "%s is given twice", key);
  if (error->status == BF_OK && bf_study_item(reader->study, key, NULL) >= 0)
    bf_fail(error, BF_BAD_INPUT, "%s is given by two items", key);
  if (error->status == BF_OK && bf_sets_find(&reader->study->set, key))
    bf_fail(error, BF_BAD_INPUT, "%s varies, and is set too", key);
  int at = 0;
  while (error->status == BF_OK && item->key[at]) at++;
  for (int64_t i = 0; error->status == BF_OK && i < values->count; i++)
    bf_study_text(reader, key, values->value[i], &item->value[i * item->keys + at], error);
  if (error->status != BF_OK) bf_free(key);
  else item->key[at] = key;
  return error->status;
}

static bool is_same(const BfItem *item, int64_t a, int64_t b) {
  for (int k = 0; k < item->keys; k++)
    if (strcmp(item->value[a * item->keys + k], item->value[b * item->keys + k])) return false;
  return true;
}

static BfStatus check_item(const BfItem *item, BfError *error) {
  if (item->count > 1000) return BF_OK; /* no list that somebody has typed */
  for (int64_t b = 1; b < item->count; b++)
    for (int64_t a = 0; a < b; a++)
      if (is_same(item, a, b))
        return bf_fail(error, BF_BAD_INPUT, "%s: the value %s is given twice", item->key[0],
                       item->value[b * item->keys]);
  return BF_OK;
}

/* Taken over by the study, also on failure. */
static BfStatus add_item(const BfStudyReader *reader, BfItem *item, BfError *error) {
  BfStudy *study = reader->study;
  int64_t  room  = study->items; /* it grows by one: there are few */
  if (error->status == BF_OK) check_item(item, error);
  if (error->status == BF_OK) bf_array_room(&study->item, study->items, &room, sizeof *study->item, error);
  if (error->status == BF_OK) study->item[study->items++] = *item;
  else bf_item_clear(item);
  return error->status;
}

static BfStatus read_item(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  BfItem item = {0};
  if (node->kind != BF_TREE_MAP)
    return bf_fail(error, BF_BAD_INPUT, "line %d: vary: an item is a map: {quantize.cells: [4, 8]}", node->line);
  for (int64_t k = 0; k < node->count && error->status == BF_OK; k++) {
    Values values = {0};
    read_values(&node->child[k], &values, error);
    if (error->status != BF_OK) bf_error_prefix(error, "%s", node->child[k].key);
    else add_key(reader, &item, (int)node->count, node->child[k].key, &values, error);
    clear_values(&values);
  }
  add_item(reader, &item, error);
  return error->status == BF_OK ? BF_OK : bf_study_at(node, "vary", error);
}

BfStatus bf_read_vary(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  if (node->kind != BF_TREE_LIST)
    return bf_fail(error, BF_BAD_INPUT, "line %d: vary must be a list of maps: - {quantize.cells: [4, 8]}", node->line);
  for (int64_t i = 0; i < node->count; i++) BF_TRY(read_item(reader, &node->child[i], error));
  return BF_OK;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* The next piece of a text up to one of `ends`, cut of it in place; NULL: there is none. */
static char *next_piece(char **text, const char *ends) {
  if (!*text) return NULL;
  char *piece = *text, *end = piece + strcspn(piece, ends);
  *text = *end ? end + 1 : NULL;
  *end  = '\0';
  return piece;
}

/* The next word; NULL: there is none. */
static char *next_word(char **text) {
  char *word;
  do word = next_piece(text, " \t\n");
  while (word && !*word);
  return word;
}

static BfStatus words_key(const BfStudyReader *reader, char *words, int room, BfItem *item, BfError *error) {
  Values values = {0};
  char  *key    = next_word(&words), *word;
  if (!key) return bf_fail(error, BF_BAD_INPUT, "an item holds no key");
  while (error->status == BF_OK && (word = next_word(&words))) add_word(word, &values, error);
  if (error->status == BF_OK && !values.count) bf_fail(error, BF_BAD_INPUT, "%s has no value", key);
  if (error->status == BF_OK) add_key(reader, item, room, key, &values, error);
  clear_values(&values);
  return error->status;
}

static BfStatus words_item(const BfStudyReader *reader, char *words, BfError *error) {
  BfItem item = {0};
  int    room = 1;
  for (const char *c = words; *c; c++) room += *c == '&';
  for (char *key; error->status == BF_OK && (key = next_piece(&words, "&"));)
    words_key(reader, key, room, &item, error);
  return add_item(reader, &item, error);
}

BfStatus bf_words_vary(const BfStudyReader *reader, const char *words, BfError *error) {
  char *copy = bf_text_copy(words, (int64_t)strlen(words), error), *rest = copy, *piece;
  while (error->status == BF_OK && (piece = next_piece(&rest, ";")))
    if (piece[strspn(piece, " \t\n")]) words_item(reader, piece, error);
  bf_free(copy);
  return error->status;
}

BfStatus bf_words_sets(const BfStudyReader *reader, const char *words, BfSets *out, BfError *error) {
  char *copy = bf_text_copy(words, (int64_t)strlen(words), error), *rest = copy, *piece;
  while (error->status == BF_OK && (piece = next_piece(&rest, ";"))) {
    char *key = next_word(&piece), *value = next_word(&piece);
    if (!key) continue;
    if (!value || next_word(&piece)) bf_fail(error, BF_BAD_INPUT, "%s must have one value", key);
    else add_spelt(reader, NULL, key, value, out, error);
  }
  bf_free(copy);
  return error->status;
}
