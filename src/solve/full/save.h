/* Checkpoints of the full space. Arrays: value/TTTT (V_t) and policy/TTTT of complete layers, partial/value and
 * partial/policy of the layer under way, for its first measures. A number of ranks does not show in any of them. */
#pragma once
#include "bellformer/checkpoint.h"
#include "solve/full/solver.h"

typedef struct {
  int     layer;   /* t, the layer to be swept next */
  int64_t measure; /* V_t is there for measures before this one */
} BfFullPosition;

/* Bytes that bf_full_save would write at this position. */
double bf_full_save_bytes(const BfFull *x, const BfFullOptions *options, BfFullPosition at);
/* Save: layers after at.layer are complete; of at.layer, the first `pieces` pieces of the sweep. store: the result
 * file, from which rows of V that are not in memory any more are read back. Collective. */
BfStatus bf_full_save(BfFull *x, const BfFullOptions *options, BfStore *store, BfCheckpoint *checkpoint,
                      BfFullPosition at, int pieces, BfError *error);
/* Read it back into V, policies, and the rows of /value and /policy in `store`, on any number of ranks. Collective.
 * *at: where to go on; *pieces: how many of this run's pieces of that layer are there. Without a checkpoint: the last
 * layer, 0. */
BfStatus bf_full_restore(BfFull *x, const BfFullOptions *options, BfStore *store, BfCheckpoint *checkpoint,
                         BfFullPosition *at, int *pieces, BfError *error);

/* Rows t of /value and /policy. */
BfStatus bf_full_write_value(const BfFull *x, int t, const double *V, BfStore *store, BfError *error);
BfStatus bf_full_write_policy(const BfFull *x, int t, BfStore *store, BfError *error);
