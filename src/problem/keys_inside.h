/* What keys are made of: for keys.c, keys_finish.c and keys_section.c alone. */
#pragma once
#include "keys.h"
#include "overrides.h"
#include "strict_yaml.h"

/* A key that was looked up. */
typedef struct {
  char        *key;
  const BfKey *row;
} BfAsked;

struct BfKeys {
  const char  *file; /* its name, for messages */
  BfYaml       yaml;
  BfOverrides *overrides;
  int64_t      givens, given_room;
  BfGiven     *given;
  int64_t      asked, asked_room;
  BfAsked     *ask;
  BfSettings   taken; /* their values */
};
