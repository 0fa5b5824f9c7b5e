/* What kernels are given of a layer. */
#pragma once
#include "bellformer/layer.h"
#include "kernel/flat.h"

/* Borrows the layer, which has been placed. With the box of its P, or without: velocities do not look at it. */
void bf_layer_flat(const BfLayer *layer, BfFlatLayer *flat);
void bf_layer_flat_unbounded(const BfLayer *layer, BfFlatLayer *flat);
