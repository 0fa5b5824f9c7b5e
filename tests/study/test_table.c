/* Columns and means from records by hand, against what they are by definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those before it. */
#include <cmocka.h>

#include "study_case.h"
#include <math.h>

static void make(Case *c) {
  BfError error = {0};
  if (bf_table_create(&c->plan, c->record, &c->table, &error) != BF_OK) fail_msg("%s", error.text);
}

static void expect(const double x[], int64_t n, const double y[]) {
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(x[i] - y[i]) <= 1e-15 * fabs(y[i]) || (isnan(x[i]) && isnan(y[i]))))
      fail_msg("%lld: %.17g is not %.17g", (long long)i, x[i], y[i]);
}

/* Keys in the order of the file, then measures; a list of equal numbers is a number, other values are texts. */
static void columns(void **state) {
  Case c;
  (void)state;
  case_begin(&c);
  case_vary(&c, "quantize.cells", "4,4 8,8");
  case_vary(&c, "layer.norm", "none rms");
  case_vary(&c, "data.axes", "1 1,2");
  case_measure(&c, (BfMeasure){.name = "value", .of = "solve/rollout@cost"});
  case_measure(&c, (BfMeasure){.name = "twice", .kind = BF_MEASURE_FORMULA, .formula = "value * 2 + quantize.cells"});
  case_points(&c);
  for (int64_t p = 0; p < 8; p++) case_number(&c, p, "solve/rollout@cost", (double)p);
  c.record[3]->state = BF_POINT_FAILED;
  bf_record_destroy(&c.record[6]);
  make(&c);
  const BfColumns *t = &c.table->points;
  assert_int_equal(t->rows, 8);
  assert_int_equal(t->columns, 5);
  assert_int_equal(t->keys, 3);
  const char *const names[] = {"quantize.cells", "layer.norm", "data.axes", "value", "twice"};
  for (int i = 0; i < 5; i++) assert_string_equal(t->column[i].name, names[i]);
  expect(t->column[0].number, 8, (double[]){4, 4, 4, 4, 8, 8, 8, 8});
  assert_null(t->column[1].number);
  assert_string_equal(t->column[1].text[2], "rms");
  assert_string_equal(t->column[2].text[5], "1,2");
  expect(t->column[3].number, 8, (double[]){0, 1, 2, NAN, 4, 5, NAN, 7});
  expect(t->column[4].number, 8, (double[]){4, 6, 8, NAN, 16, 18, NAN, 22});
  assert_null(bf_columns_find(t, "error"));
  case_end(&c);
}

static void add_array(Case *c, int64_t p, int rank, const int64_t dims[], const double data[]) {
  BfError error = {0};
  assert_int_equal(bf_record_add_array(c->record[p], "solve/rollout/tokens", rank, dims, data, &error), BF_OK);
}

