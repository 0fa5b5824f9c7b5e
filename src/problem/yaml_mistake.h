/* What a beginner has most likely done where libyaml finds no YAML: said in the words of the file, not of the parser.
 * Pure. */
#pragma once
#include "bellformer/problem.h"

typedef struct {
  const char *problem; /* of libyaml */
  int         line;    /* where it gave up, counted from 1 */
  int         column;  /* and at which byte of it, counted from 0 */
  int         context; /* where what it was reading begins; 0: unknown */
} BfYamlFailure;

/* Fails, always, with "line 3: a tab before 'A': YAML indents with spaces". */
BfStatus bf_yaml_mistake(const BfFile *file, const BfYamlFailure *failure, BfError *error);
/* Fails where this line alone shows such a mistake. */
BfStatus bf_yaml_check_line(const BfFile *file, int line, BfError *error);
/* Blanks that look like spaces and are none, in front of a line; refused before parsing. */
BfStatus bf_yaml_check_blanks(const BfFile *file, BfError *error);
