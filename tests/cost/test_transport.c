/* Optimal transport: the least cost over all couplings, against enumeration and closed forms. */
#include "expect.h"

enum { UNITS = 10, MOST = 250 };

static double solve(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground) {
  BfError error = {0};
  double  cost  = -1;
  assert_int_equal(bf_transport(n, supply, m, demand, ground, &cost, &error), BF_OK);
  assert_int_equal(error.status, BF_OK);
  return cost;
}

/* min over all permutations of sum_i c[i][perm(i)], by trying them all. */
static double least_permutation(int n, const double *ground, int row, unsigned taken) {
  double least = row == n ? 0 : INFINITY;
  for (int j = 0; j < n && row < n; j++)
    if (!(taken >> j & 1u)) {
      double rest = ground[row * n + j] + least_permutation(n, ground, row + 1, taken | 1u << j);
      if (rest < least) least = rest;
    }
  return least;
}

static void unit_masses_are_matched_as_by_the_best_permutation(void **state) {
  (void)state;
  uint64_t      seed   = 1;
  const int64_t ones[] = {1, 1, 1, 1, 1, 1};
  double        ground[36];
  for (int n = 1; n <= 6; n++)
    for (int trial = 0; trial < 60; trial++) {
      const int whole = trial % 2; /* small integers: many ties, and nothing is rounded */
      for (int k = 0; k < n * n; k++) ground[k] = whole ? draw_below(&seed, 4) : draw(&seed, 0, 1);
      expect_near(solve(n, ones, n, ones, ground), least_permutation(n, ground, 0, 0), 0, whole ? 0 : 1e-14);
    }
}

/* The same measures split into units, matched by dynamic programming over the sets of units that are taken:
 * best(set) after |set| units of supply. */
static double least_by_units(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground) {
  static double best[1 << UNITS];
  int           from[UNITS], to[UNITS], units = 0, wanted = 0;
  for (int i = 0; i < n; i++)
    for (int64_t k = 0; k < supply[i]; k++) from[units++] = i;
  for (int j = 0; j < m; j++)
    for (int64_t k = 0; k < demand[j]; k++) to[wanted++] = j;
  assert_int_equal(units, wanted);
  for (int set = 1; set < 1 << units; set++) {
    const int row = from[__builtin_popcount((unsigned)set) - 1];
    best[set]     = INFINITY;
    for (int k = 0; k < units; k++)
      if (set >> k & 1) best[set] = fmin(best[set], best[set ^ 1 << k] + ground[row * m + to[k]]);
  }
  return best[(1 << units) - 1];
}

/* Split `total` into `parts` positive numbers. */
static void draw_parts(uint64_t *seed, int total, int parts, int64_t part[]) {
  for (int i = 0; i < parts; i++) part[i] = 1;
  for (int k = parts; k < total; k++) part[draw_below(seed, parts)]++;
}

static void unequal_masses_cost_what_their_units_cost(void **state) {
  (void)state;
  uint64_t seed = 2;
  int64_t  supply[UNITS], demand[UNITS];
  double   ground[UNITS * UNITS];
  for (int trial = 0; trial < 300; trial++) {
    const int total = 2 + draw_below(&seed, UNITS - 1), n = 1 + draw_below(&seed, total),
              m = 1 + draw_below(&seed, total), whole = trial % 2;
    draw_parts(&seed, total, n, supply);
    draw_parts(&seed, total, m, demand);
    for (int k = 0; k < n * m; k++) ground[k] = whole ? draw_below(&seed, 5) : draw(&seed, 0, 1);
    expect_near(solve(n, supply, m, demand, ground), least_by_units(n, supply, m, demand, ground), 0,
                whole ? 0 : 1e-14);
  }
}

/* On the line the monotone coupling is optimal for |x - y|^2: both sorted, mass is matched from the left. */
static double monotone_cost(int n, const int64_t supply[], const double x[], int m, const int64_t demand[],
                            const double y[]) {
  int     i = 0, j = 0;
  int64_t left = supply[0], need = demand[0];
  double  sum = 0;
  while (i < n && j < m) {
    const int64_t amount = left < need ? left : need;
    sum += (double)amount * (x[i] - y[j]) * (x[i] - y[j]);
    if (!(left -= amount) && ++i < n) left = supply[i];
    if (!(need -= amount) && ++j < m) need = demand[j];
  }
  return sum;
}

static void shuffle(uint64_t *seed, int count, double x[], int64_t mass[]) {
  for (int i = count - 1; i > 0; i--) {
    const int     k    = draw_below(seed, i + 1);
    const double  at   = x[i];
    const int64_t here = mass[i];
    x[i]               = x[k];
    x[k]               = at;
    mass[i]            = mass[k];
    mass[k]            = here;
  }
}

