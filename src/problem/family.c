#include "family.h"
#include "bellformer/form.h"
#include "run/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands for a list of numbers, as bf_keys_in_file has it. */
static const char list[] = "[]";

/* What a settled family says to the given keys. */
typedef struct {
  const BfFamily *family;
  unsigned        kinds, of_file; /* a bit for each kind: chosen, and by the file alone (0: unknown) */
  const char     *matrix;         /* keys of this matrix alone, or NULL */
  char            where[160];     /* "action.kind is grid" */
} Verdict;

int bf_family_find(const BfFamily *family, const char *text) {
  int kind, last = -1;
  if (!text && family->key) text = family->key->fallback;
  if (text && (kind = bf_kind_find(family->kind, text)) >= 0) return kind;
  while (family->kind(last + 1)) last++;
  return family->open ? last : -1;
}

/* Whether a kind's list has the key: by its row, or as one of a matrix that is named as a whole. */
static int uses(const BfKind *kind, const BfKeyName *name) {
  for (const BfKey *key = kind->keys; key && key->name; key++) {
    const char *used = key->name, *matrix = used + strlen("control.");
    if (!strcmp(used, name->row->name)) return 1;
    const size_t family = strcspn(name->matrix, "_");
    if (!strncmp(used, "control.", 8) && family && !strncmp(matrix, name->matrix, family) && !matrix[family]) return 1;
  }
  return 0;
}

/* Whether one of these kinds, a bit each, uses the key. */
static int one_uses(const BfFamily *family, unsigned kinds, const BfKeyName *name) {
  for (int k = 0; family->kind(k); k++)
    if (kinds >> k & 1 && uses(family->kind(k), name)) return 1;
  return 0;
}

static BfStatus judge(BfKeys *keys, const Verdict *verdict, BfError *error) {
  const BfFamily *family  = verdict->family;
  const unsigned  changed = verdict->of_file != verdict->kinds ? verdict->of_file : 0;
  const BfGiven  *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    if (verdict->matrix && strcmp(verdict->matrix, given->name.matrix)) continue;
    if (!one_uses(family, ~0u, &given->name) || one_uses(family, verdict->kinds, &given->name)) continue;
    if (family->number && bf_keys_pass_default(keys, given)) continue;
    if (given->on_line || !one_uses(family, changed, &given->name))
      return bf_keys_refuse(keys, given, error, "where %s", verdict->where);
    bf_keys_set_aside(keys, given);
  }
  return BF_OK;
}

/* A kind's bit; none for -1. */
static unsigned bit(int kind) { return kind < 0 ? 0 : 1u << kind; }

BfStatus bf_family_settle(BfKeys *keys, const BfFamily *family, const char *text, BfError *error) {
  const int kind    = bf_family_find(family, text),
            of_file = bf_family_find(family, bf_keys_in_file(keys, family->key->name));
  Verdict verdict   = {.family = family, .kinds = bit(kind), .of_file = bit(of_file)};
  if (kind < 0) return bf_fail(error, BF_FAILURE, "%s: no kind '%s' is registered", family->key->name, text);
  snprintf(verdict.where, sizeof verdict.where, "%s is %s", family->key->name, family->kind(kind)->name);
  return judge(keys, &verdict, error);
}

/* "must be grid, sample or file, got 'x'"; "must be one of ..." where there is no fallback. */
static BfStatus fail_unknown(BfKeys *keys, const BfFamily *family, const char *text, BfError *error) {
  const bool    must       = !family->key->fallback;
  char          kinds[512] = "", quote[BF_QUOTE];
  const BfKind *kind;
  for (int k = 0; (kind = family->kind(k)); k++) {
    const size_t used      = strlen(kinds);
    const char  *separator = !k ? "" : must || family->kind(k + 1) ? ", " : " or ";
    snprintf(kinds + used, sizeof kinds - used, "%s%s", separator, kind->name);
  }
  return bf_key_fail(keys, family->key->name, error, "must be %s%s, got '%s'%s", must ? "one of " : "", kinds,
                     bf_text_quote(text, quote), bf_text_hint(text));
}

