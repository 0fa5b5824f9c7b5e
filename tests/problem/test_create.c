/* Problems from keys in memory: what a YAML file gives, a problem's settings give again; and every refusal. */
#include "problem_case.h"

/* A problem from the settings of another and its files, but not from its YAML. */
static BfProblem *again(const BfProblem *p) {
  BfError    error = {0};
  BfFiles   *files = NULL;
  BfProblem *q     = NULL;
  assert_int_equal(bf_files_create(PETSC_COMM_SELF, NULL, &files, &error), BF_OK);
  for (int k = 0; k < p->files->count; k++) {
    const BfFile *file = &p->files->file[k];
    if (strcmp(file->name, "problem.yaml") && strcmp(file->name, p->yaml))
      assert_int_equal(bf_files_add(files, file->name, file->bytes, file->size, &error), BF_OK);
  }
  if (bf_problem_create(files, &p->settings, &ALL, &q, &error) != BF_OK) fail_msg("%s", error.text);
  return q;
}

static void assert_same(const BfProblem *p, const BfProblem *q) {
  BfError error = {0};
  if (bf_problem_compare(p, q, &error) != BF_OK) fail_msg("%s", error.text);
  if (bf_problem_compare(q, p, &error) != BF_OK) fail_msg("%s", error.text);
  assert_string_equal(p->name, q->name);
  assert_int_equal(p->actions, q->actions);
  assert_memory_equal(p->action, q->action, (size_t)(p->actions * p->layer.free) * sizeof *p->action);
  assert_int_equal(p->cost.classes, q->cost.classes);
  assert_memory_equal(p->control_lower, q->control_lower, (size_t)p->layer.free * sizeof(double));
}

static void shipped_problems_come_again_from_their_settings(void **state) {
  static const char *const names[] = {"xor/xor",        "asy26-toy/asy26-toy", "iris/iris",
                                      "iris/iris-full", "moons/moons",         "induction/induction"};
  (void)state;
  for (size_t k = 0; k < LENGTH(names); k++) {
    char       path[1024];
    BfError    error = {0};
    BfProblem *p     = NULL;
    snprintf(path, sizeof path, BF_SOURCE "/share/problems/%s.yaml", names[k]);
    if (bf_problem_read(PETSC_COMM_SELF, path, &ALL, NULL, &p, &error) != BF_OK) fail_msg("%s", error.text);
    BfProblem *q = again(p), *r = again(q);
    assert_same(p, q);
    assert_same(p, r);
    bf_problem_destroy(&p);
    bf_problem_destroy(&q);
    bf_problem_destroy(&r);
  }
}

/* What YAML would take for something else. */
/* From a folder that is not there: all files are at hand, and options count as from disk. */
static void files_at_hand_are_not_read(void **state) {
  BfError    error = {0};
  BfProblem *p = good(&(Case){.option = {{"-horizon", "3"}}}), *q = NULL;
  BfOptions *options = NULL;
  (void)state;
  assert_int_equal(bf_options_create(&options, &error), BF_OK);
  assert_int_equal(bf_options_add(options, "horizon", "3", &error), BF_OK);
  if (bf_problem_read_beside(PETSC_COMM_SELF, "/nowhere/xor.yaml", p->files, &ALL, options, &q, &error) != BF_OK)
    fail_msg("%s", error.text);
  assert_same(p, q);
  bf_problem_destroy(&q);
  assert_int_equal(bf_options_add(options, "data_file", "none.csv", &error), BF_OK);
  bf_problem_read_beside(PETSC_COMM_SELF, "/nowhere/xor.yaml", p->files, &ALL, options, &q, &error);
  assert_null(q);
  assert_error(&error, BF_BAD_INPUT, "-data_file: cannot read /nowhere/none.csv: No such file or directory");
  bf_problem_destroy(&p);
  bf_options_destroy(&options);
}

static void names_may_be_any_text(void **state) {
  static const char *const names[] = {"a, [b]: \"c\" \\ #", "null", "~", "- x", "{", "2", "é"};
  BfProblem               *p       = good(&(Case){0});
  (void)state;
  for (size_t k = 0; k < LENGTH(names); k++) {
    BfError error = {0};
    assert_int_equal(bf_settings_add(&p->settings, "name", names[k], &error), BF_OK);
    BfProblem *q = again(p);
    assert_string_equal(q->name, names[k]);
    bf_problem_destroy(&q);
  }
  bf_problem_destroy(&p);
}

static void mistakes_are_those_of_a_file(void **state) {
  static const struct {
    const char *key, *value, *text;
  } wrong[] = {
      {"horizon", "0", "problem.yaml: horizon must be at least 1, got 0"},
      {"horizon", "two", "problem.yaml: horizon is not an integer: 'two'"},
      {"horizon", "", "problem.yaml: horizon is not an integer: ''"},
      {"step", "0.5,0.5",
       "problem.yaml: step is not a number: '0.5,0.5' (the decimal mark is a point; a list stands in brackets)"},
      {"token.lower", "-1,-1,-1", "problem.yaml: token.lower wants 1 or 2 numbers, one a component, got 3"},
      {"action.kind", "file", "problem.yaml: control.A.levels is not used where action.kind is file"},
      {"data.file", "no.csv", "problem.yaml: data.file: no.csv is not among the files of the problem"},
      {"horizont", "2", ": unknown key horizont, did you mean horizon?"},
      {"data", "x", "problem.yaml: data has a value, and so has data.file"},
      {"data.", "x", "problem.yaml: a key is of words joined by dots, got 'data.'"},
      {"a: b\nc", "x", "problem.yaml: a key is of words joined by dots, got 'a: b?c'"},
      {"", "x", "problem.yaml: a key is of words joined by dots, got ''"},
  };
  BfProblem *p = good(&(Case){0});
  (void)state;
  for (size_t k = 0; k < LENGTH(wrong); k++) {
    BfError    error = {0}, ignored = {0};
    BfSettings settings = {0};
    BfFiles   *files    = NULL;
    BfProblem *q        = NULL;
    for (int64_t i = 0; i < p->settings.count; i++)
      bf_settings_add(&settings, p->settings.setting[i].key, p->settings.setting[i].value, &ignored);
    assert_int_equal(bf_settings_add(&settings, wrong[k].key, wrong[k].value, &ignored), BF_OK);
    bf_files_create(PETSC_COMM_SELF, NULL, &files, &ignored);
    bf_files_add(files, "xor.csv", XOR, (int64_t)strlen(XOR), &ignored);
    bf_problem_create(files, &settings, &ALL, &q, &error);
    assert_null(q);
    assert_int_equal(error.status, BF_BAD_INPUT);
    if (!strstr(error.text, wrong[k].text))
      fail_msg("%s", error.text); /* the line of a key moves with the table of keys */
    bf_settings_clear(&settings);
  }
  bf_problem_destroy(&p);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shipped_problems_come_again_from_their_settings),
      cmocka_unit_test(files_at_hand_are_not_read),
      cmocka_unit_test(names_may_be_any_text),
      cmocka_unit_test(mistakes_are_those_of_a_file),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
