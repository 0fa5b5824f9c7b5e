/* The fast way to fill the table of a context shape; see src/kernel/table.h. */
#pragma once
#include "kernel/table.h"
#include "solve/full/space.h"
#include "solve/transition.h"

/* Whether it pays and fits: few enough cells for all pairs of them (32 MiB a block of actions), few atoms. */
int bf_table_shape_fits(const BfFullSpace *space, int64_t s);

/* Successors next[k * M_s + j] of this worker's share (number `worker` of `workers`) of the measures of context s,
 * under the actions of blocks block0 .. block1-1. */
BfStatus bf_table_shape_fill(const BfFullSpace *space, const BfActions *actions, int64_t s, int64_t block0,
                             int64_t block1, int worker, int workers, BfScratch *scratch, int32_t *next,
                             BfError *error);
