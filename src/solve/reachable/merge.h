/* Successors of a layer: sent to their owners, merged, numbered. */
#pragma once
#include "solve/reachable/layers.h"

/* A round: every rank offers some (measure, action) pairs and all exchange. What was sent in it is remembered, so that
 * the owners can answer with numbers once they know them. */
typedef struct {
  int64_t pair; /* first of this rank's round: position in `order` * K + k */
  int64_t pairs;
  int    *sent;  /* [ranks] successors sent to each */
  int    *got;   /* [ranks] received from each */
  int64_t at;    /* where the round's received numbers start in the log */
  int    *place; /* [pairs] position in the send buffer */
} BfRound;

typedef struct {
  BfReached *from;
  int64_t   *order;  /* [from->count] measures in the order of their expansion: first those that a checkpoint knows */
  int64_t    known;  /* how many these are */
  int64_t    batch;  /* pairs a round: whole blocks of actions of one measure, or several measures */
  int64_t    rounds; /* of expansion, the same on all ranks */
  int64_t    known_rounds;
  int64_t    done;  /* rounds that are complete, known ones first */
  BfRound   *round; /* [known_rounds + rounds] */
  int64_t    logged, log_room;
  int64_t   *log; /* numbers in the set of all that was received */
  unsigned char *expanded, *send, *receive;
  int64_t        receive_room;
  int64_t       *numbers, *answer; /* [most pairs of a round] */
  MPI_Datatype   type;             /* one measure */
  int           *sent_at, *got_at; /* [ranks] displacements */
  BfMeasureSet   set;
} BfMerge;

/* Ready for the successors of layer t; what x->partial holds of that layer is taken over. Collective. */
BfStatus bf_merge_create(BfReachable *x, int t, BfMerge *merge, BfError *error);
void     bf_merge_clear(BfMerge *merge);
/* States of layer t, of all ranks, whose successors are still to be found. Collective. */
int64_t bf_merge_new(const BfReachable *x, const BfMerge *merge);
/* What this rank's messages of layer t take: sent, received, and as they were found. */
double bf_merge_buffer_bytes(const BfReachable *x, int t);
/* Memory that this rank may need to take in another round, all of which may be new, and to number what is there then.
 */
double bf_merge_bytes(const BfReachable *x, const BfMerge *merge);
/* The next round of expansion: expand, send, merge. Collective. */
BfStatus bf_merge_round(BfReachable *x, BfMerge *merge, BfError *error);
/* Number what the set holds, over all ranks, and tell the numbers to those who sent it: from->successor of the pairs so
 * far. The set stays as it is, in a new order. *offset, *total: number of this rank's first measure, and of all.
 * Collective. */
BfStatus bf_merge_number(BfReachable *x, BfMerge *merge, int64_t *offset, int64_t *total, BfError *error);
/* States of `order` under all of whose actions the successors are known. */
int64_t bf_merge_complete(const BfReachable *x, const BfMerge *merge);
/* The rank whose set holds a number, given the first number of each [ranks], which do not decrease. */
int bf_holder(const int64_t first[], int ranks, int64_t number);
