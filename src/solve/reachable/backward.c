/* The backward pass: costs and successor numbers are all that it needs. */
#include "run/limits.h"
#include "solve/reachable/layers.h"
#include <math.h>

/* V_{t+1} of all measures, one copy a node: every rank writes its own, the nodes reduce. */
static BfStatus share_values(BfReachable *x, const BfReached *layer, BfShared *V, BfError *error) {
  BfRun        *run = x->run;
  const int64_t N = layer->total, piece = bf_limits()->reduced;
  BF_TRY(bf_shared_create(run, N * (int64_t)sizeof(double), "value function", V, error));
  double *value = V->base;
  for (int64_t i = N * run->node_rank / run->node_size; i < N * (run->node_rank + 1) / run->node_size; i++)
    value[i] = INFINITY;
  bf_shared_sync(run, V);
  for (int64_t i = 0; i < layer->count; i++) value[layer->offset + i] = layer->value[i];
  bf_shared_sync(run, V);
  if (run->leaders != MPI_COMM_NULL && run->nodes > 1)
    for (int64_t at = 0; at < N; at += piece) {
      const int count = (int)(N - at < piece ? N - at : piece);
      MPI_Allreduce(MPI_IN_PLACE, value + at, count, MPI_DOUBLE, MPI_MIN, run->leaders);
      bf_count_sent(run, 8.0 * count);
    }
  bf_shared_sync(run, V);
  return BF_OK;
}

static void minimize(const BfReachable *x, const double next[], BfReached *layer, int64_t i) {
  const int64_t K      = x->problem->actions;
  double        best   = INFINITY;
  int32_t       k_best = 0;
  for (int64_t k = 0; k < K; k++) {
    const double q = x->actions.stage[k] + next[layer->successor[i * K + k]];
    if (q < best) {
      best   = q;
      k_best = (int32_t)k;
    }
  }
  layer->value[i]  = best;
  layer->policy[i] = k_best;
}

/* Of a beam: over the edges alone. */
static void minimize_edges(const BfReachable *x, const double next[], BfReached *layer, int64_t i) {
  layer->value[i]  = INFINITY;
  layer->policy[i] = -1;
  for (int64_t e = layer->first[i]; e < layer->first[i + 1]; e++) {
    const double q = x->actions.stage[layer->edge[e].action] + next[layer->edge[e].next];
    if (q >= layer->value[i]) continue;
    layer->value[i]  = q;
    layer->policy[i] = (int32_t)layer->edge[e].action;
  }
}

BfStatus bf_reachable_backward(BfReachable *x, int t, BfError *error) {
  BfReached *layer  = &x->layer[t];
  BfShared   V      = {0};
  BfStatus   status = share_values(x, &x->layer[t + 1], &V, error);
  if (status != BF_OK) return status;
  const double *next = V.base;
  bf_phase_begin(x->run, BF_PHASE_SWEEP);
  for (int64_t i = 0; i < layer->count; i++) {
    if (layer->edge) minimize_edges(x, next, layer, i);
    else minimize(x, next, layer, i);
  }
  bf_phase_end(x->run, BF_PHASE_SWEEP);
  MPI_Barrier(x->run->node); /* nobody reads any more */
  bf_shared_destroy(&V);
  return BF_OK;
}
