/* U_k: the points of Halton, exactly. x is given as a multiple of 2^-53, rounded down: x <= phi < x + 2^-53. */
#include "expect.h"

#include <math.h>

__extension__ typedef unsigned __int128 Wide;

/* Points in [0, 1)^q. */
static double *unit_points(int q, int64_t count, uint64_t seed) {
  BfError error = {0};
  double *u     = NULL, *lower, *upper;
  assert_int_equal(BF_NEW(&lower, q, &error), BF_OK);
  assert_int_equal(BF_NEW(&upper, q, &error), BF_OK);
  for (int j = 0; j < q; j++) upper[j] = 1;
  if (bf_controls_halton(q, lower, upper, count, seed, &u, &error) != BF_OK) fail_msg("%s", error.text);
  bf_free(lower);
  bf_free(upper);
  return u;
}

static uint64_t whole(double x) { return (uint64_t)ldexp(x, 53); }

static void first_points_by_hand(void **state) {
  (void)state;
  static const double halves[] = {0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875, 0.0625};
  static const int    ninths[] = {3, 6, 1, 4, 7, 2, 5, 8}, fifths[] = {1, 2, 3, 4};
  double             *u = unit_points(3, 8, 0);
  for (int k = 0; k < 8; k++) {
    assert_true(u[3 * k] == halves[k]);
    assert_true(whole(u[3 * k + 1]) == (UINT64_C(1) << 53) * (uint64_t)ninths[k] / 9);
    if (k < 4) assert_true(whole(u[3 * k + 2]) == (UINT64_C(1) << 53) * (uint64_t)fifths[k] / 5);
  }
  bf_free(u);
}

/* phi(b n + d) = (d + phi(n)) / b from the definition, as an exact fraction, for the first primes by a sieve. */
static void against_the_recursion(void **state) {
  enum { Q = 30, COUNT = 20000, SIEVE = 128 };
  int     composite[SIEVE] = {0}, j = 0;
  double *u = unit_points(Q, COUNT, 0);
  (void)state;
  for (uint64_t b = 2; b < SIEVE && j < Q; b++) {
    static Wide top[COUNT + 1], bottom[COUNT + 1];
    if (composite[b]) continue;
    for (uint64_t m = b * b; m < SIEVE; m += b) composite[m] = 1;
    top[0]    = 0;
    bottom[0] = 1;
    for (uint64_t n = 1; n <= COUNT; n++) {
      top[n]         = n % b * bottom[n / b] + top[n / b];
      bottom[n]      = b * bottom[n / b];
      const Wide one = (Wide)1 << 53, x = whole(u[(n - 1) * Q + (uint64_t)j]);
      assert_true(x * bottom[n] <= top[n] * one && top[n] * one < (x + 1) * bottom[n]);
    }
    j++;
  }
  assert_int_equal(j, Q);
  bf_free(u);
}

/* In base b every interval [a / b^i, (a + 1) / b^i) holds as many of 0 and the first b^m - 1 points: b^(m - i). */
static void intervals_hold_equally_many(void **state) {
  static const int base[] = {2, 3, 5, 7}, most[] = {12, 8, 5, 4};
  (void)state;
  for (int j = 0; j < 4; j++) {
    int64_t count = 1;
    for (int m = 0; m < most[j]; m++) count *= base[j];
    double *u = unit_points(4, count - 1, 0);
    for (int64_t parts = base[j]; parts <= count; parts *= base[j]) {
      BfError error = {0};
      int    *held;
      assert_int_equal(BF_NEW(&held, parts, &error), BF_OK);
      held[0] = 1;
      for (int64_t k = 0; k < count - 1; k++) /* x + 2^-53 is above phi, and in the same interval */
        held[(int64_t)((Wide)(whole(u[4 * k + j]) + 1) * (Wide)parts >> 53)]++;
      for (int64_t a = 0; a < parts; a++) assert_int_equal(held[a], count / parts);
      bf_free(held);
    }
    bf_free(u);
  }
}

