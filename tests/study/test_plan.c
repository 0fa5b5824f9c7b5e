/* Points of a study, and the options of each run at each: against what the product and the precedence say. */
#include "read_case.h"

static BfPlan *plan_of(const BfStudy *study) {
  BfError error = {0};
  BfPlan *plan  = NULL;
  if (bf_study_plan_create(MPI_COMM_WORLD, study, &plan, &error) != BF_OK) fail_msg("%s", error.text);
  return plan;
}

/* 3 x 2 x 4 points, the last item fastest; a reference for each of 2 x 4. */
static void points_are_a_product(void **state) {
  BfStudy *study = good_study();
  BfPlan  *plan  = plan_of(study);
  (void)state;
  assert_int_equal(plan->points, 24);
  assert_int_equal(plan->references, 8);
  for (int64_t p = 0; p < 32; p++) {
    const BfPoint *point = &plan->point[p];
    const int64_t  q     = p < 24 ? p : p - 24;
    assert_int_equal(point->choice[2], q % 4);
    assert_int_equal(point->choice[1], q / 4 % 2);
    assert_int_equal(point->choice[0], p < 24 ? q / 8 : -1);
    assert_int_equal(point->reference, p >= 24);
    assert_int_equal(point->refers, p < 24 ? 24 + q % 8 : -1);
  }
  double number;
  char   text[256];
  assert_string_equal(bf_plan_value(plan, 9, "quantize.cells"), "8");
  assert_string_equal(bf_plan_value(plan, 31, "quantize.cells"), "0");
  assert_string_equal(bf_plan_value(plan, 31, "quantize.atoms"), "2");
  assert_null(bf_plan_value(plan, 31, "space"));
  assert_true(bf_plan_number(plan, 23, "action.seed", &number) && number == 3);
  bf_plan_describe(plan, 31, sizeof text, text);
  assert_string_equal(text, "quantize.cells 0, action.count 64, quantize.atoms 2, action.seed 3");
  bf_study_plan_destroy(&plan);
  bf_study_destroy(&study);
}

typedef struct {
  const char *name, *value;
} Option;

static void expect_options(const BfPlan *plan, int64_t point, int run, const char *folder_of, const char *file,
                           const Option wanted[], int count) {
  BfError     error   = {0};
  BfOptions  *options = NULL;
  const char *got;
  assert_int_equal(bf_plan_options(plan, point, run, folder_of, &options, &got, &error), BF_OK);
  if (file) assert_string_equal(got, file);
  else assert_null(got);
  int unread = 0;
  for (int64_t i = 0; i < bf_options_count(options); i++) unread += !bf_options_was_read(options, i);
  assert_int_equal(unread, count);
  for (int k = 0; k < count; k++) {
    assert_true(bf_options_given(options, wanted[k].name));
    assert_string_equal(bf_options_read(options, wanted[k].name), wanted[k].value);
  }
  bf_options_destroy(&options);
}

/* Each run is given what its command takes: of `set`, then of the point, then its own. */
static void options_go_where_they_are_taken(void **state) {
  BfStudy *study = good_study();
  BfPlan  *plan  = plan_of(study);
  char     problem[128], data[128];
  (void)state;
  snprintf(problem, sizeof problem, "%s/p.yaml", folder);
  snprintf(data, sizeof data, "%s/big.h5", folder);
  const Option solve[] = {{"cost_weight_decay", "0.002"}, {"space", "reachable"},  {"quantize_cells", "8"},
                          {"action_count", "16"},         {"quantize_atoms", "1"}, {"action_seed", "1"}},
               flow[]  = {{"cost_weight_decay", "0.002"},
                          {"action_count", "16"},
                          {"action_seed", "1"},
                          {"scheme", "layers"},
                          {"init", "in/program.h5"}},
               exact[] = {{"cost_weight_decay", "0.002"}, {"space", "reachable"},  {"quantize_cells", "0"},
                          {"action_count", "16"},         {"quantize_atoms", "1"}, {"action_seed", "1"}},
               eval[]  = {{"data", data}};
  expect_options(plan, 9, 0, "in", problem, solve, 6);
  expect_options(plan, 25, 0, "in", problem, exact, 6);
  expect_options(plan, 9, 1, "in", problem, flow, 5);
  expect_options(plan, 9, 1, NULL, problem, flow, 4); /* the result is not there yet */
  expect_options(plan, 9, 2, "in", "in/flow.h5", eval, 1);
  expect_options(plan, 9, 2, NULL, NULL, eval, 1);
  bf_study_plan_destroy(&plan);
  bf_study_destroy(&study);
}

static BfPlan *edited_plan(const char *from, const char *to, BfStudy **study) {
  BfError     error      = {0};
  const char *edit[1][2] = {{from, to}};
  if (read_edited((const char *const(*)[2])edit, 1, NULL, study, &error) != BF_OK) fail_msg("%s", error.text);
  return plan_of(*study);
}

