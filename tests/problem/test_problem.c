/* Problems: what a good one holds. */
#include "problem_case.h"

#include "cost/pooling.h"
#include "cost/wasserstein.h"

#include <math.h>
#include <petscsys.h>

static void defaults_are_those_of_the_specification(void **state) {
  BfProblem *p = good(&(Case){0});
  (void)state;
  assert_string_equal(p->name, "xor");
  assert_string_equal(p->yaml, "xor.yaml");
  assert_string_equal(p->overrides, "");
  assert_int_equal(p->horizon, 2);
  assert_true(p->layer.step == 0.5 && p->layer.residual == 1 && p->layer.beta == 1);
  assert_int_equal(p->layer.heads, 1);
  assert_int_equal(p->layer.mask, BF_MASK_FULL);
  assert_ptr_equal(p->layer.projection, &bf_project_clip);
  assert_null(p->layer.activation);
  assert_null(p->layer.encoding);
  assert_int_equal(p->layer.free, 5);
  assert_int_equal(p->actions, 48); /* 2^4 * 3 */
  for (int j = 0; j < 5; j++)
    assert_true(p->control_upper[j] == (j < 4 ? 4 : 2) && p->control_lower[j] == -p->control_upper[j]);
  assert_int_equal(p->cost.classes, 2);
  assert_int_equal(p->cost.readouts, 1);
  assert_true(p->cost.bias[0] == 0 && p->cost.bias[1] == 0 && p->cost.weight_decay == 0);
  assert_int_equal(((const BfPooled *)p->cost.own)->pooling, BF_POOL_MEAN);
  assert_true(p->cost.contexts == 2 && p->cost.tokens == 4 && p->cost.step == 0.5);
  assert_int_equal(bf_cells_count(p->cells), 81);
  assert_int_equal(p->atoms, 0);
  assert_ptr_equal(p->transition, bf_transition("nearest"));
  assert_int_equal(p->train.contexts, 2);
  assert_int_equal(p->context[1].sequence, 1);
  assert_int_equal(p->context[1].slots, 2);
  assert_int_equal(p->test.tokens, 0);
  assert_int_equal(p->warnings, 0);
  assert_int_equal(p->files->count, 2);
  bf_problem_destroy(&p);
  assert_null(p);
}

/* The example of the specification, in the style in which it is written. */
static void the_example_is_read(void **state) {
  static const char text[] =
      "name: xor\nhorizon: 2                  # layers T\nstep: 0.5                   # eps\n"
      "token: {dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5], projection: clip}\n"
      "data: {file: xor.csv, position_encoding: none}\n"
      "layer: {residual: 1, heads: 1, beta: 1.0, mask: full, feedforward: none}\n"
      "control:\n  A: {form: full, range: [-4, 4], levels: 3}\n  V: {form: full, range: [-2, 2], levels: 3}\n"
      "action: {kind: grid}        # or {kind: sample, count: 1000, seed: 0}, or file\n"
      "cost:\n  terminal: pooled_cross_entropy\n  pooling: mean\n"
      "  readout: {kind: fixed, matrix: [4, 0, -4, 0], bias: [0, 0]}\n  weight_decay: 1.0e-3\n"
      "quantize: {cells: [9, 9], atoms: 0, transition: nearest}     # atoms 0: one a token; else a tag's count\n";
  BfProblem *p     = NULL;
  BfError    error = {0};
  char       path[128];
  (void)state;
  write_file(folder, "xor.yaml", text);
  write_file(folder, "xor.csv", XOR);
  snprintf(path, sizeof path, "%s/xor.yaml", folder);
  if (bf_problem_read(PETSC_COMM_WORLD, path, &ALL, NULL, &p, &error) != BF_OK) fail_msg("%s", error.text);
  assert_int_equal(p->actions, 6561);
  assert_true(p->cost.weight_decay == 1e-3);
  bf_problem_destroy(&p);
}

static void options_override_and_are_recorded(void **state) {
  BfProblem *p = good(&(Case){.option = {{"-quantize_cells", "8,4"}, {"-control_A_range", "-1, 1"}}});
  (void)state;
  assert_int_equal(bf_cells_count(p->cells), 32);
  assert_true(p->control_lower[0] == -1 && p->control_upper[3] == 1 && p->control_upper[4] == 2);
  assert_string_equal(p->overrides, "control_A_range=-1, 1\nquantize_cells=8,4\n");
  bf_problem_destroy(&p);
  p = good(&(Case){.option = {{"-control_A_0_levels", "3"}, {"-control_A_levels", "2"}},
                   .edit   = {{"heads: 1", "heads: 2"}, {"levels: 3", "levels: 1"}}});
  assert_int_equal(p->actions, 81 * 16); /* the first head's own, and the one for all heads */
  bf_problem_destroy(&p);
  p = good(&(Case){.option = {{"-name", "a,b"}, {"-cost_weight_decay", "0.25"}}}); /* a key that the file lacks */
  assert_string_equal(p->name, "a,b");
  assert_true(p->cost.weight_decay == 0.25);
  bf_problem_destroy(&p);
}

