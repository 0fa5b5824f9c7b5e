/* /rollout/best, and its lines. */
#include "solve/best.h"
#include <string.h>

static BfStatus write_controls(const BfProblem *problem, const BfBest *best, BfStore *store, BfError *error) {
  const int64_t T = best->layers, q = problem->layer.free, n = best->count;
  double       *control = NULL;
  BfStatus      status  = bf_store_together(store, BF_NEW(&control, n * T * q, error), error);
  for (int64_t i = 0; i < n * T && status == BF_OK; i++)
    memcpy(control + i * q, problem->action + best->action[i] * q, sizeof *control * (size_t)q);
  if (status == BF_OK)
    status = bf_store_write(store, "/rollout/best/controls", BF_STORE_DOUBLE, 3, (int64_t[]){n, T, q}, control, error);
  bf_free(control);
  return status;
}

/* R and b of each, where several are decided between. */
static BfStatus write_readouts(const BfCost *cost, const BfBest *best, BfStore *store, BfError *error) {
  const int64_t n = best->count, C = cost->classes, d = cost->dim, entries = C * d;
  double       *matrix = NULL, *bias = NULL;
  BfStatus      status;
  BF_GOTO(bf_store_together(store, BF_NEW(&matrix, n * entries, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&bias, n * C, error), error));
  for (int64_t i = 0; i < n; i++) {
    memcpy(matrix + i * entries, cost->matrix + best->readout[i] * entries, sizeof *matrix * (size_t)entries);
    memcpy(bias + i * C, cost->bias + best->readout[i] * C, sizeof *bias * (size_t)C);
  }
  BF_GOTO(bf_store_write(store, "/rollout/best/R", BF_STORE_DOUBLE, 3, (int64_t[]){n, C, d}, matrix, error));
  status = bf_store_write(store, "/rollout/best/b", BF_STORE_DOUBLE, 2, (int64_t[]){n, C}, bias, error);
done:
  bf_free(matrix);
  bf_free(bias);
  return status;
}

BfStatus bf_best_write(const BfProblem *problem, const BfBest *best, BfStore *store, BfError *error) {
  const int64_t n = best->count;
  if (!best->wanted) return BF_OK;
  BF_TRY(bf_store_write(store, "/rollout/best/actions", BF_STORE_INT32, 2, (int64_t[]){n, best->layers}, best->action,
                        error));
  BF_TRY(bf_store_write(store, "/rollout/best/quantized_cost", BF_STORE_DOUBLE, 1, &n, best->cost, error));
  BF_TRY(bf_store_write(store, "/rollout/best/readout", BF_STORE_INT64, 1, &n, best->readout, error));
  if (problem->cost.readouts > 1) BF_TRY(write_readouts(&problem->cost, best, store, error));
  return write_controls(problem, best, store, error);
}

void bf_best_report(const BfRun *run, const BfProblem *problem, const BfBest *best) {
  enum { SHOWN = 10, LAYERS = 16 };
  if (!best->wanted) return;
  bf_print(run, "best open loops: %lld%s\n", (long long)best->count,
           best->count < best->wanted ? ", all whose trajectories differ" : "");
  for (int64_t i = 0; i < best->count && i < SHOWN; i++) {
    bf_print(run, "  %lld: quantized cost %.10g, actions", (long long)i + 1, best->cost[i]);
    for (int t = 0; t < best->layers && t < LAYERS; t++) bf_print(run, " %d", best->action[i * best->layers + t]);
    if (best->layers > LAYERS) bf_print(run, " ...");
    if (problem->cost.readouts > 1) bf_print(run, ", readout %lld", (long long)best->readout[i]);
    bf_print(run, "\n");
  }
  if (best->count > SHOWN) bf_print(run, "  ...\n");
}
