/* U_k: the grid of controls. */
#include "quantize/controls.h"

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
    if (product >= BF_ACTIONS_LIMIT)
      return bf_fail(error, BF_BAD_INPUT, "control levels: their product, the count of actions, must be below 2^31");
  }
  *count = product;
  return BF_OK;
}

static void fill(int q, const double lower[], const double upper[], const int levels[], int64_t count, double u[]) {
  for (int64_t k = 0; k < count; k++) {
    int64_t digits = k;
    for (int j = q - 1; j >= 0; j--) {
      u[k * q + j] = control_level(lower[j], upper[j], levels[j], (int)(digits % levels[j]));
      digits /= levels[j];
    }
  }
}

BfStatus bf_controls_grid(int q, const double lower[], const double upper[], const int levels[], int64_t *count,
                          double **u, BfError *error) {
  int64_t actions = 1;
  double *control;
  BF_TRY(bf_controls_check(q, lower, upper, error));
  BF_TRY(count_actions(q, levels, &actions, error));
  BF_TRY(BF_NEW(&control, actions * q, error));
  fill(q, lower, upper, levels, actions, control);
  *count = actions;
  *u     = control;
  return BF_OK;
}

static BfStatus make(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, double **u, BfError *error) {
  double product = 1;
  for (int j = 0; j < box->q; j++) product *= box->levels[j];
  BF_TRY(bf_controls_fit(keys, "action.kind", box, product, error));
  return bf_controls_grid(box->q, box->lower, box->upper, box->levels, count, u, error);
}

static BfStatus lay(const BfControlPart *part, double u[], BfError *error) {
  (void)error;
  fill(part->q, part->lower, part->upper, part->levels, part->count, u);
  return BF_OK;
}

static const BfKey keys_of[] = {{.name = "control.A.levels"}, {.name = "control.A.row_I_column_J.levels"}, {0}};

const BfSampler bf_sampler_grid = {
    .base = {.name = "grid", .keys = keys_of}, .takes_levels = true, .make = make, .lay = lay};