/* A restored problem does not look at the disk or the command line, and is the same. */
static void a_restored_problem_is_the_same(void **state) {
  const char *overrides = "quantize_cells=8,4\nhorizon=3\n";
  BfProblem  *p = good(&(Case){.option = {{"-quantize_cells", "8,4"}, {"-horizon", "3"}}}), *q = NULL;
  BfError     error = {0};
  BfFiles    *files;
  (void)state;
  assert_string_equal(p->overrides, "horizon=3\nquantize_cells=8,4\n");
  assert_int_equal(bf_files_create(PETSC_COMM_WORLD, NULL, &files, &error), BF_OK);
  for (int k = 0; k < p->files->count; k++) {
    BfFile *file = &p->files->file[k];
    assert_int_equal(bf_files_add(files, file->name, file->bytes, file->size, &error), BF_OK);
  }
  write_file(folder, "xor.csv", "");
  assert_int_equal(bf_problem_restore(files, "xor.yaml", overrides, &ALL, &q, &error), BF_OK);
  assert_int_equal(q->horizon, 3);
  assert_string_equal(q->overrides, p->overrides); /* in the order of reading */
  assert_int_equal(bf_cells_count(q->cells), 32);
  assert_int_equal(q->actions, p->actions);
  assert_memory_equal(q->action, p->action, (size_t)(p->actions * p->layer.free) * sizeof *p->action);
  assert_memory_equal(q->train.z, p->train.z, (size_t)p->train.tokens * 2 * sizeof *p->train.z);
  bf_problem_destroy(&p);
  bf_problem_destroy(&q);
}

static void a_record_of_unknown_overrides_is_refused(void **state) {
  BfError    error = {0};
  BfFiles   *files;
  BfProblem *p = NULL;
  (void)state;
  for (int k = 0; k < 2; k++) {
    error = (BfError){0};
    assert_int_equal(bf_files_create(PETSC_COMM_WORLD, NULL, &files, &error), BF_OK);
    bf_files_add(files, "xor.yaml", YAML, sizeof YAML - 1, &error);
    bf_files_add(files, "xor.csv", XOR, sizeof XOR - 1, &error);
    bf_problem_restore(files, "xor.yaml", k ? "nonsense" : "zebra=1\n", &ALL, &p, &error);
    assert_error(&error, BF_BAD_INPUT, k ? "the record of overrides is damaged" : "unknown option -zebra");
  }
}

static void heads_fall_back_key_by_key(void **state) {
  BfProblem   *p       = good(&(Case){.edit = {{"heads: 1", "heads: 3"},
                                               {"levels: 2}", "levels: 1}\n  A_1: {form: diagonal, range: [0, 1, 2, 3]}\n"
                                                                      "  A_2: {form: fixed, value: [1, 2, 3, 4]}"}}});
  const double lower[] = {-4, -4, -4, -4, -2, 0, 2, -2, -2}, upper[] = {4, 4, 4, 4, 2, 1, 3, 2, 2};
  (void)state;
  assert_int_equal(p->layer.free, 4 + 1 + 2 + 1 + 0 + 1);
  assert_memory_equal(p->control_lower, lower, sizeof lower);
  assert_memory_equal(p->control_upper, upper, sizeof upper);
  assert_int_equal(p->actions, 27); /* V of three heads */
  assert_string_equal(p->layer.matrix[4].name, "A_2");
  assert_true(p->layer.matrix[4].value[2] == 3);
  bf_problem_destroy(&p);
}

static void encodings(void **state) {
  BfProblem *p = good(
      &(Case){.edit = {{"file: xor.csv", "file: xor.csv, position_encoding: sinusoidal, position_amplitude: 0.1"}}});
  (void)state;
  assert_int_equal(p->layer.positions, 2);
  assert_true(p->layer.encoding[0] == 0 && p->layer.encoding[1] == 0.1);
  assert_true(p->layer.encoding[2] == 0.1 * sin(1) && p->layer.encoding[3] == 0.1 * cos(1));
  bf_problem_destroy(&p);
  p = good(&(Case){.edit = {{"file: xor.csv", "file: xor.csv, position_encoding: [1, 2, 3, 4, 5, 6]"}}});
  assert_int_equal(p->layer.positions, 3);
  for (int k = 0; k < 6; k++) assert_true(p->layer.encoding[k] == k + 1);
  bf_problem_destroy(&p);
  p = good(&(Case){.option = {{"-data_position_encoding", "1,2,3,4"}}});
  assert_true(p->layer.encoding[3] == 4);
  bf_problem_destroy(&p);
}

