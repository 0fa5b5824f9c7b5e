/* Fits of power laws: exact ones, closed forms of Student's interval, what cannot be fitted and why, and how often the
 * bootstrap's interval holds the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those before it. */
#include <cmocka.h>

#include "bellformer/splitmix64.h"
#include "study/means.h"
#include "study_case.h"
#include <math.h>

static void near(double x, double y, double tolerance) {
  if (!(fabs(x - y) <= tolerance)) fail_msg("%.17g is not %.17g", x, y);
}

static void make(Case *c) {
  BfError error = {0};
  bf_table_destroy(&c->table);
  if (bf_table_create(&c->plan, c->record, &c->table, &error) != BF_OK) fail_msg("%s", error.text);
}

/* y of every point, in the order of the product. */
static void give(Case *c, const double y[]) {
  for (int64_t p = 0; p < c->plan.points; p++) {
    BfError error = {0};
    char    key[33];
    strcpy(key, c->record[p]->key);
    bf_record_destroy(&c->record[p]);
    bf_record_create(key, &c->record[p], &error);
    c->record[p]->state = BF_POINT_DONE;
    case_number(c, p, "solve/rollout@cost", y[p]);
  }
  make(c);
}

static void begin(Case *c, const char *x, double expect) {
  case_begin(c);
  case_vary(c, "n", x);
  case_measure(c, (BfMeasure){.name = "y", .of = "solve/rollout@cost"});
  case_fit(c, "y", "n", expect);
}

/* y = 3 n^-1.5, for each of two series, one of them of another law. */
static void exact(void **state) {
  Case   c;
  double y[8];
  (void)state;
  begin(&c, "4 8 16 64", -1.5);
  case_vary(&c, "action.count", "16 64");
  case_points(&c);
  for (int i = 0; i < 4; i++) {
    const double n = (double[]){4, 8, 16, 64}[i];
    y[2 * i]       = 3 * pow(n, -1.5);
    y[2 * i + 1]   = 0.25 * n;
  }
  give(&c, y);
  assert_int_equal(c.table->fits, 2);
  const BfFitted *fit = c.table->fit;
  assert_string_equal(fit[0].series, "action.count 16");
  assert_string_equal(fit[1].series, "action.count 64");
  near(fit[0].exponent, -1.5, 1e-14);
  near(fit[0].factor, 3, 1e-13);
  near(fit[1].exponent, 1, 1e-14);
  near(fit[1].factor, 0.25, 1e-14);
  for (int f = 0; f < 2; f++) {
    near(fit[f].r2, 1, 1e-14);
    near(fit[f].low, fit[f].exponent, 1e-12);
    near(fit[f].high, fit[f].exponent, 1e-12);
    assert_int_equal(fit[f].points, 4);
    assert_int_equal(fit[f].left_out, 0);
    assert_int_equal(fit[f].inside, !f);
    assert_null(fit[f].why);
  }
  /* A range counts where it meets the interval: here a number, -1.5 and 1. */
  const double within[][2] = {{-2, -1.5}, {-1.4, 0.9}, {-1.4, 1}};
  for (int i = 0; i < 3; i++) {
    c.fit[0].ranged    = true;
    c.fit[0].within[0] = within[i][0];
    c.fit[0].within[1] = within[i][1];
    bf_table_destroy(&c.table);
    make(&c);
    for (int f = 0; f < 2; f++) assert_int_equal(c.table->fit[f].inside, f == 0 ? i == 0 : i == 2);
  }
  case_end(&c);
}

/* log n = 0, 1, 2 log 2 and log y = 0, 1, 4 log 2: slope 2, residuals (1, -2, 1) / 3 log 2, one degree of freedom. */
static void student(void **state) {
  Case         c;
  const double t[][2] = {{1, 12.706204736174698},  {2, 4.302652729749464},  {3, 3.182446305283706},
                         {5, 2.570581835636331},   {10, 2.228138851986264}, {30, 2.042272456301288},
                         {1000, 1.962339080825795}};
  (void)state;
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) near(bf_student_95((int64_t)t[i][0]), t[i][1], 1e-11 * t[i][1]);
  begin(&c, "1 2 4", NAN);
  case_points(&c);
  give(&c, (double[]){1, 2, 16});
  const BfFitted *fit = c.table->fit;
  near(fit->exponent, 2, 1e-14);
  near(fit->factor, pow(2, -1.0 / 3), 1e-14);
  near(fit->low, 2 - t[0][1] * sqrt(1.0 / 3), 1e-10);
  near(fit->high, 2 + t[0][1] * sqrt(1.0 / 3), 1e-10);
  near(fit->r2, 1 - 6.0 / 78, 1e-14);
  assert_int_equal(fit->inside, -1);
  case_end(&c);
}

