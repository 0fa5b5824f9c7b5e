#include "solve/full/sweep.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/kernels.h"

/* ---- cutting ---------------------------------------------------------------------------------------------------- */

static int64_t deal(const BfSweep *sweep, int piece, int worker) {
  const int64_t first = sweep->piece[piece], groups = sweep->piece[piece + 1] - first;
  return first + groups * worker / sweep->run->size;
}

/* Between pieces nodes reduce and checkpoints are taken: about a million measures, or two thousand million Q-values,
 * each, so that both are seldom; and a few groups a rank, so that ranks end a piece together. */
int bf_sweep_pieces(const BfPlan *plan, int ranks) {
  const double  by_size   = (double)plan->space->measures / 0x1p20;
  const double  by_work   = (double)plan->space->measures * (double)plan->walk.actives / 2e9;
  const int64_t by_groups = plan->groups / (4 * ranks);
  const double  most      = plan->least_piece > 0 ? (double)plan->space->measures / plan->least_piece : INFINITY;
  const int64_t pieces    = (int64_t)fmin(fmin(fmax(by_size, by_work), most), 1024);
  return pieces < by_groups ? (pieces < 1 ? 1 : (int)pieces) : by_groups < 1 ? 1 : (int)by_groups;
}

static BfStatus cut(BfSweep *sweep, BfError *error) {
  const BfPlan *plan = sweep->plan;
  const BfRun  *run  = sweep->run;
  sweep->pieces      = bf_sweep_pieces(plan, run->size);
  BF_TRY(BF_NEW(&sweep->piece, sweep->pieces + 1, error));
  BF_TRY(BF_NEW(&sweep->start, sweep->pieces + 1, error));
  BF_TRY(BF_NEW(&sweep->own, 2 * sweep->pieces, error));
  BF_TRY(BF_NEW(&sweep->of_node, 2 * sweep->pieces, error));
  for (int p = 0; p <= sweep->pieces; p++) {
    sweep->piece[p] = plan->groups * p / sweep->pieces;
    sweep->start[p] = bf_plan_start(plan, sweep->piece[p]);
  }
  for (int p = 0; p < sweep->pieces; p++) {
    for (int e = 0; e < 2; e++) {
      sweep->own[2 * p + e]     = deal(sweep, p, run->worker + e);
      sweep->of_node[2 * p + e] = bf_plan_start(plan, deal(sweep, p, run->node_first + e * run->node_size));
    }
    sweep->owned += bf_plan_start(plan, sweep->own[2 * p + 1]) - bf_plan_start(plan, sweep->own[2 * p]);
  }
  return BF_OK;
}

/* g of the lane context's successors, which every measure of the last layer adds. Where g is not one sum over contexts
 * (a readout is still to be chosen), where the lanes join contexts, or where the terms would not be small, the last
 * layer is swept like the others. */
static BfStatus last_terms(BfSweep *sweep, const BfTerminalTables *terminal, BfError *error) {
  const BfPlan *plan  = sweep->plan;
  const int64_t lanes = plan->walk.lanes, contexts = plan->space->contexts;
  const int     single = contexts - plan->lane_context == 1;
  sweep->last_padded   = (lanes + BF_LANES - 1) / BF_LANES * BF_LANES;
  if (!single || contexts == 1 || terminal->readouts > 1 || lanes * plan->walk.actives > (int64_t)1 << 24) return BF_OK;
  BF_TRY(BF_NEW(&sweep->last_outer, plan->walk.actives, error));
  BF_TRY(BF_NEW(&sweep->last_lane, plan->walk.actives * sweep->last_padded, error));
  BF_TRY(BF_NEW(&sweep->last_mid, plan->lane_context - plan->mid_context, error));
  for (int64_t s = plan->mid_context; s < plan->lane_context; s++) {
    const BfContextSpace *x = &plan->space->context[s];
    sweep->last_mid[s - plan->mid_context] =
        (BfLastMid){.measures = x->measures,
                    .next     = sweep->tables->next[x->shape],
                    .digit    = plan->digit + (s - plan->mid_context) * plan->walk.mids,
                    .g        = bf_terminal_tables_context(terminal, 0, s)};
  }
  const double *g = bf_terminal_tables_context(terminal, 0, contexts - 1);
  for (int64_t a = 0; a < plan->walk.actives; a++)
    for (int64_t l = 0; l < sweep->last_padded; l++)
      sweep->last_lane[a * sweep->last_padded + l] = g[plan->walk.lane_next[a][l < lanes ? l : lanes - 1]];
  return BF_OK;
}

