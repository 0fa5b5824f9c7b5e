/* Numbers dealt to whoever asks first: starts, points of a study. */
#pragma once
#include "bellformer/run.h"

typedef struct {
  MPI_Win  window; /* MPI_WIN_NULL: none */
  int64_t *next;   /* of rank 0: the number that is dealt next */
} BfQueue;

/* A queue that begins with 0. Collective on comm; destroy it also after a failure. */
BfStatus bf_queue_create(MPI_Comm comm, BfQueue *queue, BfError *error);
/* The next number: 0, 1, 2 ..., each to one caller alone. Not collective. Where rank 0 is on another host it answers
 * when it next calls MPI. */
int64_t bf_queue_take(const BfQueue *queue);
/* Collective; safe where nothing was created. */
void bf_queue_destroy(BfQueue *queue);
