#include "solve/full/table.h"

#include "solve/full/table_save.h"
#include "solve/full/table_shape.h"

#include "run/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What other nodes computed: entries not computed here are -1. */
static void exchange(BfRun *run, int32_t *next, int64_t count) {
  const int64_t piece = bf_limits()->reduced;
  if (run->leaders == MPI_COMM_NULL || run->nodes == 1) return;
  for (int64_t at = 0; at < count; at += piece) {
    const int n = (int)(count - at < piece ? count - at : piece);
    MPI_Allreduce(MPI_IN_PLACE, next + at, n, MPI_INT32_T, MPI_MAX, run->leaders);
    bf_count_sent(run, 4.0 * n);
  }
}

/* A shape's table under construction. */
typedef struct {
  BfRun                    *run;
  const BfFullSpace        *space;
  const BfActionParameters *actions;
  BfTables                 *tables;
  int                       shape;
  int64_t                   s, M, K;   /* a context of the shape, its measures; actions */
  int64_t                   blocks;    /* of actions that are filled; of these */
  int64_t                   exchanged; /* are complete on every node */
  BfScratch                 scratch;
  BfShared                  images; /* of a block: see BfTableShare */
  BfTableFiller            *filler;
} Build;

static int64_t rows_of(const Build *b, int64_t blocks) { return blocks * BF_LANES < b->K ? blocks * BF_LANES : b->K; }

/* Make the filled blocks complete on every node. */
static void settle(Build *b) {
  int32_t      *next = b->tables->next[b->shape];
  const int64_t from = rows_of(b, b->exchanged), to = rows_of(b, b->blocks);
  bf_shared_sync(b->run, &b->tables->memory[b->shape]);
  exchange(b->run, next + from * b->M, (to - from) * b->M);
  bf_shared_sync(b->run, &b->tables->memory[b->shape]);
  b->exchanged = b->blocks;
}

static void sync_images(void *with) {
  const Build *b = with;
  bf_shared_sync(b->run, &b->images);
}

static BfStatus make_filler(Build *b, BfError *error) {
  const BfTableShare share = {.space   = b->space,
                              .actions = b->actions,
                              .s       = b->s,
                              .worker  = b->run->worker,
                              .workers = b->run->size,
                              .scratch = &b->scratch,
                              .next    = b->tables->next[b->shape],
                              .run     = b->run,
                              .images  = b->images.base,
                              .part    = b->run->node_rank,
                              .parts   = b->run->node_size,
                              .sync    = sync_images,
                              .with    = b};
  BF_TRY(bf_scratch_create(b->space->problem, &b->scratch, error));
  return bf_table_filler_create(&share, &b->filler, error);
}

/* This rank's share of the next blocks; about a 64th of the table, after which the run may stop. */
static BfStatus fill_piece(Build *b, BfError *error) {
  const int64_t piece = (b->actions->blocks + 63) / 64, left = b->actions->blocks - b->blocks;
  const int64_t end = b->blocks + (piece < left ? piece : left);
  for (; b->blocks < end; b->blocks++)
    BF_TRY(bf_together(b->run->world, bf_table_filler_fill(b->filler, b->blocks, b->blocks + 1, error), error));
  return BF_OK;
}

static BfStatus fill(Build *b, BfCheckpoint *checkpoint, BfError *error) {
  while (b->blocks < b->actions->blocks) {
    BF_TRY(fill_piece(b, error));
    const BfOrder order = bf_checkpoint_ask(checkpoint, 4.0 * (double)rows_of(b, b->blocks) * (double)b->M);
    if (order == BF_GO_ON) continue;
    settle(b);
    BF_TRY(bf_table_save(b->run, b->tables, b->shape, rows_of(b, b->blocks), b->M, b->K, checkpoint, error));
    if (order == BF_SAVE_AND_STOP) return bf_checkpoint_stopped(checkpoint, error);
  }
  settle(b);
  return BF_OK;
}

static BfStatus build_shape(BfRun *run, const BfFullSpace *space, const BfActionParameters *actions, int shape,
                            BfTables *tables, BfCheckpoint *checkpoint, BfError *error) {
  const int64_t s = space->shape[shape], M = space->context[s].measures, K = space->problem->actions;
  Build b = {.run = run, .space = space, .actions = actions, .tables = tables, .shape = shape, .s = s, .M = M, .K = K};
  int64_t rows = 0;
  BF_TRY(bf_shared_create(run, M * K * (int64_t)sizeof(int32_t), "transition table", &tables->memory[shape], error));
  int32_t *next = tables->next[shape] = tables->memory[shape].base;
  if (run->nodes > 1) {
    const int64_t from = M * K * run->node_rank / run->node_size, to = M * K * (run->node_rank + 1) / run->node_size;
    memset(next + from, 0xff, sizeof *next * (size_t)(to - from));
    bf_shared_sync(run, &tables->memory[shape]);
  }
  BF_TRY(bf_table_restore(run, tables, shape, M, K, checkpoint, &rows, error));
  b.blocks = b.exchanged = rows == K ? actions->blocks : rows / BF_LANES;
  bf_work_change(run, BF_PHASE_TABLES, -(double)rows * (double)M);
  BfTableWay way;
  BfStatus   status;
  BF_GOTO(bf_together(run->world, bf_table_way(space, s, &way, error), error));
  if (way.images_bytes) BF_GOTO(bf_shared_create(run, way.images_bytes, "images of laws", &b.images, error));
  BF_GOTO(bf_together(run->world, make_filler(&b, error), error));
  status = fill(&b, checkpoint, error);
done:
  bf_table_filler_destroy(&b.filler);
  bf_scratch_clear(&b.scratch);
  bf_shared_destroy(&b.images);
  return status;
}

