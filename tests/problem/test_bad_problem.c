/* Problems: for every wrong input the one line that names it. */
#include "problem_case.h"

#include <petscsys.h>

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
      {.edit   = {{"horizon: 2\n", ""}},
       .option = {{"-horzon", "3"}},
       .text   = "xor.yaml: horizon is missing; the command line has -horzon"},
      {.option = {{"-quantize_cell", "8,8"}}, .text = "unknown option -quantize_cell, did you mean -quantize_cells?"},
      {.option = {{"-zebra", "8,8"}}, .text = "unknown option -zebra"},
      {.edit   = {{"  V:", "  A_0: {levels: 3}\n  V:"}, {", levels: 2", ""}},
       .option = {{"-control_A_levels", "2"}}, /* which the head's own key hides */
       .text   = "-control_A_levels is not used by any head"},
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
      {.edit = {{"lower: [-1.5, -1.5]", "lower: []"}},
       .text = "xor.yaml: token.lower wants 1 or 2 numbers, one a component, got 0"},
      {.edit = {{"[1.5, 1.5]", "[1.5, 1.5, 2]"}},
       .text = "xor.yaml: token.upper wants 1 or 2 numbers, one a component, got 3"},
      {.edit = {{"[1.5, 1.5]", "[1.5, -1.5]"}},
       .text = "xor.yaml: token.lower must be below token.upper, got -1.5 and -1.5 in component 1"},
      {.edit = {{"[1.5, 1.5]", "[1.5, 1e150]"}},
       .text = "xor.yaml: token.lower and token.upper must be within 1e+140, got -1.5 and 1e+150 in component 1"},
      {.edit = {{"[1.5, 1.5]", "[1.5, inf]"}}, .text = "xor.yaml: token.upper must be finite: 'inf'"},
      {.edit = {{"1.5]}", "1.5], projection: cube}"}},
       .text = "xor.yaml: token.projection must be clip, sphere or none, got 'cube'"},
      {.edit = {{"heads: 1", "heads: -1"}}, .text = "xor.yaml: layer.heads must be at least 0, got -1"},
      {.edit = {{"heads: 1", "heads: 0"}},
       .text = "xor.yaml: layer.heads must be at least 1 where a layer has no other term (layer.feedforward, "
               "layer.linear), got 0"},
      {.edit = {{"heads: 1", "residual: 2"}}, .text = "xor.yaml: layer.residual must be at most 1, got 2"},
      {.edit = {{"heads: 1", "mask: half"}}, .text = "xor.yaml: layer.mask must be full or causal, got 'half'"},
      {.edit = {{"heads: 1", "feedforward: sigmoid"}},
       .text = "xor.yaml: layer.feedforward must be none, tanh, relu or gelu, got 'sigmoid'"},
      {.edit = {{"heads: 1", "feedforward: relu"}}, .text = "xor.yaml: layer.width is missing"},
      {.edit = {{"heads: 1", "feedforward: relu, width: 0"}},
       .text = "xor.yaml: layer.width must be at least 1, got 0"},
      {.edit = {{"heads: 1", "width: 3"}}, .text = "xor.yaml: layer.width is not used where layer.feedforward is none"},
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
       .text = "xor.yaml: control.A.range is not used where control.A.form is fixed"},
      {.edit = {{"form: full, range: [-4, 4], levels: 2", "form: fixed"}},
       .text = "xor.yaml: control.A.value is missing"},
      {.edit = {{"form: full, range: [-4, 4], levels: 2", "form: fixed, value: [1, 0]"}},
       .text = "xor.yaml: control.A.value wants 1 or 4 numbers, one an entry of 2 x 2, got 2"},
      {.edit = {{"form: full", "form: full, value: [1, 0, 0, 1]"}},
       .text = "xor.yaml: control.A.value is not used where control.A.form is full"},
      {.edit = {{"heads: 1", "feedforward: relu, width: 3"},
                {"  V:", "  W1: {form: diagonal, range: [0, 1], levels: 1}\n  V:"}},
       .text = "xor.yaml: control.W1.form must not be diagonal: W1 is 3 x 2, not square"},
      {.edit = {{"dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]", "dim: 1, lower: -1.5, upper: 1.5"},
                {"form: full", "form: skew"}},
       .file = {"xor.csv", "sequence,position,label,z0\n0,0,0,0\n"},
       .text = "xor.yaml: control.A.form must not be skew: A_0 is 1 x 1, not 2 x 2"},
      {.edit = {{"  V:", "  A_3: {levels: 2}\n  V:"}},
       .text = "xor.yaml: control.A_3.levels is not used where layer.heads is 1"},
      {.edit = {{"levels: 2", "levels: 1000"}},
       .text = "xor.yaml: action.kind gives 3e+12 controls, at most 2147483647 are possible"},
      {.edit = {{"quantize", "action: {kind: all}\nquantize"}},
       .text = "xor.yaml: action.kind must be grid, sample, halton or file, got 'all'"},
      {.edit = {{"quantize", "action: {kind: sample}\nquantize"}, {", levels: 2", ""}, {", levels: 3", ""}},
       .text = "xor.yaml: action.count is missing"},
      {.edit = {{"quantize", "action: {kind: sample, count: 2147483648}\nquantize"},
                {", levels: 2", ""},
                {", levels: 3", ""}},
       .text = "xor.yaml: action.count must be at most 2147483647, got 2147483648"},
      {.edit = {{"quantize", "action: {kind: sample, count: 5, seed: -1}\nquantize"},
                {", levels: 2", ""},
                {", levels: 3", ""}},
       .text = "xor.yaml: action.seed must be at least 0, got -1"},
      {.edit = {{"quantize", "action: {count: 5}\nquantize"}},
       .text = "xor.yaml: action.count is not used where action.kind is grid"},
      {.edit = {{"quantize", "action: {kind: file}\nquantize"}, {", levels: 2", ""}, {", levels: 3", ""}},
       .text = "xor.yaml: action.file is missing"},
      {.edit = {{"quantize", "action: {kind: file, file: u.csv}\nquantize"}, {", levels: 2", ""}, {", levels: 3", ""}},
       .file = {"u.csv", "1,2,3,4\n"},
       .text = "u.csv: line 1: 4 cells, but 5 are wanted"},
      {.edit = {{"quantize", "action: {kind: file, file: u.csv}\nquantize"}, {", levels: 2", ""}, {", levels: 3", ""}},
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
       .text = "xor.yaml: data.position_amplitude is not used where data.position_encoding is none"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void wrong_costs_and_quantizers_are_named(void **state){
    static const Case cases[] =
        {{.edit = {{"pooled_cross", "cross"}},
          .text = "xor.yaml: cost.terminal must be one of pooled_cross_entropy, token_cross_entropy, squared_error, "
                  "wasserstein, hinge, got 'cross_entropy'"},
         {.edit = {{"  readout", "  pooling: max\n  readout"}},
          .text = "xor.yaml: cost.pooling must be mean, last or first, got 'max'"},
         {.edit = {{"pooled", "token"}, {"  readout", "  pooling: last\n  readout"}},
          .text = "xor.yaml: cost.pooling is not used where cost.terminal is token_cross_entropy"},
         {.edit = {{"matrix: [4, 0, -4, 0]", "bias: [1, 2]"}}, .text = "xor.yaml: cost.readout.matrix is missing"},
         {.edit = {{"[4, 0, -4, 0]", "[4, 0, -4]"}},
          .text = "xor.yaml: cost.readout.matrix wants a multiple of 2 numbers (2 for each class), got 3"},
         {.edit = {{"-4, 0]", "-4, 0], classes: 3"}},
          .text = "xor.yaml: cost.readout.matrix wants 6 numbers (3 classes, 2 each), got 4"},
         {.edit = {{"-4, 0]", "-4, 0], bias: [1, 2, 3]"}},
          .text = "xor.yaml: cost.readout.bias wants 1 or 2 numbers, 1 readout of 2 classes, got 3"},
         {.edit = {{"matrix: [4, 0, -4, 0]", "kind: decision, matrix: [1, 2, 3, 4, 5, 6]"}},
          .text = "xor.yaml: cost.readout.matrix wants a multiple of 4 numbers (2 classes, 2 each), got 6"},
         {.edit = {{"-4, 0]", "-4, 0], file: r.csv"}},
          .text = "xor.yaml: cost.readout.file is not used where cost.readout.kind is fixed"},
#define TRAINED(rest) {.edit = {{"matrix: [4, 0, -4, 0]", "kind: trained" rest}}
         TRAINED(""),
         .text = "xor.yaml: cost.readout.matrix.range is missing"},
    TRAINED(", matrix: [4, 0, -4, 0]"),
    .text = "xor.yaml: cost.readout.matrix is not used where cost.readout.kind is trained"},
    TRAINED(", matrix: {range: [0, 1], levels: 3}"),
    .text = "xor.yaml: line 11: unknown key cost.readout.matrix.levels, did you mean cost.readout.matrix.range?"
}
, TRAINED(", matrix: {range: [0, 1, 2]}"),
    .text = "xor.yaml: cost.readout.matrix.range wants 2 or 8 numbers, a pair for each of 4, got 3"
}
, TRAINED(", matrix: {range: [1, 0]}"), .text = "xor.yaml: cost.readout.matrix.range must not run downwards, got [1, 0]"
}
, TRAINED(", matrix: {range: [0, 1]}, bias: {range: [0, 1e300]}"),
    .text = "xor.yaml: cost.readout.bias.range must be within 1e290, got [0, 1e+300]"
}
, TRAINED(", matrix: {range: [-8, 8]}, bias: {range: [0, 1]}, file: r.csv"),
    .file = {"r.csv", "1,2,3,4,1,1\n1,2,3,4,1,2\n"},
    .text = "r.csv: line 2: number 6 must be in [0, 1], as cost.readout.bias.range has it, got 2"
}
,
    {.edit = {{"matrix: [4, 0, -4, 0]", "matrix: [4, 0, -4, 0], bias: {range: [0, 1]}"}},
     .text = "xor.yaml: cost.readout.bias.range is not used where cost.readout.kind is fixed"},
