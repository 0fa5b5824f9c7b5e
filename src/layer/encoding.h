/* e_p of a layer: a family of kinds, data.position_encoding. A new one: a file that defines `const BfEncoding
 * bf_encoding_NAME`, and a line in BF_ENCODINGS. */
#pragma once
#include "bellformer/layer.h"

/* In the order in which users are told of them; the last takes whatever numbers the key says. */
#define BF_ENCODINGS(KIND)                                                                                             \
  KIND(none)                                                                                                           \
  KIND(sinusoidal)                                                                                                     \
  KIND(list)

struct BfEncoding {
  BfKind      base;
  const char *word; /* what a result says of it */
  /* Its keys; NULL: it has none. positions: that the data have. A kind with a formula reads its amplitude, another one
   * fills layer->encoding and layer->positions. */
  BfStatus (*read)(const BfKeyReader *keys, int positions, BfLayer *layer, double *amplitude, BfError *error);
  /* The formula: row [dim] of position p. NULL: there is none, and no more rows than those that were read. */
  void (*row)(double amplitude, int dim, int p, double *row);
};

#define BF_DECLARE_ENCODING(kind) extern const BfEncoding bf_encoding_##kind;
BF_ENCODINGS(BF_DECLARE_ENCODING)
#undef BF_DECLARE_ENCODING

extern const BfFamily bf_encoding_family;
const BfEncoding     *bf_encoding_at(int k); /* its number in the family; NULL behind the last */

/* Rows of positions 0 .. positions-1 at least, where there is a formula, and an amplitude other than 0; else nothing
 * changes. */
BfStatus bf_encoding_extend(const BfEncoding *kind, double amplitude, int positions, BfLayer *layer, BfError *error);
