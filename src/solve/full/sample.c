#include "solve/full/sample.h"
#include "kernel/kernels.h"
#include "solve/full/plan.h"
#include "solve/full/table_shape.h"
#include <math.h>
#include <sys/mman.h>

enum { PLACES = 4 };                                                     /* of a table that are sampled */
enum { MOST_V = 1 << 26 };                                               /* of which a sample gathers */
static const double moment = 0.03, gather_moment = 0.3, long_moment = 1; /* seconds */

BfStatus bf_full_sample_create(BfRun *run, const BfProblem *problem, BfFullSample *x, BfError *error) {
  *x = (BfFullSample){.run = run, .problem = problem};
  BF_TRY(bf_full_space_create(problem, &x->space, error));
  BF_TRY(bf_action_parameters_create(problem, &x->actions, error));
  return bf_scratch_create(problem, &x->scratch, error);
}

void bf_full_sample_clear(BfFullSample *x) {
  if (!x->problem) return;
  bf_scratch_clear(&x->scratch);
  bf_action_parameters_clear(&x->actions);
  bf_full_space_clear(&x->space);
}

void *bf_sparse_create(int64_t bytes, BfError *error) {
  void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) return memory;
  bf_fail(error, BF_FAILURE, "no room for a sample of %lld bytes", (long long)bytes);
  return NULL;
}

