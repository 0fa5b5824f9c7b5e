/* U_k: the grid and the sample of controls, splitmix64. */
#include "expect.h"

#include <math.h>

static void splitmix64_gives_the_published_numbers(void **state) {
  (void)state;
  uint64_t zero = 0, seed = 1234567;
  assert_true(bf_splitmix64(&zero) == UINT64_C(0xe220a8397b1dcdaf));
  assert_true(bf_splitmix64(&zero) == UINT64_C(0x6e789e6aa1b965f4));
  assert_true(bf_splitmix64(&zero) == UINT64_C(0x06c45d188009454f));
  assert_true(bf_splitmix64(&seed) == UINT64_C(6457827717110365317));
  assert_true(bf_splitmix64(&seed) == UINT64_C(3203168211198807973));
}

static void a_skip_is_as_many_draws(void **state) {
  (void)state;
  static const int64_t counts[] = {0, 1, 2, 1000, 123457};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    uint64_t one = UINT64_MAX - 5, all = UINT64_MAX - 5;
    bf_splitmix64_skip(&one, (uint64_t)counts[i]);
    for (int64_t k = 0; k < counts[i]; k++) bf_splitmix64(&all);
    assert_true(one == all);
  }
  uint64_t far = 7, near = 7; /* more than one could wait for; 2^64 is a whole round */
  bf_splitmix64_skip(&far, UINT64_C(1) << 63);
  bf_splitmix64_skip(&far, UINT64_C(1) << 63);
  assert_true(far == near);
}

/* (r >> 11) 2^-53: in [0, 1), of the same stream, with the mean and variance of the uniform law. */
static void uniform_draws(void **state) {
  (void)state;
  uint64_t  seed = 7, same = 7;
  double    sum = 0, squares = 0;
  const int count = 100000;
  for (int i = 0; i < count; i++) {
    double x = bf_uniform(&seed);
    assert_true(x == ldexp((double)(bf_splitmix64(&same) / 2048), -53));
    assert_true(x >= 0 && x < 1);
    sum += x;
    squares += (x - 0.5) * (x - 0.5);
  }
  assert_true(fabs(sum / count - 0.5) < 4 / sqrt(12.0 * count));
  assert_true(fabs(squares / count - 1.0 / 12) < 4 / sqrt(180.0 * count));
  uint64_t zero = 0;
  assert_true(bf_uniform(&zero) == (double)(UINT64_C(0xe220a8397b1dcdaf) >> 11) / 9007199254740992.0);
}

static void grid_by_hand(void **state) {
  (void)state;
  const double expected[][3] = {{-4, 5, -2}, {-4, 5, 2}, {0, 5, -2}, {0, 5, 2}, {4, 5, -2}, {4, 5, 2}};
  BfError      error         = {0};
  int64_t      count         = 0;
  double      *u             = NULL;
  assert_int_equal(
      bf_controls_grid(3, (double[]){-4, 3, -2}, (double[]){4, 7, 2}, (int[]){3, 1, 2}, &count, &u, &error), BF_OK);
  assert_int_equal(count, 6);
  for (int k = 0; k < 6; k++)
    for (int j = 0; j < 3; j++) assert_true(u[k * 3 + j] == expected[k][j]);
  bf_free(u);
}

/* Both ends, equal spacing, and an index whose digits, first number slowest, are the levels. */
static void grid_is_mixed_radix(void **state) {
  (void)state;
  const double lower[] = {-1, 0, 0.1, -3, 2}, upper[] = {1, 1, 0.7, -1, 2};
  const int    levels[] = {5, 1, 4, 3, 2};
  BfError      error    = {0};
  int64_t      count = 0, k = 0;
  double      *u = NULL;
  int          i[5];
  assert_int_equal(bf_controls_grid(5, lower, upper, levels, &count, &u, &error), BF_OK);
  assert_int_equal(count, 5 * 1 * 4 * 3 * 2);
  for (i[0] = 0; i[0] < levels[0]; i[0]++)
    for (i[1] = 0; i[1] < levels[1]; i[1]++)
      for (i[2] = 0; i[2] < levels[2]; i[2]++)
        for (i[3] = 0; i[3] < levels[3]; i[3]++)
          for (i[4] = 0; i[4] < levels[4]; i[4]++, k++)
            for (int j = 0; j < 5; j++) {
              double share = levels[j] == 1 ? 0.5 : i[j] / (levels[j] - 1.0), value = u[k * 5 + j];
              assert_true(fabs(value - (lower[j] + share * (upper[j] - lower[j]))) < 1e-15 * 4);
              if (levels[j] > 1 && i[j] == 0) assert_true(value == lower[j]);
              if (levels[j] > 1 && i[j] == levels[j] - 1) assert_true(value == upper[j]);
            }
  assert_int_equal(k, count);
  bf_free(u);
}

