/* The events of a YAML file, one by one, as libyaml finds them; what a line would hide (anchors, aliases, tags) is
 * refused, and libyaml's errors are told in the words of the file. Errors read "line 3: ...". Pure. */
#pragma once
#include "bellformer/problem.h"
#include <stdbool.h>
#include <yaml.h>

typedef struct {
  const BfFile *file; /* borrowed */
  yaml_parser_t parser;
  yaml_event_t  event; /* the one that bf_yaml_next fetched; owned */
  bool          open;
} BfYamlStream;

/* Any bytes may come in. To be closed also after a failure. */
BfStatus bf_yaml_open(BfYamlStream *stream, const BfFile *file, BfError *error);
void     bf_yaml_close(BfYamlStream *stream);
BfStatus bf_yaml_next(BfYamlStream *stream, BfError *error);
int      bf_yaml_line(const BfYamlStream *stream);    /* of the event, counted from 1 */
bool     bf_yaml_is_null(const BfYamlStream *stream); /* a value that is none: "", ~, null */