static BfStatus allocate(const BfTerminalTables *terminal, BfSweep *sweep, BfError *error) {
  const BfPlan *plan = sweep->plan;
  const int64_t size = plan->walk.block_mids * plan->walk.tile;
  BF_TRY(cut(sweep, error));
  BF_TRY(BF_NEW(&sweep->base, plan->walk.actives, error));
  BF_TRY(BF_NEW(&sweep->work.rows, bf_sweep_rows(&plan->walk), error));
  BF_TRY(BF_NEW(&sweep->work.best, size, error));
  BF_TRY(BF_NEW(&sweep->work.chunk, size, error));
  return last_terms(sweep, terminal, error);
}

BfStatus bf_sweep_create(BfRun *run, const BfPlan *plan, const BfTables *tables, const BfTerminalTables *terminal,
                         int sync, BfSweep *sweep, BfError *error) {
  BfStatus status;
  *sweep = (BfSweep){.run = run, .plan = plan, .tables = tables};
  BF_GOTO(bf_together(run->world, allocate(terminal, sweep, error), error));
  BF_GOTO(bf_exchange_create(run, sync, sweep->pieces, sweep->start, sweep->of_node, &sweep->exchange, error));
  BF_GOTO(bf_shared_create(run, plan->outers * plan->walk.mids * (int64_t)sizeof(double), "minima of rows",
                           &sweep->least, error));
done:
  if (status != BF_OK) bf_sweep_clear(sweep);
  return status;
}

void bf_sweep_clear(BfSweep *sweep) {
  bf_free(sweep->piece);
  bf_free(sweep->start);
  bf_free(sweep->own);
  bf_free(sweep->of_node);
  bf_free(sweep->base);
  bf_free(sweep->work.rows);
  bf_free(sweep->work.best);
  bf_free(sweep->work.chunk);
  bf_free(sweep->last_outer);
  bf_free(sweep->last_lane);
  bf_free(sweep->last_mid);
  bf_exchange_clear(&sweep->exchange);
  bf_shared_destroy(&sweep->least);
  *sweep = (BfSweep){0};
}

static void own_range(const BfSweep *sweep, int piece, int64_t *first, int64_t *count) {
  *first = bf_plan_start(sweep->plan, sweep->own[2 * piece]);
  *count = bf_plan_start(sweep->plan, sweep->own[2 * piece + 1]) - *first;
}

int64_t bf_sweep_blocks(const BfSweep *sweep, int pieces, int64_t first[], int64_t count[]) {
  int64_t sum = 0;
  for (int p = 0; p < pieces; p++) {
    own_range(sweep, p, &first[p], &count[p]);
    sum += count[p];
  }
  return sum;
}

int64_t bf_sweep_start(const BfSweep *sweep, int piece) { return sweep->start[piece]; }

int bf_sweep_piece(const BfSweep *sweep, int64_t i) {
  int p = 0;
  while (p < sweep->pieces && bf_sweep_start(sweep, p + 1) <= i) p++;
  return p;
}

int32_t bf_sweep_policy(const BfSweep *sweep, const int32_t *policy, int64_t i) {
  int64_t at = 0;
  for (int p = 0; p < sweep->pieces; p++) {
    int64_t first, count;
    own_range(sweep, p, &first, &count);
    if (i >= first && i < first + count) return policy[at + i - first];
    at += count;
  }
  return -1;
}

/* ---- computing -------------------------------------------------------------------------------------------------- */

