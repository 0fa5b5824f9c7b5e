/* Numbers dealt to whoever asks first: starts, points of a study; counters that all ranks add to. */
#pragma once
#include "bellformer/run.h"

typedef struct {
  MPI_Win  window; /* MPI_WIN_NULL: none */
  int64_t *next;   /* [counters] of rank 0: the number that each deals next */
} BfQueue;

/* Counters that begin with 0. A program of a user's own that has queues on several machines runs with
 * OMPI_MCA_osc=^rdma in its environment (queue.c says why). Collective on comm; destroy it also after a failure. */
BfStatus bf_queue_create(MPI_Comm comm, int counters, BfQueue *queue, BfError *error);
/* The next number: 0, 1, 2 ..., each to one caller alone. Not collective. Where rank 0 is on another host it answers
 * when it next calls MPI. */
int64_t bf_queue_take(const BfQueue *queue, int counter);
/* Add to a counter; returns what it was. As bf_queue_take. */
int64_t bf_queue_add(const BfQueue *queue, int counter, int64_t amount);
/* What a counter is. For rank 0 alone, who need not wait for it. */
int64_t bf_queue_seen(const BfQueue *queue, int counter);
/* Collective; safe where nothing was created. */
void bf_queue_destroy(BfQueue *queue);