/* |a - reference| of numbers; norms of datasets over the entries that both have. */
static void differences(void **state) {
  Case c;
  (void)state;
  case_begin(&c);
  case_vary(&c, "n", "1 2");
  case_vary(&c, "seed", "0 1");
  case_measure(&c, (BfMeasure){.name = "value", .of = "solve/rollout@cost"});
  case_measure(&c, (BfMeasure){.name = "tokens", .of = "solve/rollout/tokens"});
  case_measure(&c, (BfMeasure){.name = "error", .kind = BF_MEASURE_DIFFERENCE, .of = "value", .reference = true});
  case_measure(&c,
               (BfMeasure){.name = "gap", .kind = BF_MEASURE_DIFFERENCE, .of = "value", .minus = "solve/rollout@loss"});
  case_measure(&c, (BfMeasure){.name = "far", .kind = BF_MEASURE_DIFFERENCE, .of = "tokens", .reference = true});
  case_measure(&c, (BfMeasure){.name      = "off",
                               .kind      = BF_MEASURE_DIFFERENCE,
                               .of        = "solve/rollout/tokens",
                               .reference = true,
                               .apart     = BF_APART_RMS});
  case_measure(&c, (BfMeasure){.name = "most", .kind = BF_MEASURE_NORM, .of = "tokens"});
  case_measure(&c, (BfMeasure){.name = "low", .kind = BF_MEASURE_NORM, .of = "tokens", .apart = BF_APART_LEAST});
  case_measure(&c, (BfMeasure){.name = "middle", .kind = BF_MEASURE_NORM, .of = "tokens", .apart = BF_APART_MEDIAN});
  case_measure(&c, (BfMeasure){.name = "mean", .kind = BF_MEASURE_NORM, .of = "tokens", .apart = BF_APART_MEAN});
  case_measure(&c, (BfMeasure){.name = "bound", .kind = BF_MEASURE_FORMULA, .formula = "2 * far / n"});
  case_points(&c);
  case_refer(&c, "9");
  const double cost[] = {1, 2, 4, 0.5, 3, 8}; /* the last two: references of seeds 0 and 1 */
  for (int64_t p = 0; p < 6; p++) {
    case_number(&c, p, "solve/rollout@cost", cost[p]);
    case_number(&c, p, "solve/rollout@loss", 1);
  }
  add_array(&c, 0, 2, (int64_t[]){2, 3}, (double[]){1, 2, 3, 4, 5, -60});
  add_array(&c, 4, 2, (int64_t[]){3, 2}, (double[]){1, 0, 3.5, 5, 100, 100}); /* in common: 1 2 4 5 and 1 0 3.5 5 */
  add_array(&c, 1, 1, (int64_t[]){2}, (double[]){1, NAN});
  add_array(&c, 5, 1, (int64_t[]){2}, (double[]){1, 2});
  add_array(&c, 2, 1, (int64_t[]){4}, (double[]){1, 2, 3, 4}); /* of another rank than its reference */
  make(&c);
  expect(case_column(&c.table->points, "error"), 4, (double[]){2, 6, 1, 7.5});
  expect(case_column(&c.table->points, "gap"), 4, (double[]){0, 1, 3, 0.5});
  expect(case_column(&c.table->points, "far"), 4, (double[]){2, NAN, NAN, NAN});
  expect(case_column(&c.table->points, "off"), 4, (double[]){sqrt((4 + 0.25) / 4), NAN, NAN, NAN});
  expect(case_column(&c.table->points, "most"), 4, (double[]){60, NAN, 4, NAN});
  expect(case_column(&c.table->points, "low"), 4, (double[]){1, NAN, 1, NAN});
  expect(case_column(&c.table->points, "middle"), 4, (double[]){3.5, NAN, 2.5, NAN});
  expect(case_column(&c.table->points, "mean"), 4, (double[]){12.5, NAN, 2.5, NAN});
  expect(case_column(&c.table->points, "bound"), 4, (double[]){4, NAN, NAN, NAN});
  expect(case_column(&c.table->references, "n"), 2, (double[]){9, 9});
  expect(case_column(&c.table->references, "seed"), 2, (double[]){0, 1});
  expect(case_column(&c.table->references, "value"), 2, (double[]){3, 8});
  expect(case_column(&c.table->references, "error"), 2, (double[]){NAN, NAN});
  bf_table_destroy(&c.table);
  c.record[5]->state = BF_POINT_SET_ASIDE;
  make(&c);
  expect(case_column(&c.table->points, "error"), 4, (double[]){2, NAN, 1, NAN});
  expect(case_column(&c.table->points, "value"), 4, (double[]){1, 2, 4, 0.5});
  case_end(&c);
}

static double between(int64_t p, int64_t layers, int64_t points, int64_t numbers, const double x[], BfApart kind) {
  Case   c;
  double found;
  case_begin(&c);
  case_vary(&c, "n", "1 2");
  case_measure(
      &c,
      (BfMeasure){
          .name = "d", .kind = BF_MEASURE_DIFFERENCE, .of = "solve/rollout/tokens", .reference = true, .apart = kind});
  case_points(&c);
  case_refer(&c, "9");
  add_array(&c, 0, 3, (int64_t[]){layers, points, numbers}, x);
  add_array(&c, 1, 3, (int64_t[]){1, 2, 2}, (double[]){0, 0, 0, 0});
  add_array(&c, 2, 3, (int64_t[]){1, 3, 1}, (double[]){5, 0, 1});
  c.point[1].refers = 1; /* itself */
  make(&c);
  found = case_column(&c.table->points, "d")[p];
  case_end(&c);
  return found;
}

