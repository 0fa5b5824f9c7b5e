/* The B best open loops in the reachable space. */
#pragma once
#include "solve/reachable/layers.h"

/* Once the backward pass is through. Measures of layer T, which are never stored, are found again for the at most B
 * measures of the last layer that good paths come through. Collective. */
BfStatus bf_reachable_best(BfReachable *x, BfBest *best, BfError *error);
