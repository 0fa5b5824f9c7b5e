/* U_k: the grid of controls, the sample of controls, and the generator behind it. */
#include "bellformer/quantize.h"

#include <math.h>

#define ACTIONS_LIMIT (INT64_C(1) << 31) /* policies hold 32-bit actions */

#define GAMMA UINT64_C(0x9e3779b97f4a7c15)

uint64_t bf_splitmix64(uint64_t *state) {
  uint64_t z = *state += GAMMA;
  z          = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z          = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void bf_splitmix64_skip(uint64_t *state, uint64_t count) { *state += count * GAMMA; }

double bf_uniform(uint64_t *state) { return (double)(bf_splitmix64(state) >> 11) * 0x1p-53; }

static BfStatus check_box(int q, const double lower[], const double upper[], BfError *error) {
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

/* Level i of `levels`. Of the formulas for equal spacing the one that is odd in a box [-a, a]: 0 is met exactly, and u
 * and -u are both there. */
static double control_level(double lower, double upper, int levels, int i) {
  if (levels == 1) return 0.5 * lower + 0.5 * upper;
  if (i == 0) return lower;
  if (i == levels - 1) return upper;
  return (lower * (levels - 1 - i) + upper * i) / (levels - 1);
}

static BfStatus count_actions(int q, const int levels[], int64_t *count, BfError *error) {
  int64_t product = 1;
  for (int j = 0; j < q; j++) {
    if (levels[j] < 1)
      return bf_fail(error, BF_BAD_INPUT, "control number %d: levels must be at least 1, got %d", j, levels[j]);
    product *= levels[j]; /* both factors are below 2^31 */
    if (product >= ACTIONS_LIMIT)
      return bf_fail(error, BF_BAD_INPUT, "control levels: their product, the count of actions, must be below 2^31");
  }
  *count = product;
  return BF_OK;
}

BfStatus bf_controls_grid(int q, const double lower[], const double upper[], const int levels[], int64_t *count,
                          double **u, BfError *error) {
  int64_t actions = 1;
  double *control;
  BF_TRY(check_box(q, lower, upper, error));
  BF_TRY(count_actions(q, levels, &actions, error));
  BF_TRY(BF_NEW(&control, actions * q, error));
  for (int64_t k = 0; k < actions; k++) {
    int64_t digits = k;
    for (int j = q - 1; j >= 0; j--) {
      control[k * q + j] = control_level(lower[j], upper[j], levels[j], (int)(digits % levels[j]));
      digits /= levels[j];
    }
  }
  *count = actions;
  *u     = control;
  return BF_OK;
}

BfStatus bf_controls_sample(int q, const double lower[], const double upper[], int64_t count, uint64_t seed, double **u,
                            BfError *error) {
  double *control;
  BF_TRY(check_box(q, lower, upper, error));
  if (count < 1 || count >= ACTIONS_LIMIT)
    return bf_fail(error, BF_BAD_INPUT, "action.count must be in 1 .. 2^31 - 1, got %lld", (long long)count);
  BF_TRY(BF_NEW(&control, count * q, error));
  for (int64_t k = 0; k < count; k++)
    for (int j = 0; j < q; j++) {
      double value       = lower[j] + (upper[j] - lower[j]) * bf_uniform(&seed);
      control[k * q + j] = value < upper[j] ? value : upper[j]; /* upper - lower may have been rounded up */
    }
  *u = control;
  return BF_OK;
}