/* Laws {0, 1}, then {2, 2} against {0, 1, 5} at both depths, by hand: squared energy distances 17/18 and 16/9, W2^2
 * 11/2 and 14/3; a law and itself; another number of numbers. */
static void laws(void **state) {
  const double x[] = {1, 0, 2, 2}, plane[] = {0, 0};
  (void)state;
  assert_true(fabs(between(0, 2, 2, 1, x, BF_APART_ENERGY) - 7. / 6) < 1e-14);
  assert_true(fabs(between(0, 2, 2, 1, x, BF_APART_SLICED) - sqrt(61. / 12)) < 1e-14);
  assert_true(fabs(between(0, 1, 2, 1, x + 2, BF_APART_SLICED) - sqrt(14. / 3)) < 1e-14);
  assert_true(between(1, 2, 2, 1, x, BF_APART_ENERGY) == 0 && between(1, 2, 2, 1, x, BF_APART_SLICED) == 0);
  assert_true(isnan(between(0, 1, 1, 2, plane, BF_APART_ENERGY)) && isnan(between(0, 1, 1, 2, plane, BF_APART_SLICED)));
  assert_true(isnan(between(0, 1, 1, 1, (double[]){NAN}, BF_APART_ENERGY)));
}

/* Two items are averaged over; a point has failed. */
static void means(void **state) {
  Case c;
  (void)state;
  case_begin(&c);
  case_vary(&c, "shift", "0 0.5");
  case_vary(&c, "n", "1 2 3");
  case_vary(&c, "seed", "0 1");
  c.study.over  = (char *[]){"seed", "shift"};
  c.study.overs = 2;
  case_measure(&c, (BfMeasure){.name = "y", .of = "solve/rollout@cost"});
  case_points(&c);
  const double y[] = {1, 9, 1, 1, 5, 3, 2, 4, 7, 0, 1, 1}; /* [shift][n][seed] */
  for (int64_t p = 0; p < 12; p++) case_number(&c, p, "solve/rollout@cost", y[p]);
  c.record[3]->state = BF_POINT_FAILED;
  c.record[4]->state = c.record[5]->state = c.record[10]->state = c.record[11]->state = BF_POINT_FAILED;
  make(&c);
  const BfColumns *m = &c.table->means;
  assert_int_equal(m->rows, 3);
  assert_int_equal(m->keys, 1);
  assert_int_equal(c.table->draws, 4);
  expect(case_column(m, "n"), 3, (double[]){1, 2, 3});
  expect(case_column(m, "count"), 3, (double[]){4, 3, 0});
  expect(case_column(m, "y.count"), 3, (double[]){4, 3, 0});
  expect(case_column(m, "y"), 3, (double[]){4, 8.0 / 3, NAN}); /* of 1 9 2 4; of 1 7 0 */
  expect(case_column(m, "y.standard_error"), 3, (double[]){sqrt(38.0 / 12), sqrt((25 + 169 + 64) / 9.0 / 6), NAN});
  expect(case_column(m, "y.median"), 3, (double[]){3, 1, NAN});
  expect(case_column(m, "y.least"), 3, (double[]){1, 0, NAN});
  expect(case_column(m, "y.most"), 3, (double[]){9, 7, NAN});
  case_end(&c);
}

/* Without `over` every point is its own mean, without an error. */
static void alone(void **state) {
  Case c;
  (void)state;
  case_begin(&c);
  case_vary(&c, "n", "2 1");
  case_measure(&c, (BfMeasure){.name = "y", .of = "solve/rollout@cost"});
  case_points(&c);
  case_number(&c, 0, "solve/rollout@cost", 7);
  case_number(&c, 1, "solve/rollout@cost", 8);
  make(&c);
  expect(case_column(&c.table->means, "n"), 2, (double[]){2, 1});
  expect(case_column(&c.table->means, "y"), 2, (double[]){7, 8});
  expect(case_column(&c.table->means, "y.standard_error"), 2, (double[]){NAN, NAN});
  case_end(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(columns), cmocka_unit_test(differences), cmocka_unit_test(laws),
                                     cmocka_unit_test(means), cmocka_unit_test(alone)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
