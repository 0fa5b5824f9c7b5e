/* Every key that the program knows, for the comparison with share/doc/keys.md: name, type, default, where it is used;
 * separated by tabs. */
#include "../../src/problem/kind.h"

#include <stdio.h>
#include <string.h>

static int has(const BfKind *kind, const char *key) {
  for (int k = 0; kind->uses[k]; k++)
    if (!strcmp(kind->uses[k], key)) return 1;
  return 0;
}

/* "action.kind: sample"; of a choice by which key is given: "without quantize.codebook". */
static void print_choice(const BfChoice *choice, const char *key, const char *separator) {
  int used = 0;
  for (const BfKind *kind = choice->kind; kind->name; kind++) used += has(kind, key);
  if (!used) return;
  printf("%s%s", separator, choice->key ? choice->key : "without");
  separator = choice->key ? ": " : " ";
  for (const BfKind *kind = choice->kind; kind->name; kind++) {
    if (has(kind, key) == !choice->key) continue;
    printf("%s%s", separator, kind->name);
    separator = ", ";
  }
}

int main(void) {
  for (const BfKeyRow *row = bf_key_rows; row->name; row++) {
    int choices = 0;
    printf("%s\t%s\t%s\t", row->name, row->type, row->fallback ? row->fallback : "required");
    for (int c = 0; bf_choices[c]; c++) {
      int used = 0;
      for (const BfKind *kind = bf_choices[c]->kind; kind->name; kind++) used |= has(kind, row->name);
      print_choice(bf_choices[c], row->name, choices ? "; " : "");
      choices += used;
    }
    printf("\n");
  }
  return 0;
}