static void on_a_line_the_sorted_coupling_is_optimal(void **state) {
  (void)state;
  static double  ground[MOST * MOST], x[MOST], y[MOST];
  static int64_t supply[MOST], demand[MOST];
  static const struct {
    int n, m, total;
  } sizes[]     = {{1, 1, 5}, {7, 3, 20}, {40, 40, 40}, {60, 25, 1000}, {150, 200, 5000}, {MOST, MOST, MOST}};
  uint64_t seed = 3;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    const int n = sizes[k].n, m = sizes[k].m;
    draw_parts(&seed, sizes[k].total, n, supply);
    draw_parts(&seed, sizes[k].total, m, demand);
    for (int i = 0; i < n; i++) x[i] = (i ? x[i - 1] : -1) + draw(&seed, 0, 2.0 / n);
    for (int j = 0; j < m; j++) y[j] = (j ? y[j - 1] : -1) + draw(&seed, 0, 3.0 / m);
    const double sorted = monotone_cost(n, supply, x, m, demand, y);
    shuffle(&seed, n, x, supply);
    shuffle(&seed, m, y, demand);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++) ground[i * m + j] = (x[i] - y[j]) * (x[i] - y[j]);
    expect_near(solve(n, supply, m, demand, ground), sorted, 1e-12, 1e-13);
  }
}

/* In the plane: the value must not change when the roles are exchanged, when the cost of a row or column is raised (but
 * by that much), nor, but in proportion, when all masses are scaled, up to 2^40 here. */
static void the_value_obeys_the_symmetries_of_the_problem(void **state) {
  (void)state;
  enum { N = 23, M = 17, TOTAL = 90 };
  uint64_t seed = 4;
  int64_t  supply[N], demand[M], many[N], wanted[M];
  double   ground[N * M], swapped[M * N], raised[N * M];
  for (int trial = 0; trial < 20; trial++) {
    double shift = 0;
    draw_parts(&seed, TOTAL, N, supply);
    draw_parts(&seed, TOTAL, M, demand);
    for (int i = 0; i < N; i++) {
      const double up = draw(&seed, 0, 2);
      shift += up * (double)supply[i];
      many[i] = supply[i] << 40;
      for (int j = 0; j < M; j++) {
        ground[i * M + j] = swapped[j * N + i] = draw(&seed, 0, 1);
        raised[i * M + j]                      = ground[i * M + j] + up;
      }
    }
    for (int j = 0; j < M; j++) wanted[j] = demand[j] << 40;
    const double cost = solve(N, supply, M, demand, ground);
    expect_near(solve(M, demand, N, supply, swapped), cost, 1e-13, 0);
    expect_near(solve(N, supply, M, demand, raised), cost + shift, 1e-13, 0);
    expect_near(solve(N, many, M, wanted, ground), cost * 0x1p40, 1e-13, 0);
  }
}

static void one_source_or_one_sink_has_one_coupling(void **state) {
  (void)state;
  const int64_t all[] = {10}, parts[] = {1, 2, 3, 4};
  const double  ground[] = {0.5, 0.25, 2, 8};
  assert_true(solve(1, all, 4, parts, ground) == 0.5 + 0.5 + 6 + 32);
  assert_true(solve(4, parts, 1, all, ground) == 0.5 + 0.5 + 6 + 32);
}

static void what_has_no_coupling_is_refused(void **state) {
  (void)state;
  BfError       error = {0};
  double        cost = 42, ground[] = {0, 1, 1, 0};
  const int64_t two[] = {1, 1}, three[] = {1, 2}, none[] = {2, 0}, large[] = {INT64_MAX, 1};
  expect_refused(bf_transport(2, two, 2, three, ground, &cost, &error), &error,
                 "transport: supply is 2 in all, but demand 3");
  expect_refused(bf_transport(2, none, 2, two, ground, &cost, &error), &error,
                 "transport: supply 1 is 0, must be positive");
  expect_refused(bf_transport(2, two, 2, large, ground, &cost, &error), &error,
                 "transport: the demands add up to more than 2^63 - 1");
  ground[2] = INFINITY;
  expect_refused(bf_transport(2, two, 2, two, ground, &cost, &error), &error,
                 "transport: the cost inf from 1 to 0 is not finite and non-negative");
  ground[2] = -1;
  expect_refused(bf_transport(2, two, 2, two, ground, &cost, &error), &error,
                 "transport: the cost -1 from 1 to 0 is not finite and non-negative");
  assert_true(cost == 42);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unit_masses_are_matched_as_by_the_best_permutation),
      cmocka_unit_test(unequal_masses_cost_what_their_units_cost),
      cmocka_unit_test(on_a_line_the_sorted_coupling_is_optimal),
      cmocka_unit_test(the_value_obeys_the_symmetries_of_the_problem),
      cmocka_unit_test(one_source_or_one_sink_has_one_coupling),
      cmocka_unit_test(what_has_no_coupling_is_refused),
  };
  return RUN(tests);
}
