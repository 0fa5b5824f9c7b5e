/* What is asked of commands before a study runs: every point once, the first wrong one named on all ranks; estimates
 * that points share which differ only in draws, within a small part of the time that they tell. Runs on any number of
 * ranks. */
#include "read_case.h"
#include <unistd.h>

static int    checked, estimated, evaluated_anew;
static double nap; /* seconds that an estimate takes */

static double number_of(BfOptions *options, const char *name) {
  const char *text = bf_options_read(options, name);
  return text ? atof(text) : 0;
}

/* 10 s a cell; one cell is wrong at seed 2, of points with 64 actions. */
static BfStatus check_solve(BfRun *run, const BfStudyCheck *x, BfError *error) {
  const double cells = number_of(run->options, "quantize_cells"), seed = number_of(run->options, "action_seed");
  checked += !x->seconds;
  estimated += x->seconds != NULL;
  assert_int_equal(run->size, 1);
  assert_non_null(x->files);
  if (x->seconds) usleep((unsigned)(1e6 * nap));
  if (x->seconds) *x->seconds = nap > 0 ? cells * 1e-6 : 10 * cells;
  if (x->seconds) *x->bytes = 100 * cells;
  if (cells == 5 && seed == 2 && number_of(run->options, "action_count") == 64)
    return bf_fail(error, BF_BAD_INPUT, "wrong");
  return BF_OK;
}

static BfStatus check_flow(BfRun *run, const BfStudyCheck *x, BfError *error) {
  (void)run;
  (void)error;
  assert_string_equal(x->init, "solve"); /* of the run `program` */
  if (x->seconds) *x->seconds = nap > 0 ? 0 : 1;
  if (x->seconds) *x->bytes = 50;
  return BF_OK;
}

/* Its model is the result of a run. */
static BfStatus check_eval(BfRun *run, const BfStudyCheck *x, BfError *error) {
  (void)run;
  (void)error;
  evaluated_anew += !x->seconds;
  assert_null(x->file);
  return BF_OK;
}

typedef struct {
  BfStudyCommand command[4];
  BfStudy       *study;
  BfPlan        *plan;
} Checked;

static void begin(Checked *c, const char *from, const char *to) {
  BfError     error      = {0};
  const char *edit[1][2] = {{from, to}};
  *c                     = (Checked){0};
  if (read_edited((const char *const(*)[2])edit, from != NULL, NULL, &c->study, &error) != BF_OK)
    fail_msg("%s", error.text);
  memcpy(c->command, commands, sizeof c->command);
  c->command[0].check = check_solve;
  c->command[1].check = check_flow;
  c->command[2].check = check_eval;
  for (int r = 0; r < 3; r++) c->study->run[r].command = &c->command[r];
  if (bf_study_plan_create(MPI_COMM_WORLD, c->study, &c->plan, &error) != BF_OK) fail_msg("%s", error.text);
  checked = estimated = evaluated_anew = 0;
  nap                                  = 0;
}

static void end(Checked *c) {
  bf_study_plan_destroy(&c->plan);
  bf_study_destroy(&c->study);
}

static int64_t memory; /* of a node; 0: all that is free */

static BfStatus check_all(Checked *c, BfError *error) {
  BfRun *run = NULL;
  BF_TRY(bf_run_create(MPI_COMM_WORLD, 0, &run, error));
  run->memory           = memory;
  const BfStatus status = bf_study_check(run, c->plan, NULL, error);
  bf_run_destroy(&run);
  return status;
}

static int sum(int mine) {
  MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  return mine;
}

/* 24 points and 8 references; 4 seeds share an estimate. */
static void every_point_is_checked(void **state) {
  Checked c;
  BfError error = {0};
  (void)state;
  begin(&c, NULL, NULL);
  if (check_all(&c, &error) != BF_OK) fail_msg("%s", error.text);
  assert_int_equal(sum(checked), 32);
  assert_int_equal(sum(evaluated_anew), 32); /* its options are the same, what it is of is not */
  assert_int_equal(sum(estimated), 8);
  for (int64_t p = 0; p < 32; p++) {
    const double cells = p < 24 ? 4 << p / 8 : 0;
    assert_true(c.plan->point[p].seconds == 10 * cells + 1);
    assert_true(c.plan->point[p].bytes == (cells ? 100 * cells : 50));
  }
  end(&c);
}

/* The first in the order of the plan, whichever rank has come by it. */
static void the_first_wrong_point_is_named(void **state) {
  Checked c;
  BfError error = {0};
  (void)state;
  begin(&c, "{from: 4, to: 16, times: 2}", "[4, 5, 6]");
  check_all(&c, &error);
  assert_error(&error, BF_BAD_INPUT,
               "q.yaml: vary: quantize.cells 5, action.count 64, quantize.atoms 2, action.seed 2: program: wrong");
  assert_int_equal(sum(estimated), 0);
  end(&c);
}

/* Estimates of a tenth of a second for microseconds: few, and all points have that of a near one. */
static void estimates_are_bounded(void **state) {
  Checked c;
  BfError error = {0};
  int     ranks;
  (void)state;
  begin(&c, "{from: 4, to: 16, times: 2}", "{from: 100, to: 199}");
  nap = 0.1;
  if (check_all(&c, &error) != BF_OK) fail_msg("%s", error.text);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const int made = sum(estimated);
  assert_in_range(made, ranks, 6 * ranks);
  assert_true(c.plan->point[799].seconds == 199 * 1e-6);
  for (int64_t p = 0; p < c.plan->points; p++) assert_true(c.plan->point[p].seconds > 99e-6);
  end(&c);
}

/* Seconds alone; then a node of 1600 bytes for points that take 100 a cell, which on two ranks is two for 16 cells. */
static void ranks_are_by_estimates(void **state) {
  static const struct {
    double seconds, whole;
    int    size, ranks;
  } cases[] = {{0, 0, 8, 1},       {0.4, 0.4, 8, 1}, {1.1, 1.1, 8, 4}, {100, 100, 1, 1}, {100, 100, 8, 8},
               {100, 100, 12, 12}, {100, 800, 8, 1}, {101, 800, 8, 2}, {201, 800, 8, 4}, {1e300, 1e300, 6, 6}};
  Checked c;
  BfError error = {0};
  int     ranks;
  (void)state;
  for (size_t i = 0; i < LENGTH(cases); i++)
    assert_int_equal(bf_ranks_by_time(cases[i].seconds, cases[i].whole, cases[i].size), cases[i].ranks);
  begin(&c, NULL, NULL);
  memory = 1600;
  if (check_all(&c, &error) != BF_OK) fail_msg("%s", error.text);
  memory = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  for (int64_t p = 0; p < 32; p++) assert_int_equal(c.plan->point[p].ranks, p / 8 == 2 ? ranks : 1);
  end(&c);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_point_is_checked),
                                     cmocka_unit_test(the_first_wrong_point_is_named),
                                     cmocka_unit_test(estimates_are_bounded), cmocka_unit_test(ranks_are_by_estimates)};
  MPI_Init(&argc, &argv);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  MPI_Finalize();
  return failed;
}
