/* The layers of the reachable space and the two passes over them. */
#pragma once
#include "bellformer/solve.h"
#include "solve/parts.h"
#include "solve/reachable/measures.h"

typedef struct {
  int64_t next; /* number in the next layer */
  int64_t action;
} BfEdge;

/* The distinct measures reached at one layer. Over all ranks they are numbered by (hash, bytes); a rank owns a range.
 */
typedef struct {
  int64_t        total;     /* on all ranks */
  int64_t        offset;    /* number of this rank's first */
  int64_t        count;     /* owned here */
  unsigned char *measure;   /* [count][bytes]; owned */
  int64_t       *successor; /* [count][K] numbers in the next layer; NULL at layer T-1 */
  double        *spent;     /* [count] of a beam: the cost so far */
  int64_t       *first;     /* [count + 1] of a beam, in place of successor: the edges of measure i are first[i] .. */
  BfEdge        *edge;      /* first[i + 1] - 1, in the order of actions */
  int64_t        edges;     /* on all ranks */
  double        *value;     /* [count] V_t; of a beam over its edges, INFINITY where there are none */
  int32_t       *policy;    /* [count] */
  int32_t       *readout;   /* [count] at layer T-1: the readout chosen after policy */
} BfReached;

/* What a checkpoint holds of the layer under way. */
typedef struct {
  int            layer;
  unsigned char *known;  /* [count of the layer] which of this rank's measures are expanded, or costed; NULL: nothing */
  int64_t        offset; /* of the successors found so far: number of this rank's first, */
  int64_t        count;  /* how many it owns */
  unsigned char *measure;      /* [count][bytes] */
  double        *spent, *rest; /* [count] of a beam, as are: */
  int64_t       *first;        /* [measures of the layer + 1] where the edges begin that were found so far */
  BfEdge        *edge;         /* in numbers of the successors found so far */
  double        *key;
} BfPartial;

typedef struct BfBeam BfBeam; /* beam.h */

typedef enum { BF_STAGE_FORWARD = 3, BF_STAGE_LAST = 4, BF_STAGE_BACKWARD = 5 } BfStage;

typedef struct {
  BfStage stage;
  int     layer; /* to be expanded, costed, or left backwards next */
} BfReachablePosition;

/* Slots from .. to-1 of a context. */
typedef struct {
  int from, to;
} BfSlots;

typedef struct {
  BfRun             *run;
  const BfProblem   *problem;
  BfBeam            *beam;       /* borrowed; NULL: every measure is kept */
  BfCheckpoint      *checkpoint; /* borrowed; NULL: none */
  BfPartial          partial;
  BfMeasures         measures;
  BfActionParameters actions;
  BfScratch          scratch;
  BfActionParts      parts; /* that actions share */
  BfSlots           *read;  /* [contexts] all that the cost reads; NULL: it may read everything */
  BfReached         *layer; /* [T] */
  BfReachableSize    size;
  double             expanded; /* successors found or costed by all ranks in this start: for its progress */
} BfReachable;

/* Attention terms (exponentials, about) of a layer on all contexts. */
double bf_reachable_terms(const BfProblem *problem);

/* Successors of owned measure i under actions k0 .. k1-1 (k0 a multiple of BF_LANES): out[k - k0][bytes]. */
BfStatus bf_reachable_expand(BfReachable *x, const unsigned char *measure, int64_t k0, int64_t k1, unsigned char *out,
                             BfError *error);

/* Readouts' costs, sums over contexts in their order, of a measure's successors under the actions of blocks block0 ..
 * block1-1: total[readout][K padded]. */
BfStatus bf_reachable_cost(BfReachable *x, const unsigned char *measure, int64_t block0, int64_t block1, double *total,
                           BfError *error);

/* Layer 0, the data. Not collective; clear it also after a failure. */
BfStatus bf_reachable_start(BfRun *run, const BfProblem *problem, const BfReachableOptions *options,
                            BfCheckpoint *checkpoint, BfReachable *x, BfError *error);
void     bf_reachable_clear(BfReachable *x);
/* Back to layer 0 alone; and what a checkpoint held of the layer under way. */
void bf_reachable_forget_layers(BfReachable *x);
void bf_reachable_forget_partial(BfReachable *x);

/* BF_OK where layer t's bytes, or so many more of this rank, fit into the memory of its node, on every node. Else the
 * line that tells the layers' sizes and what to change: BF_STOPPED where this start has come further and saves, else
 * BF_FAILURE. found: distinct successors so far, of all ranks, or -1. Collective. */
BfStatus bf_reachable_memory(const BfReachable *x, int t, double bytes, int64_t found, BfError *error);

/* Layer t+1 from layer t: every rank expands its measures, sends each successor to its owner, owners merge equal ones,
 * sort, and answer with numbers. Memory a rank: the new layer, 8 bytes a received successor, 8 K a measure. Collective.
 */
BfStatus bf_reachable_forward(BfReachable *x, int t, BfError *error);

/* V_{T-1}, with layer T costed on the fly: min over k of [c(u_k) + min over r of sum_s g_s^r]. Collective. */
BfStatus bf_reachable_last(BfReachable *x, BfError *error);
/* V_t from V_{t+1}, of which every node gets a copy. Collective. */
BfStatus bf_reachable_backward(BfReachable *x, int t, BfError *error);

/* The passes from where a checkpoint left off, or from layer 0; then the open loop. store: NULL, or what will be
 * written to. Collective. */
BfStatus bf_reachable_passes(BfReachable *x, BfReachablePosition at, const BfStore *store, BfError *error);
BfStatus bf_reachable_open_loop(const BfReachable *x, BfModel *model, BfError *error);
/* Runs of the beam, each twice as wide, until one is optimal or there are no more; *model: the best that was found.
 * Collective. */
BfStatus bf_reachable_beams(BfReachable *x, const BfReachableOptions *options, const BfStore *store, BfModel *model,
                            BfError *error);

BfStatus bf_reachable_write(const BfReachable *x, BfStore *store, BfError *error);
