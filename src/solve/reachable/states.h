/* Lifted states of the reachable space as byte strings: the cells of all atoms (contexts in order, slots in order), in
 * as few bytes as a cell number needs; or, where tokens are not quantized, their coordinates. Equal strings are equal
 * measures. */
#pragma once
#include "solve/transition.h"
#include <string.h>

typedef struct {
  const BfProblem *problem;
  int64_t          slots; /* of all contexts together */
  int64_t         *first; /* [contexts] first slot of a context; owned */
  int              width; /* bytes a slot */
  int64_t          bytes; /* of a state: slots * width, rounded up to 8 with zeros */
} BfStates;

BfStatus bf_states_create(const BfProblem *problem, BfStates *states, BfError *error);
void     bf_states_clear(BfStates *states);
/* mu_0. */
BfStatus bf_states_initial(const BfStates *states, unsigned char *state, BfError *error);

static inline void bf_pack(const BfStates *states, unsigned char *state, int64_t slot, int64_t cell) {
  memcpy(state + slot * states->width, &cell, (size_t)states->width); /* little-endian */
}
static inline int64_t bf_unpack(const BfStates *states, const unsigned char *state, int64_t slot) {
  int64_t cell = 0;
  memcpy(&cell, state + slot * states->width, (size_t)states->width);
  return cell;
}

/* z of a context's slots in all lanes. */
void bf_states_load(const BfStates *states, const unsigned char *state, int64_t s, BfScratch *scratch);
/* Store one lane of a layer's images as the context's part of a successor. */
BfStatus bf_states_store(const BfStates *states, int64_t s, int lane, BfScratch *scratch, unsigned char *state,
                         BfError *error);

/* A hash of all bytes; its upper bits name the owner: ranks hold increasing ranges of hashes, so that states sorted by
 * hash within each rank are sorted over all, in an order that does not depend on how many ranks there are. */
uint64_t                                bf_states_hash(const BfStates *states, const unsigned char *state);
__extension__ typedef unsigned __int128 BfWide;
static inline int bf_owner(uint64_t hash, int ranks) { return (int)(((BfWide)hash * (unsigned)ranks) >> 64); }

/* ---- the distinct states of a layer that a rank owns ------------------------------------------------------------ */

typedef struct {
  const BfStates *states;
  int64_t         count, room;
  unsigned char  *state; /* [room][bytes] */
  uint64_t       *hash;  /* [room] */
  int64_t         slots; /* of the table, a power of two */
  int64_t        *table; /* [slots] number + 1, 0: free; open addressing */
} BfStateSet;

BfStatus bf_set_create(const BfStates *states, BfStateSet *set, BfError *error);
void     bf_set_clear(BfStateSet *set);
/* The number of the state in the set, which gains it if it is new. States of equal hash are compared byte for byte. */
BfStatus bf_set_insert(BfStateSet *set, const unsigned char *state, int64_t *number, BfError *error);
/* Make states findable again after a sort. */
BfStatus bf_set_index(BfStateSet *set, BfError *error);
/* Sort by (hash, bytes); position[old number] becomes the new number. The lookup table is given up. */
BfStatus bf_set_sort(BfStateSet *set, int64_t **position, BfError *error);
