#include "model/best.h"
#include <string.h>

/* Those of the open loops, where they were decided one by one. */
static BfStatus read_readouts(BfStore *store, const char *path, const BfCost *cost, BfBestControls *out,
                              BfError *error) {
  const int64_t C = cost->classes, entries = C * cost->dim, n = out->count;
  int64_t       R[3], b[2];
  double       *matrix = NULL, *bias = NULL;
  BfStatus      status;
  BF_GOTO(bf_store_read(store, "/rollout/best/R", BF_STORE_DOUBLE, 3, R, (void **)&matrix, error));
  BF_GOTO(bf_store_read(store, "/rollout/best/b", BF_STORE_DOUBLE, 2, b, (void **)&bias, error));
  if (R[0] != n || R[1] != C || R[2] != cost->dim || b[0] != n || b[1] != C)
    BF_GOTO(bf_fail(error, BF_BAD_INPUT, "%s: /rollout/best/R and b do not fit the problem's readout", path));
  BF_GOTO(bf_store_together(store, BF_NEW(&out->numbers, n * cost->trained, error), error));
  for (int64_t i = 0; i < n; i++) {
    memcpy(out->numbers + i * cost->trained, matrix + i * entries, sizeof(double) * (size_t)entries);
    memcpy(out->numbers + i * cost->trained + entries, bias + i * C, sizeof(double) * (size_t)C);
  }
done:
  bf_free(matrix);
  bf_free(bias);
  return status;
}

BfStatus bf_best_controls_read(const BfRun *run, const char *path, const BfCost *cost, BfBestControls *out,
                               BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  bool     there;
  int64_t  dims[3];
  *out = (BfBestControls){0};
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/rollout/best", &there, error));
  if (!there) goto done;
  BF_GOTO(bf_store_read(store, "/rollout/best/controls", BF_STORE_DOUBLE, 3, dims, (void **)&out->control, error));
  if (dims[0] < 1 || dims[1] < 1) BF_GOTO(bf_fail(error, BF_BAD_INPUT, "%s: /rollout/best/controls is damaged", path));
  out->count  = dims[0];
  out->layers = dims[1];
  out->free   = dims[2];
  BF_GOTO(bf_store_has(store, "/rollout/best/R", &there, error));
  if (there && cost->trained) status = read_readouts(store, path, cost, out, error);
done:
  return bf_store_end(&store, error);
}

void bf_best_controls_clear(BfBestControls *best) {
  bf_free(best->control);
  bf_free(best->numbers);
  *best = (BfBestControls){0};
}
