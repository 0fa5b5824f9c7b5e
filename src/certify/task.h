/* A task: branch and bound from one box, depth first, for a bounded number of boxes; its record is the part of the
 * certificate's tree that it has made. What is still open then are tasks to come. The outcome depends on the box, the
 * target and the age alone, not on who works it off or when. */
#pragma once
#include "certify/bounder.h"
#include "certify/contract.h"

/* Tags of a record, which is a tree in preorder: share/doc/formats.md. */
enum { BF_SPLIT = 'S', BF_CUT = 'C', BF_CUTS = 'M', BF_LEAF = 'L', BF_OPEN = 'O', BF_EXCLUDED = 'X' };

/* A box that waits: lower [n], then upper [n], with the readout that it is of and how often those that it is from were
 * left open. */
typedef struct {
  int32_t root, age;
} BfBoxTag;

/* Bytes that grow. */
typedef struct {
  uint8_t *byte;
  int64_t  count, room;
} BfBytes;
BfStatus bf_bytes_reserve(BfBytes *x, int64_t more, BfError *error);

/* What a box comes to. */
typedef struct {
  double lower; /* on it what is bounded is no less: of at least the target, it is a leaf; the rest is of others */
  double left;  /* of its volume, what x->contraction leaves */
  int    split; /* the variable that it is to be halved at; -1: it cannot be */
  bool   tries; /* given, whether a point is to be tried; told, whether x->whole is one */
} BfBoxBound;

typedef struct BfWorker BfWorker;
/* Of a box [2][n] with readout `root`, given x->target. A function of these alone. */
typedef BfStatus BfBoundBox(BfWorker *x, int root, const double box[], BfBoxBound *out, BfError *error);

/* What a rank works with. */
struct BfWorker {
  const BfObjective *of;
  BfBoundBox        *bound; /* bf_bound_box, or another with */
  void              *bounds_by;
  BfBounder          box, point;
  BfLower            lower;
  BfContraction      contraction;
  double             target;    /* a box of a lower form of at least that is a leaf */
  int64_t            most;      /* boxes of a task, however old: fewer where a box takes long */
  bool (*stops)(void *context); /* asked before every box; NULL: never */
  void   *context;
  double *stack; /* [BF_MOST_BOXES + 2][2][n] */
  double *whole; /* [all] a point that is tried */
  double *best;  /* [all] the best of the last task */
};

enum { BF_FIRST_BOXES = 64, BF_MOST_AGE = 5, BF_MOST_BOXES = BF_FIRST_BOXES << BF_MOST_AGE };

typedef struct {
  int64_t boxes; /* that were bounded */
  int64_t open;  /* that are left, with lower and upper ends one behind another in `out` */
  double  least; /* of the bounds of its leaves; INFINITY: it has none */
  double  value; /* of the best point that was tried, x->best; INFINITY */
  bool    stuck; /* a box became a point, within rounding of the target */
  bool    left;  /* the run is to stop: the task is as if it had not been begun */
} BfTaskOutcome;

/* Seconds of one box, or with n = 0 of one point, as counted from operations, on a processor of some years: by a factor
 * of some. The same on every machine: what depends on it does not depend on clocks. */
double bf_box_seconds(const BfObjective *of, int n);

/* Boxes of an old task: BF_MOST_BOXES, or fewer where a box takes long. budget: as of the next. */
int64_t bf_task_boxes(const BfObjective *of, int64_t budget);
/* points: of what objective those are that are tried: `of`, or the whole that it is of. budget: boxes of the whole
 * search, 0: as many as it takes; a task has a sixteenth of them at most. Clear it also after a failure. Local, like
 * all here. */
BfStatus bf_worker_create(const BfObjective *of, const BfObjective *points, int64_t budget, BfWorker *x,
                          BfError *error);
void     bf_worker_clear(BfWorker *x);
double   bf_worker_bytes(const BfObjective *of);

/* By the lower form of its features, and tangents. */
BfBoundBox bf_bound_box;

/* box [2][n]. Its record is added to `record`, the boxes that it leaves open, in its record's order, to `open` (as
 * bytes of doubles [2][n]). */
BfStatus bf_task(BfWorker *x, const BfBoxTag *tag, const double box[], BfBytes *record, BfBytes *open,
                 BfTaskOutcome *out, BfError *error);
/* The box as one leaf, whatever its bound is. */
BfStatus bf_task_leaf(BfWorker *x, const BfBoxTag *tag, const double box[], BfBytes *record, BfTaskOutcome *out,
                      BfError *error);
