/* The section `heads`: with who uses it, the layer has so many heads, all alike. */
#include "../../src/problem/head_init.h"
#include "problem_case.h"

static const BfSections HEADS = {"heads", 0, BF_SECTION_HEADS};

#define MANY                                                                                                           \
  { "quantize", "heads: {count: 1000, init: {A: 3}, same: false, seed: 7}\nquantize" }

static void whoever_does_not_use_it_has_the_layer_as_it_is(void **state) {
  BfProblem *p = good(&(Case){.edit = {MANY}});
  (void)state;
  assert_int_equal(p->layer.heads, 1);
  assert_int_equal(p->heads.count, 1000);
  assert_string_equal(p->heads.init->base.name, "normal");
  assert_true(p->heads.deviation[0] == 3 && p->heads.deviation[1] == 0);
  assert_true(!p->heads.same && p->heads.seed == 7);
  bf_problem_destroy(&p);
  p = good(&(Case){.sections = &HEADS});
  assert_true(p->layer.heads == 1 && p->heads.count == 0 && p->heads.same && p->heads.seed == 0);
  assert_true(p->heads.deviation[0] == 2 && p->heads.deviation[1] == 0);
  bf_problem_destroy(&p);
}

/* 8 numbers a head: A full, V of row 1 alone in another range. */
static void heads_are_all_alike(void **state) {
  BfProblem *p = good(&(Case){
      .edit = {MANY, {"form: scalar, range: [-2, 2]", "range: [-2, 2], row_1: {range: [0, 1]}"}}, .sections = &HEADS});
  (void)state;
  assert_int_equal(p->layer.heads, 1000);
  assert_int_equal(p->layer.matrices, 2000);
  assert_int_equal(p->layer.free, 8000);
  assert_string_equal(p->layer.matrix[1999].name, "V_999");
  for (int j = 0; j < 8000; j++) {
    static const double lower[] = {-4, -4, -4, -4, -2, -2, 0, 0}, upper[] = {4, 4, 4, 4, 2, 2, 1, 1};
    assert_true(p->control_lower[j] == lower[j % 8] && p->control_upper[j] == upper[j % 8]);
  }
  assert_string_equal(bf_settings_find(&p->settings, "control.A.range"), "-4,4");
  bf_problem_destroy(&p);
}

static void fixed_matrices_are_every_heads_and_v_is_averaged(void **state) {
  static const Case fixed = {
      .edit     = {MANY,
                   {"A: {form: full, range: [-4, 4], levels: 2}", "A: {form: fixed, value: [1, 2, 3, 4]}"},
                   {"V: {form: scalar, range: [-2, 2], levels: 3}", "V: {form: fixed, value: 10}"}},
      .sections = &HEADS};
  BfProblem *p = good(&fixed);
  (void)state;
  assert_int_equal(p->layer.free, 0);
  for (int k = 0; k < 4000; k++) {
    assert_true(p->layer.matrix[k / 4 * 2].value[k % 4] == k % 4 + 1);
    assert_true(p->layer.matrix[k / 4 * 2 + 1].value[k % 4] == 10.0 / 1000);
  }
  bf_problem_destroy(&p);
  /* layer.heads as it is: the mean, too */
  p = good(
      &(Case){.edit = {{"heads: 1", "heads: 4"}, {"form: scalar, range: [-2, 2], levels: 3", "form: fixed, value: 10"}},
              .sections = &HEADS});
  assert_true(p->layer.heads == 4 && p->layer.matrix[7].value[3] == 2.5);
  bf_problem_destroy(&p);
}

/* A grid over 1000 heads has 2^4000 3^1000 actions. */
static void actions_are_left_out(void **state) {
  BfProblem *p = good(&(Case){.edit = {MANY}, .option = {{"-control_A_levels", "5"}}}), *q = NULL;
  BfError    error = {0};
  (void)state;
  assert_int_equal(p->actions, 5 * 5 * 5 * 5 * 3);
  if (bf_problem_reread(p, &HEADS, NULL, &q, &error) != BF_OK) fail_msg("%s", error.text);
  assert_true(q->layer.heads == 1000 && q->actions == 0 && !q->action);
  assert_int_equal(bf_cells_count(q->cells), 81);
  bf_problem_destroy(&q);
  bf_problem_destroy(&p);
}

static void the_command_line_sets_the_number(void **state) {
  BfProblem *p = good(&(Case){.edit = {MANY}, .option = {{"-heads_count", "100000"}}, .sections = &HEADS});
  (void)state;
  assert_true(p->layer.heads == 100000 && p->layer.free == 500000);
  assert_string_equal(p->layer.matrix[199999].name, "V_99999");
  bf_problem_destroy(&p);
}

static void what_is_wrong_is_named(void **state) {
  static const Case cases[] = {
      {.edit     = {MANY, {"heads: 1", "heads: 2"}, {"  V:", "  A_1: {form: diagonal}\n  V:"}},
       .sections = &HEADS,
       .text     = "xor.yaml: control.A_1.form is not used where heads.count is given: all heads are alike"},
      {.edit     = {MANY},
       .option   = {{"-control_V_0_range", "0,1"}},
       .sections = &HEADS,
       .text     = "-control_V_0_range is not used where heads.count is given: all heads are alike"},
      {.option = {{"-action_count", "3"}}, .sections = &HEADS, .text = "-action_count is not used by heads"},
      {.edit = {MANY, {"heads: 1", "heads: 0, feedforward: tanh, width: 1"}},
       .text = "xor.yaml: control.A.range is not used where layer.heads is 0"},
      {.edit = {MANY, {"{A: 3}", "{kind: uniform, A: 3}"}},
       .text = "xor.yaml: heads.init.A is not used where heads.init.kind is uniform"},
      {.option   = {{"-heads_count", "1000001"}},
       .sections = &HEADS,
       .text     = "-heads_count must be at most 1000000, got 1000001"},
      {.edit     = {MANY, {"dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]", "dim: 64, lower: -1, upper: 1"}},
       .option   = {{"-heads_count", "1000000"}},
       .sections = &HEADS,
       .text     = "-heads_count must be at most 261123 with 64 x 64 matrices, got 1000000"},
      {.edit     = {MANY, {"[-4, 4], ", "[-4, 4], row_2: {range: [0, 1]}, "}},
       .sections = &HEADS,
       .text     = "xor.yaml: control.A.row_2.range is outside of A_0: rows 0 .. 1, columns 0 .. 1"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

/* Phi, by erfc, of the quantile is the draw: to rounding, in both tails to their ends. */
static void the_normal_quantile_is_that(void **state) {
  double before = -9;
  (void)state;
  for (int e = -53; e <= -1; e++)
    for (int k = 0; k < 16; k++) {
      const double u = ldexp(1 + k / 16.0, e), x = bf_normal_quantile(u), p = erfc(-x / sqrt(2)) / 2;
      if (u >= 1) break;
      assert_true(fabs(p - u) <= 2e-15 * u * (1 + x * x));
      assert_true(x > before);
      assert_true(u < 0x1p-20 || bf_normal_quantile(1 - u) == -x || u > 0.5);
      before = x;
    }
  assert_true(bf_normal_quantile(0.5) == 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whoever_does_not_use_it_has_the_layer_as_it_is),
      cmocka_unit_test(heads_are_all_alike),
      cmocka_unit_test(fixed_matrices_are_every_heads_and_v_is_averaged),
      cmocka_unit_test(actions_are_left_out),
      cmocka_unit_test(the_command_line_sets_the_number),
      cmocka_unit_test(what_is_wrong_is_named),
      cmocka_unit_test(the_normal_quantile_is_that),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
