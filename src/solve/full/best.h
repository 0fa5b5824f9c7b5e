/* The B best open loops in the full space. */
#pragma once
#include "solve/full/solver.h"

/* Once all layers are swept. V of a successor is added up along its policy, which is in memory for all layers: in the
 * order in which the sweep has added it, so that it is the same number. Collective. */
BfStatus bf_full_best(BfFull *x, BfBest *best, BfError *error);
