/* Boxes that wait, first in first out, the same list on all ranks; and records of a tree, wherever they were made. */
#pragma once
#include "bellformer/run.h"
#include "certify/task.h"
#include <limits.h>

typedef struct {
  int64_t   head, count, room; /* those from head on wait */
  int64_t   taken;             /* tasks that were removed from the front: number of the first one that is here */
  int       n;
  double   *box; /* [room][2][n] */
  BfBoxTag *tag; /* [room] */
} BfFifo;

BfStatus bf_fifo_push(BfFifo *x, const BfBoxTag *tag, const double box[], BfError *error);
/* Forget those before head, where they are most. */
void                  bf_fifo_shrink(BfFifo *x);
void                  bf_fifo_clear(BfFifo *x);
static inline int64_t bf_fifo_waiting(const BfFifo *x) { return x->count - x->head; }
static inline double *bf_fifo_box(const BfFifo *x, int64_t i) { return x->box + i * 2 * x->n; }

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
  int64_t *halved;        /* [n] boxes halved at each number, by this rank's tasks; NULL: none */
} BfRecords;

/* `bytes` of mine from `first` on, behind what is filed, are the next ones, already in x->mine. Local. */
BfStatus bf_records_add(BfRecords *x, int64_t first, int64_t bytes, BfError *error);
void     bf_records_clear(BfRecords *x);
/* Those of memory are forgotten. */
void bf_records_empty(BfRecords *x);
/* How many boxes a whole record, of a task, has halved at each of n numbers is added to x->halved. */
BfStatus bf_records_count(BfRecords *x, const uint8_t record[], int64_t bytes, int64_t n, BfError *error);
/* Bytes that a rank may give away or get: what MPI counts. */
#define BF_TREE_EXCHANGE ((int64_t)INT_MAX)
/* The sum of it over ranks, [n], on all of them. Collective. */
void bf_records_halved(MPI_Comm comm, const BfRecords *x, int n, int64_t sum[]);
/* A slice for each rank, in the order of ranks, in place of what each has in memory: what a file takes at once.
 * Collective. */
BfStatus bf_records_even(MPI_Comm comm, BfRecords *x, BfError *error);
/* Where this rank's slice begins, and how long it is. */
void bf_slice(int64_t bytes, int rank, int size, int64_t *first, int64_t *count);
