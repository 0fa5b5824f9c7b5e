/* Study files and lines: what they say, and for every wrong one the line that names it. */
#include "read_case.h"
#include <math.h>

static void all_that_a_file_says(void **state) {
  BfStudy *s = good_study();
  char     path[128];
  (void)state;
  snprintf(path, sizeof path, "%s/p.yaml", folder);
  assert_string_equal(s->name, "quantization");
  assert_string_equal(s->problem, path);
  assert_string_equal(s->text, STUDY);
  assert_int_equal(s->set.count, 2);
  assert_string_equal(s->set.set[0].key, "cost.weight_decay");
  assert_string_equal(s->set.set[0].value, "0.002");
  assert_int_equal(s->items, 3);
  assert_int_equal(s->item[0].count, 3);
  assert_string_equal(s->item[0].value[2], "16");
  assert_int_equal(s->item[1].keys, 2);
  assert_string_equal(s->item[1].key[1], "quantize.atoms");
  assert_string_equal(s->item[1].value[2], "64"); /* [count][keys] */
  assert_string_equal(s->item[1].value[3], "2");
  assert_int_equal(s->item[2].count, 4);
  assert_int_equal(s->runs, 3);
  assert_string_equal(s->run[1].name, "flow");
  assert_string_equal(s->run[2].set.set[1].key, "data");
  snprintf(path, sizeof path, "%s/big.h5", folder);
  assert_string_equal(s->run[2].set.set[1].value, path); /* relative to the study file */
  assert_string_equal(s->run[2].set.set[0].value, "flow");
  assert_true(s->has_reference);
  assert_int_equal(s->measures, 5);
  assert_string_equal(s->measure[1].of, "value");
  assert_true(s->measure[1].reference);
  assert_int_equal(s->measure[2].kind, BF_MEASURE_DIFFERENCE);
  assert_int_equal(s->measure[2].apart, BF_APART_RMS);
  assert_string_equal(s->measure[3].of, "far/@loss");
  assert_int_equal(s->measure[4].kind, BF_MEASURE_FORMULA);
  assert_string_equal(s->over[0], "action.seed");
  assert_string_equal(s->fit[0].x, "quantize.cells");
  assert_true(s->fit[0].expect == -1);
  assert_int_equal(s->plot_ys, 2);
  assert_string_equal(s->plot_log, "both");
  bf_study_destroy(&s);
}

/* A file of the problem stays relative to the problem; a bare name is an attribute of the last run's /rollout. */
static void ways_to_say_it(void **state) {
  static const char *const edit[][2] = {
      {"set: {cost.weight_decay: 0.002,", "set: {cost: {weight_decay: 0.002}, data_file: t.csv,"},
      {"{from: 4, to: 16, times: 2}", "[[4, 4], [8, 8], [[1, 2], [3]]]"},
      {"{from: 0, to: 3}", "{from: 0.5, to: -0.5, step: -0.25}"},
      {"  - {name: far, command: eval, set: {model: flow, data: big.h5}}\n", ""},
      {"  population: far@loss\n  bound: {formula: value / quantize.cells}\n", "  loss: loss\n"},
      {"  - {y: error, x: quantize.cells, expect: -1}", "  - {y: error, x: action_count}"},
      {"x: quantize.cells, y: [error, bound]", "y: error"},
      {"over: action.seed", "over: [action.seed]"}};
  BfError  error = {0};
  BfStudy *s     = NULL;
  (void)state;
  if (read_edited(edit, LENGTH(edit), NULL, &s, &error) != BF_OK) fail_msg("%s", error.text);
  assert_string_equal(s->set.set[0].key, "cost.weight_decay");
  assert_string_equal(s->set.set[1].key, "data.file");
  assert_string_equal(s->set.set[1].value, "t.csv");
  assert_string_equal(s->item[0].value[1], "8,8");
  assert_string_equal(s->item[0].value[2], "1,2,3");
  assert_int_equal(s->item[2].count, 5);
  assert_string_equal(s->item[2].value[3], "-0.25");
  assert_string_equal(s->measure[3].of, "flow/rollout@loss");
  assert_string_equal(s->fit[0].x, "action.count");
  assert_true(isnan(s->fit[0].expect));
  bf_study_destroy(&s);
}