static void controls_from_a_file_have_their_hull(void **state) {
  BfProblem *p = good(&(Case){.edit = {{"quantize", "action: {kind: file, file: u.csv}\nquantize"},
                                       {", levels: 2", ""},
                                       {", range: [-2, 2], levels: 3", ""}},
                              .file = {"u.csv", "a,b,c,d,v\n1,2,3,4,7\n0,0,0,0,-3\n1,1,1,1,5\n"}});
  (void)state;
  assert_int_equal(p->actions, 3);
  assert_true(p->action[4] == 7 && p->action[9] == -3);
  assert_true(p->control_lower[4] == -3 && p->control_upper[4] == 7 && p->control_lower[0] == -4);
  bf_problem_destroy(&p);
}

#define SAMPLE                                                                                                         \
  {                                                                                                                    \
    {"quantize", "action: {kind: sample, count: 5, seed: 3}\nquantize"}, {", levels: 2", ""}, { ", levels: 3", "" }    \
  }
static void samples_lie_in_the_box_and_nest(void **state) {
  BfProblem *p = good(&(Case){.edit = SAMPLE});
  BfProblem *q = good(&(Case){.edit = SAMPLE, .option = {{"-action_count", "50"}}});
  (void)state;
  assert_int_equal(p->actions, 5);
  assert_int_equal(q->actions, 50);
  assert_memory_equal(p->action, q->action, 25 * sizeof *p->action);
  for (int64_t k = 0; k < 50; k++)
    for (int j = 0; j < 5; j++)
      assert_true(q->action[5 * k + j] >= q->control_lower[j] && q->action[5 * k + j] <= q->control_upper[j]);
  bf_problem_destroy(&p);
  bf_problem_destroy(&q);
}

static void readouts_to_decide_between(void **state) {
  BfProblem *p = good(&(Case){
      .edit = {{"readout: {matrix: [4, 0, -4, 0]}", "readout: {kind: decision, matrix: [1, 2, 3, 4, 5, 6, 7, 8]}"}}});
  BfProblem *q = good(&(Case){.edit = {{"matrix: [4, 0, -4, 0]", "kind: decision, file: r.csv"}},
                              .file = {"r.csv", "1,2,3,4,10,20\n5,6,7,8,30,40\n"}});
  (void)state;
  assert_int_equal(p->cost.readouts, 2);
  assert_int_equal(q->cost.readouts, 2);
  assert_memory_equal(p->cost.matrix, q->cost.matrix, 8 * sizeof(double));
  assert_true(p->cost.bias[3] == 0 && q->cost.bias[0] == 10 && q->cost.bias[3] == 40);
  bf_problem_destroy(&p);
  bf_problem_destroy(&q);
}

/* R and b in a box: pairs for all or for each, b 0 where it has none; the middle, or the rows of a file. */
static void a_trained_readout(void **state) {
  const char  *from  = "readout: {matrix: [4, 0, -4, 0]}";
  BfProblem   *p     = good(&(Case){
            .edit = {
                {from, "readout: {kind: trained, matrix: {range: [1, 2, 0, 4, -1, -1, -3, 5]}, bias: {range: [-1, 2]}}"}}});
  BfProblem   *q     = good(&(Case){.edit = {{from, "readout: {kind: trained, matrix: {range: [-8, 8]}, file: r.csv}"}},
                                    .file = {"r.csv", "1,2,3,4,0,0\n5,6,7,8,0,0\n-8,8,0,0,0,0\n"}});
  BfProblem   *alike = good(&(Case){.edit   = {{from, "readout: {kind: fixed, matrix: [1, 1, 1, 1], bias: 3}"}},
                                    .option = {{"-cost_readout_kind", "trained"},
                                               {"-cost_readout_matrix_range", "1,2,0,4,-1,-1,-3,5"},
                                               {"-cost_readout_bias_range", "-1,2,-1,2"}}});
  const double lower[] = {1, 0, -1, -3, -1, -1}, upper[] = {2, 4, -1, 5, 2, 2}, middle[] = {1.5, 2, -1, 1, 0.5, 0.5},
               bias[2] = {0, 0};
  BfError error        = {0};
  (void)state;
  assert_true(p->cost.trained == 6 && p->cost.classes == 2 && p->cost.readouts == 1);
  assert_memory_equal(p->cost.lower, lower, sizeof lower);
  assert_memory_equal(p->cost.upper, upper, sizeof upper);
  assert_memory_equal(p->cost.matrix, middle, 4 * sizeof *middle);
  assert_memory_equal(p->cost.bias, middle + 4, 2 * sizeof *middle);
  assert_true(q->cost.trained == 6 && q->cost.readouts == 3 && q->cost.matrix[4] == 5);
  assert_memory_equal(q->cost.lower + 4, bias, sizeof bias);
  assert_memory_equal(q->cost.upper + 4, bias, sizeof bias);
  assert_int_equal(bf_problem_compare(p, alike, &error), BF_OK);
  assert_int_equal(bf_problem_compare(p, q, &error), BF_BAD_INPUT);
  bf_problem_destroy(&p);
  bf_problem_destroy(&q);
  bf_problem_destroy(&alike);
}