/* ---- actions that no table distinguishes ------------------------------------------------------------------------ */

typedef struct {
  uint64_t hash;
  int32_t  k;
} Column;

static int by_hash(const void *x, const void *y) {
  const Column *a = x, *b = y;
  if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
  return a->k < b->k ? -1 : a->k > b->k;
}

static uint64_t column_hash(const BfFullSpace *space, const BfTables *tables, int32_t k) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < tables->shapes; i++) {
    const int64_t  M   = space->context[space->shape[i]].measures;
    const int32_t *col = tables->next[i] + k * M;
    for (int64_t j = 0; j < M; j++) hash = (hash ^ (uint32_t)col[j]) * 0x100000001b3u;
  }
  return hash;
}

static bool same_column(const BfFullSpace *space, const BfTables *tables, int32_t a, int32_t b) {
  for (int i = 0; i < tables->shapes; i++) {
    const int64_t M = space->context[space->shape[i]].measures;
    if (memcmp(tables->next[i] + a * M, tables->next[i] + b * M, sizeof(int32_t) * (size_t)M)) return false;
  }
  return true;
}

/* In a group of equal columns only c(u) differs. Action k cannot be the smallest minimizer where a smaller number costs
 * no more, nor where a larger one costs less by more than rounding in c + V can hide. */
static void prune(const BfFullSpace *space, const BfTables *tables, const Column *group, int64_t count,
                  const double *stage, double slack, char *drop) {
  for (int64_t a = 0; a < count; a++)
    for (int64_t b = 0; b < count && !drop[group[a].k]; b++) {
      const int32_t k = group[a].k, other = group[b].k;
      const int     beaten = other < k ? stage[other] <= stage[k] : stage[other] < stage[k] - slack;
      if (other != k && beaten && same_column(space, tables, k, other)) drop[k] = 1;
    }
}

static BfStatus collapse(const BfFullSpace *space, const BfActionParameters *actions, double value_bound,
                         BfTables *tables, BfError *error) {
  const int64_t K      = space->problem->actions;
  BfStatus      status = BF_OK;
  Column       *column = NULL;
  char         *drop   = NULL;
  double        most   = 0;
  BF_GOTO(BF_NEW(&column, K, error));
  BF_GOTO(BF_NEW(&drop, K, error));
  BF_GOTO(BF_NEW(&tables->active, K, error));
  for (int32_t k = 0; k < K; k++) {
    column[k] = (Column){column_hash(space, tables, k), k};
    most      = fmax(most, actions->stage[k]);
  }
  qsort(column, (size_t)K, sizeof *column, by_hash);
  const double slack = 4 * 0x1p-52 * (value_bound + most);
  for (int64_t a = 0, b; a < K; a = b) {
    for (b = a + 1; b < K && column[b].hash == column[a].hash;) b++;
    prune(space, tables, column + a, b - a, actions->stage, slack, drop);
  }
  for (int32_t k = 0; k < K; k++)
    if (!drop[k]) tables->active[tables->actives++] = k;
done:
  bf_free(column);
  bf_free(drop);
  return status;
}

static BfStatus allocate(BfTables *tables, BfError *error) {
  BF_TRY(BF_NEW(&tables->memory, tables->shapes, error));
  return BF_NEW(&tables->next, tables->shapes, error);
}

BfStatus bf_tables_create(BfRun *run, const BfFullSpace *space, const BfActionParameters *actions, double value_bound,
                          BfCheckpoint *checkpoint, BfTables *tables, BfError *error) {
  BfStatus status;
  *tables = (BfTables){.shapes = space->shapes, .resumed = -1};
  BF_GOTO(bf_together(run->world, allocate(tables, error), error));
  for (int i = 0; i < space->shapes; i++) BF_GOTO(build_shape(run, space, actions, i, tables, checkpoint, error));
  BF_GOTO(bf_tables_finish(run, space, tables, checkpoint, error));
  status = bf_together(run->world, collapse(space, actions, value_bound, tables, error), error);
done:
  if (status != BF_OK) bf_tables_clear(tables);
  return status;
}

BfStatus bf_tables_none(const BfFullSpace *space, BfTables *tables, BfError *error) {
  const int64_t K = space->problem->actions;
  *tables         = (BfTables){.actives = K};
  BF_TRY(BF_NEW(&tables->active, K, error));
  for (int32_t k = 0; k < K; k++) tables->active[k] = k;
  return BF_OK;
}

void bf_tables_clear(BfTables *tables) {
  for (int i = 0; tables->memory && i < tables->shapes; i++) bf_shared_destroy(&tables->memory[i]);
  bf_free(tables->memory);
  bf_free(tables->next);
  bf_free(tables->active);
  *tables = (BfTables){0};
}