/* Left to right over the outer contexts, as V_T is summed. */
static void outer_terms(BfSweep *sweep, const BfTerminalTables *terminal, int64_t outer) {
  const BfPlan *plan = sweep->plan;
  for (int64_t a = 0; a < plan->walk.actives; a++) sweep->last_outer[a] = 0;
  int64_t rest = plan->outers;
  for (int64_t s = 0; s < plan->mid_context; s++) {
    const BfContextSpace *x    = &plan->space->context[s];
    const int32_t        *next = sweep->tables->next[x->shape];
    const double         *g    = bf_terminal_tables_context(terminal, 0, s);
    rest /= x->measures;
    const int64_t j = outer / rest % x->measures;
    for (int64_t a = 0; a < plan->walk.actives; a++)
      sweep->last_outer[a] += g[next[plan->walk.number[a] * x->measures + j]];
  }
}

/* shared: the layer's V, which is exchanged meanwhile; NULL: it is not. */
static void sweep_tiles(BfSweep *sweep, const BfTerminalTables *terminal, int64_t group, const double *next,
                        double *value, int32_t *policy, const BfShared *shared) {
  const BfPlan    *plan    = sweep->plan;
  const BfKernels *kernels = plan->space->problem->layer.kernels;
  const int64_t    in      = group % plan->groups_outer;
  int64_t          lane0   = plan->walk.mids > 1 ? 0 : in * BF_LANE_BLOCK;
  const int64_t    lanes   = plan->walk.lanes;
  const int64_t    end     = plan->walk.mids > 1 || lane0 + BF_LANE_BLOCK > lanes ? lanes : lane0 + BF_LANE_BLOCK;
  value -= lane0; /* the kernels count lanes from the row's start */
  policy -= lane0;
  for (; lane0 < end; lane0 += plan->walk.tile) {
    const int64_t lane1 = lane0 + plan->walk.tile < end ? lane0 + plan->walk.tile : end;
    const BfTile  tile  = {plan->walk.mids > 1 ? in : 0, lane0, lane1};
    if (terminal && sweep->last_lane) {
      const BfLastTerms terms = {sweep->last_outer, plan->lane_context - plan->mid_context, sweep->last_mid,
                                 sweep->last_lane, sweep->last_padded};
      kernels->sweep_last(&plan->walk, &terms, &tile, value, policy, &sweep->work);
    } else {
      kernels->sweep_block(&plan->walk, sweep->base, next, sweep->least.base, &tile, value, policy, &sweep->work);
    }
    const double measures = (double)plan->walk.block_mids * (double)(lane1 - lane0);
    if (shared) bf_exchange_go_on(&sweep->exchange, shared, measures * (double)plan->walk.actives);
  }
}

static void begin_outer(BfSweep *sweep, const BfTerminalTables *terminal, int64_t outer) {
  if (terminal && sweep->last_lane) outer_terms(sweep, terminal, outer);
  else bf_plan_base(sweep->plan, outer, sweep->base);
}

void bf_sweep_group(BfSweep *sweep, const BfTerminalTables *terminal, int64_t group, const double *next, double *value,
                    int32_t *policy) {
  begin_outer(sweep, terminal, group / sweep->plan->groups_outer);
  sweep_tiles(sweep, terminal, group, next, value, policy, NULL);
}

/* The minima of the rows of V_{t+1}, shared among the node's ranks. */
static void find_least(const BfSweep *sweep, const double *next) {
  const BfRun  *run   = sweep->run;
  const int64_t lanes = sweep->plan->walk.lanes, rows = sweep->plan->outers * sweep->plan->walk.mids;
  double       *least = sweep->least.base;
  for (int64_t i = rows * run->node_rank / run->node_size; i < rows * (run->node_rank + 1) / run->node_size; i++) {
    least[i] = next[i * lanes];
    for (int64_t l = 1; l < lanes; l++) least[i] = next[i * lanes + l] < least[i] ? next[i * lanes + l] : least[i];
  }
  bf_shared_sync(run, &sweep->least);
}

/* ---- a layer ---------------------------------------------------------------------------------------------------- */

