/* Checkpoints of the transition tables. Arrays: table/SSSS of a complete shape [K * M_s], partial/table of the one
 * under way, its first actions. */
#pragma once
#include "solve/full/table.h"

/* Save complete shapes and the first `rows` actions of `shape`. Collective, as all here. */
BfStatus bf_table_save(BfRun *run, const BfTables *tables, int shape, int64_t rows, int64_t measures, int64_t actions,
                       BfCheckpoint *checkpoint, BfError *error);
/* How far a checkpoint is: layers that a run without tables has done stay done while another builds some. */
enum { BF_STAGE_TABLES = 1, BF_STAGE_SWEEP };
/* Read what there is of a shape: *rows actions, complete on every node; and tables->resumed. */
BfStatus bf_table_restore(BfRun *run, BfTables *tables, int shape, int64_t measures, int64_t actions,
                          BfCheckpoint *checkpoint, int64_t *rows, BfError *error);
/* All shapes are complete: save them where building them took so long that it pays. */
BfStatus bf_tables_finish(BfRun *run, const BfFullSpace *space, const BfTables *tables, BfCheckpoint *checkpoint,
                          BfError *error);
