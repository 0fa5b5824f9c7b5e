/* [R11]: the type nearest to a law, against all types, against the covering radii, and against the algorithm written
 * out naively. Distances are compared in integers: with masses w_i of sum S, e_i = S k_i - m w_i. */
#include "expect.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { CELLS = 12 };

typedef struct {
  int64_t one, two, most; /* sum |e_i|, sum e_i^2, max |e_i| */
} Distances;

static int64_t total(int64_t n, const int64_t a[]) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i];
  return sum;
}

static Distances distances(int64_t n, const int64_t law[], int64_t m, const int64_t counts[]) {
  Distances d   = {0, 0, 0};
  int64_t   sum = total(n, law);
  for (int64_t i = 0; i < n; i++) {
    int64_t e = llabs(sum * counts[i] - m * law[i]);
    d.one += e;
    d.two += e * e;
    if (e > d.most) d.most = e;
  }
  return d;
}

static void first_composition(int64_t n, int64_t sum, int64_t part[]) {
  for (int64_t i = 0; i < n; i++) part[i] = 0;
  part[0] = sum;
}

/* The next of the C(sum + n - 1, sum) ways to write a sum as n ordered parts >= 0. */
static int next_composition(int64_t n, int64_t part[]) {
  int64_t i = 0;
  while (i < n && !part[i]) i++;
  if (i >= n - 1) return 0;
  int64_t moved = part[i];
  part[i]       = 0;
  part[0]       = moved - 1;
  part[i + 1]++;
  return 1;
}

/* The least of each distance, over all types. */
static Distances least_distances(int64_t n, const int64_t law[], int64_t m) {
  int64_t   counts[CELLS];
  Distances least = {INT64_MAX, INT64_MAX, INT64_MAX};
  first_composition(n, m, counts);
  do {
    Distances d = distances(n, law, m, counts);
    if (d.one < least.one) least.one = d.one;
    if (d.two < least.two) least.two = d.two;
    if (d.most < least.most) least.most = d.most;
  } while (next_composition(n, counts));
  return least;
}

static void check_is_nearest(int64_t n, const int64_t law[], int64_t m) {
  BfError error = {0};
  int64_t counts[CELLS], same[CELLS];
  double  real[CELLS];
  assert_int_equal(bf_type_nearest_integer(n, law, m, counts, &error), BF_OK);
  assert_int_equal(total(n, counts), m);
  Distances d = distances(n, law, m, counts), least = least_distances(n, law, m);
  assert_int_equal(d.one, least.one);
  assert_int_equal(d.two, least.two);
  assert_int_equal(d.most, least.most);
  for (int64_t i = 0; i < n; i++) {
    assert_true(counts[i] >= 0);
    if (!law[i]) assert_int_equal(counts[i], 0);
    real[i] = (double)law[i];
  }
  assert_int_equal(bf_type_nearest(n, real, m, same, &error), BF_OK);
  assert_memory_equal(same, counts, (size_t)n * sizeof *counts);
}

static void nearest_of_all_types_in_three_norms(void **state) {
  (void)state;
  const struct {
    int64_t n, m, sum;
  } cases[] = {{1, 3, 7},  {2, 1, 12}, {2, 5, 24}, {3, 1, 18}, {3, 2, 17}, {3, 4, 24},
               {3, 7, 30}, {4, 1, 12}, {4, 3, 16}, {4, 6, 15}, {5, 2, 12}, {5, 4, 10}};
  int64_t law[CELLS];
  for (int i = 0; i < LENGTH(cases); i++) {
    first_composition(cases[i].n, cases[i].sum, law);
    do check_is_nearest(cases[i].n, law, cases[i].m);
    while (next_composition(cases[i].n, law));
  }
  uint64_t random = 3;
  for (int trial = 0; trial < 300; trial++) {
    int64_t n = 1 + draw_below(&random, 6), m = 1 + draw_below(&random, 6);
    for (int64_t i = 0; i < n; i++) law[i] = draw_below(&random, 2) ? draw_below(&random, 100000) : 0;
    law[n - 1]++;
    check_is_nearest(n, law, m);
  }
}