static void left_out(void **state) {
  Case c;
  (void)state;
  begin(&c, "1 2 4 8 16", 1);
  case_points(&c);
  give(&c, (double[]){2, 0, 8, -3, 32});
  assert_int_equal(c.table->fit->points, 3);
  assert_int_equal(c.table->fit->left_out, 2);
  near(c.table->fit->exponent, 1, 1e-14);
  assert_int_equal(c.table->fit->inside, 1);
  give(&c, (double[]){2, 0, 8, 0, NAN}); /* of two points there is a line, without an interval */
  assert_int_equal(c.table->fit->left_out, 3);
  near(c.table->fit->exponent, 1, 1e-14);
  assert_true(isnan(c.table->fit->low) && c.table->fit->inside == -1);
  assert_non_null(strstr(c.table->fit->why, "no interval"));
  give(&c, (double[]){2, 0, 0, 0, 0});
  assert_true(isnan(c.table->fit->exponent) && isnan(c.table->fit->factor) && c.table->fit->inside == -1);
  assert_non_null(strstr(c.table->fit->why, "fewer than two x"));
  give(&c, (double[]){0, 0, 0, 0, NAN});
  assert_non_null(strstr(c.table->fit->why, "nowhere"));
  case_end(&c);
}

static void cannot(void **state) {
  Case c;
  (void)state;
  begin(&c, "none rms", NAN);
  case_points(&c);
  give(&c, (double[]){1, 2});
  assert_int_equal(c.table->fits, 1);
  assert_string_equal(c.table->fit->why, "the values of x are no numbers");
  case_end(&c);
  begin(&c, "3", NAN);
  case_vary(&c, "seed", "0 1");
  c.study.over  = (char *[]){"seed"};
  c.study.overs = 1;
  case_fit(&c, "y", "seed", NAN);
  case_points(&c);
  give(&c, (double[]){1, 2});
  assert_non_null(strstr(c.table->fit[0].why, "fewer than two x"));
  assert_string_equal(c.table->fit[1].why, "x is averaged over");
  case_end(&c);
}

/* A measured x: pairs of means, all rows in one series, or in those of the plot. */
static void measured(void **state) {
  Case   c;
  double y[12];
  (void)state;
  case_begin(&c);
  case_vary(&c, "law", "1 2 3");
  case_vary(&c, "kind", "a b");
  case_vary(&c, "seed", "0 1");
  c.study.over  = (char *[]){"seed"};
  c.study.overs = 1;
  case_measure(&c, (BfMeasure){.name = "y", .of = "solve/rollout@cost"});
  case_measure(&c, (BfMeasure){.name = "w", .of = "solve/rollout@w"});
  case_fit(&c, "y", "w", 2);
  case_points(&c);
  for (int i = 0; i < 12; i++) y[i] = (i % 2 ? 1.1 : 0.9) * pow(i / 4 + 1, i / 2 % 2 ? 1 : 2);
  give(&c, y);
  for (int i = 0; i < 12; i++) case_number(&c, i, "solve/rollout@w", i / 4 + 1);
  make(&c);
  assert_int_equal(c.table->fits, 1);
  assert_int_equal(c.table->fit->points, 6);
  near(c.table->fit->exponent, 1.5, 1e-14);
  c.study.plot_series = "kind";
  make(&c);
  assert_int_equal(c.table->fits, 2);
  assert_string_equal(c.table->fit[1].series, "kind b");
  near(c.table->fit[0].exponent, 2, 1e-14);
  near(c.table->fit[1].exponent, 1, 1e-14);
  near(c.table->fit[0].high - c.table->fit[0].low, 0, 1e-12); /* a draw that moves all rows alike moves no exponent */
  assert_int_equal(c.table->fit[0].inside, 1);
  assert_int_equal(c.table->fit[1].inside, 0);
  case_end(&c);
}

/* 16 draws of y = n^-1 (1 + noise), noise uniform in -0.8 .. 0.8, of its own for each n: 300 intervals of 95 %. The
 * percentiles of so few draws hold a little less. */
static void coverage(void **state) {
  enum { CASES = 300, DRAWS = 16 };
  Case     c;
  double   y[4 * DRAWS];
  uint64_t random = 7;
  int      inside = 0;
  (void)state;
  begin(&c, "2 4 8 16", -1);
  case_vary(&c, "seed", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
  c.study.over  = (char *[]){"seed"};
  c.study.overs = 1;
  case_points(&c);
  for (int k = 0; k < CASES; k++) {
    for (int i = 0; i < 4 * DRAWS; i++) y[i] = (1 + 1.6 * (bf_uniform(&random) - 0.5)) / (double)(2 << i / DRAWS);
    give(&c, y);
    inside += c.table->fit->inside;
    assert_true(c.table->fit->low < c.table->fit->exponent && c.table->fit->exponent < c.table->fit->high);
  }
  if (inside < 0.88 * CASES || inside > 0.99 * CASES) fail_msg("%d of %d", inside, CASES);
  case_end(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exact),  cmocka_unit_test(student),  cmocka_unit_test(left_out),
                                     cmocka_unit_test(cannot), cmocka_unit_test(measured), cmocka_unit_test(coverage)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
