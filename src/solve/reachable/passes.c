/* The passes over the layers in order, and the open loop. */
#include "solve/reachable/beam.h"
#include "solve/reachable/merge.h"
#include "solve/reachable/save.h"
#include <math.h>

/* Room for the results of every layer, where a checkpoint has not brought them. */
static BfStatus reserve(BfReachable *x, BfError *error) {
  for (int t = 0; t < x->problem->horizon; t++) {
    BfReached *layer = &x->layer[t];
    if (!layer->value) BF_TRY(BF_NEW(&layer->value, layer->count, error));
    if (!layer->policy) BF_TRY(BF_NEW(&layer->policy, layer->count, error));
    if (t == x->problem->horizon - 1 && !layer->readout) BF_TRY(BF_NEW(&layer->readout, layer->count, error));
  }
  return BF_OK;
}

/* Refuse a layer whose successors would not fit, before its expansion starts; what is complete is saved. The merged
 * successors are not known yet: one at least. */
static BfStatus check_memory(BfReachable *x, int t, BfError *error) {
  const BfStage stage = t < x->problem->horizon - 1 ? BF_STAGE_FORWARD : BF_STAGE_LAST;
  const double  bytes = bf_reachable_layer_bytes(&x->size, t, (double)x->layer[t].count, 1) +
                       (stage == BF_STAGE_FORWARD ? bf_merge_buffer_bytes(x, t) : 0);
  BfError memory = {0};
  if (bf_reachable_memory(x, t, bytes, -1, &memory) == BF_OK) return BF_OK;
  if (memory.status == BF_STOPPED) BF_TRY(bf_reachable_save_between(x, (BfReachablePosition){stage, t}, error));
  *error = memory;
  return error->status;
}

/* What is to be done from layer t on, whose measures are known; later layers have at most so many. */
static void expect(const BfReachable *x, int t, const BfStore *store) {
  const int    T = x->problem->horizon;
  const double K = (double)x->problem->actions, each = 1.0 / x->run->size;
  double       measures = (double)x->layer[t].total, expand = 0, merge = 0, bytes = 0;
  for (int i = 0; i < t; i++) bytes += bf_reachable_kept_bytes(&x->size, i, (double)x->layer[i].total);
  for (int i = t; i < T; i++) {
    expand += measures * K;
    merge += i < T - 1 ? measures * K : 0;
    bytes += bf_reachable_kept_bytes(&x->size, i, measures);
    measures = fmin(measures * K, x->size.most);
  }
  bf_work_expect(x->run, BF_PHASE_EXPAND, x->expanded + expand, "successors", x->size.terms * BF_TERM_SECONDS * each,
                 t < T - 1);
  bf_work_expect(x->run, BF_PHASE_MERGE, x->expanded + merge, "successors",
                 (2e-7 + 1e-9 * (double)x->size.measure_bytes) * each, t < T - 1);
  bf_work_expect(x->run, BF_PHASE_SWEEP, x->expanded + merge, "Q-values", 2e-9 * each, t < T - 1);
  if (store) bf_work_expect(x->run, BF_PHASE_WRITE, bytes, "bytes", 1e-9, t < T - 1);
}

/* Number of what the policy makes of owned measure i. */
static int64_t successor(const BfReachable *x, int t, int64_t i) {
  const BfReached *layer = &x->layer[t];
  if (layer->successor) return layer->successor[i * x->problem->actions + layer->policy[i]];
  for (int64_t e = layer->edge ? layer->first[i] : 0; layer->edge && e < layer->first[i + 1]; e++)
    if (layer->edge[e].action == layer->policy[i]) return layer->edge[e].next;
  return 0;
}

