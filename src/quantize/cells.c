/* X_n: grid and codebook. */
#include "bellformer/quantize.h"

#include <math.h>

typedef struct {
  double  lower, width; /* lo_j, h_j */
  int64_t cells;        /* n_j */
} Axis;

struct BfCells {
  int     dim;
  int64_t count;
  Axis   *axis;  /* [dim], NULL for a codebook */
  double *point; /* [count][dim], NULL for a grid */
};

static BfStatus axis_set(Axis *axis, int j, double lower, double upper, int64_t cells, BfError *error) {
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
  *axis = (Axis){.lower = lower, .width = (upper - lower) / (double)cells, .cells = cells};
  if (axis->width > 0) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "quantize.cells[%d] is too many for the range from %g to %g", j, lower, upper);
}

static BfStatus tokens_new(int dim, int64_t count, BfCells **out, BfError *error) {
  if (dim < 1) return bf_fail(error, BF_BAD_INPUT, "token.dim must be at least 1, got %d", dim);
  BF_TRY(BF_NEW(out, 1, error));
  (*out)->dim   = dim;
  (*out)->count = count;
  return BF_OK;
}

static BfStatus grid_axes(BfCells *cells, const double lower[], const double upper[], const int64_t counts[],
                          BfError *error) {
  const int64_t limit = INT64_C(1) << 62;
  BF_TRY(BF_NEW(&cells->axis, cells->dim, error));
  for (int j = 0; j < cells->dim; j++) {
    BF_TRY(axis_set(&cells->axis[j], j, lower[j], upper[j], counts[j], error));
    if (__builtin_mul_overflow(cells->count, counts[j], &cells->count) || cells->count >= limit)
      return bf_fail(error, BF_BAD_INPUT, "quantize.cells: the product over the axes must be below 2^62");
  }
  return BF_OK;
}

BfStatus bf_cells_grid(int dim, const double lower[], const double upper[], const int64_t counts[], BfCells **out,
                       BfError *error) {
  BfCells *cells = NULL;
  BF_TRY(tokens_new(dim, 1, &cells, error));
  BfStatus status = grid_axes(cells, lower, upper, counts, error);
  if (status == BF_OK) *out = cells;
  else bf_cells_destroy(&cells);
  return status;
}

static BfStatus codebook_points(BfCells *cells, const double points[], BfError *error) {
  int64_t numbers;
  if (__builtin_mul_overflow(cells->count, (int64_t)cells->dim, &numbers))
    return bf_fail(error, BF_BAD_INPUT, "codebook: %lld points are too many", (long long)cells->count);
  BF_TRY(BF_NEW(&cells->point, numbers, error));
  for (int64_t i = 0; i < numbers; i++) {
    if (!isfinite(points[i]))
      return bf_fail(error, BF_BAD_INPUT, "codebook: point %lld: z%d must be finite, got %g",
                     (long long)(i / cells->dim), (int)(i % cells->dim), points[i]);
    cells->point[i] = points[i];
  }
  return BF_OK;
}

BfStatus bf_cells_codebook(int dim, int64_t count, const double points[], BfCells **out, BfError *error) {
  BfCells *cells = NULL;
  if (count < 1)
    return bf_fail(error, BF_BAD_INPUT, "codebook: there must be at least 1 point, got %lld", (long long)count);
  BF_TRY(tokens_new(dim, count, &cells, error));
  BfStatus status = codebook_points(cells, points, error);
  if (status == BF_OK) *out = cells;
  else bf_cells_destroy(&cells);
  return status;
}

void bf_cells_destroy(BfCells **cells) {
  if (!cells || !*cells) return;
  bf_free((*cells)->axis);
  bf_free((*cells)->point);
  bf_free(*cells);
  *cells = NULL;
}

int64_t bf_cells_count(const BfCells *cells) { return cells->count; }
int     bf_cells_dim(const BfCells *cells) { return cells->dim; }
int     bf_cells_is_grid(const BfCells *cells) { return cells->axis != NULL; }

