/* Problems: what a good one holds, and for every wrong input the one line that names it. */
#include "scratch.h"

#include <math.h>
#include <petscsys.h>

static const char YAML[] = "horizon: 2\n"
                           "step: 0.5\n"
                           "token: {dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]}\n"
                           "data: {file: xor.csv}\n"
                           "layer: {heads: 1}\n"
                           "control:\n"
                           "  A: {form: full, range: [-4, 4], levels: 2}\n"
                           "  V: {form: scalar, range: [-2, 2], levels: 3}\n"
                           "cost:\n"
                           "  terminal: pooled_cross_entropy\n"
                           "  readout: {matrix: [4, 0, -4, 0]}\n"
                           "quantize: {cells: [9, 9]}\n";
static const char XOR[] = "sequence,position,label,z0,z1\n"
                          "0,0,0,-1,-1\n0,1,0,-1,1\n"
                          "1,0,1,1,-1\n1,1,1,1,1\n";
static const char POPULATION[] = "sequence,position,label,z0,z1\n"
                                 "0,0,0,-1,-1\n0,0,0,-1,1\n0,0,0,1,1\n0,0,0,1,-1\n0,0,0,1,1\n";
static const char TARGET[] = "sequence,position,y0,y1,z0,z1\n0,0,0,1,1,1\n0,1,0,1,-1,1\n1,0,0,0,1,1\n";

typedef struct {
  const char *edit[4][2];   /* in the YAML: from, to */
  const char *file[2];      /* a further file: name, text */
  const char *option[2][2]; /* on the command line: name, value */
  const char *text;         /* of the error */
} Case;

static char folder[64];

/* The problem's text with the first of each `from` replaced. */
static void edit_text(const Case *c, size_t size, char text[]) {
  snprintf(text, size, "%s", YAML);
  for (size_t e = 0; e < LENGTH(c->edit) && c->edit[e][0]; e++) {
    char  rest[2048];
    char *at = strstr(text, c->edit[e][0]);
    if (!at) fail_msg("'%s' is not in the problem", c->edit[e][0]);
    snprintf(rest, sizeof rest, "%s", at + strlen(c->edit[e][0]));
    snprintf(at, size - (size_t)(at - text), "%s%s", c->edit[e][1], rest);
  }
}

static BfStatus read_case(const Case *c, BfProblem **problem, BfError *error) {
  char text[4096], path[128];
  edit_text(c, sizeof text, text);
  write_file(folder, "xor.yaml", text);
  write_file(folder, "xor.csv", XOR);
  write_file(folder, "pop.csv", POPULATION);
  write_file(folder, "target.csv", TARGET);
  if (c->file[0]) write_file(folder, c->file[0], c->file[1]);
  for (size_t k = 0; k < LENGTH(c->option) && c->option[k][0]; k++)
    PetscOptionsSetValue(NULL, c->option[k][0], c->option[k][1]);
  snprintf(path, sizeof path, "%s/xor.yaml", folder);
  BfStatus status = bf_problem_read(PETSC_COMM_WORLD, path, problem, error);
  for (size_t k = 0; k < LENGTH(c->option) && c->option[k][0]; k++) PetscOptionsClearValue(NULL, c->option[k][0]);
  return status;
}

static BfProblem *good(const Case *c) {
  BfError    error   = {0};
  BfProblem *problem = NULL;
  if (read_case(c, &problem, &error) != BF_OK) fail_msg("%s", error.text);
  return problem;
}

static void check_cases(const Case cases[], size_t count) {
  for (size_t k = 0; k < count; k++) {
    BfError    error   = {0};
    BfProblem *problem = NULL;
    read_case(&cases[k], &problem, &error);
    assert_null(problem);
    assert_error(&error, BF_BAD_INPUT, cases[k].text);
  }
}