/* This rank's groups of one piece. */
static void sweep_piece(BfSweep *sweep, const BfTerminalTables *terminal, int p, const double *next, int32_t *policy,
                        const BfShared *shared) {
  const BfPlan *plan  = sweep->plan;
  int64_t       outer = -1, at = 0;
  for (int64_t group = sweep->own[2 * p]; group < sweep->own[2 * p + 1]; group++) {
    const int64_t start = bf_plan_start(plan, group), count = bf_plan_start(plan, group + 1) - start;
    if (group / plan->groups_outer != outer) {
      outer = group / plan->groups_outer;
      begin_outer(sweep, terminal, outer);
    }
    sweep_tiles(sweep, terminal, group, next, (double *)shared->base + start, policy + at, shared);
    at += count;
    bf_count_values(sweep->run, (double)count * (double)plan->walk.actives);
    bf_work_done(sweep->run, BF_PHASE_SWEEP, (double)count * (double)plan->walk.actives * sweep->run->size);
  }
}

/* Whom Q-values that are taken without tables are told. */
typedef struct {
  BfSweep        *sweep;
  const BfShared *shared;
} Taking;

static void taken(void *with, double values) {
  const Taking *t = with;
  bf_count_values(t->sweep->run, values);
  bf_work_done(t->sweep->run, BF_PHASE_SWEEP, values * t->sweep->run->size);
  bf_exchange_go_on(&t->sweep->exchange, t->shared, values);
}

/* The same without tables: a block of actions after the other, of all the piece's measures. */
static BfStatus take_piece(BfSweep *sweep, int p, const double *next, int32_t *policy, const BfShared *shared,
                           BfError *error) {
  BfUntabled *u      = sweep->untabled;
  double     *V      = shared->base;
  Taking      taking = {sweep, shared};
  BfStatus    status = BF_OK;
  int64_t     first, count;
  own_range(sweep, p, &first, &count);
  for (int64_t i = 0; i < count; i++) {
    V[first + i] = INFINITY;
    policy[i]    = 0;
  }
  u->told = taken;
  u->with = &taking;
  for (int64_t block = 0; block < u->actions->blocks; block++) {
    bf_untabled_begin(u, block);
    if (status == BF_OK) status = bf_untabled_take(u, first, count, next, V + first, policy, error);
    bf_untabled_end(u);
  }
  u->told = NULL;
  return bf_together(sweep->run->world, status, error);
}

BfStatus bf_sweep_layer(BfSweep *sweep, const BfTerminalTables *terminal, const BfShared *next, BfShared *V,
                        int32_t *policy, int begin, const BfSweepPause *pause, BfError *error) {
  int64_t  at     = 0, first, count;
  BfStatus status = BF_OK;
  bf_exchange_restart(&sweep->exchange, begin);
  for (int p = 0; p < begin; p++) {
    own_range(sweep, p, &first, &count);
    at += count;
  }
  bf_phase_begin(sweep->run, BF_PHASE_SWEEP);
  if (!sweep->untabled && (!terminal || !sweep->last_lane)) find_least(sweep, next->base);
  bf_phase_end(sweep->run, BF_PHASE_SWEEP);
  for (int p = begin; p < sweep->pieces && status == BF_OK; p++) {
    own_range(sweep, p, &first, &count);
    bf_phase_begin(sweep->run, BF_PHASE_SWEEP);
    bf_exchange_prepare(&sweep->exchange, p, V);
    if (sweep->untabled) status = take_piece(sweep, p, next->base, policy + at, V, error);
    else sweep_piece(sweep, terminal, p, next->base, policy + at, V);
    at += count;
    bf_exchange_hand_over(&sweep->exchange, p, V);
    bf_phase_end(sweep->run, BF_PHASE_SWEEP);
    if (status != BF_OK || !pause || p + 1 == sweep->pieces || !pause->ask(pause->context)) continue;
    bf_exchange_settle(&sweep->exchange, V);
    status = pause->pause(pause->context, p + 1, error);
  }
  bf_exchange_settle(&sweep->exchange, V);
  return status;
}