/* Follow the policy from mu_0; the rank that owns a measure tells what comes next. */
BfStatus bf_reachable_open_loop(const BfReachable *x, BfModel *model, BfError *error) {
  const BfProblem *problem = x->problem;
  const int64_t    q       = problem->layer.free;
  int64_t          at      = 0;
  BF_TRY(bf_together(x->run->world, bf_model_create(problem, true, model, error), error));
  for (int t = 0; t < problem->horizon; t++) {
    const BfReached *layer   = &x->layer[t];
    const int64_t    i       = at - layer->offset;
    int64_t          tell[3] = {-1, -1, -1}; /* action, next measure, readout */
    double           value   = 0, v0;
    if (i >= 0 && i < layer->count) {
      tell[0] = layer->policy[i];
      tell[1] = successor(x, t, i);
      tell[2] = layer->readout ? layer->readout[i] : 0;
      value   = layer->value[i];
    }
    MPI_Allreduce(MPI_IN_PLACE, tell, 3, MPI_INT64_T, MPI_MAX, x->run->world);
    MPI_Allreduce(&value, &v0, 1, MPI_DOUBLE, MPI_SUM, x->run->world); /* all but one add 0 */
    if (t == 0) model->quantized_cost = v0;
    model->action[t] = (int32_t)tell[0];
    model->readout   = tell[2];
    memcpy(model->control + t * q, problem->action + tell[0] * q, sizeof(double) * (size_t)q);
    at = tell[1];
  }
  return BF_OK;
}

static void tell(const BfReachable *x, int t, const char *what, double begin) {
  const double seconds = bf_seconds() - begin, values = (double)x->layer[t].total * (double)x->problem->actions;
  bf_print(x->run, "layer %d: %lld measures, %.3g successors %s in %.2f s, %.3g a second\n", t,
           (long long)x->layer[t].total, values, what, seconds, values / seconds);
}

/* Save, where it is time to, what is complete at a position between layers. */
static BfStatus between(BfReachable *x, BfStage stage, int layer, BfError *error) {
  const BfReachablePosition at    = {stage, layer};
  const BfOrder             order = bf_checkpoint_ask_layer(x->checkpoint, bf_reachable_between_bytes(x, at));
  if (order == BF_GO_ON) return BF_OK;
  BF_TRY(bf_reachable_save_between(x, at, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(x->checkpoint, error) : BF_OK;
}

/* Forward, layer after layer; the last one is costed; then backward. From where a checkpoint left off. */
BfStatus bf_reachable_passes(BfReachable *x, BfReachablePosition at, const BfStore *store, BfError *error) {
  const int T = x->problem->horizon;
  for (int t = at.stage == BF_STAGE_FORWARD ? at.layer : T - 1; t < T - 1; t++) {
    const double begin = bf_seconds();
    expect(x, t, store);
    bf_progress_what(x->run, "layer %d of %d, expanding %lld measures", t, T, (long long)x->layer[t].total);
    if (!x->beam) BF_TRY(check_memory(x, t, error));
    BF_TRY(x->beam ? bf_beam_forward(x, t, error) : bf_reachable_forward(x, t, error));
    tell(x, t, "merged", begin);
    BF_TRY(between(x, t + 1 < T - 1 ? BF_STAGE_FORWARD : BF_STAGE_LAST, t + 1, error));
  }
  if (at.stage != BF_STAGE_BACKWARD) BF_TRY(check_memory(x, T - 1, error));
  BF_TRY(bf_together(x->run->world, reserve(x, error), error));
  if (at.stage != BF_STAGE_BACKWARD) {
    const double begin = bf_seconds();
    expect(x, T - 1, store);
    bf_progress_what(x->run, "layer %d of %d, costing %lld measures' successors", T - 1, T,
                     (long long)x->layer[T - 1].total);
    BF_TRY(bf_reachable_last(x, error));
    tell(x, T - 1, "costed", begin);
    if (T > 1) BF_TRY(between(x, BF_STAGE_BACKWARD, T - 2, error));
  }
  for (int t = at.stage == BF_STAGE_BACKWARD ? at.layer : T - 2; t >= 0; t--) {
    bf_progress_what(x->run, "layer %d of %d, backwards", t, T);
    BF_TRY(bf_reachable_backward(x, t, error));
    bf_work_done(x->run, BF_PHASE_SWEEP, (double)x->layer[t].total * (double)x->problem->actions);
    if (t > 0) BF_TRY(between(x, BF_STAGE_BACKWARD, t - 1, error));
  }
  return BF_OK;
}
