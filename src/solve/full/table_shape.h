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
/* By regions, of a share that says so: begin a block of actions, then successors of measures of a region in
 * next[BF_LANES][leads][types], which holds them alone (and `last`, NULL or see BfTableShare); end it. Begin and end
 * are collective on the workers with which it shares images, whether a region between failed or not. */
void     bf_table_filler_begin(BfTableFiller *filler, int64_t block);
BfStatus bf_table_filler_region(BfTableFiller *filler, const BfTableRegion *region, int32_t *next, int32_t *last,
                                BfError *error);
void     bf_table_filler_end(const BfTableFiller *filler);
/* The share's entries of blocks block0 .. block1-1. Collective on the workers with which it shares images, else local;
 * where one fails, none waits for it before the end of a block. */
BfStatus bf_table_filler_fill(BfTableFiller *filler, int64_t block0, int64_t block1, BfError *error);
