#include "check/rounding.h"
#include "check/span.h"
#include <fenv.h>

/* By vectors, too: both units of a processor have modes of their own. */
static bool is_upwards(void) {
  volatile double one[4] = {1, 1, 1, 1}, tiny[4] = {0x1p-60, 0x1p-60, 0x1p-60, 0x1p-60},
                  third = 1 / (one[0] + 2 * one[1]);
  double sum[4];
  for (int i = 0; i < 4; i++) sum[i] = one[i] + tiny[i];
  for (int i = 0; i < 4; i++)
    if (!(sum[i] > 1) || bf_add_down(one[i], tiny[i]) != 1) return false;
  return bf_mul_down(third, third) < third * third && bf_span_square(bf_span(third)).lo < third * third;
}

BfStatus bf_rounding_upwards(BfStatus (*work)(void *context, BfError *error), void *context, BfError *error) {
  const int before = fegetround();
  BfStatus  status;
  if (before < 0 || fesetround(FE_UPWARD)) return bf_fail(error, BF_FAILURE, "this machine cannot round upwards");
  status = is_upwards() ? work(context, error) : bf_fail(error, BF_FAILURE, "this machine does not round upwards");
  fesetround(before);
  return status;
}
