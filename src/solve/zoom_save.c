/* The rounds of a zoom in a checkpoint and in a result. */
#include "solve/zoom.h"
#include <math.h>
#include <stdio.h>

static const char *path_of(int round, const char *name, char path[48]) {
  snprintf(path, 48, "/zoom/%04d%s%s", round, *name ? "/" : "", name);
  return path;
}

/* What both have of a round. */
static BfStatus write_loops(const BfZoomRound *round, int r, BfStore *store, BfError *error) {
  const int64_t both[] = {round->count, round->layers};
  char          path[48];
  BF_TRY(bf_store_write(store, path_of(r, "actions", path), BF_STORE_INT32, 2, both, round->action, error));
  return bf_store_write(store, path_of(r, "quantized_cost", path), BF_STORE_DOUBLE, 1, both, round->value, error);
}

/* ---- in a checkpoint ----------------------------------------------------------------------------------------------
 */

static BfStatus save_round(const BfZoomRound *round, int r, BfStore *store, BfError *error) {
  const int64_t all[] = {round->count, round->layers, round->free};
  char          path[48];
  BF_TRY(write_loops(round, r, store, error));
  BF_TRY(bf_store_write(store, path_of(r, "loops", path), BF_STORE_DOUBLE, 3, all, round->control, error));
  path_of(r, "", path);
  BF_TRY(bf_store_put_int(store, path, "actions", round->actions, error));
  BF_TRY(bf_store_put_int(store, path, "next", round->next, error));
  return bf_store_put_double(store, path, "cost", round->cost, error);
}

BfStatus bf_zoom_save(const BfZoom *zoom, BfStore *store, BfError *error) {
  if (!zoom->under_way || !zoom->rounds) return BF_OK;
  BF_TRY(bf_store_put_int(store, "/zoom", "rounds", zoom->rounds, error));
  for (int r = 0; r < zoom->rounds; r++) BF_TRY(save_round(&zoom->round[r], r, store, error));
  return BF_OK;
}

static BfStatus restore_round(BfZoomRound *round, int r, BfStore *store, BfError *error) {
  int64_t values, actions[2], all[3];
  char    path[48];
  BF_TRY(bf_store_read(store, path_of(r, "actions", path), BF_STORE_INT32, 2, actions, (void **)&round->action, error));
  BF_TRY(bf_store_read(store, path_of(r, "quantized_cost", path), BF_STORE_DOUBLE, 1, &values, (void **)&round->value,
                       error));
  BF_TRY(bf_store_read(store, path_of(r, "loops", path), BF_STORE_DOUBLE, 3, all, (void **)&round->control, error));
  path_of(r, "", path);
  BF_TRY(bf_store_get_int(store, path, "actions", &round->actions, error));
  BF_TRY(bf_store_get_int(store, path, "next", &round->next, error));
  BF_TRY(bf_store_get_double(store, path, "cost", &round->cost, error));
  round->count  = all[0];
  round->layers = all[1];
  round->free   = all[2];
  if (values < 1 || values != all[0] || actions[0] != all[0] || actions[1] != all[1])
    return bf_fail(error, BF_BAD_INPUT, "%s is damaged", path);
  return BF_OK;
}

BfStatus bf_zoom_restore(BfZoom *zoom, int64_t wanted, BfStore *store, BfError *error) {
  int64_t rounds;
  bool    there;
  bf_zoom_clear(zoom);
  BF_TRY(bf_store_has(store, "/zoom", &there, error));
  if (!there) return BF_OK;
  BF_TRY(bf_store_get_int(store, "/zoom", "rounds", &rounds, error));
  if (rounds < 1 || rounds > wanted) return bf_fail(error, BF_BAD_INPUT, "/zoom is damaged");
  BF_TRY(bf_store_together(store, BF_NEW(&zoom->round, wanted + 1, error), error));
  for (int r = 0; r < rounds; r++) {
    zoom->rounds++;
    BF_TRY(restore_round(&zoom->round[r], r, store, error));
  }
  return BF_OK;
}

/* ---- in a result --------------------------------------------------------------------------------------------------
 */