/* Two positions 1/2 apart and the box's diagonal squared 18: lambda > 72. */
static void position_weights(void **state) {
  Case       c = {.edit = {{"pooled_cross_entropy", "wasserstein"},
                           {"  readout: {matrix: [4, 0, -4, 0]}\n", ""},
                           {"file: xor.csv", "file: target.csv"}}};
  BfProblem *p = good(&c);
  (void)state;
  assert_true(((const BfPositionWeight *)p->cost.own)->automatic && p->cost.diameter2 == 18);
  assert_int_equal(p->warnings, 0);
  bf_problem_destroy(&p);
  c.option[0][0] = "-cost_position_weight", c.option[0][1] = "3";
  p                              = good(&c);
  const BfPositionWeight *weight = p->cost.own;
  assert_true(!weight->automatic && weight->weight == 3);
  assert_int_equal(p->warnings, 1);
  assert_string_equal(p->warning[0], "cost.position_weight 3 is below 72, which keeps every token at its own position");
  bf_problem_destroy(&p);
}

/* n = 3 cells an axis: centres -1, 0, 1; a token sits in its own cell, numbered row-major. Five tokens of one tag at
 * cells 0, 2, 6, 8, 8 have the law (1, 1, 1, 2)/5. Its nearest types: 4 atoms, 4/5 rounds to 1 and 8/5 to 2, sum 5, and
 * of the entries rounded up by 1/5 and 2/5 the last is taken back; 10 atoms: twice the tokens. */
static void initial_cells_are_the_nearest_type(void **state) {
  static const struct {
    const char *atoms;
    int         count;
    int64_t     cell[10];
  } cases[] = {{"0", 5, {0, 2, 6, 8, 8}},
               {"5", 5, {0, 2, 6, 8, 8}},
               {"4", 4, {0, 2, 6, 8}},
               {"10", 10, {0, 0, 2, 2, 6, 6, 8, 8, 8, 8}}};
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfError    error = {0};
    int64_t    cell[10];
    BfProblem *p = good(&(Case){.edit   = {{"xor.csv", "pop.csv"}, {"[9, 9]", "[3, 3]"}},
                                .option = {{"-quantize_atoms", cases[k].atoms}}});
    assert_int_equal(p->context[0].slots, cases[k].count);
    assert_int_equal(bf_problem_initial_cells(p, cell, &error), BF_OK);
    for (int j = 0; j < cases[k].count; j++) assert_int_equal(cell[j], cases[k].cell[j]);
    bf_problem_destroy(&p);
  }
}

static void unquantized_tokens_and_codebooks(void **state) {
  BfProblem *p = good(&(Case){.edit = {{"[9, 9]", "0"}}});
  (void)state;
  assert_null(p->cells);
  bf_problem_destroy(&p);
  p = good(&(Case){.edit = {{"cells: [9, 9]", "codebook: points.csv"}}, .file = {"points.csv", "0,0\n1,1\n1,-1\n"}});
  assert_int_equal(bf_cells_count(p->cells), 3);
  assert_null(bf_cells_axes(p->cells));
  bf_problem_destroy(&p);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_those_of_the_specification),
      cmocka_unit_test(the_example_is_read),
      cmocka_unit_test(options_override_and_are_recorded),
      cmocka_unit_test(a_restored_problem_is_the_same),
      cmocka_unit_test(a_record_of_unknown_overrides_is_refused),
      cmocka_unit_test(heads_fall_back_key_by_key),
      cmocka_unit_test(encodings),
      cmocka_unit_test(controls_from_a_file_have_their_hull),
      cmocka_unit_test(samples_lie_in_the_box_and_nest),
      cmocka_unit_test(readouts_to_decide_between),
      cmocka_unit_test(a_trained_readout),
      cmocka_unit_test(position_weights),
      cmocka_unit_test(initial_cells_are_the_nearest_type),
      cmocka_unit_test(unquantized_tokens_and_codebooks),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
