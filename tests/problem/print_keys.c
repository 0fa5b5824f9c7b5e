/* Every key that the program knows, for the comparison with share/doc/keys.md: name, type, default, range, where it is
 * used, meaning; separated by tabs. */
#include "../../src/problem/family.h"

#include <stdio.h>
#include <string.h>

static int has(const BfKind *kind, const char *name) {
  for (const BfKey *key = kind->keys; key && key->name; key++)
    if (!strcmp(key->name, name)) return 1;
  return 0;
}

/* "action.kind: sample"; of a choice by which key is given: "without quantize.codebook". Returns whether it says
 * anything. */
static int print_choice(const BfFamily *family, const char *key, const char *separator) {
  const BfKind *kind;
  int           used = 0;
  for (int k = 0; (kind = family->kind(k)); k++) used += has(kind, key);
  if (!used) return 0;
  printf("%s%s", separator, family->key ? family->key->name : "without");
  separator = family->key ? ": " : " ";
  for (int k = 0; (kind = family->kind(k)); k++) {
    if (has(kind, key) == !family->key) continue;
    printf("%s%s", separator, kind->name);
    separator = ", ";
  }
  return 1;
}

/* Whether a walk has met a key of that name before. */
static int met_before(const BfKey *key) {
  const BfKey *other;
  for (BfKeyWalk walk = {0}; (other = bf_key_next(&walk)) != key;)
    if (!strcmp(other->name, key->name)) return 1;
  return 0;
}

int main(void) {
  const BfKey *key;
  char         meaning[1024], range[BF_RANGE];
  for (BfKeyWalk walk = {0}; (key = bf_key_next(&walk));) {
    if (met_before(key)) continue;
    bf_key_range(key, range);
    printf("%s\t%s\t%s\t%s\t", key->name, key->type, key->fallback ? key->fallback : "required", range);
    for (int c = 0, said = 0; bf_family_at(c); c++) said |= print_choice(bf_family_at(c), key->name, said ? "; " : "");
    bf_key_meaning(key, sizeof meaning, meaning);
    printf("\t%s\n", meaning);
  }
  return 0;
}
