/* Lifted states, or measures, of the reachable space as byte strings: the cells of all atoms (contexts in order, slots
 * in order), in as few bytes as a cell number needs; or, where tokens are not quantized, their coordinates. Equal
 * strings are equal measures. */
#pragma once
#include "solve/transition.h"
#include <string.h>

typedef struct {
  const BfProblem *problem;
  int64_t          slots; /* of all contexts together */
  int64_t         *first; /* [contexts] first slot of a context; owned */
  int              width; /* bytes a slot */
  int64_t          bytes; /* of a measure: slots * width, rounded up to 8 with zeros */
} BfMeasures;

BfStatus bf_measures_create(const BfProblem *problem, BfMeasures *measures, BfError *error);
void     bf_measures_clear(BfMeasures *measures);
/* mu_0. */
BfStatus bf_measures_initial(const BfMeasures *measures, unsigned char *measure, BfError *error);

static inline void bf_measures_pack(const BfMeasures *measures, unsigned char *measure, int64_t slot, int64_t cell) {
  memcpy(measure + slot * measures->width, &cell, (size_t)measures->width); /* little-endian */
}
static inline int64_t bf_measures_unpack(const BfMeasures *measures, const unsigned char *measure, int64_t slot) {
  int64_t cell = 0;
  memcpy(&cell, measure + slot * measures->width, (size_t)measures->width);
  return cell;
}

/* A context's part of a measure for a layer: scratch->z in all lanes, and the law of its slots (bf_scratch_load), which
 * borrows of scratch. */
void bf_measures_load(const BfMeasures *measures, const unsigned char *measure, int64_t s, BfScratch *scratch,
                      BfContext *law);
/* Store one lane of the images of a law, scratch->next, as the context's part of a successor. */
BfStatus bf_measures_store(const BfMeasures *measures, int64_t s, const BfContext *law, int lane, BfScratch *scratch,
                           unsigned char *measure, BfError *error);

/* The tokens of a context's part into one lane of z [slots][d][BF_LANES]: what its terminal cost is evaluated at. */
void bf_measures_tokens(const BfMeasures *measures, const unsigned char *measure, int64_t s, int lane, double *z);
/* A context's part of a measure, as a string of its own. */
void bf_measures_part(const BfMeasures *measures, const unsigned char *measure, int64_t s, const BfMeasures *alone,
                      unsigned char *part);

/* A hash of all bytes; its upper bits name the owner: ranks hold increasing ranges of hashes, so that measures sorted
 * by hash within each rank are sorted over all, in an order that does not depend on how many ranks there are. */
uint64_t                                bf_measures_hash(const BfMeasures *measures, const unsigned char *measure);
__extension__ typedef unsigned __int128 BfWide;
static inline int bf_owner(uint64_t hash, int ranks) { return (int)(((BfWide)hash * (unsigned)ranks) >> 64); }

/* ---- the distinct measures of a layer that a rank owns ------------------------------------------------------------
 */

typedef struct {
  const BfMeasures *measures;
  int64_t           count, room;
  unsigned char    *measure; /* [room][bytes] */
  uint64_t         *hash;    /* [room] */
  int64_t           slots;   /* of the table, a power of two */
  int64_t          *table;   /* [slots] number + 1, 0: free; open addressing */
} BfMeasureSet;

BfStatus bf_measure_set_create(const BfMeasures *measures, BfMeasureSet *set, BfError *error);
void     bf_measure_set_clear(BfMeasureSet *set);
/* The number of the measure in the set, which gains it if it is new. States of equal hash are compared byte for byte.
 */
BfStatus bf_measure_set_insert(BfMeasureSet *set, const unsigned char *measure, int64_t *number, BfError *error);
/* Its number, or -1: the set does not have it. */
int64_t bf_measure_set_find(const BfMeasureSet *set, const unsigned char *measure);
/* Make measures findable again after a sort. */
BfStatus bf_measure_set_index(BfMeasureSet *set, BfError *error);
/* Sort by (hash, bytes); position[old number] becomes the new number. The lookup table is given up. */
BfStatus bf_measure_set_sort(BfMeasureSet *set, int64_t **position, BfError *error);