/* In [-a, a] the grid is its own mirror image to the bit, with 0 in the middle of an odd one. */
static void symmetric_box_has_symmetric_levels(void **state) {
  (void)state;
  for (int levels = 1; levels < 200; levels++) {
    BfError error = {0};
    int64_t count = 0;
    double *u     = NULL;
    assert_int_equal(bf_controls_grid(1, (double[]){-0.7}, (double[]){0.7}, &levels, &count, &u, &error), BF_OK);
    for (int i = 0; i < levels; i++) assert_true(u[i] == -u[levels - 1 - i]);
    for (int i = 1; i < levels; i++) assert_true(u[i] > u[i - 1]);
    if (levels % 2) assert_true(u[levels / 2] == 0);
    bf_free(u);
  }
}

static void sample_is_the_stream_number_by_number(void **state) {
  (void)state;
  const double lower[] = {-4, 0, 2}, upper[] = {4, 0.25, 2};
  BfError      error = {0};
  double      *few = NULL, *many = NULL, *other = NULL;
  uint64_t     stream = 42;
  assert_int_equal(bf_controls_sample(3, lower, upper, 10, 42, &few, &error), BF_OK);
  assert_int_equal(bf_controls_sample(3, lower, upper, 1000, 42, &many, &error), BF_OK);
  assert_int_equal(bf_controls_sample(3, lower, upper, 10, 43, &other, &error), BF_OK);
  assert_memory_equal(few, many, 10 * 3 * sizeof *few);
  assert_memory_not_equal(few, other, 10 * 3 * sizeof *few);
  for (int k = 0; k < 1000; k++)
    for (int j = 0; j < 3; j++) {
      double draw = ldexp((double)(bf_splitmix64(&stream) >> 11), -53), value = many[3 * k + j];
      assert_true(value == lower[j] + draw * (upper[j] - lower[j]));
      assert_true(value >= lower[j] && value <= upper[j]);
    }
  bf_free(few);
  bf_free(many);
  bf_free(other);
}

/* A layer whose matrices are all fixed has one control, of no numbers. */
static void no_free_number(void **state) {
  (void)state;
  BfError error = {0};
  int64_t count = 0;
  double *u     = NULL;
  assert_int_equal(bf_controls_grid(0, NULL, NULL, NULL, &count, &u, &error), BF_OK);
  assert_int_equal(count, 1);
  assert_non_null(u);
  bf_free(u);
  assert_int_equal(bf_controls_sample(0, NULL, NULL, 3, 0, &u, &error), BF_OK);
  assert_non_null(u);
  bf_free(u);
}

static void expect_grid_refused(int q, const double lower[], const double upper[], const int levels[],
                                const char *line) {
  BfError error = {0};
  int64_t count = -7;
  double *u     = NULL;
  expect_refused(bf_controls_grid(q, lower, upper, levels, &count, &u, &error), &error, line);
  assert_int_equal(count, -7);
  assert_null(u);
}

static void refusals(void **state) {
  (void)state;
  BfError      error   = {0};
  double      *u       = NULL;
  const double zero[8] = {0}, one[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const char  *product = "control levels: their product, the count of actions, must be below 2^31";
  expect_grid_refused(-1, zero, one, (int[]){1}, "control: the count of free numbers must be at least 0, got -1");
  expect_grid_refused(2, zero, one, (int[]){3, 0}, "control number 1: levels must be at least 1, got 0");
  expect_grid_refused(2, (double[]){0, 2}, one, (int[]){3, 3}, "control number 1: range must not decrease, got [2, 1]");
  expect_grid_refused(1, (double[]){NAN}, one, (int[]){3},
                      "control number 0: range must be finite and within 1e290, got [nan, 1]");
  expect_grid_refused(1, zero, (double[]){INFINITY}, (int[]){3},
                      "control number 0: range must be finite and within 1e290, got [0, inf]");
  expect_grid_refused(2, zero, one, (int[]){1 << 16, 1 << 15}, product);
  expect_grid_refused(5, zero, one, (int[]){INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}, product);
  expect_refused(bf_controls_sample(1, zero, one, 0, 0, &u, &error), &error,
                 "action.count must be in 1 .. 2^31 - 1, got 0");
  expect_refused(bf_controls_sample(1, zero, one, INT64_C(1) << 31, 0, &u, &error), &error,
                 "action.count must be in 1 .. 2^31 - 1, got 2147483648");
  expect_refused(bf_controls_sample(1, one, zero, 5, 0, &u, &error), &error,
                 "control number 0: range must not decrease, got [1, 0]");
  assert_null(u);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splitmix64_gives_the_published_numbers),
      cmocka_unit_test(a_skip_is_as_many_draws),
      cmocka_unit_test(uniform_draws),
      cmocka_unit_test(grid_by_hand),
      cmocka_unit_test(grid_is_mixed_radix),
      cmocka_unit_test(symmetric_box_has_symmetric_levels),
      cmocka_unit_test(sample_is_the_stream_number_by_number),
      cmocka_unit_test(no_free_number),
      cmocka_unit_test(refusals),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("controls", tests, NULL, NULL);
}