/* [R11]: no law of n cells is farther from the types of m atoms than, with a = floor(n / 2),
 *   L1: 2 a (n - a) / (n m),   L2: sqrt(a (n - a) / n) / m,   Linf: (1 - 1 / n) / m,
 * and where m >= a some law m w_i / S = integer + a / n (Linf: + 1 / n) is as far; S = n m holds them all. */
static void covering_radii_are_attained_and_never_exceeded(void **state) {
  (void)state;
  for (int64_t n = 2; n <= 5; n++)
    for (int64_t m = 1; m <= (n < 4 ? 6 : 4); m++) {
      const int64_t a = n / 2, sum = n * m;
      int64_t       law[CELLS], counts[CELLS];
      BfError       error = {0};
      Distances     most  = {0, 0, 0};
      first_composition(n, sum, law);
      do {
        assert_int_equal(bf_type_nearest_integer(n, law, m, counts, &error), BF_OK);
        Distances d = distances(n, law, m, counts);
        if (d.one > most.one) most.one = d.one;
        if (d.two > most.two) most.two = d.two;
        if (d.most > most.most) most.most = d.most;
      } while (next_composition(n, law));
      /* Each radius times S m (squared for L2). */
      Distances radius = {2 * a * (n - a) * m, a * (n - a) * n * m * m, (n - 1) * m};
      assert_int_equal(most.most, radius.most);
      if (m >= a) assert_int_equal(most.one, radius.one);
      if (m >= a) assert_int_equal(most.two, radius.two);
      assert_true(most.one <= radius.one && most.two <= radius.two);
    }
}

static void covering_radii_of_random_laws(void **state) {
  (void)state;
  uint64_t random = 4;
  for (int trial = 0; trial < 20000; trial++) {
    int64_t n = 1 + draw_below(&random, CELLS), m = 1 + draw_below(&random, 20), a = n / 2, law[CELLS], counts[CELLS];
    BfError error = {0};
    for (int64_t i = 0; i < n; i++) law[i] = 1 + draw_below(&random, 1000);
    assert_int_equal(bf_type_nearest_integer(n, law, m, counts, &error), BF_OK);
    Distances d   = distances(n, law, m, counts);
    int64_t   sum = total(n, law);
    assert_int_equal(total(n, counts), m);
    assert_true(n * d.one <= 2 * a * (n - a) * sum);
    assert_true(n * d.two <= a * (n - a) * sum * sum);
    assert_true(n * d.most <= (n - 1) * sum);
  }
}

/* Step by step as [R11] states it, the farthest entry looked up anew for each change. */
static void naive(int64_t n, const int64_t law[], int64_t m, int64_t counts[]) {
  int64_t sum = total(n, law), error[CELLS];
  for (int64_t i = 0; i < n; i++) {
    counts[i] = (2 * m * law[i] + sum) / (2 * sum);
    error[i]  = sum * counts[i] - m * law[i];
  }
  int64_t surplus     = total(n, counts) - m;
  int     sign        = surplus > 0 ? 1 : -1;
  int     done[CELLS] = {0};
  for (; surplus; surplus -= sign) {
    int64_t far = -1;
    for (int64_t i = 0; i < n; i++)
      if (!done[i] && (far < 0 || sign * error[i] > sign * error[far])) far = i;
    counts[far] -= sign;
    done[far] = 1;
  }
}

