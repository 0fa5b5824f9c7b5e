/* What the samplers of U_k share. */
#pragma once
#include "bellformer/quantize.h"

#define BF_ACTIONS_LIMIT (INT64_C(1) << 31) /* policies hold 32-bit actions */

/* The box U, and how many points are wanted of it. */
BfStatus bf_controls_check(int q, const double lower[], const double upper[], BfError *error);
BfStatus bf_controls_check_count(int64_t count, BfError *error);

/* lower + x (upper - lower), x in [0, 1); upper - lower may have been rounded up. */
static inline double bf_controls_place(double lower, double upper, double x) {
  const double value = lower + (upper - lower) * x;
  return value < upper ? value : upper;
}
