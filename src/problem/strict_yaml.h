/* A YAML file as a flat list of dotted keys, read strictly: what libraries pass over in silence is an error here, with
 * its line: a key given twice, lists of lists, anchors, aliases, tags (`!include`), a second document, keys without a
 * value. Pure. */
#pragma once
#include "bellformer/problem.h"

typedef enum { BF_YAML_MAP, BF_YAML_SCALAR, BF_YAML_LIST } BfYamlKind;

typedef struct {
  char      *key;  /* "control.A.range" */
  int        line; /* counted from 1 */
  BfYamlKind kind;
  int64_t    count; /* values: 1 of a scalar, any number of a list, 0 of a map */
  int64_t    room;
  char     **value;
  int        read, aside; /* for whoever keeps track */
} BfYamlEntry;

typedef struct {
  int64_t      count, room;
  BfYamlEntry *entry; /* in the order of the file, a map before what it holds */
} BfYaml;

/* Errors read "xor.yaml: line 3: ...". Any bytes may come in. */
BfStatus     bf_yaml_parse(const BfFile *file, BfYaml *out, BfError *error);
void         bf_yaml_clear(BfYaml *yaml);
BfYamlEntry *bf_yaml_find(const BfYaml *yaml, const char *key); /* NULL: not there */
