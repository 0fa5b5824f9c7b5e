/* The dynamic program over every measure. */
#include "solve/full/best.h"
#include "solve/full/save.h"
#include "solve/full/solver.h"
#include "solve/full/stability.h"
#include <string.h>

static BfStatus write_grid(const BfFull *x, BfStore *store, BfError *error) {
  const BfCells *tokens = x->problem->cells;
  const int64_t  n = bf_cells_count(tokens), d = bf_cells_dim(tokens);
  double        *point = NULL;
  BfStatus       status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&point, n * d, error), error));
  for (int64_t c = 0; c < n; c++) bf_cells_point(tokens, c, point + c * d);
  BF_GOTO(bf_store_write(store, "/grid/points", BF_STORE_DOUBLE, 2, (int64_t[]){n, d}, point, error));
  status = bf_store_put_int(store, "/rollout", "initial", x->initial, error);
done:
  bf_free(point);
  return status;
}

/* What is written to, unless a solve of the same space with other actions has left it there: then over that. */
static BfStatus define(const BfFull *x, const BfFullOptions *options, BfStore *store, BfError *error) {
  const int64_t T = x->problem->horizon, M = x->space.measures;
  bool          there;
  BF_TRY(bf_store_has(store, "/grid", &there, error));
  if (there) return BF_OK;
  BF_TRY(write_grid(x, store, error));
  if (options->store_value) BF_TRY(bf_store_define(store, "/value", BF_STORE_DOUBLE, 2, (int64_t[]){T + 1, M}, error));
  if (options->store_policy) BF_TRY(bf_store_define(store, "/policy", BF_STORE_INT32, 2, (int64_t[]){T, M}, error));
  return BF_OK;
}

static BfStatus write_layer(const BfFull *x, int t, const BfFullOptions *options, BfStore *store, BfError *error) {
  if (!store) return BF_OK;
  bf_phase_begin(x->run, BF_PHASE_WRITE);
  BfStatus status = options->store_value ? bf_full_write_value(x, t, x->V[t % 2].base, store, error) : BF_OK;
  if (status == BF_OK && options->store_policy && t < x->problem->horizon)
    status = bf_full_write_policy(x, t, store, error);
  bf_phase_end(x->run, BF_PHASE_WRITE);
  bf_work_done(x->run, BF_PHASE_WRITE,
               (double)x->space.measures *
                   (8.0 * options->store_value + 4.0 * (options->store_policy && t < x->problem->horizon)));
  return status;
}

/* ---- the sweep and its checkpoints ------------------------------------------------------------------------------ */

typedef struct {
  BfFull              *x;
  const BfFullOptions *options;
  BfStore             *store;
  int                  layer;
  BfOrder              order;
  double               bytes; /* of a checkpoint at half a layer */
} Sweep;

static bool ask(void *context) {
  Sweep *s = context;
  s->order = bf_checkpoint_ask(s->x->checkpoint, s->bytes);
  return s->order != BF_GO_ON;
}

static BfStatus pause(void *context, int pieces, BfError *error) {
  Sweep               *s  = context;
  const BfFullPosition at = {s->layer, bf_sweep_start(&s->x->sweep, pieces)};
  BF_TRY(bf_full_save(s->x, s->options, s->store, s->x->checkpoint, at, pieces, error));
  return s->order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(s->x->checkpoint, error) : BF_OK;
}

static BfStatus sweep_layer(Sweep *s, int pieces, BfError *error) {
  BfFull            *x = s->x;
  const int          t = s->layer, last = t == x->problem->horizon - 1;
  const BfSweepPause at    = {ask, pause, s};
  const double       begin = bf_seconds(),
               values = (double)(x->space.measures - bf_sweep_start(&x->sweep, pieces)) * (double)x->plan.walk.actives;
  bf_progress_what(x->run, "layer %d", t);
  s->bytes = bf_full_save_bytes(x, s->options, (BfFullPosition){t, x->space.measures / 2});
  BF_TRY(bf_sweep_layer(&x->sweep, last ? &x->terminal : NULL, &x->V[(t + 1) % 2], &x->V[t % 2], x->policy[t], pieces,
                        &at, error));
  const double seconds = bf_seconds() - begin;
  BF_TRY(write_layer(x, t, s->options, s->store, error));
  bf_print(x->run, "layer %d: %.3g Q-values in %.2f s, %.3g a second\n", t, values, seconds, values / seconds);
  return BF_OK;
}

