/* lane_exp by itself, compiled once for each instruction set. */
#include "kernel/kernels.h"
#include "kernel/lanes.h"

void BF_KERNEL(bf_exp_lanes)(int count, double *x) {
  BfLane *lane = (BfLane *)x;
  for (int i = 0; i < count; i++) lane[i] = lane_exp(lane[i]);
}
