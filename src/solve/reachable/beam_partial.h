/* A checkpoint in the middle of a beam's layer: partial/states, spent, rest of the set; partial/known, which measures
 * of the layer are expanded; partial/edge_counts, edges, keys, the edges of these so far, in numbers of the set. */
#pragma once
#include "solve/reachable/beam_layer.h"

double bf_beam_partial_bytes(const BfBeamLayer *l);
/* Collective, as all below. The layer goes on as it was. */
BfStatus bf_beam_save_partial(BfBeamLayer *l, BfError *error);
/* What x->partial has of the layer, into its set, log and rounds. */
BfStatus bf_beam_take_partial(BfBeamLayer *l, BfError *error);
