/* W1 of clouds of points against all permutations, closed forms, and what a metric satisfies. */
#include "expect.h"

#include "cost/w1.h"

#include <string.h>

enum { MOST_POINTS = 6, MOST_DIM = 3 };

static double w1(int dim, int64_t n, const double x[], int64_t m, const double y[]) {
  BfError error = {0};
  double  value = -1;
  assert_int_equal(bf_w1(dim, n, x, m, y, &value, &error), BF_OK);
  return value;
}

static double apart(int dim, const double x[], const double y[]) {
  double sum = 0;
  for (int j = 0; j < dim; j++) sum += (x[j] - y[j]) * (x[j] - y[j]);
  return sqrt(sum);
}

/* Small integers: many points are shared, or stand there several times. */
static void draw_points(uint64_t *seed, int count, int whole, double x[]) {
  for (int i = 0; i < count; i++) x[i] = whole ? (double)draw_below(seed, 3) : draw(seed, -1, 1);
}

/* Each point `times` times. */
static void repeat(int dim, int n, const double x[], int times, double out[]) {
  for (int i = 0; i < n * times; i++) memcpy(out + i * dim, x + i / times * dim, sizeof *x * (size_t)dim);
}

static double least_permutation(int dim, int n, const double x[], const double y[], int row, unsigned taken) {
  double least = row == n ? 0 : INFINITY;
  for (int j = 0; j < n && row < n; j++)
    if (!(taken >> j & 1u))
      least = fmin(least,
                   apart(dim, x + row * dim, y + j * dim) + least_permutation(dim, n, x, y, row + 1, taken | 1u << j));
  return least;
}

/* Clouds of n and m points are uniform laws on lcm(n, m) units each. */
static void the_best_permutation_of_units(void **state) {
  static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 3}, {6, 6}, {2, 3}, {3, 2}, {6, 3}, {4, 2}, {1, 5}};
  uint64_t         seed       = 1;
  (void)state;
  for (int k = 0; k < 9; k++)
    for (int dim = 1; dim <= MOST_DIM; dim++)
      for (int trial = 0; trial < 20; trial++) {
        const int n = sizes[k][0], m = sizes[k][1], units = n % m && m % n ? n * m : n > m ? n : m;
        double    x[MOST_POINTS * MOST_DIM], y[MOST_POINTS * MOST_DIM], a[MOST_POINTS * MOST_DIM],
            b[MOST_POINTS * MOST_DIM];
        draw_points(&seed, n * dim, trial % 2, x);
        draw_points(&seed, m * dim, trial % 2, y);
        repeat(dim, n, x, units / n, a);
        repeat(dim, m, y, units / m, b);
        expect_near(w1(dim, n, x, m, y), least_permutation(dim, units, a, b, 0, 0) / units, 0, 1e-14);
      }
}

/* On a line in the plane it is what distribution functions give; moved by a, W1 is |a|, if that is all that happens. */
static void lines_and_translations(void **state) {
  enum { N = 150, M = 90 };
  static double x[N], y[M], flat_x[2 * N], flat_y[2 * M], moved[2 * N];
  uint64_t      seed = 2;
  (void)state;
  for (int trial = 0; trial < 5; trial++) {
    draw_points(&seed, N, 0, x);
    draw_points(&seed, M, 0, y);
    for (int i = 0; i < N; i++) {
      flat_x[2 * i] = 0.6 * x[i], flat_x[2 * i + 1] = 0.8 * x[i];
      moved[2 * i] = flat_x[2 * i] + 0.3, moved[2 * i + 1] = flat_x[2 * i + 1] - 0.4;
    }
    for (int i = 0; i < M; i++) flat_y[2 * i] = 0.6 * y[i], flat_y[2 * i + 1] = 0.8 * y[i];
    expect_near(w1(2, N, flat_x, M, flat_y), w1(1, N, x, M, y), 0, 1e-13);
    expect_near(w1(2, N, flat_x, N, moved), 0.5, 0, 1e-13);
    assert_true(w1(2, N, flat_x, N, flat_x) == 0);
  }
}

static void a_metric(void **state) {
  enum { N = 40 };
  static double x[2 * N], y[2 * N], z[2 * N];
  uint64_t      seed = 3;
  (void)state;
  for (int trial = 0; trial < 20; trial++) {
    draw_points(&seed, 2 * N, 0, x);
    draw_points(&seed, 2 * N, 0, y);
    draw_points(&seed, 2 * N, 0, z);
    const double xy = w1(2, N, x, N, y), yz = w1(2, N, y, N, z), xz = w1(2, N, x, N, z);
    expect_near(xy, w1(2, N, y, N, x), 0, 1e-13);
    assert_true(xz <= xy + yz + 1e-13 && xy > 0);
  }
}

/* 2049 x 2049 distinct points are too many, unless most of them are shared. */
static void too_many_points_are_not_known(void **state) {
  enum { N = 2049 };
  static double x[2 * N], y[2 * N];
  uint64_t      seed = 4;
  (void)state;
  draw_points(&seed, 2 * N, 0, x);
  draw_points(&seed, 2 * N, 0, y);
  assert_true(isnan(w1(2, N, x, N, y)));
  memcpy(y, x, sizeof y);
  y[0] += 0.25;
  expect_near(w1(2, N, x, N, y), 0.25 / N, 0, 1e-15);
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_best_permutation_of_units),
                                     cmocka_unit_test(lines_and_translations), cmocka_unit_test(a_metric),
                                     cmocka_unit_test(too_many_points_are_not_known)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
