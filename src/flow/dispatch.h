/* What groups of ranks tell each other while each goes its own way through its starts.
 *
 * The first rank of a group, its leader, tells rank 0 what the group has done; rank 0 gives orders to all leaders: save
 * a checkpoint now, save and stop, abandon (a group has failed), end (all have finished). Nobody waits for an answer: a
 * leader looks for orders between two evaluations, or, where it has no start, all the time. Rank 0 alone gives orders,
 * and every leader takes all of them in their order, so that all groups meet in every one. Rank 0 also deals the starts
 * that no group has begun, to who wants one first: messages go there anyway, and on other hosts a counter in a window
 * (run/queue.h) would wait for rank 0 as they do. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/run.h"

typedef enum {
  /* A leader to its group: */
  BF_SEARCH_NOTHING,
  BF_SEARCH_EVALUATE,
  BF_SEARCH_ENDED,  /* this start */
  BF_SEARCH_FAILED, /* the leader alone, in this start */
  /* Rank 0 to a leader that wants one, this to its group: */
  BF_SEARCH_TAKE, /* a start */
  /* Rank 0 to all leaders, these to their groups: */
  BF_SEARCH_SAVE,
  BF_SEARCH_STOP,    /* save, then stop */
  BF_SEARCH_ABANDON, /* a group has failed */
  BF_SEARCH_END      /* all groups have finished */
} BfSearchOrder;

typedef enum {
  BF_NEWS_WORKED,
  BF_NEWS_START,
  BF_NEWS_WANTS,
  BF_NEWS_ASKED,
  BF_NEWS_FINISHED,
  BF_NEWS_FAILED
} BfNewsKind;

/* What rank 0 is told. */
typedef struct {
  double kind, group;
  double evaluations;                                 /* since this group told of some last */
  double rows;                                        /* that it would write to a checkpoint now */
  double longest;                                     /* seconds of one evaluation */
  double start, evaluated, initial, cost, iterations; /* BF_NEWS_START: of one that has ended */
} BfNews;

typedef struct BfDispatch BfDispatch;

typedef struct {
  int           group, groups;          /* this rank's, 0 on rank 0; of how many */
  int64_t       fresh;                  /* starts to be dealt: 0 .. fresh - 1 */
  bool          leads;                  /* whether this rank is its leader */
  BfCheckpoint *checkpoint;             /* or NULL: nobody is told to save or to stop */
  double        row_bytes, other_bytes; /* that a checkpoint takes for a row of a log, and beside all of them */
  void (*hear)(void *context, const BfNews *news); /* what else rank 0 does with news */
  void *context;
} BfDispatchOf;

/* run: all ranks. Collective on run->world, as bf_dispatch_destroy is. */
BfStatus bf_dispatch_create(BfRun *run, const BfDispatchOf *of, BfDispatch **out, BfError *error);
void     bf_dispatch_destroy(BfDispatch **dispatch);
/* Tell rank 0; kind and group are filled in. Work is told of at most twice a second, other news at once. A leader. */
void bf_dispatch_tell(BfDispatch *dispatch, BfNewsKind kind, BfNews news);
/* Where a signal has asked this rank to stop, rank 0 is told, once. Any rank. */
void bf_dispatch_look(BfDispatch *dispatch);
/* The next order, or BF_SEARCH_NOTHING. A leader; rank 0 decides, and so is the first to know. */
BfSearchOrder bf_dispatch_hear(BfDispatch *dispatch);
/* The same, once there is one. */
BfSearchOrder bf_dispatch_wait(BfDispatch *dispatch);
/* What was dealt with the last BF_SEARCH_TAKE; -1: there is none left. The leader. */
int64_t bf_dispatch_taken(const BfDispatch *dispatch);