static void ties_go_as_in_the_algorithm(void **state) {
  (void)state;
  uint64_t random = 5;
  for (int trial = 0; trial < 50000; trial++) {
    int64_t n = 1 + draw_below(&random, CELLS), m = 1 + draw_below(&random, 12), law[CELLS], counts[CELLS], same[CELLS];
    double  real[CELLS];
    BfError error = {0};
    for (int64_t i = 0; i < n; i++) law[i] = draw_below(&random, 4);
    law[draw_below(&random, n)]++;
    for (int64_t i = 0; i < n; i++) real[i] = 0x1.8p-7 * (double)law[i];
    naive(n, law, m, counts);
    assert_int_equal(bf_type_nearest_integer(n, law, m, same, &error), BF_OK);
    assert_memory_equal(same, counts, (size_t)n * sizeof *counts);
    assert_int_equal(bf_type_nearest(n, real, m, same, &error), BF_OK);
    assert_memory_equal(same, counts, (size_t)n * sizeof *counts);
  }
}

static void check_counts(int64_t n, const double law[], int64_t m, const int64_t expected[]) {
  BfError error = {0};
  int64_t counts[CELLS];
  assert_int_equal(bf_type_nearest(n, law, m, counts, &error), BF_OK);
  for (int64_t i = 0; i < n; i++) assert_int_equal(counts[i], expected[i]);
}

static void ties_by_hand(void **state) {
  (void)state;
  const double one[] = {1, 1, 1, 1};
  check_counts(2, one, 1, (int64_t[]){0, 1});       /* both round up, the first gives way */
  check_counts(3, one, 1, (int64_t[]){1, 0, 0});    /* all round down, the first is raised */
  check_counts(3, one, 2, (int64_t[]){0, 1, 1});    /* 2/3 rounds up */
  check_counts(4, one, 2, (int64_t[]){0, 0, 1, 1}); /* 1/2 rounds up */
  check_counts(4, one, 1, (int64_t[]){1, 0, 0, 0});
}

/* 10 * 0.1 = 0.9999999999999999 and m p_i = 1/2 only by the true sum; thirds, and a sum far from 1. */
static void a_sum_that_is_not_one(void **state) {
  (void)state;
  double        tenth[10], sum = 0;
  const int64_t upper_half[10] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  for (int i = 0; i < 10; i++) sum += tenth[i] = 0.1;
  assert_true(sum != 1);
  check_counts(10, tenth, 5, upper_half);
  for (int i = 0; i < 10; i++) tenth[i] = DBL_MAX / 16;
  check_counts(10, tenth, 5, upper_half);
  for (int i = 0; i < 10; i++) tenth[i] = DBL_TRUE_MIN;
  check_counts(10, tenth, 5, upper_half);
  check_counts(3, (double[]){1.0 / 3, 1.0 / 3, 1.0 / 3 + 1e-16}, 3, (int64_t[]){1, 1, 1});
  check_counts(3, (double[]){1.0 / 3, 1.0 / 3, 1.0 / 3 + 1e-16}, 1, (int64_t[]){0, 0, 1});
  check_counts(3, (double[]){1, 0, 1e-300}, 4, (int64_t[]){4, 0, 0});
  check_counts(2, (double[]){0, 5e-324}, 1000, (int64_t[]){0, 1000});
}

/* m w_0 / S differs from a half by 2^-34 or 2^-74 only: far below what double arithmetic sees. */
static void almost_ties(void **state) {
  (void)state;
  const int64_t m = (1 << 20) - 1, half = m / 2;
  check_counts(2, (double[]){1, 1}, m, (int64_t[]){half, half + 1});
  check_counts(2, (double[]){1 + DBL_EPSILON, 1}, m, (int64_t[]){half + 1, half});
  check_counts(3, (double[]){1, 1, 0x1p-92}, m, (int64_t[]){half + 1, half, 0});
}

/* Doubles k / m, rounded, are brought back to the type k. */
static void types_stay(void **state) {
  (void)state;
  for (int64_t m = 1; m <= 11; m++) {
    int64_t counts[4];
    first_composition(4, m, counts);
    do {
      double law[4];
      for (int i = 0; i < 4; i++) law[i] = (double)counts[i] / (double)m;
      check_counts(4, law, m, counts);
    } while (next_composition(4, counts));
  }
}

