/* Boxes that wait, the same list on all ranks; and records of a tree, wherever they were made. */
#pragma once
#include "bellformer/run.h"
#include "certify/task.h"
#include <limits.h>

typedef struct {
  int64_t   count, room;
  double   *box; /* [room][2][n] */
  BfBoxTag *tag; /* [room] */
} BfBoxes;

/* Tasks are taken in rounds: the last `width` boxes of the list, or all where these are no more, in their order; what
 * they leave open comes to its end, in theirs. As long as no generation is wider than `width` that is first in first
 * out; then depth first, by so many at a time, and at most about `width` boxes wait of every generation. */
typedef struct {
  int     n;
  int64_t width;   /* 0: no bound */
  int64_t head;    /* tasks of the round before it are done */
  BfBoxes round;   /* what is worked off */
  BfBoxes behind;  /* what waits for other rounds */
  int64_t taken;   /* tasks of all rounds so far */
  bool    bounded; /* a round left boxes behind: the order is not first in first out */
} BfList;

/* Behind all others. */
BfStatus bf_list_push(BfList *x, const BfBoxTag *tag, const double box[], BfError *error);
/* The first `count` of those of the round are done; where it is over, the next one begins. */
BfStatus bf_list_take(BfList *x, int64_t count, BfError *error);
void     bf_list_clear(BfList *x); /* but for n and width */
/* Of the round, which is empty only where nothing waits. */
static inline int64_t bf_list_ready(const BfList *x) { return x->round.count - x->head; }
static inline int64_t bf_list_waiting(const BfList *x) { return bf_list_ready(x) + x->behind.count; }
static inline double *bf_list_box(const BfList *x, int64_t i) { return x->round.box + i * 2 * x->n; }
/* Bytes that it has taken of memory. */
double bf_list_bytes(const BfList *x);

/* The tree's bytes in the tasks' order. Its beginning may stand in files (stream.c); of the rest each rank has the
 * segments that it made. */
typedef struct {
  int64_t  id;    /* of the level that it is of: names its arrays in files */
  int64_t  filed; /* bytes in files, in so many arrays: */
  int64_t  arrays;
  int64_t  bytes; /* of all ranks, behind those */
  BfBytes  mine;
  int64_t  segments, room;
  int64_t *first, *count; /* [room] behind what is filed, increasing; in `mine` they stand one behind another */
  int64_t  width;  /* of the list whose order the tasks are in, where that was bounded by it; 0: first in first out */
  int64_t *halved; /* [n] boxes halved at each variable, by this rank's tasks; NULL: none */
} BfRecords;

/* `bytes` of mine from `first` on, behind what is filed, are the next ones, already in x->mine. Local. */
BfStatus bf_records_add(BfRecords *x, int64_t first, int64_t bytes, BfError *error);
void     bf_records_clear(BfRecords *x);
/* Those of memory are forgotten. */
void bf_records_empty(BfRecords *x);
/* How many boxes a whole record, of a task, has halved at each of n variables, of which the first are numbers, is added
 * to x->halved. */
typedef struct {
  int n, numbers;
  int point; /* bytes of a tangent point */
} BfRecordShape;
BfStatus bf_records_count(BfRecords *x, const uint8_t record[], int64_t bytes, BfRecordShape shape, BfError *error);
/* Bytes that a rank may give away or get: what MPI counts. */
#define BF_TREE_EXCHANGE ((int64_t)INT_MAX)
/* The sum of it over ranks, [n], on all of them. Collective. */
void bf_records_halved(MPI_Comm comm, const BfRecords *x, int n, int64_t sum[]);
/* A slice for each rank, in the order of ranks, in place of what each has in memory: what a file takes at once.
 * Collective. */
BfStatus bf_records_even(MPI_Comm comm, BfRecords *x, BfError *error);
/* Where this rank's slice begins, and how long it is. */
void bf_slice(int64_t bytes, int rank, int size, int64_t *first, int64_t *count);
