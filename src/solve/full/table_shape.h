/* The fast way to fill the table of a context shape; see src/kernel/table.h. */
#pragma once
#include "kernel/table.h"
#include "solve/full/table.h"

/* Whether it pays and fits: few enough cells for all pairs of them (32 MiB a block of actions), few atoms. */
bool bf_table_shape_fits(const BfFullSpace *space, int64_t s);

/* As bf_table_fill_directly. */
BfStatus bf_table_shape_fill(const BfTableShare *share, int64_t block0, int64_t block1, BfError *error);
