/* Abbreviations: one value for all entries, and exceptions for rows, columns and entries. They change no number. */
#include "problem_case.h"

#include <limits.h>

#include <petscsys.h>

#include "../../src/problem/key_table.h"

static BfProblem *read_path(const char *path) {
  BfError    error   = {0};
  BfProblem *problem = NULL;
  if (bf_problem_read(PETSC_COMM_WORLD, path, &ALL, NULL, &problem, &error) != BF_OK) fail_msg("%s", error.text);
  return problem;
}

/* The fixture names all 72 entries of the induction head, one by one; its tables are the shipped ones. */
static void the_induction_head_is_the_same_problem(void **state) {
  char       path[128];
  BfProblem *p = read_path(BF_SOURCE "/share/problems/induction/induction.yaml"), *q;
  (void)state;
  for (int k = 0; k < p->files->count; k++) write_file(folder, p->files->file[k].name, p->files->file[k].bytes);
  FILE  *file      = fopen(BF_SOURCE "/tests/problem/fixtures/induction-all-entries.yaml", "rb");
  char   old[8192] = "";
  size_t size      = file ? fread(old, 1, sizeof old - 1, file) : 0;
  assert_in_range(size, 100, sizeof old - 2);
  fclose(file);
  write_file(folder, "xor.yaml", old);
  snprintf(path, sizeof path, "%s/xor.yaml", folder);
  q = read_path(path);
  assert_string_not_equal(p->files->file[0].bytes, q->files->file[0].bytes);
  const int64_t numbers = p->layer.free;
  assert_int_equal(numbers, 72);
  assert_int_equal(p->actions, 1024);
  assert_int_equal(q->layer.free, numbers);
  assert_int_equal(q->actions, p->actions);
  assert_memory_equal(p->control_lower, q->control_lower, (size_t)numbers * sizeof *p->control_lower);
  assert_memory_equal(p->control_upper, q->control_upper, (size_t)numbers * sizeof *p->control_upper);
  assert_memory_equal(p->action, q->action, (size_t)(p->actions * numbers) * sizeof *p->action);
  assert_memory_equal(p->layer.lower, q->layer.lower, 6 * sizeof(double));
  assert_memory_equal(p->layer.upper, q->layer.upper, 6 * sizeof(double));
  assert_memory_equal(p->layer.encoding, q->layer.encoding, 7 * 6 * sizeof(double));
  assert_memory_equal(p->cost.matrix, q->cost.matrix, 4 * 6 * sizeof(double));
  assert_memory_equal(p->cost.bias, q->cost.bias, 4 * sizeof(double));
  assert_true(p->horizon == q->horizon && p->layer.step == q->layer.step);
  assert_memory_equal(p->cost.own, q->cost.own, p->cost.kind->own);
  bf_problem_destroy(&p);
  bf_problem_destroy(&q);
}

static void a_single_value_stands_for_all(void **state) {
  BfProblem *p = good(&(Case){.edit = {{"lower: [-1.5, -1.5], upper: [1.5, 1.5]", "lower: -1.5, upper: 1.25"},
                                       {"[9, 9]", "4"},
                                       {"-4, 0]", "-4, 0], bias: 0.5"},
                                       {"form: scalar, range: [-2, 2], levels: 3", "form: fixed, value: 2"}}});
  (void)state;
  assert_true(p->layer.lower[0] == -1.5 && p->layer.lower[1] == -1.5);
  assert_true(p->layer.upper[0] == 1.25 && p->layer.upper[1] == 1.25);
  assert_int_equal(bf_cells_count(p->cells), 16);
  assert_true(p->cost.bias[0] == 0.5 && p->cost.bias[1] == 0.5);
  for (int k = 0; k < 4; k++) assert_true(p->layer.matrix[1].value[k] == 2);
  bf_problem_destroy(&p);
}

