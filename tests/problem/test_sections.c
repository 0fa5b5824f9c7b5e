/* A command reads the sections that it uses: the others are checked where the file has them, may be left out, and are
 * refused on the command line. */
#include "problem_case.h"

#include <math.h>

static const BfSections SOLVE = {"solve", BF_SECTION_ACTION | BF_SECTION_QUANTIZE,
                                 BF_SECTION_ACTION | BF_SECTION_QUANTIZE};
static const BfSections FLOW  = {"flow", 0, BF_SECTION_ACTION | BF_SECTION_FLOW};

#define NO_LEVELS                                                                                                      \
  {", levels: 2", ""}, { ", levels: 3", "" }
#define NO_QUANTIZE                                                                                                    \
  { "quantize: {cells: [9, 9]}\n", "" }

static void what_is_not_needed_may_be_left_out(void **state) {
  BfProblem *p = good(&(Case){.edit = {NO_LEVELS, NO_QUANTIZE}, .sections = &FLOW});
  (void)state;
  assert_int_equal(p->actions, 0);
  assert_null(p->action);
  assert_null(p->cells);
  assert_int_equal(p->atoms, 0);
  assert_int_equal(p->context[0].slots, 2);
  for (int j = 0; j < 4; j++) assert_true(p->control_lower[j] == -4 && p->control_upper[j] == 4);
  bf_problem_destroy(&p);
}

static void what_is_given_is_read(void **state) {
  BfProblem *p = good(&(Case){.sections = &FLOW});
  (void)state;
  assert_int_equal(p->actions, 48); /* levels alone are a grid: 2^4 3 */
  assert_int_equal(bf_cells_count(p->cells), 81);
  bf_problem_destroy(&p);
  p = good(&(Case){.edit     = {NO_LEVELS, {"quantize: {cells: [9, 9]}", "action: {kind: sample, count: 7}"}},
                   .sections = &FLOW});
  assert_int_equal(p->actions, 7);
  assert_null(p->cells);
  bf_problem_destroy(&p);
}

static void what_is_needed_is_missed_and_what_is_given_is_checked(void **state) {
  static const Case cases[] = {
      {.edit = {NO_QUANTIZE}, .sections = &SOLVE, .text = "xor.yaml: quantize.cells is missing"},
      {.edit = {NO_LEVELS}, .sections = &SOLVE, .text = "xor.yaml: control.A.levels is missing"},
      {.edit     = {NO_LEVELS, {"quantize", "action: {kind: sample}\nquantize"}},
       .sections = &SOLVE,
       .text     = "xor.yaml: action.count is missing"},
      {.edit     = {NO_LEVELS, {"quantize", "action: {kind: sample}\nquantize"}},
       .sections = &FLOW,
       .text     = "xor.yaml: action.count is missing"},
      {.edit = {{", levels: 2", ""}}, .sections = &FLOW, .text = "xor.yaml: control.A.levels is missing"},
      {.edit     = {{"levels: 3", "levels: 0"}},
       .sections = &FLOW,
       .text     = "xor.yaml: control.V.levels must be at least 1, got 0"},
      {.edit     = {{"[9, 9]", "[9, 9, 9]"}},
       .sections = &FLOW,
       .text     = "xor.yaml: quantize.cells wants 1 or 2 integers, one an axis, got 3"},
      {.edit = {{"cells: [9, 9]", "atoms: 2"}}, .sections = &FLOW, .text = "xor.yaml: quantize.cells is missing"},
      {.edit     = {{"quantize", "quantise"}},
       .sections = &FLOW,
       .text     = "xor.yaml: line 12: unknown key quantise.cells, did you mean quantize.cells?"},
      {.edit     = {{"range: [-2, 2], ", ""}, {"levels: 2", ""}, {"levels: 3", ""}},
       .sections = &FLOW,
       .text     = "xor.yaml: control.V.range is missing"},
      {.edit     = {{"quantize", "flow: {profile: up}\nquantize"}},
       .sections = &SOLVE,
       .text     = "xor.yaml: flow.profile must be constant or a list of 2 numbers or more, got 'up'"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void what_would_change_nothing_is_refused_on_the_command_line(void **state) {
  static const Case cases[] = {
      {.option = {{"-flow_profile", "0,1"}}, .sections = &SOLVE, .text = "-flow_profile is not used by solve"},
      {.option = {{"-quantize_cells", "8,8"}}, .sections = &FLOW, .text = "-quantize_cells is not used by flow"},
      {.option   = {{"-quantize_transition", "far"}},
       .sections = &FLOW,
       .text     = "-quantize_transition is not used by flow"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
  BfProblem *p = good(&(Case){.option = {{"-control_A_levels", "1"}}, .sections = &FLOW}); /* Pontryagin's minimum */
  assert_int_equal(p->actions, 3);
  bf_problem_destroy(&p);
}

/* What an earlier command line said, as a result records it, is not this one's: whoever reads the result takes it. */
static void a_record_is_no_command_line(void **state) {
  BfProblem *p = good(&(Case){.option = {{"-quantize_cells", "3"}}, .sections = &SOLVE}), *q = NULL;
  BfError    error   = {0};
  BfOptions *options = NULL;
  BfFiles   *files;
  (void)state;
  assert_int_equal(bf_files_create(PETSC_COMM_WORLD, NULL, &files, &error), BF_OK);
  for (int k = 0; k < p->files->count; k++)
    bf_files_add(files, p->files->file[k].name, p->files->file[k].bytes, p->files->file[k].size, &error);
  if (bf_problem_restore(files, "xor.yaml", p->overrides, &FLOW, &q, &error) != BF_OK) fail_msg("%s", error.text);
  assert_int_equal(bf_cells_count(q->cells), 9);
  bf_problem_destroy(&q);
  assert_int_equal(bf_options_create(&options, &error), BF_OK);
  assert_int_equal(bf_options_add(options, "quantize_atoms", "2", &error), BF_OK);
  assert_int_equal(bf_problem_reread(p, &FLOW, options, &q, &error), BF_BAD_INPUT);
  bf_options_destroy(&options);
  assert_error(&error, BF_BAD_INPUT, "-quantize_atoms is not used by flow");
  bf_problem_destroy(&p);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_needed_may_be_left_out),
      cmocka_unit_test(what_is_given_is_read),
      cmocka_unit_test(what_is_needed_is_missed_and_what_is_given_is_checked),
      cmocka_unit_test(what_would_change_nothing_is_refused_on_the_command_line),
      cmocka_unit_test(a_record_is_no_command_line),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