static BfStatus write_set(int r, int64_t actions, const double u[], int q, BfStore *store, BfError *error) {
  char path[48];
  return bf_store_write(store, path_of(r, "controls", path), BF_STORE_DOUBLE, 2, (int64_t[]){actions, q}, u, error);
}

/* One set at a time is in memory. */
static BfStatus write_laid(const BfZoom *zoom, double factor, int r, BfStore *store, BfError *error) {
  BfZoomPlan plan    = {0};
  double    *u       = NULL;
  int64_t    actions = 0, taken;
  BfStatus   status;
  BF_GOTO(bf_store_together(store, bf_zoom_plan(zoom, factor, r, &plan, error), error));
  BF_GOTO(bf_store_together(store, bf_zoom_lay(&plan, &actions, &u, &taken, error), error));
  status = write_set(r, actions, u, zoom->given->layer.free, store, error);
done:
  bf_zoom_plan_clear(&plan);
  bf_free(u);
  return status;
}

static BfStatus write_table(const BfZoom *zoom, double factor, double column[], int64_t actions[], BfStore *store,
                            BfError *error) {
  const int64_t n = zoom->rounds;
  for (int r = 0; r < n; r++) {
    column[r]         = zoom->round[r].value[0];
    column[n + r]     = zoom->round[r].cost;
    column[2 * n + r] = bf_zoom_part(factor, r);
    actions[r]        = zoom->round[r].actions;
  }
  BF_TRY(bf_store_write(store, "/zoom/quantized_cost", BF_STORE_DOUBLE, 1, &n, column, error));
  BF_TRY(bf_store_write(store, "/zoom/cost", BF_STORE_DOUBLE, 1, &n, column + n, error));
  BF_TRY(bf_store_write(store, "/zoom/part", BF_STORE_DOUBLE, 1, &n, column + 2 * n, error));
  return bf_store_write(store, "/zoom/actions", BF_STORE_INT64, 1, &n, actions, error);
}

BfStatus bf_zoom_write(const BfZoom *zoom, double factor, BfStore *store, BfError *error) {
  const BfProblem *given   = zoom->given;
  double          *column  = NULL;
  int64_t         *actions = NULL;
  BfStatus         status;
  if (!zoom->rounds) return BF_OK;
  BF_TRY(bf_store_put_int(store, "/zoom", "rounds", zoom->rounds, error));
  BF_GOTO(bf_store_together(store, BF_NEW(&column, 3 * zoom->rounds, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&actions, zoom->rounds, error), error));
  BF_GOTO(write_table(zoom, factor, column, actions, store, error));
  for (int r = 0; r < zoom->rounds; r++) {
    BF_GOTO(write_loops(&zoom->round[r], r, store, error));
    if (r) BF_GOTO(write_laid(zoom, factor, r, store, error));
    else BF_GOTO(write_set(r, given->actions, given->action, given->layer.free, store, error));
  }
done:
  bf_free(column);
  bf_free(actions);
  return status;
}

/* Every round is exact on its set, of the quantized model: with coarse cells the boxes close in on what suits the
 * cells.
 */
static void warn_of_fit(const BfRun *run, const BfZoom *zoom) {
  const int last = zoom->rounds - 1;
  int       best = 0;
  for (int r = 1; r <= last; r++)
    if (zoom->round[r].cost < zoom->round[best].cost) best = r;
  if (zoom->round[last].cost - zoom->round[best].cost <= 0.01 * fabs(zoom->round[best].cost)) return;
  bf_warn(run,
          "the last round's answer costs %.6g unquantized, round %d's %.6g: zooming followed the cells, not the model; "
          "take more cells, or none (-quantize_cells 0)",
          zoom->round[last].cost, best, zoom->round[best].cost);
}

void bf_zoom_report(const BfRun *run, const BfZoom *zoom) {
  if (!zoom->rounds) return;
  bf_print(run, "zoom: round, actions, quantized cost, unquantized\n");
  for (int r = 0; r < zoom->rounds; r++)
    bf_print(run, "  %d: %lld, %.10g, %.10g\n", r, (long long)zoom->round[r].actions, zoom->round[r].value[0],
             zoom->round[r].cost);
  warn_of_fit(run, zoom);
}
