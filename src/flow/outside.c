/* The flow against the layers with the same controls: what P, which it leaves out, would have moved. */
#include "flow/flow.h"
#include <math.h>

BfStatus bf_flow_layers(const BfProblem *problem, const BfData *data, const BfFlowValue *value, double cost,
                        BfFlowLayers *out, BfError *error) {
  const int64_t T = problem->horizon, N = data->tokens, d = problem->layer.dim;
  *out = (BfFlowLayers){.first = -1};
  BF_TRY(BF_NEW(&out->outside, T + 1, error));
  for (int64_t i = 0; i < N; i++) {
    bool somewhere = false;
    for (int64_t k = 1; k <= T; k++) {
      if (!problem->layer.projection->is_outside(&problem->layer, value->tokens + (k * N + i) * d)) continue;
      somewhere = true;
      out->outside[k]++;
      if (out->first < 0 || k < out->first) out->first = k;
    }
    out->tokens += somewhere;
  }
  if (value->cost != cost) out->difference = fabs(value->cost - cost) / fabs(cost);
  return BF_OK;
}

void bf_flow_layers_clear(BfFlowLayers *layers) {
  bf_free(layers->outside);
  *layers = (BfFlowLayers){0};
}
