/* What a checkpoint has of a beam. */
#pragma once
#include "bellformer/checkpoint.h"
#include "solve/reachable/beam.h"

enum { BF_ARRAY_NAME = 48 };

/* "what/TTTT"; of a beam's i-th doubling, i > 0, "what_i/TTTT", since an array is never changed. Local. */
void bf_beam_array_name(const BfReachable *x, const char *what, int t, char name[BF_ARRAY_NAME]);

/* Numbers of the run under way, and the best of the runs before. Collective, as all below. */
BfStatus bf_beam_save(const BfReachable *x, BfError *error);
BfStatus bf_beam_read(BfReachable *x, BfCheckpoint *checkpoint, BfError *error);
/* What a beam has of layer t, t >= 1, beside its measures: their costs so far, and the edges that lead to them. */
double   bf_beam_edge_bytes(const BfReachable *x, int t);
BfStatus bf_beam_save_layer(const BfReachable *x, int t, BfError *error);
/* Of x->partial what a beam has beside known, offset, count and measure. */
BfStatus bf_beam_read_partial(BfReachable *x, BfCheckpoint *checkpoint, BfError *error);
BfStatus bf_beam_read_layer(BfReachable *x, BfCheckpoint *checkpoint, int t, BfError *error);
