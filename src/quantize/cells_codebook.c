/* X_n: a codebook. */
#include "quantize/cells.h"

#include <math.h>
#include <string.h>

static BfStatus codebook_points(BfCells *cells, const double points[], BfError *error) {
  int64_t numbers;
  if (__builtin_mul_overflow(cells->count, (int64_t)cells->dim, &numbers))
    return bf_fail(error, BF_BAD_INPUT, "codebook: %lld points are too many", (long long)cells->count);
  double *point;
  BF_TRY(BF_NEW(&point, numbers, error));
  cells->own = point;
  for (int64_t i = 0; i < numbers; i++) {
    if (!isfinite(points[i]))
      return bf_fail(error, BF_BAD_INPUT, "codebook: point %lld: z%d must be finite, got %g",
                     (long long)(i / cells->dim), (int)(i % cells->dim), points[i]);
    point[i] = points[i];
  }
  return BF_OK;
}

BfStatus bf_cells_codebook(int dim, int64_t count, const double points[], BfCells **out, BfError *error) {
  BfCells *cells = NULL;
  if (count < 1)
    return bf_fail(error, BF_BAD_INPUT, "codebook: there must be at least 1 point, got %lld", (long long)count);
  BF_TRY(bf_cells_new(&bf_quantizer_codebook, dim, count, &cells, error));
  BfStatus status = codebook_points(cells, points, error);
  if (status == BF_OK) *out = cells;
  else bf_cells_destroy(&cells);
  return status;
}

static void point(const BfCells *cells, int64_t cell, double z[]) {
  memcpy(z, (const double *)cells->own + cell * cells->dim, sizeof *z * (size_t)cells->dim);
}

static int64_t nearest(const BfCells *cells, const double z[]) {
  const double *point   = cells->own;
  double        closest = INFINITY;
  int64_t       cell    = 0;
  for (int64_t i = 0; i < cells->count; i++, point += cells->dim) {
    double square = 0;
    for (int j = 0; j < cells->dim; j++) square += (z[j] - point[j]) * (z[j] - point[j]);
    if (square < closest) {
      closest = square;
      cell    = i;
    }
  }
  return cell;
}

static const char KEY[] = "quantize.codebook";

static BfStatus read_points(const BfKeyReader *keys, const BfTokenBox *box, BfCells **out, BfError *error) {
  double *points = NULL;
  int64_t count  = 0;
  BF_TRY(keys->rows(keys, KEY, box->dim, &count, &points, error));
  BfStatus status = bf_cells_codebook(box->dim, count, points, out, error);
  bf_free(points);
  return status;
}

static const BfKey keys_of[] = {{KEY, "file", "none", "a CSV of points, d numbers a row, in place of cells"}, {0}};

const BfQuantizer bf_quantizer_codebook = {
    .base = {.name = KEY, .keys = keys_of}, .read = read_points, .point = point, .nearest = nearest};
