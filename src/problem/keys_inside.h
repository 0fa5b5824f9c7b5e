/* What keys are made of: for keys.c, keys_finish.c and keys_section.c alone. */
#pragma once
#include "keys.h"
#include "overrides.h"
#include "strict_yaml.h"

struct BfKeys {
  const char  *file; /* its name, for messages */
  BfYaml       yaml;
  BfOverrides *overrides;
  int64_t      givens, given_room;
  BfGiven     *given;
  int64_t      asked, asked_room;
  char       **ask;   /* keys that were looked up */
  BfSettings   taken; /* their values */
};