/* Sizes of a million, with many zero cells, and few atoms on many cells. */
static void check_large(int64_t n, int64_t m, int64_t zero_of, uint64_t seed) {
  BfError  error = {0};
  double  *law;
  int64_t *counts;
  double   sum = 0;
  assert_int_equal(BF_NEW(&law, n, &error), BF_OK);
  assert_int_equal(BF_NEW(&counts, n, &error), BF_OK);
  for (int64_t i = 0; i < n; i++) law[i] = draw_below(&seed, zero_of) ? 0 : bf_uniform(&seed);
  law[n / 2] = 0.5;
  for (int64_t i = 0; i < n; i++) sum += law[i];
  assert_int_equal(bf_type_nearest(n, law, m, counts, &error), BF_OK);
  assert_int_equal(total(n, counts), m);
  for (int64_t i = 0; i < n; i++) {
    if (counts[i] < 0 || fabs((double)counts[i] - (double)m * law[i] / sum) > 1 + 1e-6)
      fail_msg("cell %lld has %lld atoms", (long long)i, (long long)counts[i]);
    if (law[i] == 0 && counts[i]) fail_msg("cell %lld has atoms, but no mass", (long long)i);
  }
  bf_free(law);
  bf_free(counts);
}

static void large_laws(void **state) {
  (void)state;
  check_large(1000000, 1000000, 1, 6);
  check_large(1000000, 1000000, 3, 7);
  check_large(1000000, 1, 1, 8);
  check_large(1000000, 7, 1000, 9);
  check_large(65, 1000000, 1, 10); /* one more than goes without an allocation */
}

/* More than m cells of equal mass: all round to 1, the first ones give way. */
static void equal_masses_on_a_million_cells(void **state) {
  (void)state;
  const int64_t n = 1000003, m = 1000000;
  BfError       error = {0};
  double       *law;
  int64_t      *counts;
  assert_int_equal(BF_NEW(&law, n, &error), BF_OK);
  assert_int_equal(BF_NEW(&counts, n, &error), BF_OK);
  for (int64_t i = 0; i < n; i++) law[i] = 1.0 / (double)n;
  assert_int_equal(bf_type_nearest(n, law, m, counts, &error), BF_OK);
  for (int64_t i = 0; i < n; i++)
    if (counts[i] != (i >= 3)) fail_msg("cell %lld has %lld atoms", (long long)i, (long long)counts[i]);
  bf_free(law);
  bf_free(counts);
}

static void atoms_up_to_the_limit(void **state) {
  (void)state;
  BfError       error = {0};
  int64_t       counts[3];
  const int64_t half = INT64_MAX / 2; /* INT64_MAX is odd */
  assert_int_equal(bf_type_nearest_integer(2, (int64_t[]){half, half}, INT64_MAX, counts, &error), BF_OK);
  assert_int_equal(counts[0], half);
  assert_int_equal(counts[1], half + 1);
  assert_int_equal(bf_type_nearest_integer(2, (int64_t[]){half, half + 1}, INT64_MAX, counts, &error), BF_OK);
  assert_int_equal(counts[0], half);
  assert_int_equal(counts[1], half + 1);
  assert_int_equal(bf_type_nearest(3, (double[]){1, 2, 3}, INT64_MAX - 1, counts, &error), BF_OK);
  assert_int_equal(counts[0] + counts[1] + counts[2], INT64_MAX - 1);
  assert_int_equal(counts[2], half); /* INT64_MAX - 1 = 6 * 1537228672809129301 */
  assert_int_equal(counts[0], INT64_C(1537228672809129301));
}

