/* Filling the table of a context shape: by pairs of cells, by images, or measure by measure; see src/kernel/table.h. */
#pragma once
#include "kernel/table.h"
#include "solve/full/table.h"

/* Whether it pays and fits: few enough cells for all pairs of them (32 MiB a block of actions), few atoms. */
bool bf_table_shape_fits(const BfFullSpace *space, int64_t s);

/* What a worker holds while it fills a table. */
typedef struct BfTableFiller BfTableFiller;
BfStatus                     bf_table_filler_create(const BfTableShare *share, BfTableFiller **out, BfError *error);
void                         bf_table_filler_destroy(BfTableFiller **filler); /* NULL-safe, sets NULL */
/* The share's entries of blocks block0 .. block1-1. Collective on the workers with which it shares images, else local;
 * where one fails, none waits for it before the end of a block. */
BfStatus bf_table_filler_fill(BfTableFiller *filler, int64_t block0, int64_t block1, BfError *error);
