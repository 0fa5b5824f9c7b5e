/* A YAML file as a tree, read as strictly as a problem: anchors, aliases, tags, a second document, keys given twice and
 * keys without a value are errors. Pure. */
#pragma once
#include "bellformer/problem.h"

typedef enum { BF_TREE_TEXT, BF_TREE_LIST, BF_TREE_MAP } BfTreeKind;

typedef struct BfTree {
  BfTreeKind     kind;
  int            line; /* counted from 1 */
  char          *key;  /* of an entry of a map; NULL elsewhere */
  char          *text; /* NULL of lists and maps */
  int64_t        count, room;
  struct BfTree *child; /* [count] items of a list, entries of a map */
} BfTree;

/* The top level is a map. Any bytes may come in; errors read "line 3: ...". Clear it also after a failure. */
BfStatus bf_tree_parse(const BfFile *file, BfTree *out, BfError *error);
void     bf_tree_clear(BfTree *tree);
/* The entry of a map; NULL: not there. */
const BfTree *bf_tree_find(const BfTree *map, const char *key);
