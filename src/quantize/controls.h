/* What the samplers of U_k share. */
#pragma once
#include "quantize/sampler.h"

#define BF_ACTIONS_LIMIT (INT64_C(1) << 31) /* policies hold 32-bit actions */

/* Of a set of any number of points. */
#define BF_KEY_COUNT                                                                                                   \
  {                                                                                                                    \
    "action.count", "integer", NULL, "number of points; a larger count contains the smaller",                          \
        .least = 1, .most = BF_ACTIONS_LIMIT - 1                                                                       \
  }
#define BF_KEY_SEED                                                                                                    \
  { "action.seed", "integer", "0", "of what is drawn", .most = INFINITY }

/* The box U, and how many points are wanted of it. */
BfStatus bf_controls_check(int q, const double lower[], const double upper[], BfError *error);
BfStatus bf_controls_check_count(int64_t count, BfError *error);

/* Every rank holds the controls, as numbers and as matrices, and their stage costs: refuse, rather than die of, a set
 * that its node could not hold. key: that gives it. */
BfStatus bf_controls_fit(const BfKeyReader *keys, const char *key, const BfControlBox *box, double count,
                         BfError *error);
/* action.count, which fits, and action.seed. */
BfStatus bf_controls_read_count(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, uint64_t *seed,
                                BfError *error);

/* Points first .. first + count - 1 of bf_controls_halton, into u [count][q]; the box is one that was checked. */
BfStatus bf_controls_halton_part(int q, const double lower[], const double upper[], int64_t first, int64_t count,
                                 uint64_t seed, double u[], BfError *error);

/* lower + x (upper - lower), x in [0, 1); upper - lower may have been rounded up. */
static inline double bf_controls_place(double lower, double upper, double x) {
  const double value = lower + (upper - lower) * x;
  return value < upper ? value : upper;
}