static void refusals(void **state) {
  (void)state;
  BfError error     = {0};
  int64_t counts[3] = {-7, -7, -7};
  expect_refused(bf_type_nearest(0, NULL, 1, counts, &error), &error, "a law must have at least 1 cell, got 0");
  expect_refused(bf_type_nearest(1, (double[]){1}, 0, counts, &error), &error,
                 "a type must have at least 1 atom, got 0");
  expect_refused(bf_type_nearest(3, (double[]){1, 2, -1}, 2, counts, &error), &error,
                 "a law's masses must be finite and at least 0, mass 2 is -1");
  expect_refused(bf_type_nearest(2, (double[]){1, INFINITY}, 2, counts, &error), &error,
                 "a law's masses must be finite and at least 0, mass 1 is inf");
  assert_int_equal(bf_type_nearest(2, (double[]){NAN, 1}, 2, counts, &error), BF_BAD_INPUT);
  error = (BfError){0};
  expect_refused(bf_type_nearest(2, (double[]){0, 0}, 2, counts, &error), &error,
                 "the sum of a law's masses must be positive and finite, got 0");
  expect_refused(bf_type_nearest(2, (double[]){DBL_MAX, DBL_MAX}, 2, counts, &error), &error,
                 "the sum of a law's masses must be positive and finite, got inf");
  expect_refused(bf_type_nearest_integer(-1, NULL, 1, counts, &error), &error,
                 "a law must have at least 1 cell, got -1");
  expect_refused(bf_type_nearest_integer(1, (int64_t[]){1}, -1, counts, &error), &error,
                 "a type must have at least 1 atom, got -1");
  expect_refused(bf_type_nearest_integer(2, (int64_t[]){1, -3}, 2, counts, &error), &error,
                 "a law's masses must be at least 0, mass 1 is -3");
  expect_refused(bf_type_nearest_integer(2, (int64_t[]){0, 0}, 2, counts, &error), &error,
                 "the sum of a law's masses must be in 1 .. 2^63 - 1, got 0");
  expect_refused(bf_type_nearest_integer(2, (int64_t[]){INT64_MAX, 1}, 2, counts, &error), &error,
                 "the sum of a law's masses must be in 1 .. 2^63 - 1, got more");
  for (int i = 0; i < 3; i++) assert_int_equal(counts[i], -7);
}

/* Small laws go through floating point where that decides: always the answer of the integers, also at ties (small
 * masses) and a hair beside them (masses near multiples of 2^40). */
static void floating_point_agrees_with_integers(void **state) {
  uint64_t random = 12345;
  (void)state;
  for (int trial = 0; trial < 400000; trial++) {
    int64_t   whole[12], expected[12], counts[12], sum = 0;
    double    law[12];
    BfError   error = {0};
    const int n = 1 + (int)((random >> 33) % 12), near = trial % 2;
    for (int i = 0; i < n; i++) {
      random   = random * 6364136223846793005u + 1442695040888963407u;
      whole[i] = (int64_t)((random >> 40) % 9);
      if (near) whole[i] = (whole[i] << 40) + (whole[i] ? (int64_t)((random >> 34) % 3) - 1 : 0);
      law[i] = (double)whole[i] * 0x1p-50;
      sum += whole[i];
    }
    const int64_t m = 1 + (int64_t)((random >> 20) % 16);
    if (!sum) continue;
    assert_int_equal(bf_type_nearest_integer(n, whole, m, expected, &error), BF_OK);
    assert_int_equal(bf_type_nearest(n, law, m, counts, &error), BF_OK);
    for (int i = 0; i < n; i++) assert_int_equal(counts[i], expected[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floating_point_agrees_with_integers),
      cmocka_unit_test(nearest_of_all_types_in_three_norms),
      cmocka_unit_test(covering_radii_are_attained_and_never_exceeded),
      cmocka_unit_test(covering_radii_of_random_laws),
      cmocka_unit_test(ties_go_as_in_the_algorithm),
      cmocka_unit_test(ties_by_hand),
      cmocka_unit_test(a_sum_that_is_not_one),
      cmocka_unit_test(almost_ties),
      cmocka_unit_test(types_stay),
      cmocka_unit_test(large_laws),
      cmocka_unit_test(equal_masses_on_a_million_cells),
      cmocka_unit_test(atoms_up_to_the_limit),
      cmocka_unit_test(refusals),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("nearest type", tests, NULL, NULL);
}