static BfStatus end_layer(Sweep *s, BfError *error) {
  const BfFullPosition next = {s->layer - 1, 0};
  if (s->layer == 0) return BF_OK;
  const BfOrder order = bf_checkpoint_ask_layer(s->x->checkpoint, bf_full_save_bytes(s->x, s->options, next));
  if (order == BF_GO_ON) return BF_OK;
  BF_TRY(bf_full_save(s->x, s->options, s->store, s->x->checkpoint, next, 0, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(s->x->checkpoint, error) : BF_OK;
}

/* V_T. */
static BfStatus fill_last(BfFull *x, BfError *error) {
  BfRun         *run = x->run;
  const int64_t  M   = x->space.measures;
  const BfShared V   = x->V[x->problem->horizon % 2];
  if (x->untabled.run) BF_TRY(bf_terminal_untabled_fill(run, &x->terminal, &x->space, V.base, error));
  else
    bf_terminal_tables_fill(&x->terminal, &x->space, M * run->node_rank / run->node_size,
                            M * (run->node_rank + 1) / run->node_size, V.base);
  bf_shared_sync(run, &x->V[x->problem->horizon % 2]);
  return BF_OK;
}

/* V_T, then layer after layer backwards, from where a checkpoint left off. V_t stands in V[t % 2]. */
static BfStatus sweep_back(BfFull *x, const BfFullOptions *options, BfStore *store, BfError *error) {
  const int      T   = x->problem->horizon;
  const int64_t  M   = x->space.measures;
  const BfRun   *run = x->run;
  BfFullPosition at;
  int            pieces;
  BF_TRY(fill_last(x, error));
  BF_TRY(write_layer(x, T, options, store, error));
  BF_TRY(bf_full_restore(x, options, store, x->checkpoint, &at, &pieces, error));
  bf_work_expect(run, BF_PHASE_SWEEP,
                 ((double)at.layer * (double)M + (double)(M - at.measure)) * (double)x->plan.walk.actives, "Q-values",
                 x->terms * BF_TERM_SECONDS / run->size, false);
  Sweep s = {.x = x, .options = options, .store = store};
  for (s.layer = at.layer; s.layer >= 0; s.layer--, pieces = 0) {
    BF_TRY(sweep_layer(&s, pieces, error));
    BF_TRY(end_layer(&s, error));
  }
  return BF_OK;
}

static BfStatus roll_open_loop(const BfFull *x, BfModel *model, BfError *error) {
  const BfProblem *problem = x->problem;
  const int64_t    q       = problem->layer.free;
  int64_t          i       = x->initial;
  BF_TRY(bf_together(x->run->world, bf_model_create(problem, true, model, error), error));
  model->quantized_cost = ((const double *)x->V[0].base)[i];
  for (int t = 0; t < problem->horizon; t++) {
    BF_TRY(bf_full_policy(x, t, i, &model->action[t], error));
    memcpy(model->control + t * q, problem->action + model->action[t] * q, sizeof(double) * (size_t)q);
    i = bf_full_next(x, i, model->action[t]);
  }
  bf_terminal_tables_value(&x->terminal, &x->space, i, &model->readout);
  return BF_OK;
}

/* What the whole run has to do, for its progress; sweeps are told again once the actions that can win are known. */
static BfStatus expect(const BfRun *run, const BfProblem *problem, const BfFullOptions *options, const BfStore *store,
                       double *terms, BfError *error) {
  BfFullSize size;
  BF_TRY(bf_full_size(run, problem, options, &size, error));
  const double each = BF_TERM_SECONDS / run->size, disk = 1e9; /* bytes a second */
  const double bytes = store ? size.value_bytes * options->store_value + size.policy_bytes * options->store_policy : 0;
  bf_work_expect(run, BF_PHASE_COSTS, size.costs, "costs", size.cost_terms * each, false);
  bf_work_expect(run, BF_PHASE_TABLES, options->untabled ? 0 : (double)size.tables, "table entries",
                 size.table_terms * each, false);
  bf_work_expect(run, BF_PHASE_SWEEP, size.q_values, "Q-values", size.sweep_terms * each, true);
  bf_work_expect(run, BF_PHASE_WRITE, bytes, "bytes", 1 / disk, false);
  *terms = size.sweep_terms;
  return BF_OK;
}

BfStatus bf_solve_full(BfRun *run, const BfProblem *problem, const BfFullOptions *options, BfStore *store,
                       BfCheckpoint *checkpoint, BfModel *model, BfError *error) {
  BfFull   x;
  BfStatus status;
  *model = (BfModel){0};
  x      = (BfFull){.rows = bf_full_rows(options) ? store : NULL};
  BF_GOTO(bf_together(run->world, expect(run, problem, options, store, &x.terms, error), error));
  bf_progress_what(run, "terminal costs");
  BF_GOTO(bf_full_create(run, problem, options, checkpoint, &x, error));
  bf_print(run, "full space: M = %lld measures, K = %lld actions", (long long)x.space.measures,
           (long long)problem->actions);
  if (options->untabled) bf_print(run, ", without tables\n");
  else bf_print(run, ", of which %lld can win\n", (long long)x.plan.walk.actives);
  if (store) BF_GOTO(define(&x, options, store, error));
  BF_GOTO(sweep_back(&x, options, store, error));
  BF_GOTO(roll_open_loop(&x, model, error));
  if (options->best) BF_GOTO(bf_full_best(&x, options->best, error));
  if (options->stability > 0) BF_GOTO(bf_full_stability(&x, options->stability, store, error));
done:
  bf_full_clear(&x);
  if (status != BF_OK) bf_model_clear(model);
  return status;
}
