/* A formula in columns: against the same arithmetic in C, what binds to what, and what is refused where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those before it. */
#include <cmocka.h>

#include "study/formula.h"
#include <math.h>
#include <string.h>

enum { NAMES = 3 };
static const char *const names[NAMES]  = {"error", "quantize.cells", "n_2"};
static const double      values[NAMES] = {0.75, 16, -3.5};

static double evaluate(const char *text) {
  BfError    error = {0};
  BfFormula *f     = NULL;
  double     column[NAMES];
  if (bf_formula_create(text, &f, &error) != BF_OK) fail_msg("%s: %s", text, error.text);
  assert_true(bf_formula_names(f) <= NAMES);
  for (int i = 0; i < bf_formula_names(f); i++) {
    int k = 0;
    while (k < NAMES && strcmp(names[k], bf_formula_name(f, i)) != 0) k++;
    assert_true(k < NAMES);
    column[i] = values[k];
  }
  const double value = bf_formula_value(f, column);
  bf_formula_destroy(&f);
  assert_null(f);
  return value;
}

static void arithmetic(void **state) {
  (void)state;
  const double e = values[0], n = values[1], m = values[2];
  assert_true(evaluate("1 + 2 * 3 - 4 / 8") == 6.5);
  assert_true(evaluate("8 - 4 - 2") == 2);
  assert_true(evaluate("8 / 4 / 2") == 1);
  assert_true(evaluate("2 ^ 3 ^ 2") == 512);
  assert_true(evaluate("-2 ^ 2") == -4);
  assert_true(evaluate("2 ^ -2") == 0.25);
  assert_true(evaluate("- -3") == 3);
  assert_true(evaluate("(1 + 2) * (3 + 4)") == 21);
  assert_true(evaluate("1.5e-3*2E3") == 3);
  assert_true(evaluate(".5") == 0.5);
  assert_true(evaluate("error*quantize.cells + n_2 * error") == e * n + m * e);
  assert_true(evaluate("sqrt(log(quantize.cells) / (2 * error)) + exp(n_2)") == sqrt(log(n) / (2 * e)) + exp(m));
  assert_true(evaluate("min(abs(n_2), max(error, 1))") == 1);
  assert_true(isnan(evaluate("sqrt(n_2)")) && isnan(evaluate("min(1, 0 / 0)")) && isinf(evaluate("1 / 0")));
}

static void refused(void **state) {
  static const char *const lines[][2] = {
      {"", "is no formula: it ends too soon"},   {"1 +", "is no formula: it ends too soon"},
      {"(1", "is no formula: it ends too soon"}, {"1 2", "is no formula at '2'"},
      {"2 * * 3", "is no formula at '* 3'"},     {"1)", "is no formula at ')'"},
      {"0x10", "is no formula at '0x10'"},       {"1e999", "is no formula at '1e999'"},
      {"min(1)", "is no formula at ')'"},        {"sin(1)", "has no function 'sin' (sqrt, log, exp, abs, min, max)"},
      {"error;", "is no formula at ';'"}};
  (void)state;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    BfError    error = {0};
    BfFormula *f     = NULL;
    assert_int_equal(bf_formula_create(lines[i][0], &f, &error), BF_BAD_INPUT);
    assert_string_equal(error.text, lines[i][1]);
    assert_null(f);
  }
}

/* Brackets, signs and what the stack holds are bounded: no text overflows it. */
static void deep(void **state) {
  static const char *const pieces[][2] = {{"(", "1)"}, {"-", "1"}, {"1+(", ""}, {"2^", "1"}};
  (void)state;
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    char       text[100000] = "";
    char      *end          = text;
    BfError    error        = {0};
    BfFormula *f            = NULL;
    for (int k = 0; k < 20000; k++) end = stpcpy(end, pieces[i][0]);
    strcpy(end, pieces[i][1]);
    assert_int_equal(bf_formula_create(text, &f, &error), BF_BAD_INPUT);
    assert_string_equal(error.text, "is a formula with too many brackets");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(arithmetic), cmocka_unit_test(refused), cmocka_unit_test(deep)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("formula", tests, NULL, NULL);
}
