/* The kinds of terminal cost: those of the program, then those of plug-ins. */
#include "cost_kind.h"

#include <ctype.h>
#include <string.h>

enum { MOST = 31 }; /* a choice has a bit for each */

#define ADDRESS(kind) &bf_cost_##kind,
static const BfCostKind *kinds[MOST + 1] = {BF_COST_KINDS(ADDRESS)}; /* ends with NULL */

static const BfKind *kind_at(int k) { return k < MOST && kinds[k] ? &kinds[k]->base : NULL; }

static const BfKey kind_key       = {"cost.terminal", "word", NULL, "what tokens cost after the last layer, see below"};
const BfFamily     bf_cost_family = {.key = &kind_key, .kind = kind_at};

const BfCostKind *bf_cost_kind(const char *name) {
  const int k = bf_kind_find(kind_at, name);
  return k < 0 ? NULL : kinds[k];
}

static bool is_word(const char *name) {
  const char *at = name;
  while (*at == '_' || isalnum((unsigned char)*at)) at++;
  return at > name && !*at && !isdigit((unsigned char)*name);
}

BfStatus bf_cost_register(const BfCostKind *kind, BfError *error) {
  const char *name  = kind->base.name;
  int         count = 0;
  if (kind->version != BF_KIND_VERSION)
    return bf_fail(error, BF_BAD_INPUT, "cost.terminal %s is of interface version %d, this program has %d",
                   name ? name : "", kind->version, BF_KIND_VERSION);
  if (!name || !is_word(name))
    return bf_fail(error, BF_BAD_INPUT, "a cost.terminal is called '%s', which is no word", name ? name : "");
  if (bf_cost_kind(name)) return bf_fail(error, BF_BAD_INPUT, "there is a cost.terminal %s already", name);
  if (!kind->evaluate) return bf_fail(error, BF_BAD_INPUT, "cost.terminal %s has no function evaluate", name);
  const int bounds = !!kind->features + !!kind->bound + !!kind->support + !!kind->upper + !!kind->reads;
  if (bounds != 0 && bounds != 5)
    return bf_fail(error, BF_BAD_INPUT,
                   "cost.terminal %s has some of features, bound, support, upper and reads: all or none", name);
  for (const BfKey *key = kind->base.keys; key && key->name; key++)
    if (strncmp(key->name, "cost.", 5))
      return bf_fail(error, BF_BAD_INPUT, "cost.terminal %s: the key %s does not begin with cost.", name, key->name);
  while (kinds[count]) count++;
  if (count == MOST) return bf_fail(error, BF_BAD_INPUT, "cost.terminal %s: there are %d kinds already", name, MOST);
  kinds[count] = kind;
  return BF_OK;
}
