/* Planes of cells that were asked for, with their proofs: what a rank has made, and what all ranks know. */
#pragma once
#include "certify/minorant.h"

typedef struct {
  BfPlaneName name;
  bool        proved;
  bool        known;        /* to all ranks */
  int64_t     task;         /* of this rank, that asked for it last */
  int64_t     boxes;        /* of the search */
  int64_t     first, bytes; /* in `record` */
} BfProof;

typedef struct {
  int64_t  count, room;
  BfProof *proof;
  BfBytes  record;
  int64_t  slots; /* a power of 2, or 0 */
  int64_t *slot;  /* [slots] 1 + the proof that stands there, by its name; 0: none */
  int64_t  known, known_room;
  int64_t *order; /* [known] proofs that all ranks know, in the order in which tasks asked for them */
} BfProofs;

void bf_proofs_clear(BfProofs *x);
/* The proof of that name; -1: there is none. */
int64_t bf_proofs_find(const BfProofs *x, const BfPlaneName *name);
/* One more, whose record is the last `bytes` of x->record. */
BfStatus bf_proofs_add(BfProofs *x, const BfPlaneName *name, bool proved, int64_t boxes, int64_t bytes, BfError *error);
/* It is known to all, behind those that are. */
BfStatus bf_proofs_know(BfProofs *x, int64_t proof, BfError *error);
/* A proof as bytes that another rank, or a later start, takes: behind those that are in `out`. */
BfStatus bf_proofs_pack(const BfProofs *x, int64_t proof, BfBytes *out, BfError *error);
/* Takes one from bytes [count]; *used: how many it is of. BF_BAD_INPUT where they are none. */
BfStatus bf_proofs_unpack(BfProofs *x, const uint8_t bytes[], int64_t count, int64_t *used, BfError *error);
