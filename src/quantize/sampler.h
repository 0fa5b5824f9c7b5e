/* How the set U_k of controls is chosen: a family of kinds (bellformer/kind.h). A new one: a file that defines
 * `const BfSampler bf_sampler_NAME`, and a line in BF_SAMPLERS. Pure. */
#pragma once
#include "bellformer/kind.h"
#include "bellformer/quantize.h"

/* Every kind, in the order in which users are told of them. */
#define BF_SAMPLERS(KIND)                                                                                              \
  KIND(grid)                                                                                                           \
  KIND(sample)                                                                                                         \
  KIND(halton)                                                                                                         \
  KIND(file)

/* The box U, as a sampler finds it; all arrays are [q] and borrowed. */
typedef struct {
  int                q;
  double            *lower, *upper; /* of a number that has no range (of a sampler that spans): to be set */
  const int         *ranged;        /* whether a number has a range */
  const int         *levels;        /* of a sampler that takes them; else unspecified */
  const char *const *matrix;        /* the name of the matrix that a number stands in */
  double             bytes, room;   /* that a control takes in memory, and that a rank may take */
} BfControlBox;

/* Points of a sampler in another box than U: those of its sequence from number `first` on, where it has one; levels of
 * one that takes them, whose product `count` then is. All arrays are [q]. */
typedef struct {
  int           q;
  const double *lower, *upper;
  const int    *levels;
  int64_t       first, count;
  uint64_t      seed;
} BfControlPart;

typedef struct {
  BfKind base;
  bool   takes_levels; /* every number has levels */
  bool   spans;        /* it does without ranges: the box is what its points span there */
  /* K points, *count of them below 2^31, and u, count rows of q, to be freed with bf_free. */
  BfStatus (*make)(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, double **u, BfError *error);
  /* part->count points into u [count][q]. NULL: its points are what they are. */
  BfStatus (*lay)(const BfControlPart *part, double u[], BfError *error);
} BfSampler;

#define BF_DECLARE_SAMPLER(kind) extern const BfSampler bf_sampler_##kind;
BF_SAMPLERS(BF_DECLARE_SAMPLER)
#undef BF_DECLARE_SAMPLER

extern const BfFamily bf_sampler_family;
const BfSampler      *bf_sampler(int kind);               /* its number in the family; NULL behind the last */
const BfSampler      *bf_sampler_named(const char *name); /* NULL for an unknown name */