void bf_sparse_destroy(void *memory, int64_t bytes) {
  if (memory) munmap(memory, (size_t)bytes);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* Share `worker` of `workers` of one block, into rows [BF_LANES][M_s] that nobody has touched: their pages are part of
 * the time. by_rows: equal ranges of measures. */
typedef struct {
  int64_t s, block, worker, workers;
  bool    by_rows;
} Part;

static BfStatus fill(BfFullSample *x, const Part *part, int32_t *rows, double *seconds, BfError *error) {
  const int64_t      M      = x->space.context[part->s].measures;
  const BfTableShare share  = {.space   = &x->space,
                               .actions = &x->actions,
                               .s       = part->s,
                               .worker  = (int)part->worker,
                               .workers = (int)part->workers,
                               .cut_for = x->run->size,
                               .scratch = &x->scratch,
                               .next    = rows - part->block * BF_LANES * M,
                               .rows    = part->by_rows};
  BfTableFiller     *filler = NULL;
  BF_TRY(bf_table_filler_create(&share, &filler, error));
  madvise(rows, (size_t)(BF_LANES * M) * sizeof *rows, MADV_DONTNEED);
  const double   begin  = bf_seconds();
  const BfStatus status = bf_table_filler_fill(filler, part->block, part->block + 1, error);
  *seconds              = bf_seconds() - begin;
  bf_table_filler_destroy(&filler);
  return status;
}

/* Mean over places of the table, at each the best of two; less of both where that lasts. */
static BfStatus mean_fill(BfFullSample *x, int64_t s, int64_t workers, int32_t *rows, double *seconds, BfError *error) {
  const int64_t blocks = x->actions.blocks;
  double        sum    = 0;
  for (int i = 0; i < PLACES; i++) {
    const Part part = {s, i * (blocks - 1) / (PLACES - 1), (2 * i + 1) * workers / (2 * PLACES), workers, false};
    double     a, b;
    BF_TRY(fill(x, &part, rows, &a, error));
    b = a;
    if (a < long_moment) BF_TRY(fill(x, &part, rows, &b, error));
    sum += fmin(a, b);
    *seconds = sum / (i + 1);
    if (sum >= long_moment) break;
  }
  return BF_OK;
}

BfStatus bf_sample_table(BfFullSample *x, int64_t s, BfTableSample *table, BfError *error) {
  const int64_t bytes = BF_LANES * x->space.context[s].measures * (int64_t)sizeof(int32_t);
  double        one, many;
  BfStatus      status;
  BF_TRY(bf_table_way(&x->space, s, &table->way, error));
  const int64_t units = table->way.units, fewest = x->run->size < units ? x->run->size : units;
  int32_t      *rows = bf_sparse_create(bytes, error);
  if (!rows) return error->status;
  int64_t workers = units < INT32_MAX ? units : INT32_MAX;
  BF_GOTO(mean_fill(x, s, workers, rows, &one, error));
  const double alone = (double)units / (double)workers;
  /* Where images are shared a share begins with all of them: it must be large beside that to tell what measures take.
   */
  const double enough = table->way.images_bytes ? one + fmax(moment, one / 2) : moment;
  for (many = one; many < enough && workers > fewest;) {
    workers = workers / 4 > fewest ? workers / 4 : fewest;
    BF_GOTO(mean_fill(x, s, workers, rows, &many, error));
  }
  const double more = (double)units / (double)workers - alone;
  table->unit       = more > 0 ? fmax(0, many - one) / more : one / alone;
  table->start      = more > 0 ? fmax(0, one - table->unit * alone) : 0;
done:
  bf_sparse_destroy(rows, bytes);
  return status;
}

/* ---- terminal costs --------------------------------------------------------------------------------------------- */

BfStatus bf_sample_costs(BfFullSample *x, int64_t s, double *cost, BfError *error) {
  const int64_t M       = x->space.context[s].measures;
  double        seconds = 0, *g;
  for (int64_t count = M < 64 ? M : 64;; count = 4 * count < M ? 4 * count : M) {
    const int64_t from = (M - count) / 2;
    BF_TRY(BF_NEW(&g, count, error));
    const double   begin  = bf_seconds();
    const BfStatus status = bf_terminal_range(&x->space, s, 0, from, from + count, &x->scratch, g, error);
    seconds               = bf_seconds() - begin;
    bf_free(g);
    BF_TRY(status);
    *cost = seconds / (double)count;
    if (seconds > moment || count == M) return BF_OK;
  }
}

/* ---- one context: V is gathered --------------------------------------------------------------------------------- */

typedef struct {
  int64_t   first, count; /* measures of the sample */
  int32_t  *next;         /* [K][count] their successors */
  int32_t **lane_next;
  int64_t   V_count;
  double   *V;
  int32_t  *zero; /* the walk of one mid: slots, images; */
  int32_t  *one;
  int32_t  *number;
} Gather;

/* The successors of a share of the table in the middle, under all actions. */
static BfStatus find_successors(BfFullSample *x, int64_t leads, int64_t workers, Gather *w, BfError *error) {
  const int64_t M = x->space.context[0].measures, each = M / leads, worker = workers / 2, K = x->problem->actions,
                bytes = BF_LANES * M * (int64_t)sizeof(int32_t);
  double   unused;
  BfStatus status = BF_OK;
  w->first        = leads * worker / workers * each;
  w->count        = leads * (worker + 1) / workers * each - w->first;
  int32_t *rows   = bf_sparse_create(bytes, error);
  if (!rows) return error->status;
  BF_GOTO(BF_NEW(&w->next, K * w->count, error));
  for (int64_t b = 0; b < x->actions.blocks; b++) {
    const Part part = {0, b, worker, workers, true};
    BF_GOTO(fill(x, &part, rows, &unused, error));
    for (int64_t a = b * BF_LANES; a < K && a < (b + 1) * BF_LANES; a++)
      for (int64_t i = 0; i < w->count; i++)
        w->next[a * w->count + i] = (int32_t)(rows[a % BF_LANES * M + w->first + i] % w->V_count);
  }
done:
  bf_sparse_destroy(rows, bytes);
  return status;
}

static BfStatus sweep(BfFullSample *x, Gather *w, double *value, BfError *error) {
  const int64_t K = x->problem->actions, lanes = (w->count + BF_LANES - 1) / BF_LANES * BF_LANES;
  int64_t      *base  = NULL;
  const double  least = -INFINITY;
  const BfWalk  walk  = {.mids       = 1,
                         .lanes      = w->count,
                         .actives    = K,
                         .stage      = x->actions.stage,
                         .number     = w->number,
                         .lane_next  = (const int32_t **)w->lane_next,
                         .tile       = lanes < BF_LANE_BLOCK ? lanes : BF_LANE_BLOCK,
                         .block_mids = 1,
                         .blocks     = 1,
                         .slot       = (uint16_t *)w->zero,
                         .image      = w->zero,
                         .images     = w->one};
  BfSweepWork   work  = {0};
  double       *V     = bf_sparse_create(w->count * 8, error);
  int32_t      *k     = bf_sparse_create(w->count * 4, error);
  BfStatus      status;
  const bool    ready = V && k && BF_NEW(&base, K, error) == BF_OK &&
                     BF_NEW(&work.rows, bf_sweep_rows(&walk), error) == BF_OK &&
                     BF_NEW(&work.best, walk.tile, error) == BF_OK && BF_NEW(&work.chunk, walk.tile, error) == BF_OK;
  /* All begin at once: memory is what ranks share. */
  BF_GOTO(bf_together(x->run->world, ready ? BF_OK : error->status, error));
  const double begin = bf_seconds();
  for (int64_t at = 0; at < w->count; at += walk.tile) {
    const BfTile tile = {0, at, at + walk.tile < w->count ? at + walk.tile : w->count};
    x->problem->layer.kernels->sweep_block(&walk, base, w->V, &least, &tile, V, k, &work);
  }
  *value = (bf_seconds() - begin) / ((double)w->count * (double)K);
done:
  bf_sparse_destroy(V, w->count * 8);
  bf_sparse_destroy(k, w->count * 4);
  bf_free(base);
  bf_free(work.rows);
  bf_free(work.best);
  bf_free(work.chunk);
  return status;
}

BfStatus bf_sample_gather(BfFullSample *x, const BfTableSample *table, double *value, BfError *error) {
  const int64_t M = x->space.context[0].measures, K = x->problem->actions, leads = table->way.leads,
                most = (int64_t)1 << 24;
  const double lead  = table->unit * (double)table->way.units / (double)leads;
  const double wanted =
      fmin(gather_moment / (lead * (double)x->actions.blocks), (double)most * (double)leads / ((double)M * (double)K));
  const int64_t workers = wanted > 1 ? (int64_t)fmax(x->run->size, (double)leads / wanted) : leads;
  Gather        w       = {.V_count = M < MOST_V ? M : MOST_V};
  BfStatus      status;
  const bool    ready = BF_NEW(&w.V, w.V_count, error) == BF_OK && BF_NEW(&w.zero, K + BF_CHUNK, error) == BF_OK &&
                     BF_NEW(&w.one, K, error) == BF_OK && BF_NEW(&w.number, K, error) == BF_OK &&
                     BF_NEW(&w.lane_next, K, error) == BF_OK;
  BF_GOTO(bf_together(x->run->world, ready ? BF_OK : error->status, error));
  for (int64_t i = 0; i < w.V_count; i++) w.V[i] = (double)(i * 2654435761u % 65536);
  status = find_successors(x, leads, workers < leads ? workers : leads, &w, error);
  BF_GOTO(bf_together(x->run->world, status, error));
  for (int64_t a = 0; a < K; a++) {
    w.one[a]       = 1;
    w.number[a]    = (int32_t)a;
    w.lane_next[a] = w.next + a * w.count;
  }
  status = sweep(x, &w, value, error);
done:
  bf_free(w.V);
  bf_free(w.zero);
  bf_free(w.one);
  bf_free(w.number);
  bf_free(w.lane_next);
  bf_free(w.next);
  return status;
}

/* ---- without tables --------------------------------------------------------------------------------------------- */

BfStatus bf_sample_untabled(BfFullSample *x, BfTableWay *way, BfUntabledSeconds *seconds, BfError *error) {
  const int64_t M = x->space.measures, V_count = M < MOST_V ? M : MOST_V;
  BfUntabled    u = {0};
  double       *V = NULL;
  BfStatus      status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&V, V_count, error), error));
  for (int64_t i = 0; i < V_count; i++) V[i] = (double)(i * 2654435761u % 65536);
  BF_GOTO(bf_untabled_create(x->run, &x->space, &x->actions, &u, error));
  *way   = u.way;
  status = bf_together(x->run->world, bf_untabled_time(&u, V, V_count, seconds, error), error);
done:
  bf_untabled_clear(&u);
  bf_free(V);
  return status;
}