typedef struct {
  const char *from, *to, *text;
} Wrong;

static void check_wrong(const Wrong cases[], size_t count) {
  for (size_t k = 0; k < count; k++) {
    BfError     error      = {0};
    BfStudy    *study      = NULL;
    const char *edit[1][2] = {{cases[k].from, cases[k].to}};
    read_edited((const char *const(*)[2])edit, 1, NULL, &study, &error);
    assert_null(study);
    assert_error(&error, BF_BAD_INPUT, cases[k].text);
  }
}

static void wrong_keys(void **state) {
  static const Wrong cases[] = {
      {"name:", "nam:", "q.yaml: line 1: unknown key nam, did you mean name?"},
      {"name: quantization", "name: [a]", "q.yaml: line 1: name must be one text"},
      {"name: quantization\n", "name: a\nname: b\n", "q.yaml: line 2: name is given twice, first in line 1"},
      {"name: quantization", "name: &a b", "q.yaml: line 1: anchors are not read here"},
      {"name: quantization", "name:", "q.yaml: line 1: name has no value"},
      {"problem: p.yaml\n", "", "q.yaml: problem is missing: the problem file of every run"},
      {"cost.weight_decay", "cost.weight_decai",
       "q.yaml: line 3: unknown key cost.weight_decai, did you mean cost.weight_decay?"},
      {"space:", "spac:", "q.yaml: line 3: unknown key spac, did you mean space?"},
      {"space:", "zebra:", "q.yaml: line 3: unknown key zebra"},
      {"space:", "restart:", "q.yaml: line 3: restart is settled by the study for every run"},
      {"space:", "cost_weight_decay:", "q.yaml: line 3: cost.weight_decay is given twice"},
      {"space: reachable", "space: {a: 1}", "q.yaml: line 3: unknown key space.a, did you mean space?"},
      {"set: {cost.weight_decay: 0.002, space: reachable}", "set: [1]", "q.yaml: line 3: set must be a map of keys"},
      {"scheme: layers", "scheme: layers, space: full", "q.yaml: line 10: space is not used by flow; it is by solve"},
      {"scheme: layers", "scheme: layers, quantize.cells: 8",
       "q.yaml: line 10: quantize.cells is not used by flow; it is by solve"},
      {"data: big.h5", "horizon: 3", "q.yaml: line 11: horizon is not used by eval; it is by solve"},
      {"scheme: layers", "flow.profile: 1, starts: 4",
       "q.yaml: line 10: runs: flow.profile is not used by flow with -starts"},
      {"scheme: layers}}", "starts: 4}}\n  - {name: other, command: flow, set: {starts: 1, flow.profile: 1}}",
       "q.yaml: line 11: runs: flow.profile is not used by flow with -starts"},
      {"space: reachable", "starts: 2, flow.profile: 1",
       "q.yaml: line 3: set: flow.profile is not used by flow with -starts"},
  };
  (void)state;
  check_wrong(cases, LENGTH(cases));
}