/* What is neither the name of a kind nor, where the last stands for numbers, numbers. */
static bool is_unknown(const BfFamily *family, const char *text) {
  const int kind = bf_family_find(family, text);
  double    number;
  if (kind < 0 || !family->open || !strcmp(text, family->kind(kind)->name)) return kind < 0;
  return strcmp(text, list) && !strchr(text, ',') && bf_text_number(text, &number);
}

BfStatus bf_family_choose(BfKeys *keys, const BfFamily *family, int *kind, BfError *error) {
  const char *text;
  BfError     not_text = {0};
  if (!family->key) return bf_family_settle_given(keys, family, kind, error);
  if (bf_key_text(keys, family->key->name, &text, &not_text) != BF_OK) {
    if (!family->open || family->number) return *error = not_text, error->status;
    text = list;
  }
  if (is_unknown(family, text)) return fail_unknown(keys, family, text, error);
  *kind = bf_family_find(family, text);
  return bf_family_settle(keys, family, text, error);
}

/* Whether a kind's own key is given: on the command line, or in the file. */
static int given_kind(const BfKeys *keys, const BfFamily *family, int on_line) {
  for (int k = 0; family->kind(k); k++) {
    const BfGiven *given;
    for (int64_t at = 0; (given = bf_keys_next(keys, &at));)
      if (given->on_line == on_line && !strcmp(given->name.row->name, family->kind(k)->name)) return k;
  }
  return -1;
}

BfStatus bf_family_settle_given(BfKeys *keys, const BfFamily *family, int *kind, BfError *error) {
  const int on_line = given_kind(keys, family, 1), of_file = given_kind(keys, family, 0);
  int       last = 0;
  while (family->kind(last + 1)) last++;
  *kind           = on_line >= 0 ? on_line : of_file >= 0 ? of_file : last;
  Verdict verdict = {.family = family, .kinds = bit(*kind), .of_file = bit(of_file)};
  snprintf(verdict.where, sizeof verdict.where, "%s is given", family->kind(*kind)->name);
  return judge(keys, &verdict, error);
}

BfStatus bf_family_settle_matrix(BfKeys *keys, const char *matrix, const char *where, unsigned forms, unsigned of_file,
                                 BfError *error) {
  Verdict verdict = {.family = &bf_form_family, .kinds = forms, .of_file = of_file, .matrix = matrix};
  snprintf(verdict.where, sizeof verdict.where, "%s", where);
  return judge(keys, &verdict, error);
}

/* The digits of "A_12", where the term has a matrix A for each of a number that its key says; else NULL. */
static const char *head_of(const BfTermKind *term, const char *matrix) {
  for (const char *const *name = term->matrices; *name; name++) {
    const size_t length = strlen(*name);
    if ((*name)[length - 1] == '_' && !strncmp(matrix, *name, length)) return matrix + length;
  }
  return NULL;
}

BfStatus bf_family_settle_heads(BfKeys *keys, const BfTermKind *term, BfError *error) {
  const BfKey   *key  = term->family->key;
  const char    *text = bf_settings_find(bf_keys_taken(keys), key->name), *file = bf_keys_in_file(keys, key->name);
  const char    *or_default = file ? file : key->fallback;
  const BfGiven *given;
  int64_t        heads, of_file;
  if (!text || bf_text_integer(text, &heads)) return BF_OK;
  if (!or_default || bf_text_integer(or_default, &of_file) || !bf_key_allows(key, (double)of_file)) of_file = heads;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    const char *head = head_of(term, given->name.matrix);
    if (!head || atoi(head) < heads) continue;
    if (given->on_line || of_file == heads || atoi(head) >= of_file)
      return bf_keys_refuse(keys, given, error, "where %s is %s", key->name, text);
    bf_keys_set_aside(keys, given);
  }
  return BF_OK;
}
