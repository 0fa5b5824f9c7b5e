/* X_n: a grid of cells. */
#include "quantize/cells.h"

#include <inttypes.h>
#include <math.h>

static BfStatus axis_move(BfAxis *axis, int j, double shift, BfError *error) {
  if (!(shift >= -0.5 && shift < 0.5))
    return bf_fail(error, BF_BAD_INPUT, "quantize.shift[%d] must be in [-0.5, 0.5), got %g", j, shift);
  axis->lower += shift * axis->width;
  return BF_OK;
}

static BfStatus axis_set(BfAxis *axis, int j, double lower, double upper, int64_t cells, BfError *error) {
  if (!isfinite(lower) || !isfinite(upper))
    return bf_fail(error, BF_BAD_INPUT, "token.lower[%d] and token.upper[%d] must be finite, got %g and %g", j, j,
                   lower, upper);
  if (!isfinite(upper - lower))
    return bf_fail(error, BF_BAD_INPUT, "token.upper[%d] - token.lower[%d] must be finite, got %g and %g", j, j, lower,
                   upper);
  if (!(lower < upper))
    return bf_fail(error, BF_BAD_INPUT, "token.lower[%d] must be below token.upper[%d], got %g and %g", j, j, lower,
                   upper);
  if (cells < 1)
    return bf_fail(error, BF_BAD_INPUT, "quantize.cells[%d] must be at least 1, got %lld", j, (long long)cells);
  *axis = (BfAxis){.lower = lower, .width = (upper - lower) / (double)cells, .cells = cells};
  if (axis->width > 0) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "quantize.cells[%d] is too many for the range from %g to %g", j, lower, upper);
}

static BfStatus grid_axes(BfCells *cells, const double lower[], const double upper[], const int64_t counts[],
                          const double shift[], BfError *error) {
  const int64_t limit = INT64_C(1) << 62;
  BF_TRY(BF_NEW(&cells->axis, cells->dim, error));
  for (int j = 0; j < cells->dim; j++) {
    BF_TRY(axis_set(&cells->axis[j], j, lower[j], upper[j], counts[j], error));
    if (shift) BF_TRY(axis_move(&cells->axis[j], j, shift[j], error));
    if (__builtin_mul_overflow(cells->count, counts[j], &cells->count) || cells->count >= limit)
      return bf_fail(error, BF_BAD_INPUT, "quantize.cells: the product over the axes must be below 2^62");
  }
  return BF_OK;
}

BfStatus bf_cells_grid(int dim, const double lower[], const double upper[], const int64_t counts[], BfCells **out,
                       BfError *error) {
  return bf_cells_grid_shifted(dim, lower, upper, counts, NULL, out, error);
}

BfStatus bf_cells_grid_shifted(int dim, const double lower[], const double upper[], const int64_t counts[],
                               const double shift[], BfCells **out, BfError *error) {
  BfCells *cells = NULL;
  BF_TRY(bf_cells_new(&bf_quantizer_grid, dim, 1, &cells, error));
  BfStatus status = grid_axes(cells, lower, upper, counts, shift, error);
  if (status == BF_OK) *out = cells;
  else bf_cells_destroy(&cells);
  return status;
}

static void point(const BfCells *cells, int64_t cell, double z[]) {
  for (int j = cells->dim - 1; j >= 0; j--) {
    const BfAxis *axis = &cells->axis[j];
    z[j]               = axis->lower + ((double)(cell % axis->cells) + 0.5) * axis->width;
    cell /= axis->cells;
  }
}

static int64_t nearest(const BfCells *cells, const double z[]) {
  int64_t cell = 0;
  for (int j = 0; j < cells->dim; j++) {
    const BfAxis *axis = &cells->axis[j];
    cell               = cell * axis->cells + bf_clamp_floor((z[j] - axis->lower) / axis->width, axis->cells);
  }
  return cell;
}

/* ---- quantize.cells ---------------------------------------------------------------------------------------------- */

static const char KEY[] = "quantize.cells", SHIFT[] = "quantize.shift";

static BfStatus check_count(const BfKeyReader *keys, int dim, int64_t count, BfError *error) {
  if (count == 1 && dim != 1 && keys->is_list(keys, KEY))
    return keys->fail(keys, KEY, error, "wants %d integers, one an axis, got a list of 1 (for all alike: no brackets)",
                      dim);
  if (count != 1 && count != dim)
    return keys->fail(keys, KEY, error, "wants 1 or %d integers, one an axis, got %lld", dim, (long long)count);
  return BF_OK;
}

/* cells: one number for each axis. */
static BfStatus make_shifted(const BfKeyReader *keys, const BfTokenBox *box, const int64_t cells[], BfCells **out,
                             BfError *error) {
  double *shift = NULL;
  BF_TRY(keys->exactly(keys, SHIFT, box->dim, "one an axis", &shift, error));
  BfStatus status = BF_OK;
  for (int j = 0; j < box->dim && status == BF_OK; j++)
    if (!(shift[j] >= -0.5 && shift[j] < 0.5))
      status = keys->fail(keys, SHIFT, error, "must be in [-0.5, 0.5), got %.10g", shift[j]);
  if (status == BF_OK) status = bf_cells_grid_shifted(box->dim, box->lower, box->upper, cells, shift, out, error);
  bf_free(shift);
  return status;
}

/* given: one number for each axis, or one for all; all of them 0: no cells. */
static BfStatus make(const BfKeyReader *keys, const BfTokenBox *box, int64_t count, const int64_t given[],
                     BfCells **out, BfError *error) {
  double   product = 1;
  int64_t *axis, sum = 0;
  BfStatus status = BF_OK;
  for (int64_t j = 0; j < count; j++) sum |= given[j];
  if (!sum) return BF_OK;
  BF_TRY(BF_NEW(&axis, box->dim, error));
  for (int j = 0; j < box->dim && status == BF_OK; j++) {
    axis[j] = given[count == 1 ? 0 : j];
    product *= (double)axis[j];
    if (axis[j] < 1) status = keys->fail(keys, KEY, error, "must be at least 1, got %" PRId64, axis[j]);
  }
  if (status == BF_OK && product >= 0x1p62)
    status = keys->fail(keys, KEY, error, "gives %.3g cells, not below 2^62", product);
  if (status == BF_OK) status = make_shifted(keys, box, axis, out, error);
  bf_free(axis);
  return status;
}

static BfStatus read_cells(const BfKeyReader *keys, const BfTokenBox *box, BfCells **out, BfError *error) {
  int64_t *given = NULL, count = 0;
  BF_TRY(keys->integers(keys, KEY, &count, &given, error));
  keys->alike(keys, KEY);
  BfStatus status = check_count(keys, box->dim, count, error);
  if (status == BF_OK) status = make(keys, box, count, given, out, error);
  bf_free(given);
  return status;
}

const BfKey bf_key_cells = {
    KEY,        "integers",
    NULL,       "cells of Z along every axis, one number for each or one for all; `0`: tokens are not quantized",
    .least = 0, .most = INFINITY};

static const BfKey keys_of[] = {
    {.name = KEY},
    {SHIFT, "numbers", "0",
     "the cells are moved by that part of a cell, in [-0.5, 0.5), one number for each axis or one for all; the first "
     "and the last are cut, or go on, to the ends of Z"},
    {0}};

const BfQuantizer bf_quantizer_grid = {
    .base = {.name = KEY, .keys = keys_of}, .read = read_cells, .point = point, .nearest = nearest};