static void wrong_points(void **state) {
  static const Wrong cases[] = {
      {"quantize.cells: {", "quantize.cels: {",
       "q.yaml: line 5: vary: unknown key quantize.cels, did you mean quantize.cells?"},
      {"quantize.cells: {", "action.seed: {", "q.yaml: line 7: vary: action.seed is given by two items"},
      {"quantize.cells: {", "cost.weight_decay: {", "q.yaml: line 5: vary: cost.weight_decay varies, and is set too"},
      {"[1, 2]", "[1, 2, 3]",
       "q.yaml: line 6: vary: keys of one item move together: action.count has 2 values, quantize.atoms 3"},
      {"[1, 2]", "[1, {a: 2}]", "q.yaml: line 6: vary: quantize.atoms: a map of keys stands in a list of values"},
      {"[1, 2]", "[]", "q.yaml: line 6: a list without items"},
      {"quantize.atoms: ", "action_count: ", "q.yaml: line 6: vary: action.count is given twice"},
      {"[16, 64], quantize.atoms: [1, 2]", "[16, 16], quantize.atoms: [1, 1]",
       "q.yaml: line 6: vary: action.count: the value 16 is given twice"},
      {"from: 4, to: 16, times: 2", "from: 4, to: 16, times: 1",
       "q.yaml: line 5: vary: quantize.cells: a range by factors goes from one number to another of the same sign, by "
       "a "
       "factor greater than 0 other than 1, got 4 to 16 by 1"},
      {"from: 4, to: 16, times: 2", "from: 0, to: 16, times: 2",
       "q.yaml: line 5: vary: quantize.cells: a range by factors goes from one number to another of the same sign, by "
       "a "
       "factor greater than 0 other than 1, got 0 to 16 by 2"},
      {"from: 4, to: 16, times: 2", "from: 4, to: 2",
       "q.yaml: line 5: vary: quantize.cells: a range from 4 never comes to 2"},
      {"from: 4, to: 16, times: 2", "from: 4, to: 63, times: 2",
       "q.yaml: line 5: vary: quantize.cells: a range from 4 times 2 never comes to 63: 4 .. 32"},
      {"from: 4, to: 16, times: 2", "from: 0.5, to: 2, step: 0.4",
       "q.yaml: line 5: vary: quantize.cells: a range from 0.5 step 0.4 never comes to 2: 0.5 .. 1.7"},
      {"from: 4, to: 16, times: 2", "from: 4, to: 16, step: 0",
       "q.yaml: line 5: vary: quantize.cells: a range has no step of 0"},
      {"from: 4, to: 16, times: 2", "from: 4, to: 1e9",
       "q.yaml: line 5: vary: quantize.cells: more than 100000 values"},
      {"from: 4, to: 16, times: 2", "from: 4, to: 16, step: 1, times: 2",
       "q.yaml: line 5: vary: quantize.cells: a range has either times or step"},
      {"from: 4, to: 16, times: 2", "from: 4, times: 2",
       "q.yaml: line 5: vary: quantize.cells: a range needs both from and to"},
      {"from: 4, to: 16, times: 2", "from: 4, till: 16",
       "q.yaml: line 5: vary: quantize.cells: a range has from, to, and times or step, not till"},
      {"from: 4, to: 16, times: 2", "from: x, to: 16",
       "q.yaml: line 5: vary: quantize.cells: from is not a number: 'x'"},
      {"reference: {quantize.cells: 0}", "reference: {action.count: 1}",
       "q.yaml: line 12: reference: action.count moves together with quantize.atoms, which the reference does not "
       "give"},
      {"reference: {quantize.cells: 0}", "reference: {quantize.cells: 0, scheme: integrator}",
       "q.yaml: line 12: reference: scheme is set by every run that takes it, and would have this value nowhere"},
      {"reference: {quantize.cells: 0}", "reference: {quantize.cels: 0}",
       "q.yaml: line 12: unknown key quantize.cels, did you mean quantize.cells?"},
  };
  (void)state;
  check_wrong(cases, LENGTH(cases));
}

static void wrong_runs(void **state) {
  static const Wrong cases[] = {
      {"command: solve}", "command: solve, set: {space: full}}",
       "q.yaml: line 3: set: space is set by every run that takes it, and would have this value nowhere"},
      {"command: solve}", "command: solve, set: {quantize.cells: 8}}",
       "q.yaml: line 4: vary: quantize.cells is set by every run that takes it, and would have this value nowhere"},
      {"command: solve", "command: slove", "q.yaml: line 9: runs: command must be solve, flow or eval, got 'slove'"},
      {"name: far", "name: flow", "q.yaml: line 11: runs: two runs have the name flow"},
      {"name: far", "name: a/b", "q.yaml: line 11: runs: a run's name is of letters, digits, _ and -, got 'a/b'"},
      {"name: far", "name: reference",
       "q.yaml: line 11: runs: a run cannot have the name reference, which means something else"},
      {"command: solve}", "comand: solve}", "q.yaml: line 9: runs: a run has name, command and set, not comand"},
      {", command: solve}", "}", "q.yaml: line 9: runs: command is missing"},
      {"init: program", "init: far", "q.yaml: line 10: runs: init: the run far comes after flow"},
      {"init: program", "init: flow", "q.yaml: line 10: runs: init: the run flow cannot use its own result"},
      {"model: flow", "model: far", "q.yaml: line 11: runs: model: the run far cannot use its own result"},
      {"command: solve", "command: eval",
       "q.yaml: line 9: runs: eval reads the result of an earlier run, and there is none"},
  };
  (void)state;
  check_wrong(cases, LENGTH(cases));
}

