/* Small problems of heads, from memory, and laws at random. */
#pragma once
#include "bellformer/run.h"
#include "heads/heads.h"
#include <stdint.h>

typedef struct {
  const char *name;
  const char *keys;  /* "key=value;key=value;...", beside those that all have */
  const char *table; /* CSV */
} Case;

extern const Case cases[]; /* NULL behind the last */

/* The problem of a case with H heads. Collective. */
BfProblem *make_case(const Case *c, int heads, BfError *error);
/* Free numbers of a head of the whole law, by layer and head alone: normal about, of that deviation. */
void fill_law(BfHeadLaw *law, double deviation);
/* A number in [-1, 1) of a place. */
double noise(uint64_t a, uint64_t b);
