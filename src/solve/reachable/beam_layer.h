/* A layer of the beam on its way: what its rounds share. */
#pragma once
#include "solve/reachable/beam.h"

/* A pair that was sent: the answer comes in the same order. */
typedef struct {
  int64_t pair; /* measure * K + action */
  double  key;
} BfSent;

typedef struct {
  int64_t sent_at, log_at; /* where the round's entries start */
  int    *sent, *got;      /* [ranks] how many */
} BfBeamRound;

/* An array that grows. */
typedef struct {
  void   *data;
  int64_t count, room;
} BfArray;

typedef struct {
  BfReachable    *x;
  int             t;
  BfReached      *from;
  int64_t         each, rounds, done; /* measures a round */
  int64_t         bytes;              /* of an item: a measure, its cost so far, its rest */
  double          limit;              /* keys above it are dropped */
  BfBeamRound    *round;
  BfArray         sent, log;    /* BfSent; int64_t numbers in the set, -1: dropped */
  BfArray         items, found; /* of a round: [bytes] each; BfSent */
  unsigned char  *successors, *out, *in;
  int64_t         in_room, out_room;
  double         *rest_of;          /* [K] */
  const int32_t **row;              /* [contexts] */
  int            *sent_at, *got_at; /* [ranks] */
  BfMeasureSet    set;
  BfArray         spent, rest; /* double, of the set's measures */
} BfBeamLayer;

/* The next round: some of this rank's measures under all actions, sent to their owners. Collective. */
BfStatus bf_beam_round(BfBeamLayer *l, BfError *error);
/* Leave the `want` least in the set, of all ranks; *most: the largest key among them, where some were dropped, else
 * as it was. Collective. */
BfStatus bf_beam_cut(BfBeamLayer *l, int64_t want, double *most, BfError *error);
/* Where each rank's part of a buffer begins, and, at [ranks], how long it is. */
static inline void bf_beam_displace(int ranks, const int count[], int at[]) {
  at[0] = 0;
  for (int r = 0; r < ranks; r++) at[r + 1] = at[r] + count[r];
}
