/* Branch and bound over ranks: levels of a fixed target each, so that the tree of a level depends on nothing but the
 * problem and the target.
 *
 * All ranks hold the list of boxes that wait. A piece of work is the next tasks of a round, dealt to whoever asks
 * first; behind it all ranks learn what each task came to, in the tasks' order. How long a piece is, is a matter of
 * time alone, and changes nothing: what a level ends early for (a budget, a point that brings found much nearer to the
 * target) ends it behind the first task in that order which gives cause, and what later tasks came to is forgotten. */
#pragma once
#include "bellformer/checkpoint.h"
#include "certify/tree.h"
#include "certify/value.h"
#include "run/queue.h"

typedef struct {
  double  gap, absolute; /* that is aimed at: the larger of gap |found| and absolute */
  int64_t budget;        /* boxes; 0: none */
  int64_t width;         /* of rounds of tasks (BfList); 0: no bound */
  bool    symmetry;      /* whether boxes are narrowed by it */
  bool    logits;        /* whether boxes are halved at logits, too */
  int     table;         /* before that layer; BF_NO_TABLE; BF_TABLE_CHOSEN */
} BfLadderOptions;

/* Boxes within which the target itself is tried before any rung. */
enum { BF_EASY_BOXES = 1 << 18 };
/* And then, with a table. */
enum { BF_TABLE_BOXES = 1 << 20 };

#define BF_LEAST_GAP 1e-10 /* absolute, that is aimed at; roundings of bounds are far below */

/* A row of /certificate/history: a level that has ended. */
typedef struct {
  double target, lower, found, boxes, seconds, finished;
} BfRung;

/* What a level ends for: nothing yet; a point that makes it void; a box that cannot be split; more boxes than an easy
 * one takes; the budget. */
typedef enum { BF_LEVEL_GOES_ON, BF_LEVEL_VOID, BF_LEVEL_STUCK, BF_LEVEL_HARD, BF_LEVEL_SPENT } BfLevelEnd;

typedef struct {
  /* given */
  BfRun          *run;
  BfCheckpoint   *checkpoint;
  BfObjective     of;
  BfLadderOptions options;
  /* the answer so far */
  char     *says;       /* of what it began from: lines; NULL: none; owned */
  double    found;      /* J of the best point, from above */
  double   *point;      /* [all] */
  int       root;       /* its readout */
  double    lower;      /* of J over the box; -INFINITY */
  BfRecords kept;       /* the tree that proves it, */
  int       kept_table; /* with a table before that layer; 0: without */
  BfBytes   kept_cells; /* as /certificate/cells; the same on all ranks */
  double    target;     /* of the level under way, or the last one */
  int64_t   boxes;      /* of all levels */
  int64_t   restored;   /* of them, when this start began */
  int64_t   rungs, rung_room;
  BfRung   *rung;
  /* the level under way */
  int        step;  /* of the ladder; -1: the target itself, for a start */
  bool       table; /* boxes are bounded by minorants behind by_value.t */
  int64_t    limit; /* of `boxes`, where a start takes no more; 0: none */
  bool       under_way;
  BfLevelEnd ending; /* of a budget, or a box that cannot be split: what is open is being bounded as it is */
  double     aim;    /* target, and a little more: other programs' enclosures are a little different */
  BfList     list;
  BfRecords  level;
  int64_t    level_boxes;
  double     least;  /* of its leaves' bounds */
  double     better; /* J of the best point that it tried, where that is less than found; INFINITY */
  double    *better_point;
  int        better_root;
  /* how it is worked off */
  BfWorker  worker;
  BfByValue by_value;
  BfQueue   queue;
  int64_t   numbers;        /* that the queue has given so far, before the piece */
  int64_t   mine;           /* the number that this rank has taken and not worked off; -1: none */
  int64_t   piece;          /* tasks of the next piece */
  bool      stuck;          /* a box could not be split: the search ended there */
  double    begun;          /* when the piece under way was */
  int64_t   finished;       /* tasks of it that this rank has worked off */
  bool      hears;          /* this rank has seen that the run is to stop */
  bool      stops;          /* tasks were left for that, on any rank */
  double    waited, worked; /* seconds of this rank */
} BfLadder;

/* Of a zeroed struct with run and options set; destroy it also after a failure. Collective, like all here. */
BfStatus bf_ladder_create(BfLadder *x, const BfProblem *problem, BfError *error);
void     bf_ladder_destroy(BfLadder *x);
/* Nothing found, proved, or under way: where a search begins that is not restored. */
void bf_ladder_forget(BfLadder *x);
/* A point, number [all] the same on all ranks: its J with the best readout, and the point taken where that is less.
 * Not collective. */
void bf_ladder_try(BfLadder *x, const double number[]);
/* Go down from the point along the axes. Not collective; the same on all ranks. */
void bf_ladder_polish(BfLadder *x);
/* (found - lower) / |found|; where found is 0, 0 or infinite. Not collective. */
double bf_ladder_gap(const BfLadder *x);
/* The first level, with a checkpoint of it: what was found stands from then on. Nothing where the gap is reached. */
BfStatus bf_ladder_begin(BfLadder *x, BfError *error);
/* Go on until the gap is reached, or the budget is spent; saves and stops as x->checkpoint tells. */
BfStatus bf_ladder_climb(BfLadder *x, BfError *error);

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* One piece of the level under way: sets x->ending, or x->stops. */
BfStatus bf_piece(BfLadder *x, BfError *error);
/* The same of what is open when it has ended: each box is bounded by itself, as a leaf. */
BfStatus bf_piece_close(BfLadder *x, BfError *error);

/* Between pieces: where what waits and what is kept may not fit any more, BF_STOPPED with a checkpoint, or BF_FAILURE
 * where there is none, or this start has come no further. */
BfStatus bf_ladder_memory(BfLadder *x, BfError *error);

/* What a checkpoint would hold now: stream.c. */
double bf_ladder_checkpoint_bytes(const BfLadder *x);

/* The tree streamed to checkpoints, where there are some: stream.c. Whether so much of it is in memory that the next
 * generation is to take it for good: */
bool bf_stream_due(const BfLadder *x, const BfRecords *records);
/* Within a generation: what is in memory becomes the next array of the stream. */
BfStatus bf_stream_put(const BfLadder *x, BfRecords *records, BfError *error);
/* As restored: its arrays are there, whole, and together as long as they should be. */
BfStatus bf_stream_check(BfCheckpoint *checkpoint, const BfRecords *records, BfError *error);
/* The tree as an array of a result. */
BfStatus bf_stream_write(const BfLadder *x, const BfRecords *records, BfStore *store, const char *path, BfError *error);
/* The records are of no use any more; nor are their arrays. Not collective; the same on all ranks. */
void bf_stream_drop(const BfLadder *x, BfRecords *records);

/* Checkpoints of it: save.c. */
BfStatus bf_ladder_save(BfLadder *x, BfError *error);
BfStatus bf_ladder_restore(BfLadder *x, BfError *error);
