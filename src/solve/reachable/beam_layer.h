/* A layer of the beam on its way: what its rounds share. */
#pragma once
#include "solve/reachable/beam.h"

/* A pair that was sent: the answer comes in the same order. */
typedef struct {
  int64_t pair; /* measure * K + action */
  double  key;
} BfSent;

/* What was received: the same pair at its owner. */
typedef struct {
  int64_t number; /* in the set; -1: dropped */
  double  key;
} BfLogged;

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
  int64_t        *order;        /* [from->count] of their expansion: first those that a checkpoint knows */
  int64_t         expanded;     /* how many are */
  int64_t         each;         /* measures of the next round */
  int64_t         bytes;        /* of an item: a measure, its cost so far, its rest */
  double          limit;        /* keys above it are dropped */
  double          tolerance;    /* bf_alone_tolerance */
  BfArray         round;        /* BfBeamRound: as many on all ranks */
  BfArray         sent, log;    /* BfSent; BfLogged */
  BfArray         items, found; /* of a round: [bytes] each; BfSent */
  unsigned char  *successors, *out, *in;
  int64_t         in_room, out_room;
  double         *rest_of;          /* [K] */
  const int32_t **row;              /* [contexts] */
  int            *sent_at, *got_at; /* [ranks] */
  BfMeasureSet    set;
  BfArray         spent, rest; /* double, of the set's measures */
} BfBeamLayer;

/* A round: some of this rank's measures under all actions, sent to their owners. Collective. */
BfStatus bf_beam_round(BfBeamLayer *l, BfError *error);
/* Leave the `want` least in the set, of all ranks; *most: the largest key among them, where some were dropped, else
 * as it was. Collective. */
BfStatus bf_beam_cut(BfBeamLayer *l, int64_t want, double *most, BfError *error);
/* Room for some more entries, of `size` bytes, behind those that are there. Local. */
BfStatus bf_array_grow(BfArray *array, int64_t more, int64_t size, BfError *error);

/* Whether a pair is an edge, as far as is known: its successor is kept, its key not above the limit and, once something
 * is dropped, not above its successor's by more than rounding, so that it may be on a path that is best. */
static inline bool bf_beam_is_edge(const BfBeamLayer *l, const BfLogged *pair) {
  const double *spent = l->spent.data, *rest = l->rest.data;
  if (pair->number < 0 || pair->key > l->limit) return false;
  return isinf(l->limit) || pair->key <= spent[pair->number] + rest[pair->number] + l->tolerance;
}
/* Forget all pairs that are no edges, where they came from and at their owners; one round is left. Collective. */
BfStatus bf_beam_forget(BfBeamLayer *l, BfError *error);

/* A further round, without anything in it. Local. */
BfStatus bf_beam_add_round(BfBeamLayer *l, BfBeamRound **round, BfError *error);

/* Sort the set and number it over all ranks; the log and what belongs to measures follow. The set is to be indexed
 * before more is inserted. Collective. */
BfStatus bf_beam_number(BfBeamLayer *l, int64_t *offset, int64_t *total, BfError *error);
typedef struct {
  int64_t *first; /* [from->count + 1] */
  BfEdge  *edge;  /* [first[from->count]], by measure */
  double  *key;   /* the same */
} BfBeamEdges;
/* Owners tell the numbers of what they received. What was not kept, or whose own key lies above the limit, is no edge.
 * Collective; clear them also after a failure. */
BfStatus bf_beam_edges(BfBeamLayer *l, BfBeamEdges *edges, BfError *error);
void     bf_beam_edges_clear(BfBeamEdges *edges);
/* Where each rank's part of a buffer begins, and, at [ranks], how long it is. */
static inline void bf_beam_displace(int ranks, const int count[], int at[]) {
  at[0] = 0;
  for (int r = 0; r < ranks; r++) at[r + 1] = at[r] + count[r];
}