static void wrong_columns(void **state) {
  static const Wrong cases[] = {
      {"program/rollout@cost", "program/rollout@cosy",
       "q.yaml: line 14: measure: value: solve writes no /rollout@cosy, did you mean /rollout@cost?"},
      {"program/rollout@cost", "programme/rollout@cost",
       "q.yaml: line 14: measure: value: there is no run of the name in 'programme/rollout@cost'"},
      {"program/rollout@cost", "program/rollout/tokens",
       "q.yaml: line 14: measure: value: program/rollout/tokens is a dataset: a column is a number, GROUP@ATTRIBUTE, "
       "or a "
       "norm: {of: program/rollout/tokens, norm: max}"},
      {"of: value, minus", "of: valu, minus",
       "q.yaml: line 15: measure: error: eval writes no /rollout@valu; its numbers are far@loss"},
      {"minus: reference", "minos: reference",
       "q.yaml: line 15: measure: error: unknown key minos, did you mean minus?"},
      {"reference: {quantize.cells: 0}\n", "",
       "q.yaml: line 14: measure: error: minus: reference, and the study has no reference"},
      {"of: value, minus: reference", "of: value, minus: flow/rollout@cost",
       "q.yaml: line 12: reference: no measure uses it: {of: NAME, minus: reference}"},
      {"flow/rollout/tokens", "flow/rollout@cost",
       "q.yaml: line 16: measure: way: a difference is of two numbers, or of two datasets: program/rollout/tokens, "
       "flow/rollout@cost"},
      {"norm: rms", "norm: l2",
       "q.yaml: line 16: measure: way: norm must be max, rms, least, median, mean, energy or sliced, got 'l2'"},
      {", minus: flow/rollout/tokens, norm: rms", ", norm: energy",
       "q.yaml: line 16: measure: way: norm energy is between two datasets: give minus"},
      {"of: value, minus: reference", "of: value, norm: max",
       "q.yaml: line 15: measure: error: norm is of datasets, and value is a number"},
      {"  error:", "  action.seed:",
       "q.yaml: line 15: measure: action.seed: there is another column of the name action.seed"},
      {"  error:", "  value.most:",
       "q.yaml: line 15: measure: value.most: there is another column of the name value.most"},
      {"value / quantize.cells", "value / zebra",
       "q.yaml: line 18: measure: bound: formula: zebra is neither an earlier column nor a varied key whose values are "
       "numbers"},
      {"over: action.seed", "over: horizon", "q.yaml: line 19: over: horizon does not vary"},
      {"over: action.seed", "over: quantize.cells", "q.yaml: line 21: fit: x: quantize.cells is averaged over"},
      {"{y: error, x", "{y: eror, x", "q.yaml: line 21: fit: y: there is no column eror, did you mean error?"},
      {"expect: -1", "expect: x", "q.yaml: line 21: fit: expect must be an exponent, got 'x'"},
      {"expect: -1", "expect: -1, within: [0, -2]",
       "q.yaml: line 21: fit: within must be two exponents, the smaller one first, and goes with expect"},
      {"expect: -1", "within: [-2, 0]",
       "q.yaml: line 21: fit: within must be two exponents, the smaller one first, and goes with expect"},
      {"{y: error, x: quantize.cells, expect: -1}", "{y: error}", "q.yaml: line 21: fit: x is missing"},
      {"log: both", "log: all", "q.yaml: line 22: plot: log must be x, y, both or none, got 'all'"},
      {"expect: -1", "expect: -1, within: [-0.5, 0]",
       "q.yaml: line 21: fit: expect must be one of the exponents within [-0.5, 0], got -1"},
      {"  way:", "  again: {of: error, minus: reference}\n  way:",
       "q.yaml: line 16: measure: again: minus: reference, and error is a difference to the reference itself"},
      {"over: action.seed", "over: action.count", "q.yaml: line 22: plot: series: action.count is averaged over"},
      {"plot: {x: quantize.cells", "plot: {x: action.seed", "q.yaml: line 22: plot: x: action.seed is averaged over"},
      {"y: [error, bound]", "y: [error, action.seed]", "q.yaml: line 22: plot: y: action.seed is averaged over"},
      {"series: action.count", "series: horizon", "q.yaml: line 22: plot: series: horizon does not vary"},
  };
  (void)state;
  check_wrong(cases, LENGTH(cases));
}

