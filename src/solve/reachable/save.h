/* Checkpoints of the reachable space. Arrays: states/TTTT and successors/TTTT of layers whose expansion is complete;
 * value/TTTT, policy/TTTT (and readout/TTTT of the last layer) of layers that the backward pass has left; partial/...
 * of the layer under way: the successors found so far, numbered for now, which measures are complete (partial/known),
 * and their results. Of a beam: edges/TTTT and edge_counts/TTTT in place of successors, spent/TTTT; in the middle of an
 * expansion as beam_partial.h tells; of its i-th doubling the names end in _i. States are sorted by hash, so that each
 * rank of any number of ranks finds its own in one stretch.
 */
#pragma once
#include "solve/reachable/layers.h"
#include "solve/reachable/merge.h"

double bf_reachable_forward_bytes(const BfReachable *x, int t, const BfMerge *merge);
/* In the middle of layer t's expansion. Collective, as all below. */
BfStatus bf_reachable_save_forward(BfReachable *x, int t, BfMerge *merge, BfError *error);
/* In the middle of the last layer: known[i] tells which owned measures are costed. */
double   bf_reachable_last_bytes(const BfReachable *x);
BfStatus bf_reachable_save_last(BfReachable *x, const unsigned char known[], BfError *error);
/* A generation with all layers that are complete at a position, to which more can be added before it ends. */
BfStatus bf_reachable_save_begin(BfReachable *x, BfReachablePosition at, BfError *error);
BfStatus bf_reachable_save_end(BfReachable *x, double bytes, BfError *error);
/* Between layers. */
double   bf_reachable_between_bytes(const BfReachable *x, BfReachablePosition at);
BfStatus bf_reachable_save_between(BfReachable *x, BfReachablePosition at, BfError *error);
/* Where a run begins that has no checkpoint. */
BfReachablePosition bf_reachable_begin(const BfReachable *x);
/* Read all back; *at: where to go on. x->partial holds what there is of a layer under way. */
BfStatus bf_reachable_restore(BfReachable *x, BfReachablePosition *at, BfError *error);
