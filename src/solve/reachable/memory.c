/* A layer that outgrows memory: noticed before it is allocated, and told with what to change. */
#include "solve/reachable/layers.h"
#include <stdio.h>

/* "1, 64, 4096" */
static void list_layers(const BfReachable *x, int t, size_t size, char text[]) {
  size_t at = 0;
  for (int i = 0; i <= t && at < size; i++)
    at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? ", " : "", (long long)x->layer[i].total);
}

BfStatus bf_reachable_memory(const BfReachable *x, int t, double bytes, int64_t found, BfError *error) {
  double want, left;
  char   a[BF_HUMAN], b[BF_HUMAN], layers[256], far[64] = "", go[400] = "";
  if (bf_memory_fits(x->run, bytes, &want, &left)) return BF_OK;
  const bool further = x->expanded > 0;
  list_layers(x, t, sizeof layers, layers);
  if (found >= 0) snprintf(far, sizeof far, ", and %lld so far at layer %d", (long long)found, t + 1);
  if (x->checkpoint && !x->run->owner && (further || t > 0 || found > 0))
    snprintf(go, sizeof go, "its checkpoint goes on on more nodes: bellformer solve -restart %s; or ",
             bf_checkpoint_result(x->checkpoint));
  return bf_fail_for(
      error, x->checkpoint && further ? BF_STOPPED : BF_FAILURE, BF_CAUSE_MEMORY,
      "the reachable space outgrows memory in layer %d of %d: layers 0 to %d have %s measures%s; its %lld "
      "successors a measure need %s more a node, %s are free: %sstart afresh with %sfewer actions, coarser "
      "quantize.cells, fewer quantize.atoms, a shorter horizon, or on more nodes (`bellformer info` tells "
      "what fits)",
      t, x->problem->horizon, t, layers, far, (long long)x->problem->actions, bf_human_bytes(want, a),
      bf_human_bytes(left, b), go, x->beam ? "a smaller -beam, " : "");
}