#undef TRAINED
    {.edit = {{"  readout", "  weight_decay: -1\n  readout"}},
     .text = "xor.yaml: cost.weight_decay must be at least 0, got -1"},
    {.edit = {{"  readout", "  weight_decay: 1e300\n  readout"}, {"step: 0.5", "step: 1e10"}},
     .text = "xor.yaml: cost.weight_decay times step must be finite, got 1e+300 and 1e+10"},
    {.edit = {{"  readout", "  position_weight: 1\n  readout"}},
     .text = "xor.yaml: cost.position_weight is not used where cost.terminal is pooled_cross_entropy"},
    {.edit = {{"pooled_cross_entropy", "squared_error"}, {"xor.csv", "target.csv"}},
     .text = "xor.yaml: cost.readout.matrix is not used where cost.terminal is squared_error"},
    {.edit = {{"pooled_cross_entropy", "squared_error"},
              {"  readout: {matrix: [4, 0, -4, 0]}\n", ""},
              {"xor.csv", "t.csv"}},
     .file = {"t.csv", "sequence,position,y0,y1,z0,z1\n0,0,0,1,1,1\n0,1,0,-1e150,1,1\n"},
     .text = "t.csv: line 3: y1 must be within 1e+140, got -1e+150"},
    {.edit = {{"pooled_cross_entropy", "wasserstein\n  position_weight: -1"},
              {"  readout: {matrix: [4, 0, -4, 0]}\n", ""},
              {"xor.csv", "target.csv"}},
     .text = "xor.yaml: cost.position_weight must be at least 0, got -1"},
    {.edit = {{"[9, 9]", "[9, 9, 9]"}}, .text = "xor.yaml: quantize.cells wants 1 or 2 integers, one an axis, got 3"},
    {.edit = {{"[9, 9]", "[9, 0]"}}, .text = "xor.yaml: quantize.cells must be at least 1, got 0"},
    {.edit = {{"[9, 9]", "[9, -1]"}}, .text = "xor.yaml: quantize.cells must be at least 0, got -1"},
    {.edit = {{"[9, 9]", "[4294967296, 4294967296]"}},
     .text = "xor.yaml: quantize.cells gives 1.84e+19 cells, not below 2^62"},
    {.edit = {{"[9, 9]", "[9, 9], atoms: -1"}}, .text = "xor.yaml: quantize.atoms must be at least 0, got -1"},
    {.edit = {{"[9, 9]", "[9, 9], transition: far"}},
     .text = "xor.yaml: quantize.transition must be nearest or split, got 'far'"},
    {.edit = {{"[9, 9]", "0, transition: split"}},
     .text = "xor.yaml: quantize.transition is not used where quantize.cells is 0"},
    {.edit = {{"[9, 9]", "0, atoms: 3"}}, .text = "xor.yaml: quantize.atoms is not used where quantize.cells is 0"},
    {.edit = {{"cells: [9, 9]", "codebook: p.csv, transition: split"}},
     .file = {"p.csv", "0,0\n"},
     .text = "xor.yaml: quantize.transition must not be split where quantize.codebook is given"},
    {.edit = {{"[9, 9]", "[9, 9], codebook: p.csv"}},
     .file = {"p.csv", "0,0\n"},
     .text = "xor.yaml: quantize.cells is not used where quantize.codebook is given"},
    {.edit = {{"cells: [9, 9]", "codebook: p.csv"}},
     .file = {"p.csv", "x,y\n0,0\n0,0,1\n"},
     .text = "p.csv: line 3: 3 cells, but 2 are wanted"},
}
;
(void)state;
check_cases(cases, LENGTH(cases));
}

static void missing_files_are_named(void **state) {
  char       text[256];
  BfError    error   = {0};
  BfProblem *problem = NULL;
  (void)state;
  assert_int_equal(bf_problem_read(PETSC_COMM_WORLD, "/nowhere/xor.yaml", &ALL, NULL, &problem, &error), BF_BAD_INPUT);
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

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
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