static void expect_keys(const BfPlan *a, int64_t p, const BfPlan *b, int64_t q, bool equal) {
  if (!strcmp(a->point[p].key, b->point[q].key) != equal)
    fail_msg("points %lld and %lld: %s, %s", (long long)p, (long long)q, a->point[p].key, b->point[q].key);
}

/* A point is what its runs read: however the study is written, and with the bytes of files, not their names. */
static void keys_say_what_is_read(void **state) {
  BfStudy *study = good_study(), *other = NULL;
  BfPlan  *plan = plan_of(study), *now;
  (void)state;
  for (int64_t p = 0; p < 32; p++)
    for (int64_t q = 0; q < p; q++) expect_keys(plan, p, plan, q, false);
  now = edited_plan("set: {cost.weight_decay: 0.002, space: reachable}",
                    "set: {space: reachable, cost: {weight_decay: 0.002}} # a comment", &other);
  for (int64_t p = 0; p < 32; p++) expect_keys(plan, p, now, p, true);
  bf_study_plan_destroy(&now);
  bf_study_destroy(&other);
  now = edited_plan("{from: 4, to: 16, times: 2}", "[8, 32]", &other);
  for (int64_t p = 0; p < 8; p++) expect_keys(plan, 8 + p, now, p, true);
  for (int64_t p = 0; p < 8; p++) expect_keys(plan, 24 + p, now, 16 + p, true);
  for (int64_t p = 0; p < 32; p++) expect_keys(plan, p, now, 8, false);
  bf_study_plan_destroy(&now);
  bf_study_destroy(&other);
  write_file(folder, "t.csv", "another table");
  now = plan_of(study);
  for (int64_t p = 0; p < 32; p++) expect_keys(plan, p, now, p, false);
  bf_study_plan_destroy(&now);
  write_file(folder, "t.csv", "a table");
  write_file(folder, "big.h5", "what eval reads");
  now = plan_of(study);
  expect_keys(plan, 0, now, 0, false);
  bf_study_plan_destroy(&now);
  unlink("big.h5");
  bf_study_plan_destroy(&plan);
  bf_study_destroy(&study);
}

/* A word that could be a file's name is one where there is such a file: in the working folder. */
static void words_that_are_files_are_read(void **state) {
  char     back[4096];
  BfStudy *study = NULL;
  BfPlan  *none  = edited_plan("data: big.h5", "data: word", &study), *some, *other;
  (void)state;
  assert_non_null(getcwd(back, sizeof back));
  assert_int_equal(chdir(folder), 0);
  write_file(folder, "word", "a table");
  some = plan_of(study);
  write_file(folder, "word", "another");
  other = plan_of(study);
  unlink("word");
  for (int64_t p = 0; p < 32; p++) {
    expect_keys(none, p, some, p, false);
    expect_keys(some, p, other, p, false);
  }
  bf_study_plan_destroy(&other);
  other = plan_of(study);
  for (int64_t p = 0; p < 32; p++) expect_keys(none, p, other, p, true);
  assert_int_equal(chdir(back), 0);
  bf_study_plan_destroy(&none);
  bf_study_plan_destroy(&some);
  bf_study_plan_destroy(&other);
  bf_study_destroy(&study);
}

/* A reference without a varied key has one point for each point; a study too large is refused. */
static void references_and_bounds(void **state) {
  BfError     error  = {0};
  BfStudy    *study  = NULL;
  BfPlan     *plan   = edited_plan("{quantize.cells: 0}", "{space: full}", &study);
  const char *many[] = {"{from: 4, to: 16, times: 2}", "{from: 1, to: 99999}"},
             *much[] = {"{from: 0, to: 3}", "{from: 0, to: 99}"};
  (void)state;
  assert_int_equal(plan->references, 24);
  assert_int_equal(plan->point[13].refers, 37);
  bf_study_plan_destroy(&plan);
  bf_study_destroy(&study);
  const char *edit[2][2] = {{many[0], many[1]}, {much[0], much[1]}};
  assert_int_equal(read_edited((const char *const(*)[2])edit, 2, NULL, &study, &error), BF_OK);
  bf_study_plan_create(MPI_COMM_WORLD, study, &plan, &error);
  assert_error(&error, BF_BAD_INPUT, "quantization: 20000000 points are more than 1000000");
  bf_study_destroy(&study);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(points_are_a_product), cmocka_unit_test(options_go_where_they_are_taken),
      cmocka_unit_test(keys_say_what_is_read), cmocka_unit_test(words_that_are_files_are_read),
      cmocka_unit_test(references_and_bounds)};
  MPI_Init(&argc, &argv);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  MPI_Finalize();
  return failed;
}