void bf_cells_axis(const BfCells *cells, int j, double *lower, double *width, int64_t *count) {
  *lower = cells->axis[j].lower;
  *width = cells->axis[j].width;
  *count = cells->axis[j].cells;
}

void bf_cells_point(const BfCells *cells, int64_t cell, double z[]) {
  if (cells->point) {
    for (int j = 0; j < cells->dim; j++) z[j] = cells->point[cell * cells->dim + j];
    return;
  }
  for (int j = cells->dim - 1; j >= 0; j--) {
    const Axis *axis = &cells->axis[j];
    z[j]             = axis->lower + ((double)(cell % axis->cells) + 0.5) * axis->width;
    cell /= axis->cells;
  }
}

/* clamp(floor(x), 0, cells - 1), bounded before the conversion, which is undefined beyond int64_t; NaN goes to 0.
 * Where (double)cells is rounded up, the double before it is below cells. */
static int64_t clamp_floor(double x, int64_t cells) {
  if (!(x > 0)) return 0;
  return x < (double)cells ? (int64_t)x : cells - 1;
}

static int64_t grid_nearest(const BfCells *cells, const double z[]) {
  int64_t cell = 0;
  for (int j = 0; j < cells->dim; j++) {
    const Axis *axis = &cells->axis[j];
    cell             = cell * axis->cells + clamp_floor((z[j] - axis->lower) / axis->width, axis->cells);
  }
  return cell;
}

static int64_t codebook_nearest(const BfCells *cells, const double z[]) {
  const double *point   = cells->point;
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

int64_t bf_cells_nearest(const BfCells *cells, const double z[]) {
  return cells->axis ? grid_nearest(cells, z) : codebook_nearest(cells, z);
}

/* The centre below z on one axis; *share is the weight of the next one, 0 where z is at a centre or outside them. */
static int64_t centre_below(const Axis *axis, double z, double *share) {
  double  s = (z - axis->lower) / axis->width - 0.5;
  int64_t i = clamp_floor(s, axis->cells);
  *share    = s > 0 && i < axis->cells - 1 ? s - (double)i : 0;
  return i;
}

/* dim is a constant where it is small, so that the loops unroll. */
static inline __attribute__((always_inline)) int split(const BfCells *cells, const int dim, const double z[],
                                                       int64_t cell[], double weight[]) {
  int count = 1;
  cell[0]   = 0;
  weight[0] = 1;
  for (int j = 0; j < dim; j++) {
    const Axis *axis = &cells->axis[j];
    double      share;
    int64_t     below = centre_below(axis, z[j], &share);
    int         ways  = share > 0 ? 2 : 1;
    /* In place from the end: entry e becomes the entries ways e, ..., which keeps the cells in increasing order. */
    for (int e = count - 1; e >= 0; e--) {
      int64_t first = cell[e] * axis->cells + below;
      double  whole = weight[e];
      if (ways == 2) {
        cell[2 * e + 1]   = first + 1;
        weight[2 * e + 1] = whole * share;
      }
      cell[ways * e]   = first;
      weight[ways * e] = whole * (1 - share);
    }
    count *= ways;
  }
  int positive = 0; /* a product of small weights may have underflowed */
  for (int e = 0; e < count; e++) {
    if (!(weight[e] > 0)) continue;
    cell[positive]     = cell[e];
    weight[positive++] = weight[e];
  }
  return positive;
}

int bf_cells_split(const BfCells *cells, const double z[], int64_t cell[], double weight[]) {
  switch (cells->dim) {
  case 1:
    return split(cells, 1, z, cell, weight);
  case 2:
    return split(cells, 2, z, cell, weight);
  case 3:
    return split(cells, 3, z, cell, weight);
  default:
    return split(cells, cells->dim, z, cell, weight);
  }
}