/* ---- good ones -------------------------------------------------------------------------------------------------- */

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
  assert_int_equal(p->layer.projection, BF_PROJECT_CLIP);
  assert_null(p->layer.activation);
  assert_null(p->layer.encoding);
  assert_int_equal(p->layer.controls, 5);
  assert_int_equal(p->actions, 48); /* 2^4 * 3 */
  for (int j = 0; j < 5; j++) assert_true(p->upper[j] == (j < 4 ? 4 : 2) && p->lower[j] == -p->upper[j]);
  assert_int_equal(p->cost.classes, 2);
  assert_int_equal(p->cost.readouts, 1);
  assert_true(p->cost.bias[0] == 0 && p->cost.bias[1] == 0 && p->cost.weight_decay == 0);
  assert_int_equal(p->cost.pooling, BF_POOL_MEAN);
  assert_true(p->cost.contexts == 2 && p->cost.tokens == 4 && p->cost.step == 0.5);
  assert_int_equal(bf_tokens_count(p->tokens), 81);
  assert_int_equal(p->atoms, 0);
  assert_int_equal(p->transition, BF_TRANSITION_NEAREST);
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
  BfProblem *p = NULL;
  BfError    error = {0};
  char       path[128];
  (void)state;
  write_file(folder, "xor.yaml", text);
  write_file(folder, "xor.csv", XOR);
  snprintf(path, sizeof path, "%s/xor.yaml", folder);
  if (bf_problem_read(PETSC_COMM_WORLD, path, &p, &error) != BF_OK) fail_msg("%s", error.text);
  assert_int_equal(p->actions, 6561);
  assert_true(p->cost.weight_decay == 1e-3);
  bf_problem_destroy(&p);
}

static void options_override_and_are_recorded(void **state) {
  BfProblem *p = good(&(Case){.option = {{"-quantize_cells", "8,4"}, {"-control_A_range", "-1, 1"}}});
  (void)state;
  assert_int_equal(bf_tokens_count(p->tokens), 32);
  assert_true(p->lower[0] == -1 && p->upper[3] == 1 && p->upper[4] == 2);
  assert_string_equal(p->overrides, "control_A_range=-1, 1\nquantize_cells=8,4\n");
  bf_problem_destroy(&p);
  p = good(&(Case){.option = {{"-options_left", "0"}}}); /* PETSc's own, which it reads at the very end */
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
  PetscOptionsSetValue(NULL, "-horizon", "9");
  assert_int_equal(bf_problem_restore(files, "xor.yaml", overrides, &q, &error), BF_OK);
  PetscOptionsClearValue(NULL, "-horizon");
  assert_int_equal(q->horizon, 3);
  assert_string_equal(q->overrides, p->overrides); /* in the order of reading */
  assert_int_equal(bf_tokens_count(q->tokens), 32);
  assert_int_equal(q->actions, p->actions);
  assert_memory_equal(q->controls, p->controls, (size_t)(p->actions * p->layer.controls) * sizeof *p->controls);
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
    bf_problem_restore(files, "xor.yaml", k ? "nonsense" : "zebra=1\n", &p, &error);
    assert_error(&error, BF_BAD_INPUT, k ? "the record of overrides is damaged" : "unknown option -zebra");
  }
}

static void heads_fall_back_key_by_key(void **state) {
  BfProblem *p = good(&(Case){.edit = {{"heads: 1", "heads: 3"},
                                       {"levels: 2}", "levels: 1}\n  A_1: {form: diagonal, range: [0, 1, 2, 3]}\n"
                                                      "  A_2: {form: fixed, value: [1, 2, 3, 4]}"}}});
  const double lower[] = {-4, -4, -4, -4, -2, 0, 2, -2, -2}, upper[] = {4, 4, 4, 4, 2, 1, 3, 2, 2};
  (void)state;
  assert_int_equal(p->layer.controls, 4 + 1 + 2 + 1 + 0 + 1);
  assert_memory_equal(p->lower, lower, sizeof lower);
  assert_memory_equal(p->upper, upper, sizeof upper);
  assert_int_equal(p->actions, 27); /* V of three heads */
  assert_string_equal(p->layer.matrix[4].name, "A_2");
  assert_true(p->layer.matrix[4].value[2] == 3);
  bf_problem_destroy(&p);
}

