/* How far apart two lists of laws are. */
#include "study/laws.h"
#include "bellformer/error.h"
#include "bellformer/splitmix64.h"
#include "problem/head_init.h"
#include "study/means.h"
#include <math.h>
#include <stdlib.h>

enum { DIRECTIONS = 64 };

static double length(int64_t q, const double x[], const double y[]) {
  double sum = 0;
  for (int64_t j = 0; j < q; j++) sum += (x[j] - y[j]) * (x[j] - y[j]);
  return sqrt(sum);
}

/* Mean over all pairs of their distance; of a law and itself half the pairs are looked at. */
static double mean_length(const BfLaw *a, const BfLaw *b) {
  double sum = 0;
  for (int64_t i = 0; i < a->points; i++)
    for (int64_t j = a->x == b->x ? i + 1 : 0; j < b->points; j++)
      sum += length(a->numbers, a->x + i * a->numbers, b->x + j * a->numbers);
  return (a->x == b->x ? 2 : 1) * sum / ((double)a->points * (double)b->points);
}

/* ---- sliced -------------------------------------------------------------------------------------------------------
 */

static void project(const BfLaw *a, const double direction[], double out[]) {
  for (int64_t i = 0; i < a->points; i++) {
    out[i] = 0;
    for (int64_t j = 0; j < a->numbers; j++) out[i] += a->x[i * a->numbers + j] * direction[j];
  }
  qsort(out, (size_t)a->points, sizeof *out, bf_ascending);
}

/* The integral of |F^-1 - G^-1|^2 of two sorted lists: quantile functions are constant between multiples of 1/n, 1/m,
 * which are compared as whole numbers. */
static double squared_transport(int64_t n, const double x[], int64_t m, const double y[]) {
  double sum = 0;
  for (int64_t i = 0, j = 0, from = 0; i < n && j < m;) {
    const int64_t x_ends = (i + 1) * m, y_ends = (j + 1) * n, to = x_ends < y_ends ? x_ends : y_ends;
    sum += (double)(to - from) * (x[i] - y[j]) * (x[i] - y[j]);
    from = to;
    i += x_ends == to, j += y_ends == to;
  }
  return sum / ((double)n * (double)m);
}

/* Of a normal law, made of length 1; alike on every machine. */
static void draw_direction(int64_t q, uint64_t *state, double out[]) {
  double square = 0;
  for (int64_t j = 0; j < q; j++) {
    out[j] = bf_normal_quantile(bf_uniform(state) + 0x1p-54); /* not of 0 */
    square += out[j] * out[j];
  }
  for (int64_t j = 0; j < q; j++) out[j] /= sqrt(square);
}

static double squared_slices(const BfLaw *a, const BfLaw *b, double work[]) {
  double  *direction = work, *x = work + a->numbers, *y = x + a->points, sum = 0;
  uint64_t state = 0;
  for (int k = 0; k < DIRECTIONS; k++) {
    draw_direction(a->numbers, &state, direction);
    project(a, direction, x);
    project(b, direction, y);
    sum += squared_transport(a->points, x, b->points, y);
  }
  return sum / DIRECTIONS;
}

/* ---- over depth ---------------------------------------------------------------------------------------------------
 */

static BfLaw law_at(const BfLaws *laws, int64_t t) {
  return (BfLaw){laws->points, laws->numbers, laws->x + t * laws->points * laws->numbers};
}

static double squared(const BfLaw *a, const BfLaw *b, bool energy, double work[]) {
  if (!energy) return squared_slices(a, b, work);
  return 2 * mean_length(a, b) - mean_length(a, a) - mean_length(b, b);
}

double bf_laws_apart(const BfLaws *a, const BfLaws *b, bool energy, BfError *error) {
  double *work = NULL, sum = 0;
  if (a->numbers != b->numbers || !a->numbers || !a->points || !b->points || !a->layers || !b->layers) return NAN;
  if (BF_NEW(&work, a->numbers + a->points + b->points, error) != BF_OK) return NAN;
  for (int64_t s = 0, t = 0, from = 0; s < a->layers && t < b->layers;) {
    const int64_t a_ends = (s + 1) * b->layers, b_ends = (t + 1) * a->layers, to = a_ends < b_ends ? a_ends : b_ends;
    const BfLaw   mine = law_at(a, s), other = law_at(b, t);
    sum += (double)(to - from) * squared(&mine, &other, energy, work);
    from = to;
    s += a_ends == to, t += b_ends == to;
  }
  bf_free(work);
  /* Of equal laws the three means cancel but for rounding, which may leave less than 0. */
  return sum < 0 ? 0 : sqrt(sum / ((double)a->layers * (double)b->layers));
}