/* ---- a line ------------------------------------------------------------------------------------------------------ */

static void all_that_a_line_says(void **state) {
  static const char *const words[][2] = {
      {"vary", "quantize_cells 4..16x2 ; action_count 16 64 & quantize_atoms 1 2; action_seed 0..19"},
      {"reference", "quantize_cells 0"},
      {"fit", "cost"},
      {"space", "full"}};
  BfError  error = {0};
  BfStudy *s     = NULL;
  (void)state;
  if (read_line(words, LENGTH(words), &s, &error) != BF_OK) fail_msg("%s", error.text);
  assert_string_equal(s->name, "p");
  assert_int_equal(s->items, 3);
  assert_string_equal(s->item[0].key[0], "quantize.cells");
  assert_string_equal(s->item[0].value[1], "8");
  assert_string_equal(s->item[1].value[3], "2");
  assert_int_equal(s->item[2].count, 20);
  assert_string_equal(s->set.set[0].value, "full");
  assert_string_equal(s->run[0].name, "solve");
  assert_int_equal(s->overs, 1);
  assert_string_equal(s->over[0], "action.seed");
  assert_string_equal(s->measure[0].of, "solve/rollout@cost");
  assert_string_equal(s->measure[1].name, "cost_error");
  assert_true(s->measure[1].reference);
  assert_string_equal(s->fit[0].y, "cost_error");
  assert_string_equal(s->fit[0].x, "quantize.cells");
  bf_study_destroy(&s);
}

/* Options of flow alone make it a study of flows; a path with two dots is no range; a seed alone is not averaged over.
 */
static void lines_choose(void **state) {
  static const char *const        words[][2] = {{"vary", "data_file ../a.csv b.csv 0.5..1+0.25; action_seed 1 2"},
                                                {"starts", "3"},
                                                {"measure", "loss,flow/provenance@wall_seconds"}},
                           *const seeds[][2] = {{"vary", "action_seed 0..3"}};
  BfError                         error      = {0};
  BfStudy                        *s          = NULL;
  (void)state;
  if (read_line(words, LENGTH(words), &s, &error) != BF_OK) fail_msg("%s", error.text);
  assert_string_equal(s->run[0].command->name, "flow");
  assert_int_equal(s->item[0].count, 5);
  assert_string_equal(s->item[0].value[0], "../a.csv");
  assert_string_equal(s->item[0].value[3], "0.75");
  assert_string_equal(s->measure[1].name, "wall_seconds");
  bf_study_destroy(&s);
  if (read_line(seeds, LENGTH(seeds), &s, &error) != BF_OK) fail_msg("%s", error.text);
  assert_int_equal(s->overs, 0);
  assert_int_equal(s->measures, 2);
  bf_study_destroy(&s);
}

