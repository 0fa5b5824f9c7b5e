/* U_k: the rows of a table. */
#include "quantize/controls.h"

#include <math.h>

static BfStatus check_ranges(const BfKeyReader *keys, const BfControlBox *box, int64_t count, const double u[],
                             BfError *error) {
  for (int64_t k = 0; k < count; k++)
    for (int j = 0; j < box->q; j++) {
      const double x = u[k * box->q + j];
      if (box->ranged[j] && (x < box->lower[j] || x > box->upper[j]))
        return keys->fail_row(keys, "action.file", k, error, "cell %d (of %s) must be in [%g, %g], got %g", j + 1,
                              box->matrix[j], box->lower[j], box->upper[j], x);
    }
  return BF_OK;
}

/* The hull of the rows, in the numbers without a range. */
static void take_hull(const BfControlBox *box, int64_t count, const double u[]) {
  for (int j = 0; j < box->q; j++) {
    if (box->ranged[j]) continue;
    box->lower[j] = box->upper[j] = u[j];
    for (int64_t k = 1; k < count; k++) {
      box->lower[j] = fmin(box->lower[j], u[k * box->q + j]);
      box->upper[j] = fmax(box->upper[j], u[k * box->q + j]);
    }
  }
}

static BfStatus make(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, double **u, BfError *error) {
  if (!box->q) return keys->fail(keys, "action.kind", error, "must not be file: no matrix has free numbers");
  BF_TRY(keys->rows(keys, "action.file", box->q, count, u, error));
  BF_TRY(bf_controls_fit(keys, "action.file", box, (double)*count, error));
  BF_TRY(check_ranges(keys, box, *count, *u, error));
  take_hull(box, *count, *u);
  return BF_OK;
}

static const BfKey keys_of[] = {
    {"action.file", "file", NULL,
     "a CSV of q numbers a row, with or without a header; within the ranges that are given"},
    {0}};

const BfSampler bf_sampler_file = {.base = {.name = "file", .keys = keys_of}, .spans = true, .make = make};