/* A list of one number is a list that is too short. */
static void a_list_of_one_is_no_single_value(void **state) {
  static const Case cases[] = {
      {.edit = {{"[-1.5, -1.5]", "[-1.5]"}},
       .text = "xor.yaml: token.lower wants 2 numbers, one a component, got a list of 1 (for all alike: no brackets)"},
      {.edit = {{"[9, 9]", "[9]"}},
       .text = "xor.yaml: quantize.cells wants 2 integers, one an axis, got a list of 1 (for all alike: no brackets)"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

/* lower is -4 and upper 4 for all of A, with levels 2, but where an exception says otherwise. */
static void exceptions_name_rows_columns_entries_and_blocks(void **state) {
  static const struct {
    const char *piece, *option[2];
    double      lower[4];
    int64_t     actions; /* of A and V (3) */
  } cases[] = {
      {"row_0_column_1: {range: [0, 1]}", {0}, {-4, 0, -4, -4}, 16 * 3},
      {"row_0_column_1: {range: [0, 1], levels: 5}", {0}, {-4, 0, -4, -4}, 8 * 5 * 3},
      {"row_1: {range: [0, 1], levels: 1}", {0}, {-4, -4, 0, 0}, 4 * 3},
      {"column_1: {range: [0, 1]}", {0}, {-4, 0, -4, 0}, 16 * 3},
      {"row_0_to_1_column_1: {range: [0, 1]}", {0}, {-4, 0, -4, 0}, 16 * 3},
      {"row_0_to_1: {levels: 1}", {0}, {-4, -4, -4, -4}, 3},
      {"row_0: {range: [0, 1]}, row_1_column_0: {range: [1, 2]}", {0}, {0, 0, 1, -4}, 16 * 3},
      {"row_0: {range: [0, 1]}", {"-control_A_row_0_range", "1,2"}, {1, 1, -4, -4}, 16 * 3},          /* in its place */
      {"row_0: {range: [0, 1]}", {"-control_A_row_0_column_1_range", "1,2"}, {0, 1, -4, -4}, 16 * 3}, /* before it */
      {"row_0: {range: [0, 1]}", {"-control_A_range", "1,2"}, {1, 1, 1, 1}, 16 * 3},                  /* of all */
      {"row_0: {range: [0, 1]}", {"-control_A_row_0_to_1_range", "1,2"}, {1, 1, 1, 1}, 16 * 3},
      {"row_0: {range: [0, 1]}", {"-control_A_0_row_0_column_0_range", "1,2"}, {1, 0, -4, -4}, 16 * 3}, /* own */
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, "levels: 2, %s}", cases[k].piece);
    BfProblem *p = good(&(Case){.edit = {{"levels: 2}", yaml}}, .option = {{cases[k].option[0], cases[k].option[1]}}});
    assert_memory_equal(p->control_lower, cases[k].lower, sizeof cases[k].lower);
    assert_int_equal(p->actions, cases[k].actions);
    bf_problem_destroy(&p);
  }
}

/* Of a diagonal matrix an exception takes what is free; a head's own map goes before the family's. */
static void exceptions_of_forms_and_heads(void **state) {
  BfProblem   *p       = good(&(Case){.edit = {{"heads: 1", "heads: 2"},
                                               {"form: full", "form: diagonal"},
                                               {"levels: 2}", "levels: 1, row_1: {range: [0, 1]}}\n"
                                                                      "  A_1: {column_0: {range: [2, 3], levels: 7}}"}}});
  const double lower[] = {-4, 0, -2, 2, 0, -2};
  (void)state;
  assert_memory_equal(p->control_lower, lower, sizeof lower);
  assert_int_equal(p->actions, 7 * 3 * 3);
  bf_problem_destroy(&p);
}

static void wrong_exceptions_are_named(void **state) {
#define PIECE(text)                                                                                                    \
  { "levels: 2}", "levels: 2, " text "}" }
  static const Case cases[] = {
      {.edit = {PIECE("row_2: {levels: 1}")},
       .text = "xor.yaml: control.A.row_2.levels is outside of A_0: rows 0 .. 1, columns 0 .. 1"},
      {.edit = {PIECE("row_0_column_0_to_2: {levels: 1}")},
       .text = "xor.yaml: control.A.row_0_column_0_to_2.levels is outside of A_0: rows 0 .. 1, columns 0 .. 1"},
      {.edit = {PIECE("row_0: {levels: 1}, column_1: {levels: 3}")},
       .text = "xor.yaml: control.A.column_1.levels and xor.yaml: control.A.row_0.levels both name row 0, column 1"},
      {.edit = {PIECE("row_0: {levels: [1, 2]}")}, .text = "xor.yaml: control.A.row_0.levels wants 1 integer, got 2"},
      {.edit = {PIECE("row_0: {levels: 0}")}, .text = "xor.yaml: control.A.row_0.levels must be at least 1, got 0"},
      {.edit = {PIECE("row_0: {range: 1}")}, .text = "xor.yaml: control.A.row_0.range wants 2 numbers, got 1"},
      {.edit = {PIECE("row_0: {range: [1, 0]}")},
       .text = "xor.yaml: control.A.row_0.range must not run downwards, got [1, 0]"},
      {.edit = {{"levels: 2}", "levels: [1, 1, 1, 1], row_0: {levels: 2}}"}},
       .text = "xor.yaml: control.A.levels must be one for all numbers where rows or columns have their own"},
      {.edit = {{"form: full", "form: diagonal"}, PIECE("row_0_column_1: {levels: 2}")},
       .text = "xor.yaml: control.A.row_0_column_1.levels names no free number: A_0 is diagonal"},
      {.edit = {PIECE("row_1_to_0: {levels: 1}")},
       .text =
           "xor.yaml: line 7: unknown key control.A.row_1_to_0.levels, did you mean control.A.row_I_column_J.levels?"},
      {.edit = {PIECE("row_0: {level: 1}")}, .text = "xor.yaml: line 7: unknown key control.A.row_0.level"},
      {.edit = {{"range: [-4, 4], ", "row_0: {range: [0, 1]}, "}}, .text = "xor.yaml: control.A.range is missing"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void keys_are_known_by_their_options(void **state) {
  static const struct {
    const char *option, *row, *matrix;
    int         first_row, last_row, first_column, last_column;
  } cases[] = {
      {"horizon", "horizon", "", 0, 0, 0, 0},
      {"control_A_levels", "control.A.levels", "A", 0, 0, 0, 0},
      {"control_V_12_form", "control.A.form", "V_12", 0, 0, 0, 0},
      {"control_b1_row_3_range", "control.A.row_I_column_J.range", "b1", 3, 3, 0, INT_MAX},
      {"control_A_0_column_2_to_30_levels", "control.A.row_I_column_J.levels", "A_0", 0, INT_MAX, 2, 30},
      {"control_W2_row_0_to_1_column_2_range", "control.A.row_I_column_J.range", "W2", 0, 1, 2, 2},
  };
  static const char *const unknown[] = {"",
                                        "control",
                                        "control_",
                                        "control_Q_form",
                                        "control_A",
                                        "control_A_",
                                        "control_A_0",
                                        "control_A_01_form",
                                        "control_W1_0_form",
                                        "control_A_row_levels",
                                        "control_A_row_0_form",
                                        "control_A_row_99999999_levels",
                                        "control_A_row_2_to_1_levels",
                                        "control_A_column_0_row_0_levels",
                                        "control_A_row_I_column_J_levels"};
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfKeyName name;
    assert_int_equal(bf_key_name(cases[k].option, &name), 1);
    assert_string_equal(name.row->name, cases[k].row);
    assert_string_equal(name.matrix, cases[k].matrix);
    if (!strstr(cases[k].row, "row_I")) continue;
    assert_int_equal(name.piece.row[0], cases[k].first_row);
    assert_int_equal(name.piece.row[1], cases[k].last_row);
    assert_int_equal(name.piece.column[0], cases[k].first_column);
    assert_int_equal(name.piece.column[1], cases[k].last_column);
  }
  for (size_t k = 0; k < LENGTH(unknown); k++)
    if (bf_key_name(unknown[k], &(BfKeyName){0})) fail_msg("'%s' was taken for a key", unknown[k]);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_induction_head_is_the_same_problem),
      cmocka_unit_test(a_single_value_stands_for_all),
      cmocka_unit_test(a_list_of_one_is_no_single_value),
      cmocka_unit_test(exceptions_name_rows_columns_entries_and_blocks),
      cmocka_unit_test(exceptions_of_forms_and_heads),
      cmocka_unit_test(wrong_exceptions_are_named),
      cmocka_unit_test(keys_are_known_by_their_options),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