static void wrong_lines(void **state) {
  static const struct {
    const char *words[3][2], *text;
  } cases[] = {
      {{{"vary", "quantize_cels 4"}}, "option -vary: unknown key quantize_cels, did you mean quantize.cells?"},
      {{{"vary", "quantize_cells"}}, "option -vary: quantize_cells has no value"},
      {{{"vary", ";"}}, "option -vary names no key"},
      {{{"vary", "horizon 1 2 & action_seed"}}, "option -vary: action_seed has no value"},
      {{{"vary", "horizon 1 2"}, {"reference", "horizon"}}, "option -reference: horizon must have one value"},
      {{{"vary", "horizon 1 2"}, {"reference", "horizon 3"}},
       "option -reference: nothing uses it: -fit NAME fits |NAME - reference|"},
      {{{"vary", "horizon 1 2 & quantize_cells 4..63x2"}},
       "option -vary: a range from 4 times 2 never comes to 63: 4 .. 32"},
      {{{"vary", "horizon 1 2"}, {"fit", "cosy"}},
       "option -fit: solve writes no /rollout@cosy, did you mean /rollout@cost?"},
      {{{"vary", "space full reachable"}, {"fit", "cost"}}, "option -fit: no key that varies has numbers for values"},
      {{{"vary", "horizon 1 2"}, {"spac", "full"}}, "option -spac: unknown key spac, did you mean space?"},
      {{{"vary", "horizon 1 2"}, {"over", "action_seed"}}, "option -over: action.seed does not vary"},
      {{{"horizon", "2"}},
       "p.yaml: no study: it has neither `problem` nor `vary`; of a problem file -vary tells what varies"},
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfError  error = {0};
    BfStudy *study = NULL;
    read_line(cases[k].words, 3, &study, &error);
    assert_null(study);
    assert_error(&error, BF_BAD_INPUT, cases[k].text);
  }
}

/* Pieces of the file in other places, and other bytes: a study or one line of what is wrong, whatever comes in. */
static void any_bytes(void **state) {
  static const char *const pieces[] = {"{", "}",  "[",     "]", ": ", "\n",  "- ", "'",
                                       "0", "..", "1e999", "#", "&",  "a.b", "@",  "/"};
  uint64_t                 random   = 1;
  char                     path[128], text[2 * sizeof STUDY];
  int                      good = 0;
  (void)state;
  snprintf(path, sizeof path, "%s/q.yaml", folder);
  for (int turn = 0; turn < 1000; turn++) {
    BfError  error  = {0};
    BfStudy *study  = NULL;
    size_t   length = sizeof STUDY - 1;
    memcpy(text, STUDY, sizeof STUDY);
    for (int edits = 1 + turn % 3; edits > 0; edits--) {
      random          = random * 6364136223846793005u + 1442695040888963407u;
      const size_t at = (size_t)(random >> 33) % length, cut = (size_t)(random >> 20) % 8;
      const char  *piece = pieces[(random >> 45) % LENGTH(pieces)];
      const size_t skip = at + cut < length ? cut : length - at, more = strlen(piece);
      memmove(text + at + more, text + at + skip, length - at - skip + 1);
      memcpy(text + at, piece, more);
      length += more - skip;
    }
    write_file(folder, "q.yaml", text);
    const BfStatus status = bf_study_read(MPI_COMM_WORLD, path, commands, NULL, &study, &error);
    good += status == BF_OK;
    assert_true(status == BF_OK ? study && !*error.text : !study && status == BF_BAD_INPUT);
    if (status != BF_OK) assert_true(strlen(error.text) > 8 && !strchr(error.text, '\n'));
    bf_study_destroy(&study);
  }
  assert_in_range(good, 5, 500); /* edits reach beyond the YAML */
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_that_a_file_says), cmocka_unit_test(ways_to_say_it),
      cmocka_unit_test(wrong_keys),           cmocka_unit_test(wrong_points),
      cmocka_unit_test(wrong_runs),           cmocka_unit_test(wrong_columns),
      cmocka_unit_test(all_that_a_line_says), cmocka_unit_test(lines_choose),
      cmocka_unit_test(wrong_lines),          cmocka_unit_test(any_bytes),
  };
  MPI_Init(&argc, &argv);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  MPI_Finalize();
  return failed;
}
