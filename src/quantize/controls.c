/* U_k: what every sampler checks. */
#include "quantize/controls.h"

#include <math.h>

BfStatus bf_controls_check(int q, const double lower[], const double upper[], BfError *error) {
  if (q < 0) return bf_fail(error, BF_BAD_INPUT, "control: the count of free numbers must be at least 0, got %d", q);
  for (int j = 0; j < q; j++) {
    /* Room for the products of control_level, too. */
    if (!(fabs(lower[j]) < 1e290 && fabs(upper[j]) < 1e290))
      return bf_fail(error, BF_BAD_INPUT, "control number %d: range must be finite and within 1e290, got [%g, %g]", j,
                     lower[j], upper[j]);
    if (lower[j] > upper[j])
      return bf_fail(error, BF_BAD_INPUT, "control number %d: range must not decrease, got [%g, %g]", j, lower[j],
                     upper[j]);
  }
  return BF_OK;
}

BfStatus bf_controls_check_count(int64_t count, BfError *error) {
  if (count >= 1 && count < BF_ACTIONS_LIMIT) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "action.count must be in 1 .. 2^31 - 1, got %lld", (long long)count);
}
