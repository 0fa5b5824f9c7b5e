/* A problem's keys as they were taken, and whether two problems are the same. */
#include "bellformer/problem.h"
#include "key_table.h"
#include "run/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static BfSetting *find(const BfSettings *settings, const char *key) {
  for (int64_t k = 0; k < settings->count; k++)
    if (!strcmp(settings->setting[k].key, key)) return &settings->setting[k];
  return NULL;
}

const char *bf_settings_find(const BfSettings *settings, const char *key) {
  const BfSetting *setting = find(settings, key);
  return setting ? setting->value : NULL;
}

BfStatus bf_settings_add(BfSettings *settings, const char *key, const char *value, BfError *error) {
  BfSetting *setting = find(settings, key);
  char      *copy    = bf_text_copy(value, (int64_t)strlen(value), error);
  if (!copy) return error->status;
  for (char *c = copy; *c; c++)
    if ((unsigned char)*c < ' ') *c = ' ';
  if (setting) {
    bf_free(setting->value);
    setting->value = copy;
    return BF_OK;
  }
  BfSetting fresh = {.key = bf_text_copy(key, (int64_t)strlen(key), error), .value = copy};
  if (!fresh.key || bf_array_room(&settings->setting, settings->count, &settings->room, sizeof fresh, error) != BF_OK) {
    bf_free(fresh.key);
    bf_free(copy);
    return error->status;
  }
  settings->setting[settings->count++] = fresh;
  return BF_OK;
}

BfStatus bf_settings_add_integers(BfSettings *settings, const char *key, int64_t count, const int64_t list[],
                                  BfError *error) {
  char *text;
  BF_TRY(BF_NEW(&text, 22 * count + 1, error));
  for (int64_t k = 0, at = 0; k < count; k++) at += snprintf(text + at, 22, "%s%lld", k ? "," : "", (long long)list[k]);
  bf_settings_add(settings, key, text, error);
  bf_free(text);
  return error->status;
}

BfStatus bf_settings_add_numbers(BfSettings *settings, const char *key, int64_t count, const double list[],
                                 BfError *error) {
  char *text;
  BF_TRY(BF_NEW(&text, 32 * count + 1, error));
  for (int64_t k = 0, at = 0; k < count; k++) {
    char shortest[32];
    snprintf(shortest, sizeof shortest, "%.15g", list[k]);
    if (strtod(shortest, NULL) != list[k]) snprintf(shortest, sizeof shortest, "%.17g", list[k]);
    at += snprintf(text + at, 32, "%s%s", k ? "," : "", shortest);
  }
  bf_settings_add(settings, key, text, error);
  bf_free(text);
  return error->status;
}

void bf_settings_alike(BfSettings *settings, const char *key) {
  BfSetting *setting = find(settings, key);
  if (setting) setting->alike = true;
}

void bf_settings_clear(BfSettings *settings) {
  for (int64_t k = 0; k < settings->count; k++) {
    bf_free(settings->setting[k].key);
    bf_free(settings->setting[k].value);
  }
  bf_free(settings->setting);
  *settings = (BfSettings){0};
}

/* ---- comparison ------------------------------------------------------------------------------------------------- */

/* "control.A_0.range" -> "control.A.range", which stands for every head; 0 where a key is of no one head. */
static int of_every_head(const char *key, size_t size, char every[]) {
  const char *mark = strchr(key, '_'), *rest = mark ? mark + 1 : NULL;
  if (!mark || strncmp(key, "control.", 8) || !isdigit((unsigned char)*rest)) return 0;
  rest += strspn(rest, "0123456789");
  return *rest == '.' && snprintf(every, size, "%.*s%s", (int)(mark - key), key, rest) < (int)size;
}

static const BfSetting *look_up(const BfSettings *settings, const char *key) {
  char             every[384];
  const BfSetting *setting = find(settings, key);
  return setting || !of_every_head(key, sizeof every, every) ? setting : find(settings, every);
}

/* Whether `key` stands for heads that the settings have one by one. */
static bool has_heads(const BfSettings *settings, const char *key) {
  char every[384];
  for (int64_t k = 0; k < settings->count; k++)
    if (of_every_head(settings->setting[k].key, sizeof every, every) && !strcmp(every, key)) return true;
  return false;
}

/* Whether the longer text is the shorter one again and again, joined by commas. */
static bool is_repetition(const char *a, const char *b) {
  const char  *brief = strlen(a) < strlen(b) ? a : b, *whole = brief == a ? b : a;
  const size_t n = strlen(brief);
  while (!strncmp(whole, brief, n) && whole[n] == ',') whole += n + 1;
  return !strcmp(whole, brief);
}

static const BfFile *file_of(const BfProblem *problem, const char *name) {
  const BfFiles *files = problem->files;
  for (int i = 0; i < files->count; i++)
    if (!strcmp(files->file[i].name, name)) return &files->file[i];
  return NULL;
}

static bool is_same(const BfProblem *then, const BfSetting *was, const BfProblem *now, const BfSetting *is) {
  const BfFile *old = file_of(then, was->value), *new = file_of(now, is->value);
  if (old && new) return old->size == new->size && !memcmp(old->bytes, new->bytes, (size_t) new->size);
  return !strcmp(was->value, is->value) || ((was->alike || is->alike) && is_repetition(was->value, is->value));
}

/* Step over what two lists have in common at their beginnings; the number of items. */
static int64_t skip_common(const char **a, const char **b) {
  for (int64_t n = 0;; n++) {
    const size_t length = strcspn(*a, ",");
    if (strcspn(*b, ",") != length || strncmp(*a, *b, length) || !(*a)[length] || !(*b)[length]) return n;
    *a += length + 1;
    *b += length + 1;
  }
}

static BfStatus tell(const char *key, const char *was, const char *is, BfError *error) {
  char then[BF_QUOTE], now[BF_QUOTE], place[64] = "";
  if (was && is && !strcmp(was, is))
    return bf_fail(error, BF_BAD_INPUT, "%s was another %s than it is now", key, bf_text_quote(is, now));
  const int64_t skipped = was && is && strlen(was) + strlen(is) > 64 ? skip_common(&was, &is) : 0;
  if (skipped) snprintf(place, sizeof place, ", from number %lld on,", (long long)skipped + 1);
  return bf_fail(error, BF_BAD_INPUT, "%s%s was %s, now %s", key, place, was ? bf_text_quote(was, then) : "not given",
                 is ? bf_text_quote(is, now) : "not given");
}

static bool changes_nothing(const char *key) {
  const BfKey *row = bf_key_row(key);
  return row && row->cosmetic;
}

BfStatus bf_problem_compare(const BfProblem *then, const BfProblem *now, BfError *error) {
  const BfSettings *old = &then->settings, *new = &now->settings;
  for (int64_t k = 0; k < new->count; k++) {
    const BfSetting *x = &new->setting[k], *was = look_up(old, x->key);
    if (changes_nothing(x->key) || (!was && has_heads(old, x->key))) continue;
    if (!was || !is_same(then, was, now, x)) return tell(x->key, was ? was->value : NULL, x->value, error);
  }
  for (int64_t k = 0; k < old->count; k++) {
    const char *key = old->setting[k].key;
    if (!changes_nothing(key) && !look_up(new, key) && !has_heads(new, key))
      return tell(key, old->setting[k].value, NULL, error);
  }
  return BF_OK;
}
