/* Checkpoints of the reachable space. Arrays: states/TTTT and successors/TTTT of layers whose expansion is complete;
 * value/TTTT, policy/TTTT (and readout/TTTT of the last layer) of layers that the backward pass has left; partial/...
 * of the layer under way: the successors found so far, numbered for now, which measures are complete (partial/known),
 * and their results. States are sorted by hash, so that each rank of any number of ranks finds its own in one stretch.
 */
#pragma once
#include "solve/reachable/layers.h"
#include "solve/reachable/merge.h"

typedef enum { BF_STAGE_FORWARD = 3, BF_STAGE_LAST = 4, BF_STAGE_BACKWARD = 5 } BfStage;

typedef struct {
  BfStage stage;
  int     layer; /* to be expanded, costed, or left backwards next */
} BfReachablePosition;

double bf_reachable_forward_bytes(const BfReachable *x, int t, const BfMerge *merge);
/* In the middle of layer t's expansion. Collective, as all below. */
BfStatus bf_reachable_save_forward(BfReachable *x, int t, BfMerge *merge, BfError *error);
/* In the middle of the last layer: known[i] tells which owned measures are costed. */
double   bf_reachable_last_bytes(const BfReachable *x);
BfStatus bf_reachable_save_last(BfReachable *x, const unsigned char known[], BfError *error);
/* Between layers. */
double   bf_reachable_between_bytes(const BfReachable *x, BfReachablePosition at);
BfStatus bf_reachable_save_between(BfReachable *x, BfReachablePosition at, BfError *error);
/* Read all back; *at: where to go on. x->partial holds what there is of a layer under way. */
BfStatus bf_reachable_restore(BfReachable *x, BfReachablePosition *at, BfError *error);
