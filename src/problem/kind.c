#include "kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a settled choice says to the given keys. */
typedef struct {
  const BfChoice *choice;
  unsigned        kinds, of_file; /* a bit for each kind: chosen, and by the file alone (0: unknown) */
  const char     *matrix;         /* keys of this matrix alone, or NULL */
  char            where[160];     /* "action.kind is grid" */
} Verdict;

int bf_kind_find(const BfChoice *choice, const char *text) {
  int last = -1;
  if (!text) text = choice->fallback;
  for (int k = 0; text && choice->kind[k].name; k++) {
    if (!strcmp(choice->kind[k].name, text)) return k;
    last = k;
  }
  return choice->open && text ? last : -1;
}

/* Whether a kind's list has the key: by its row, or as one of a matrix that is named as a whole. */
static int uses(const BfKind *kind, const BfKeyName *name) {
  for (int k = 0; kind->uses[k]; k++) {
    const char *used = kind->uses[k], *matrix = used + strlen("control.");
    if (!strcmp(used, name->row->name)) return 1;
    const size_t family = strcspn(name->matrix, "_");
    if (!strncmp(used, "control.", 8) && family && !strncmp(matrix, name->matrix, family) && !matrix[family]) return 1;
  }
  return 0;
}

/* Whether one of these kinds, a bit each, uses the key. */
static int one_uses(const BfChoice *choice, unsigned kinds, const BfKeyName *name) {
  for (int k = 0; choice->kind[k].name; k++)
    if (kinds >> k & 1 && uses(&choice->kind[k], name)) return 1;
  return 0;
}

static BfStatus judge(BfKeys *keys, const Verdict *verdict, BfError *error) {
  const BfChoice *choice  = verdict->choice;
  const unsigned  changed = verdict->of_file != verdict->kinds ? verdict->of_file : 0;
  const BfGiven  *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    if (verdict->matrix && strcmp(verdict->matrix, given->name.matrix)) continue;
    if (!one_uses(choice, ~0u, &given->name) || one_uses(choice, verdict->kinds, &given->name)) continue;
    if (choice->number && bf_keys_pass_default(keys, given)) continue;
    if (given->on_line || !one_uses(choice, changed, &given->name))
      return bf_keys_refuse(keys, given, error, "where %s", verdict->where);
    bf_keys_set_aside(keys, given);
  }
  return BF_OK;
}

/* A kind's bit; none for -1. */
static unsigned bit(int kind) { return kind < 0 ? 0 : 1u << kind; }

BfStatus bf_kind_settle(BfKeys *keys, const BfChoice *choice, const char *text, BfError *error) {
  const int kind = bf_kind_find(choice, text), of_file = bf_kind_find(choice, bf_keys_in_file(keys, choice->key));
  Verdict   verdict = {.choice = choice, .kinds = bit(kind), .of_file = bit(of_file)};
  if (kind < 0) return bf_fail(error, BF_FAILURE, "%s: no kind '%s' is registered", choice->key, text);
  snprintf(verdict.where, sizeof verdict.where, "%s is %s", choice->key, choice->kind[kind].name);
  return judge(keys, &verdict, error);
}

/* Whether a kind's own key is given: on the command line, or in the file. */
static int given_kind(const BfKeys *keys, const BfChoice *choice, int on_line) {
  for (int k = 0; choice->kind[k].name; k++) {
    const BfGiven *given;
    for (int64_t at = 0; (given = bf_keys_next(keys, &at));)
      if (given->on_line == on_line && !strcmp(given->name.row->name, choice->kind[k].name)) return k;
  }
  return -1;
}

BfStatus bf_kind_settle_given(BfKeys *keys, const BfChoice *choice, int *kind, BfError *error) {
  const int on_line = given_kind(keys, choice, 1), of_file = given_kind(keys, choice, 0);
  int       last = 0;
  while (choice->kind[last + 1].name) last++;
  *kind           = on_line >= 0 ? on_line : of_file >= 0 ? of_file : last;
  Verdict verdict = {.choice = choice, .kinds = bit(*kind), .of_file = bit(of_file)};
  snprintf(verdict.where, sizeof verdict.where, "%s is given", choice->kind[*kind].name);
  return judge(keys, &verdict, error);
}

BfStatus bf_kind_settle_matrix(BfKeys *keys, const char *matrix, const char *where, unsigned forms, unsigned of_file,
                               BfError *error) {
  Verdict verdict = {.choice = &bf_choice_form, .kinds = forms, .of_file = of_file, .matrix = matrix};
  snprintf(verdict.where, sizeof verdict.where, "%s", where);
  return judge(keys, &verdict, error);
}

BfStatus bf_kind_settle_heads(BfKeys *keys, int heads, int of_file, BfError *error) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    const char *number = strchr(given->name.matrix, '_');
    if (!number || atoi(number + 1) < heads) continue;
    if (given->on_line || of_file == heads || atoi(number + 1) >= of_file)
      return bf_keys_refuse(keys, given, error, "where layer.heads is %d", heads);
    bf_keys_set_aside(keys, given);
  }
  return BF_OK;
}