static void encodings(void **state) {
  BfProblem *p = good(&(Case){
      .edit = {{"file: xor.csv", "file: xor.csv, position_encoding: sinusoidal, position_amplitude: 0.1"}}});
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
                                       {"range: [-2, 2], levels: 3", "levels: 3"}},
                              .file = {"u.csv", "a,b,c,d,v\n1,2,3,4,7\n0,0,0,0,-3\n1,1,1,1,5\n"}});
  (void)state;
  assert_int_equal(p->actions, 3);
  assert_true(p->controls[4] == 7 && p->controls[9] == -3);
  assert_true(p->lower[4] == -3 && p->upper[4] == 7 && p->lower[0] == -4);
  bf_problem_destroy(&p);
}

static void samples_lie_in_the_box_and_nest(void **state) {
  BfProblem *p = good(&(Case){.edit = {{"quantize", "action: {kind: sample, count: 5, seed: 3}\nquantize"}}});
  BfProblem *q = good(&(Case){.edit   = {{"quantize", "action: {kind: sample, count: 5, seed: 3}\nquantize"}},
                              .option = {{"-action_count", "50"}}});
  (void)state;
  assert_int_equal(p->actions, 5);
  assert_int_equal(q->actions, 50);
  assert_memory_equal(p->controls, q->controls, 25 * sizeof *p->controls);
  for (int64_t k = 0; k < 50; k++)
    for (int j = 0; j < 5; j++)
      assert_true(q->controls[5 * k + j] >= q->lower[j] && q->controls[5 * k + j] <= q->upper[j]);
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

/* Two positions 1/2 apart and the box's diagonal squared 18: lambda > 72. */
static void position_weights(void **state) {
  Case c = {.edit = {{"pooled_cross_entropy", "wasserstein"},
                     {"  readout: {matrix: [4, 0, -4, 0]}\n", ""},
                     {"file: xor.csv", "file: target.csv"}}};
  BfProblem *p = good(&c);
  (void)state;
  assert_true(p->cost.position_weight == 1.01 * 72);
  assert_int_equal(p->warnings, 0);
  bf_problem_destroy(&p);
  c.option[0][0] = "-cost_position_weight", c.option[0][1] = "3";
  p = good(&c);
  assert_true(p->cost.position_weight == 3);
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
  assert_null(p->tokens);
  bf_problem_destroy(&p);
  p = good(&(Case){.edit = {{"[9, 9]", "0, atoms: 1"}}}); /* as many as every tag has */
  assert_int_equal(p->atoms, 1);
  bf_problem_destroy(&p);
  p = good(&(Case){.edit = {{"cells: [9, 9]", "codebook: points.csv"}}, .file = {"points.csv", "0,0\n1,1\n1,-1\n"}});
  assert_int_equal(bf_tokens_count(p->tokens), 3);
  assert_false(bf_tokens_is_grid(p->tokens));
  bf_problem_destroy(&p);
}

/* ---- wrong ones ------------------------------------------------------------------------------------------------- */

static void wrong_keys_are_named(void **state) {
  static const Case cases[] = {
      {.edit = {{"horizon: 2\n", ""}}, .text = "xor.yaml: horizon is missing"},
      {.edit = {{"horizon", "horzon"}}, .text = "xor.yaml: horizon is missing; line 1 has horzon"},
      {.edit = {{"horizon: 2", "horizon: 0"}}, .text = "xor.yaml: horizon must be at least 1, got 0"},
      {.edit = {{"horizon: 2", "horizon: 1000001"}}, .text = "xor.yaml: horizon must be at most 1000000, got 1000001"},
      {.edit = {{"horizon: 2", "horizon: 2.5"}}, .text = "xor.yaml: horizon is not an integer: '2.5'"},
      {.edit = {{"horizon: 2", "horizon: [2, 3]"}}, .text = "xor.yaml: horizon must be one value, got 2"},
      {.edit = {{"horizon: 2", "horizon: {a: 1}"}},
       .text = "xor.yaml: line 1: horizon must be a value, not a map of keys"},
      {.edit = {{"horizon: 2", "horizon: 2\nhorizon: 3"}},
       .text = "xor.yaml: line 2: horizon is given twice, first in line 1"},
      {.edit = {{"0.5", "0"}}, .text = "xor.yaml: step must be greater than 0, got 0"},
      {.edit = {{"0.5", ".nan"}}, .text = "xor.yaml: step must be finite: '.nan'"},
      {.edit = {{"0.5", "1e999"}}, .text = "xor.yaml: step is too large: '1e999'"},
      {.edit = {{"0.5", "0.5s"}}, .text = "xor.yaml: step is not a number: '0.5s'"},
      {.edit = {{"cells: [9, 9]", "cell: [9, 9]"}},
       .text = "xor.yaml: quantize.cells is missing; line 12 has quantize.cell"},
      {.edit = {{"cells: [9, 9]", "cells: [9, 9], atom: 3"}},
       .text = "xor.yaml: line 12: unknown key quantize.atom, did you mean quantize.atoms?"},
      {.edit = {{"quantize", "zebra: 1\nquantize"}}, .text = "xor.yaml: line 12: unknown key zebra"},
      {.option = {{"-quantize_cell", "8,8"}}, .text = "unknown option -quantize_cell, did you mean -quantize_cells?"},
      {.option = {{"-zebra", "8,8"}}, .text = "unknown option -zebra"},
      {.edit   = {{"  V:", "  A_0: {levels: 3}\n  V:"}, {", levels: 2", ""}},
       .option = {{"-control_A_levels", "2"}}, /* which the head's own key hides */
       .text   = "unknown option -control_A_levels, did you mean -control_V_levels?"},
      {.option = {{"-horizon", "0"}}, .text = "-horizon must be at least 1, got 0"},
      {.option = {{"-horizon", "2,3"}}, .text = "-horizon must be one value, got 2"},
      {.option = {{"-horizon", NULL}}, .text = "-horizon has no value"},
      {.option = {{"-control_A_levels", "0"}}, .text = "-control_A_levels must be at least 1, got 0"},
      {.option = {{"-control_A_0_levels", "1,2,"}}, .text = "-control_A_0_levels is not an integer: ''"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void wrong_tokens_and_layers_are_named(void **state) {
  static const Case cases[] = {
      {.edit = {{"dim: 2", "dim: 0"}}, .text = "xor.yaml: token.dim must be at least 1, got 0"},
      {.edit = {{"dim: 2", "dim: 65"}}, .text = "xor.yaml: token.dim must be at most 64, got 65"},
      {.edit = {{"lower: [-1.5, -1.5]", "lower: -1.5"}},
       .text = "xor.yaml: token.lower wants 2 numbers, one a component, got 1"},
      {.edit = {{"[1.5, 1.5]", "[1.5, 1.5, 2]"}},
       .text = "xor.yaml: token.upper wants 2 numbers, one a component, got 3"},
      {.edit = {{"[1.5, 1.5]", "[1.5, -1.5]"}},
       .text = "xor.yaml: token.lower must be below token.upper, got -1.5 and -1.5 in component 1"},
      {.edit = {{"[1.5, 1.5]", "[1.5, inf]"}}, .text = "xor.yaml: token.upper must be finite: 'inf'"},
      {.edit = {{"1.5]}", "1.5], projection: cube}"}},
       .text = "xor.yaml: token.projection must be clip or sphere, got 'cube'"},
      {.edit = {{"heads: 1", "heads: -1"}}, .text = "xor.yaml: layer.heads must be at least 0, got -1"},
      {.edit = {{"heads: 1", "heads: 0"}},
       .text = "xor.yaml: layer.heads must be at least 1 where layer.feedforward is none, got 0"},
      {.edit = {{"heads: 1", "residual: 2"}}, .text = "xor.yaml: layer.residual must be at most 1, got 2"},
      {.edit = {{"heads: 1", "mask: half"}}, .text = "xor.yaml: layer.mask must be full or causal, got 'half'"},
      {.edit = {{"heads: 1", "feedforward: sigmoid"}},
       .text = "xor.yaml: layer.feedforward must be none, tanh, relu, gelu, got 'sigmoid'"},
      {.edit = {{"heads: 1", "feedforward: relu"}}, .text = "xor.yaml: layer.width is missing"},
      {.edit = {{"heads: 1", "feedforward: relu, width: 0"}},
       .text = "xor.yaml: layer.width must be at least 1, got 0"},
      {.edit = {{"heads: 1", "width: 3"}},
       .text = "xor.yaml: layer.width must not be given where layer.feedforward is none"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void wrong_controls_and_actions_are_named(void **state) {
  static const Case cases[] = {
      {.edit = {{"form: full", "form: band"}},
       .text = "xor.yaml: control.A.form must be full, diagonal, scalar, skew or fixed, got 'band'"},
      {.edit = {{"levels: 2", "levels: 0"}}, .text = "xor.yaml: control.A.levels must be at least 1, got 0"},
      {.edit = {{"levels: 2", "levels: [1, 2]"}}, .text = "xor.yaml: control.A.levels wants 1 or 4 integers, got 2"},
      {.edit = {{", levels: 2", ""}}, .text = "xor.yaml: control.A.levels is missing"},
      {.edit = {{"range: [-4, 4], ", ""}}, .text = "xor.yaml: control.A.range is missing"},
      {.edit = {{"[-4, 4]", "[4, -4]"}}, .text = "xor.yaml: control.A.range must not run downwards, got [4, -4]"},
      {.edit = {{"[-4, 4]", "[-4, 4, 5]"}}, .text = "xor.yaml: control.A.range wants 2 or 8 numbers, got 3"},
      {.edit = {{"[-2, 2]", "2"}}, .text = "xor.yaml: control.V.range wants 2 numbers, got 1"},
      {.edit = {{"form: full", "form: fixed, value: [1, 0, 0, 1]"}},
       .text = "xor.yaml: control.A.range must not be given where control.A.form is fixed"},
      {.edit = {{"form: full, range: [-4, 4], levels: 2", "form: fixed"}},
       .text = "xor.yaml: control.A.value is missing"},
      {.edit = {{"form: full, range: [-4, 4], levels: 2", "form: fixed, value: [1, 0]"}},
       .text = "xor.yaml: control.A.value wants 4 numbers (2 x 2), got 2"},
      {.edit = {{"form: full", "form: full, value: [1, 0, 0, 1]"}},
       .text = "xor.yaml: control.A.value must not be given where control.A.form is not fixed"},
      {.edit = {{"heads: 1", "feedforward: relu, width: 3"},
                {"  V:", "  W1: {form: diagonal, range: [0, 1], levels: 1}\n  V:"}},
       .text = "xor.yaml: control.W1.form must not be diagonal: W1 is 3 x 2"},
      {.edit = {{"dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]", "dim: 1, lower: -1.5, upper: 1.5"},
                {"form: full", "form: skew"}},
       .file = {"xor.csv", "sequence,position,label,z0\n0,0,0,0\n"},
       .text = "xor.yaml: control.A.form must not be skew: A_0 is 1 x 1, not 2 x 2"},
      {.edit = {{"  V:", "  A_3: {levels: 2}\n  V:"}},
       .text = "xor.yaml: line 8: unknown key control.A_3.levels, did you mean control.A.levels?"},
      {.edit = {{"levels: 2", "levels: 1000"}},
       .text = "xor.yaml: action.kind gives 3e+12 controls, at most 2147483647 are possible"},
      {.edit = {{"quantize", "action: {kind: all}\nquantize"}},
       .text = "xor.yaml: action.kind must be grid, sample or file, got 'all'"},
      {.edit = {{"quantize", "action: {kind: sample}\nquantize"}}, .text = "xor.yaml: action.count is missing"},
      {.edit = {{"quantize", "action: {kind: sample, count: 2147483648}\nquantize"}},
       .text = "xor.yaml: action.count must be at most 2147483647, got 2147483648"},
      {.edit = {{"quantize", "action: {kind: sample, count: 5, seed: -1}\nquantize"}},
       .text = "xor.yaml: action.seed must be at least 0, got -1"},
      {.edit = {{"quantize", "action: {count: 5}\nquantize"}},
       .text = "xor.yaml: action.count must not be given where action.kind is not given"},
      {.edit = {{"quantize", "action: {kind: file}\nquantize"}}, .text = "xor.yaml: action.file is missing"},
      {.edit = {{"quantize", "action: {kind: file, file: u.csv}\nquantize"}},
       .file = {"u.csv", "1,2,3,4\n"},
       .text = "u.csv: line 1: 4 cells, but 5 are wanted"},
      {.edit = {{"quantize", "action: {kind: file, file: u.csv}\nquantize"}},
       .file = {"u.csv", "a,b,c,d,e\n1,2,3,4,0\n1,5,3,4,0\n"},
       .text = "u.csv: line 3: cell 2 (of A_0) must be in [-4, 4], got 5"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

#define HEADER "sequence,position,label,z0,z1\n"
static void wrong_data_are_named(void **state) {
  static const Case cases[] = {
      {.file = {"xor.csv", HEADER "0,0,0,0,0\n0,1,1,0,0\n"},
       .text = "xor.csv: line 3: sequence 0 has labels 0 and 1; pooled_cross_entropy needs one a sequence"},
      {.file = {"xor.csv", HEADER "0,0,0,0,0\n1,0,2,0,0\n"},
       .text = "xor.csv: line 3: label must be below the readout's 2 classes, got 2"},
      {.file = {"xor.csv", HEADER "1,0,0,0,0\n#\n0,0,0,0,1.75\n"},
       .text = "xor.csv: line 4: z1 must be in [-1.5, 1.5] (token.lower, token.upper), got 1.75"},
      {.file = {"xor.csv", HEADER "0,0,0,0,nan\n"}, .text = "xor.csv: line 2: column z1 must be finite: 'nan'"},
      {.file = {"xor.csv", ""}, .text = "xor.csv: the table is empty"},
      {.edit = {{"xor.csv", "target.csv"}},
       .text = "target.csv: column y0: cost.terminal pooled_cross_entropy needs a label"},
      {.edit = {{"pooled_cross_entropy", "squared_error"}, {"  readout: {matrix: [4, 0, -4, 0]}\n", ""}},
       .text = "xor.csv: column label: cost.terminal squared_error needs targets, columns y0, ..."},
      {.edit = {{"heads: 1", "mask: causal"}, {"xor.csv", "pop.csv"}},
       .text = "pop.csv: line 3: another token at position 0 of sequence 0; layer.mask causal needs one a position"},
      {.edit = {{"heads: 1", "mask: causal"}, {"pooled", "token"}},
       .file = {"xor.csv", HEADER "0,0,0,0,0\n0,0,1,0,0\n"},
       .text = "xor.csv: line 3: another token at position 0 of sequence 0; layer.mask causal needs one a position"},
      {.edit = {{"heads: 1", "mask: causal"}, {"file: xor.csv", "file: xor.csv, test: pop.csv"}},
       .text = "pop.csv: line 3: another token at position 0 of sequence 0; layer.mask causal needs one a position"},
      {.edit = {{"file: xor.csv", "file: xor.csv, test: target.csv"}},
       .text = "target.csv: column y0: cost.terminal pooled_cross_entropy needs a label"},
      {.edit = {{"file: xor.csv", "file: xor.csv, test: t.csv"}},
       .file = {"t.csv", "sequence,position,label,z0\n0,0,0,0\n"},
       .text = "t.csv: column z1 is missing"},
      {.edit = {{"file: xor.csv", "file: xor.csv, position_encoding: [1, 2, 3]"}},
       .text = "xor.yaml: data.position_encoding wants 4 numbers (positions 0 .. 1, 2 each) or more, got 3"},
      {.edit = {{"file: xor.csv", "file: xor.csv, test: t.csv, position_encoding: [1, 2, 3, 4]"}},
       .file = {"t.csv", HEADER "0,2,0,0,0\n"},
       .text = "xor.yaml: data.position_encoding wants 6 numbers (positions 0 .. 2, 2 each) or more, got 4"},
      {.edit = {{"file: xor.csv", "file: xor.csv, position_encoding: rotary"}},
       .text = "xor.yaml: data.position_encoding must be none, sinusoidal or a list of numbers, got 'rotary'"},
      {.edit = {{"file: xor.csv", "file: xor.csv, position_amplitude: 2"}},
       .text =
           "xor.yaml: data.position_amplitude must not be given where data.position_encoding is not sinusoidal"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void wrong_costs_and_quantizers_are_named(void **state) {
  static const Case cases[] = {
      {.edit = {{"pooled_cross", "cross"}},
       .text = "xor.yaml: cost.terminal must be one of pooled_cross_entropy, token_cross_entropy, squared_error, "
               "wasserstein, got 'cross_entropy'"},
      {.edit = {{"  readout", "  pooling: max\n  readout"}},
       .text = "xor.yaml: cost.pooling must be mean, last or first, got 'max'"},
      {.edit = {{"pooled", "token"}, {"  readout", "  pooling: last\n  readout"}},
       .text = "xor.yaml: cost.pooling must not be given where cost.terminal is not pooled_cross_entropy"},
      {.edit = {{"matrix: [4, 0, -4, 0]", "bias: [1, 2]"}}, .text = "xor.yaml: cost.readout.matrix is missing"},
      {.edit = {{"[4, 0, -4, 0]", "[4, 0, -4]"}},
       .text = "xor.yaml: cost.readout.matrix wants a multiple of 2 numbers (2 for each class), got 3"},
      {.edit = {{"-4, 0]", "-4, 0], classes: 3"}},
       .text = "xor.yaml: cost.readout.matrix wants 6 numbers (3 classes, 2 each), got 4"},
      {.edit = {{"-4, 0]", "-4, 0], bias: [1]"}},
       .text = "xor.yaml: cost.readout.bias wants 2 numbers (1 readout of 2 classes), got 1"},
      {.edit = {{"matrix: [4, 0, -4, 0]", "kind: decision, matrix: [1, 2, 3, 4, 5, 6]"}},
       .text = "xor.yaml: cost.readout.matrix wants a multiple of 4 numbers (2 classes, 2 each), got 6"},
      {.edit = {{"-4, 0]", "-4, 0], file: r.csv"}},
       .text = "xor.yaml: cost.readout.file must not be given where cost.readout.kind is not decision"},
      {.edit = {{"  readout", "  weight_decay: -1\n  readout"}},
       .text = "xor.yaml: cost.weight_decay must be at least 0, got -1"},
      {.edit = {{"  readout", "  position_weight: 1\n  readout"}},
       .text = "xor.yaml: cost.position_weight must not be given where cost.terminal is not wasserstein"},
      {.edit = {{"pooled_cross_entropy", "squared_error"}, {"xor.csv", "target.csv"}},
       .text = "xor.yaml: cost.readout.matrix must not be given where cost.terminal has no readout"},
      {.edit = {{"pooled_cross_entropy", "wasserstein\n  position_weight: -1"},
                {"  readout: {matrix: [4, 0, -4, 0]}\n", ""},
                {"xor.csv", "target.csv"}},
       .text = "xor.yaml: cost.position_weight must be at least 0, got -1"},
      {.edit = {{"[9, 9]", "9"}},
       .text = "xor.yaml: quantize.cells wants 2 integers, one an axis (or the single number 0), got 1"},
      {.edit = {{"[9, 9]", "[9, 0]"}}, .text = "xor.yaml: quantize.cells must be at least 1, got 0"},
      {.edit = {{"[9, 9]", "[9, -1]"}}, .text = "xor.yaml: quantize.cells must be at least 0, got -1"},
      {.edit = {{"[9, 9]", "[4294967296, 4294967296]"}},
       .text = "xor.yaml: quantize.cells gives 1.84e+19 cells, not below 2^62"},
      {.edit = {{"[9, 9]", "[9, 9], atoms: -1"}}, .text = "xor.yaml: quantize.atoms must be at least 0, got -1"},
      {.edit = {{"[9, 9]", "[9, 9], transition: far"}},
       .text = "xor.yaml: quantize.transition must be nearest or split, got 'far'"},
      {.edit = {{"[9, 9]", "0, transition: split"}},
       .text = "xor.yaml: quantize.transition must not be split where quantize.cells is 0"},
      {.edit = {{"[9, 9]", "0, atoms: 3"}},
       .text = "xor.yaml: quantize.atoms must be 0 where quantize.cells is 0, got 3 (position 0 of sequence 0 has 1 "
               "token)"},
      {.edit = {{"cells: [9, 9]", "codebook: p.csv, transition: split"}},
       .file = {"p.csv", "0,0\n"},
       .text = "xor.yaml: quantize.transition must not be split where quantize.codebook is given"},
      {.edit = {{"[9, 9]", "[9, 9], codebook: p.csv"}},
       .file = {"p.csv", "0,0\n"},
       .text = "xor.yaml: quantize.cells must not be given where quantize.codebook is given"},
      {.edit = {{"cells: [9, 9]", "codebook: p.csv"}},
       .file = {"p.csv", "x,y\n0,0\n0,0,1\n"},
       .text = "p.csv: line 3: 3 cells, but 2 are wanted"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void missing_files_are_named(void **state) {
  char       text[256];
  BfError    error   = {0};
  BfProblem *problem = NULL;
  (void)state;
  assert_int_equal(bf_problem_read(PETSC_COMM_WORLD, "/nowhere/xor.yaml", &problem, &error), BF_BAD_INPUT);
  assert_error(&error, BF_BAD_INPUT, "cannot read /nowhere/xor.yaml: No such file or directory");
  error = (BfError){0};
  read_case(&(Case){.edit = {{"xor.csv", "none.csv"}}}, &problem, &error);
  snprintf(text, sizeof text, "xor.yaml: data.file: cannot read %s/none.csv: No such file or directory", folder);
  assert_error(&error, BF_BAD_INPUT, text);
  error = (BfError){0};
  read_case(&(Case){.option = {{"-data_test", "none.csv"}}}, &problem, &error);
  snprintf(text, sizeof text, "-data_test: cannot read %s/none.csv: No such file or directory", folder);
  assert_error(&error, BF_BAD_INPUT, text);
}

/* ---- main ------------------------------------------------------------------------------------------------------- */

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/bf_problem_XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  static const char *const names[] = {"xor.yaml", "xor.csv", "pop.csv", "target.csv", "u.csv",
                                      "r.csv",    "p.csv",   "t.csv",   "points.csv"};
  char                     path[128];
  (void)state;
  for (size_t k = 0; k < LENGTH(names); k++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[k]);
    unlink(path);
  }
  return rmdir(folder);
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
      cmocka_unit_test(position_weights),
      cmocka_unit_test(initial_cells_are_the_nearest_type),
      cmocka_unit_test(unquantized_tokens_and_codebooks),
      cmocka_unit_test(wrong_keys_are_named),
      cmocka_unit_test(wrong_tokens_and_layers_are_named),
      cmocka_unit_test(wrong_controls_and_actions_are_named),
      cmocka_unit_test(wrong_data_are_named),
      cmocka_unit_test(wrong_costs_and_quantizers_are_named),
      cmocka_unit_test(missing_files_are_named),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