/* Of any 2^3 3^2 points in a row one is in each of as many boxes of the first two coordinates (Chinese remainders). */
static void boxes_hold_one_each(void **state) {
  enum { A = 8, B = 9, COUNT = 1000 };
  double *u = unit_points(2, COUNT, 0);
  (void)state;
  for (int first = 0; first + A * B <= COUNT; first++) {
    int held[A * B] = {0};
    for (int k = first; k < first + A * B; k++) {
      const int a = (int)(A * u[2 * k]), b = (int)((Wide)(whole(u[2 * k + 1]) + 1) * B >> 53);
      held[a * B + b]++;
    }
    for (int i = 0; i < A * B; i++) assert_int_equal(held[i], 1);
  }
  bf_free(u);
}

/* x + shift modulo 1 without rounding, the shifts drawn in the order of coordinates; another seed, other points. */
static void a_seed_rotates(void **state) {
  enum { Q = 5, COUNT = 500 };
  const uint64_t one  = UINT64_C(1) << 53;
  double        *zero = unit_points(Q, COUNT, 0), *seven = unit_points(Q, COUNT, 7), *eight = unit_points(Q, COUNT, 8);
  uint64_t       stream = 7;
  (void)state;
  for (int j = 0; j < Q; j++) {
    const uint64_t shift = bf_splitmix64(&stream) >> 11;
    for (int k = 0; k < COUNT; k++) {
      assert_true(whole(seven[k * Q + j]) == (whole(zero[k * Q + j]) + shift) % one);
      assert_true(seven[k * Q + j] >= 0 && seven[k * Q + j] < 1);
      assert_true(seven[k * Q + j] != eight[k * Q + j]);
    }
  }
  bf_free(zero);
  bf_free(seven);
  bf_free(eight);
}

static void points_lie_in_the_box_and_are_nested(void **state) {
  enum { Q = 3 };
  const double lower[Q] = {-4, 0.1, 2}, upper[Q] = {4, 0.7, 2};
  BfError      error = {0};
  double      *few = NULL, *many = NULL, *unit = unit_points(Q, 1000, 3);
  (void)state;
  assert_int_equal(bf_controls_halton(Q, lower, upper, 10, 3, &few, &error), BF_OK);
  assert_int_equal(bf_controls_halton(Q, lower, upper, 1000, 3, &many, &error), BF_OK);
  assert_memory_equal(few, many, 10 * Q * sizeof *few);
  for (int i = 0; i < 1000 * Q; i++) {
    const int j = i % Q;
    assert_true(many[i] == lower[j] + unit[i] * (upper[j] - lower[j]));
    assert_true(many[i] >= lower[j] && many[i] <= upper[j]);
  }
  bf_free(few);
  bf_free(many);
  bf_free(unit);
}

/* Bases are the first primes, also where there are many, and larger than the index. */
static void many_numbers(void **state) {
  enum { Q = 1000 };
  double *u = unit_points(Q, 2, 0);
  (void)state;
  assert_true(whole(u[199]) == (UINT64_C(1) << 53) / 1223); /* the 200th prime */
  assert_true(whole(u[999]) == (UINT64_C(1) << 53) / 7919); /* the 1000th */
  assert_true(whole(u[1999]) == (UINT64_C(1) << 54) / 7919);
  bf_free(u);
}

static void refusals(void **state) {
  BfError error = {0};
  double *u     = NULL;
  (void)state;
  expect_refused(bf_controls_halton(1, (double[]){1}, (double[]){0}, 5, 0, &u, &error), &error,
                 "control number 0: range must not decrease, got [1, 0]");
  expect_refused(bf_controls_halton(1, (double[]){0}, (double[]){1}, 0, 0, &u, &error), &error,
                 "action.count must be in 1 .. 2^31 - 1, got 0");
  assert_null(u);
  assert_int_equal(bf_controls_halton(0, NULL, NULL, 3, 9, &u, &error), BF_OK);
  assert_non_null(u);
  bf_free(u);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_points_by_hand),
      cmocka_unit_test(against_the_recursion),
      cmocka_unit_test(intervals_hold_equally_many),
      cmocka_unit_test(boxes_hold_one_each),
      cmocka_unit_test(a_seed_rotates),
      cmocka_unit_test(points_lie_in_the_box_and_are_nested),
      cmocka_unit_test(many_numbers),
      cmocka_unit_test(refusals),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("halton", tests, NULL, NULL);
}
