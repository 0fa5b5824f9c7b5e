/* Where R and b of a readout come from. A new kind: a file that defines `const BfReadoutKind bf_readout_NAME`, and a
 * line here. */
#pragma once
#include "bellformer/cost.h"

typedef struct {
  BfKind base;
  /* Read cost.readout.* into matrix, bias, classes and readouts of the cost. classes: as given, or 0. Where the classes
   * are the data's and these have none, nothing is read. */
  BfStatus (*read)(BfCost *cost, const BfKeyReader *keys, int64_t classes, const BfCostData *data, BfError *error);
} BfReadoutKind;

#define BF_READOUT_KINDS(KIND) KIND(fixed) KIND(decision) KIND(trained)

#define BF_DECLARE_READOUT_KIND(kind) extern const BfReadoutKind bf_readout_##kind;
BF_READOUT_KINDS(BF_DECLARE_READOUT_KIND)
#undef BF_DECLARE_READOUT_KIND

extern const BfReadoutKind *const bf_readout_kinds[];       /* ends with NULL */
extern const BfFamily             bf_readout_family;        /* cost.readout.kind */
extern const BfFamily             bf_readout_source_family; /* matrix and bias, or a file */

/* What every cost with a readout lists among its keys. */
#define BF_READOUT_KEYS                                                                                                \
  {.name = "cost.readout.kind"},                                                                                       \
      {"cost.readout.matrix", "numbers", NULL, "R, d numbers for each class; of a decision one R after the other"},    \
      {"cost.readout.bias", "numbers", "0", "b, a number for each class of each readout, or one for all"},             \
      {"cost.readout.matrix.range", "numbers", NULL, "least and most of every number of R, or a pair for each"},       \
      {"cost.readout.bias.range", "numbers", "0,0", "least and most of every number of b, or a pair for each"},        \
      {"cost.readout.classes",                                                                                         \
       "integer",                                                                                                      \
       "those of the data",                                                                                            \
       "C; of a fixed readout as many as the matrix has rows",                                                         \
       .least = 1,                                                                                                     \
       .most  = 1000001},                                                                                               \
  {                                                                                                                    \
    "cost.readout.file", "file", "none", "a CSV, a row for each readout: R (C d numbers), then b (C)"                  \
  }

/* The keys of readouts that are given as numbers. */
#define BF_READOUT_GIVEN                                                                                               \
  {.name = "cost.readout.matrix"}, { .name = "cost.readout.bias" }

/* Rows of R and b of cost.readout.file, for so many classes, into matrix, bias, classes and readouts. */
BfStatus bf_readout_rows(BfCost *cost, const BfKeyReader *keys, int64_t classes, BfError *error);
/* Once matrix, classes and readouts are there: cost.readout.bias, 0 where it is not given. */
BfStatus bf_readout_bias(BfCost *cost, const BfKeyReader *keys, BfError *error);
