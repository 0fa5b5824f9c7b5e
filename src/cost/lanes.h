/* The kernels that a cost is evaluated by. */
#pragma once
#include "bellformer/cost.h"
#include "kernel/kernels.h"

static inline const BfKernels *bf_cost_kernels(const BfCost *cost) {
  return cost->kernels ? cost->kernels : bf_kernels_compiled(0);
}
