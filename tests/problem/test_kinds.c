/* Choices: a key that the chosen kind does not use is refused wherever it is given, and stands aside only where the
 * command line took the choice away from the file. */
#include "problem_case.h"

#include <math.h>
#include <petscsys.h>

#include "../../src/problem/family.h"
#include "bellformer/term.h"

#define ACTION(text)                                                                                                   \
  { "quantize", "action: {" text "}\nquantize" }
#define SAMPLE                                                                                                         \
  ACTION("kind: sample, count: 5, seed: 3"), {", levels: 2", ""}, { ", levels: 3", "" }

static void keys_of_another_kind_are_refused_in_the_file(void **state) {
  static const Case cases[] = {
      {.edit = {ACTION("kind: grid, count: 7, file: none.csv")},
       .text = "xor.yaml: action.count is not used where action.kind is grid"},
      {.edit = {ACTION("kind: grid, seed: 7")}, .text = "xor.yaml: action.seed is not used where action.kind is grid"},
      {.edit = {ACTION("kind: sample, count: 7, file: none.csv"), {", levels: 2", ""}, {", levels: 3", ""}},
       .text = "xor.yaml: action.file is not used where action.kind is sample"},
      {.edit = {ACTION("kind: file, file: none.csv, seed: 0"), {", levels: 2", ""}, {", levels: 3", ""}},
       .text = "xor.yaml: action.seed is not used where action.kind is file"},
      {.edit = {ACTION("kind: sample, count: 7")},
       .text = "xor.yaml: control.A.levels is not used where action.kind is sample"},
      {.edit = {ACTION("kind: sample, count: 7"), {", levels: 2", ", row_1: {levels: 2}"}, {", levels: 3", ""}},
       .text = "xor.yaml: control.A.row_1.levels is not used where action.kind is sample"},
      {.edit = {{"form: scalar", "form: fixed, value: 0"}},
       .text = "xor.yaml: control.V.range is not used where control.V.form is fixed"},
      {.edit = {{"form: scalar, range: [-2, 2]", "form: fixed, value: 0"}},
       .text = "xor.yaml: control.V.levels is not used where control.V.form is fixed"},
      {.edit = {{"form: scalar", "form: scalar, row_0: {levels: 2}"}},
       .text = "xor.yaml: control.V.row_0.levels is not used where control.V.form is scalar"},
      {.edit = {{"  V:", "  A_0: {value: 3}\n  V:"}},
       .text = "xor.yaml: control.A_0.value is not used where control.A.form is full"},
      {.edit = {{"  V:", "  A_0: {form: fixed, value: 3}\n  V:"}},
       .text = "xor.yaml: control.A.form is not used where every head has a form of its own"},
      {.edit = {{"  V:", "  A_0: {form: diagonal}\n  V:"}},
       .text = "xor.yaml: control.A.form is not used where every head has a form of its own"},
      {.edit = {{"  V:", "  W1: {form: fixed, value: 3}\n  V:"}},
       .text = "xor.yaml: control.W1.form is not used where layer.feedforward is none"},
      {.edit = {{"  V:", "  V_1: {levels: 3}\n  V:"}},
       .text = "xor.yaml: control.V_1.levels is not used where layer.heads is 1"},
      {.edit = {{"heads: 1", "heads: 0, feedforward: relu, width: 1, beta: 2"}},
       .text = "xor.yaml: layer.beta is not used where layer.heads is 0"},
      {.edit = {{"heads: 1", "heads: 0, feedforward: relu, width: 1"},
                {"xor.csv", "xor.csv, position_encoding: sinusoidal"}},
       .text = "xor.yaml: data.position_encoding is not used where layer.heads is 0"},
      {.edit = {{"xor.csv", "xor.csv, position_encoding: [1, 2, 3, 4], position_amplitude: 2"}},
       .text = "xor.yaml: data.position_amplitude is not used where data.position_encoding is a list of numbers"},
      {.edit = {{"pooled_cross_entropy", "squared_error"}, {"readout: {matrix: [4, 0, -4, 0]}", "pooling: mean"}},
       .text = "xor.yaml: cost.pooling is not used where cost.terminal is squared_error"},
      {.edit = {{"pooled_cross_entropy", "wasserstein"}},
       .text = "xor.yaml: cost.readout.matrix is not used where cost.terminal is wasserstein"},
      {.edit = {{"readout: {", "readout: {kind: decision, file: r.csv, "}},
       .text = "xor.yaml: cost.readout.matrix is not used where cost.readout.file is given"},
      {.edit = {{"matrix: [4, 0, -4, 0]", "kind: decision, file: r.csv, bias: 0"}},
       .text = "xor.yaml: cost.readout.bias is not used where cost.readout.file is given"},
      {.edit = {{"[9, 9]", "0, atoms: 1"}}, .text = "xor.yaml: quantize.atoms is not used where quantize.cells is 0"},
      {.edit = {{"[9, 9]", "0, transition: split"}},
       .text = "xor.yaml: quantize.transition is not used where quantize.cells is 0"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

static void keys_of_another_kind_are_refused_on_the_command_line(void **state) {
  static const Case cases[] = {
      {.option = {{"-action_count", "20"}}, .text = "-action_count is not used where action.kind is grid"},
      {.edit   = {ACTION("kind: file, file: u.csv"), {", levels: 2", ""}, {", levels: 3", ""}},
       .option = {{"-action_count", "20"}},
       .text   = "-action_count is not used where action.kind is file"},
      {.option = {{"-action_kind", "grid"}, {"-action_file", "u.csv"}},
       .text   = "-action_file is not used where action.kind is grid"},
      {.edit   = {SAMPLE},
       .option = {{"-control_A_levels", "3"}},
       .text   = "-control_A_levels is not used where action.kind is sample"},
      {.option = {{"-control_A_value", "3"}}, .text = "-control_A_value is not used where control.A.form is full"},
      {.option = {{"-control_A_form", "fixed"}, {"-control_A_levels", "3"}},
       .text   = "-control_A_levels is not used where control.A.form is fixed"},
      {.option = {{"-control_b1_range", "0,1"}},
       .text   = "-control_b1_range is not used where layer.feedforward is none"},
      {.option = {{"-control_A_1_levels", "2"}}, .text = "-control_A_1_levels is not used where layer.heads is 1"},
      {.option = {{"-layer_width", "2"}}, .text = "-layer_width is not used where layer.feedforward is none"},
      {.option = {{"-data_position_amplitude", "2"}},
       .text   = "-data_position_amplitude is not used where data.position_encoding is none"},
      {.option = {{"-cost_readout_file", "r.csv"}},
       .text   = "-cost_readout_file is not used where cost.readout.kind is fixed"},
      {.option = {{"-quantize_cells", "0"}, {"-quantize_atoms", "1"}},
       .text   = "-quantize_atoms is not used where quantize.cells is 0"},
      {.option = {{"-quantize_cells", "3"}, {"-quantize_codebook", "p.csv"}},
       .text   = "-quantize_cells is not used where quantize.codebook is given"},
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
}

/* The kind that the file chose is still the file's: only its own keys may stand aside. */
static void only_what_the_command_line_took_away_stands_aside(void **state) {
  static const Case cases[] = {
      {.edit   = {ACTION("kind: sample, count: 5, file: u.csv"), {", levels: 2", ""}, {", levels: 3", ""}},
       .option = {{"-action_kind", "grid"}, {"-control_A_levels", "1"}},
       .text   = "xor.yaml: action.file is not used where action.kind is grid"},
      {.edit   = {ACTION("kind: grid, count: 5")},
       .option = {{"-action_kind", "grid"}},
       .text   = "xor.yaml: action.count is not used where action.kind is grid"},
      {.edit   = {{"[9, 9]", "0, atoms: 2"}},
       .option = {{"-quantize_cells", "0"}},
       .text   = "xor.yaml: quantize.atoms is not used where quantize.cells is 0"},
  };
  static const Case good_cases[] = {
      {.option = {{"-action_kind", "sample"}, {"-action_count", "7"}}}, /* levels */
      {.edit   = {ACTION("kind: sample, count: 7"), {", levels: 2", ""}, {", levels: 3", ""}},
       .file   = {"u.csv", "0,0,0,0,0\n"},
       .option = {{"-action_kind", "file"}, {"-action_file", "u.csv"}}},     /* count */
      {.option = {{"-control_A_form", "fixed"}, {"-control_A_value", "1"}}}, /* range, levels */
      {.edit   = {{"form: scalar, range: [-2, 2], levels: 3", "form: fixed, value: [1, 2, 3, 4]"}},
       .option = {{"-control_V_form", "scalar"}, {"-control_V_range", "0,1"}, {"-control_V_levels", "1"}}}, /* value */
      {.edit   = {{"heads: 1", "heads: 2"}, {"  V:", "  A_1: {levels: 3}\n  V:"}},
       .option = {{"-layer_heads", "1"}}}, /* the second head's */
      {.edit   = {{"heads: 1", "feedforward: tanh, width: 1"},
                  {"  V:",
                   "  W1: {range: [0, 1], levels: 1}\n  b1: {form: fixed, value: 0}\n  W2: {form: fixed, value: 1}\n"
                     "  b2: {form: fixed, value: 0}\n  V:"}},
       .option = {{"-layer_feedforward", "none"}}}, /* width, W1, b1, W2, b2 */
      {.edit   = {{"xor.csv", "xor.csv, position_encoding: sinusoidal, position_amplitude: 3"}},
       .option = {{"-data_position_encoding", "none"}}},                               /* amplitude */
      {.option = {{"-cost_terminal", "squared_error"}, {"-data_file", "target.csv"}}}, /* readout */
      {.edit   = {{"matrix: [4, 0, -4, 0]", "kind: decision, file: r.csv"}},
       .file   = {"r.csv", "1,2,3,4,5,6\n"},
       .option = {{"-cost_readout_matrix", "1,2,3,4"}}}, /* file */
      {.edit   = {{"readout: {", "readout: {kind: decision, bias: 1, "}},
       .file   = {"r.csv", "1,2,3,4,5,6\n"},
       .option = {{"-cost_readout_file", "r.csv"}}}, /* matrix, bias */
      {.edit = {{"[9, 9]", "[9, 9], atoms: 2, transition: split"}}, .option = {{"-quantize_cells", "0"}}},
      /* where a number chooses, what is unused may be said as it is anyway */
      {.edit = {{"[9, 9]", "0, atoms: 0, transition: nearest"}}},
      {.edit = {{"[9, 9]", "0"}}, .option = {{"-quantize_atoms", "0"}, {"-quantize_transition", "nearest"}}},
      {.edit = {{"heads: 1", "heads: 0, feedforward: relu, width: 1, beta: 1.0, mask: full"},
                {"xor.csv", "xor.csv, position_encoding: none"},
                {"  A: {form: full, range: [-4, 4], levels: 2}\n  V: {form: scalar, range: [-2, 2], levels: 3}\n",
                 "  W1: {range: [0, 1], levels: 1}\n  b1: {form: fixed, value: 0}\n  W2: {form: fixed, value: 1}\n"
                 "  b2: {form: fixed, value: 0}\n"}}},
      {.file = {"p.csv", "0,0\n1,1\n"}, .option = {{"-quantize_codebook", "p.csv"}}},         /* cells */
      {.edit = {{"cells: [9, 9]", "codebook: p.csv"}}, .option = {{"-quantize_cells", "3"}}}, /* codebook */
  };
  (void)state;
  check_cases(cases, LENGTH(cases));
  for (size_t k = 0; k < LENGTH(good_cases); k++) {
    BfProblem *p = good(&good_cases[k]);
    bf_problem_destroy(&p);
  }
}

/* A choice that the command line made is in the record: a restart reads the same problem. */
static void what_stood_aside_stands_aside_in_a_restart(void **state) {
  BfProblem *p = good(&(Case){.option = {{"-action_kind", "sample"}, {"-action_count", "7"}}}), *q = NULL;
  BfError    error = {0};
  BfFiles   *files;
  (void)state;
  assert_int_equal(p->actions, 7);
  assert_string_equal(p->overrides, "action_kind=sample\naction_count=7\n");
  assert_int_equal(bf_files_create(PETSC_COMM_WORLD, NULL, &files, &error), BF_OK);
  for (int k = 0; k < p->files->count; k++)
    bf_files_add(files, p->files->file[k].name, p->files->file[k].bytes, p->files->file[k].size, &error);
  if (bf_problem_restore(files, "xor.yaml", p->overrides, &ALL, &q, &error) != BF_OK) fail_msg("%s", error.text);
  assert_int_equal(q->actions, 7);
  assert_memory_equal(p->action, q->action, 7 * 5 * sizeof *p->action);
  bf_problem_destroy(&p);
  bf_problem_destroy(&q);
}

/* A fixed matrix beside a family's range: the family's keys are those of the heads that read them. */
static void a_familys_keys_are_used_where_one_head_uses_them(void **state) {
  BfProblem *p = good(&(Case){.edit = {{"heads: 1", "heads: 2"}, {"  V:", "  A_0: {form: fixed, value: 3}\n  V:"}}});
  (void)state;
  assert_int_equal(p->layer.free, 4 + 2);
  for (int k = 0; k < 4; k++) assert_true(p->layer.matrix[0].value[k] == 3);
  bf_problem_destroy(&p);
}

static const BfKey *described(const char *name) {
  const BfKey *key;
  for (BfKeyWalk walk = {0}; (key = bf_key_next(&walk));)
    if (!strcmp(key->name, name)) return key;
  return NULL;
}

/* Every key of a kind, and every key that chooses, is in the table of keys; two kinds that describe a key describe it
 * alike; every kind has its own name. */
static void kinds_name_keys_that_exist(void **state) {
  const BfKind *kind;
  int           keys = 0;
  (void)state;
  for (int f = 0; bf_family_at(f); f++) {
    const BfFamily *family = bf_family_at(f);
    if (family->key && !described(family->key->name)) fail_msg("%s is no key", family->key->name);
    for (int k = 0; (kind = family->kind(k)); k++) {
      for (int other = 0; other < k; other++) assert_string_not_equal(family->kind(other)->name, kind->name);
      for (const BfKey *key = kind->keys; key && key->name; key++, keys++) {
        const int    matrix = !strncmp(key->name, "control.", 8) && !strchr(key->name + 8, '.');
        const BfKey *first  = described(key->name);
        if (!first && !matrix) fail_msg("%s is no key", key->name);
        if (!key->type) continue;
        assert_string_equal(key->type, first->type);
        assert_string_equal(key->meaning, first->meaning);
        assert_true(!key->fallback == !first->fallback && (!key->fallback || !strcmp(key->fallback, first->fallback)));
      }
    }
  }
  assert_in_range(keys, 40, 1000);
}

static const BfSections HEADS = {"heads", 0, BF_SECTION_HEADS};

/* ---- defaults --------------------------------------------------------------------------------------------------- */

static const Case *where_it_is_used(const char *key) {
  static const Case plain = {0}, encoded = {.edit = {{"xor.csv", "xor.csv, position_encoding: sinusoidal"}}},
                    sample  = {.edit = {{"quantize", "action: {kind: sample, count: 5}\nquantize"},
                                        {", levels: 2", ""},
                                        {", levels: 3", ""}}},
                    targets = {.edit = {{"pooled_cross_entropy", "wasserstein"},
                                        {"  readout: {matrix: [4, 0, -4, 0]}\n", ""},
                                        {"file: xor.csv", "file: target.csv"}}},
                    trained = {.edit = {{"matrix: [4, 0, -4, 0]", "kind: trained, matrix: {range: [-4, 4]}"}}},
                    heads   = {.sections = &HEADS};
  if (!strncmp(key, "heads.", 6)) return &heads;
  if (!strcmp(key, "data.position_amplitude")) return &encoded;
  if (!strcmp(key, "action.seed") || !strcmp(key, "action.count")) return &sample;
  if (!strcmp(key, "cost.readout.bias.range")) return &trained;
  return strcmp(key, "cost.position_weight") ? &plain : &targets;
}

static void assert_same_problem(const BfProblem *p, const BfProblem *q) {
  const BfLayer *a = &p->layer, *b = &q->layer;
  assert_true(a->residual == b->residual && a->beta == b->beta && a->step == b->step);
  assert_true(a->heads == b->heads && a->mask == b->mask && a->projection == b->projection);
  assert_true(a->activation == b->activation && a->positions == b->positions && p->encoding == q->encoding &&
              p->amplitude == q->amplitude);
  if (a->encoding) assert_memory_equal(a->encoding, b->encoding, (size_t)(a->positions * a->dim) * sizeof(double));
  else assert_null(b->encoding);
  for (int k = 0; k < a->matrices; k++) assert_int_equal(a->matrix[k].form, b->matrix[k].form);
  assert_int_equal(p->actions, q->actions);
  assert_memory_equal(p->action, q->action, (size_t)(p->actions * a->free) * sizeof(double));
  assert_true(p->cost.kind == q->cost.kind && p->cost.weight_decay == q->cost.weight_decay);
  assert_memory_equal(p->cost.own, q->cost.own, p->cost.kind->own);
  assert_true(p->cost.readouts == q->cost.readouts && p->cost.classes == q->cost.classes);
  if (p->cost.bias) assert_memory_equal(p->cost.bias, q->cost.bias, (size_t)p->cost.classes * sizeof(double));
  assert_true(p->heads.count == q->heads.count && p->heads.init == q->heads.init && p->heads.same == q->heads.same);
  assert_memory_equal(p->heads.deviation, q->heads.deviation, sizeof p->heads.deviation);
  assert_true(p->heads.seed == q->heads.seed);
  assert_true(p->atoms == q->atoms && p->transition == q->transition && p->profile_count == q->profile_count);
}

/* A default that the table of keys tells as a value is what holds where the key is not given. */
static void the_tables_defaults_are_those_that_hold(void **state) {
  const BfKey *row;
  int          tried = 0;
  (void)state;
  for (BfKeyWalk walk = {0}; (row = bf_key_next(&walk));) {
    char        option[BF_OPTION_LENGTH + 1] = "-";
    const char *value                        = row->fallback;
    if (!value || !strcmp(row->type, "file") || strpbrk(value, " .")) continue; /* required, or told in words */
    const Case *without = where_it_is_used(row->name);
    Case        with    = *without;
    bf_option_name(row->name, option + 1);
    with.option[0][0] = option, with.option[0][1] = value;
    BfProblem *p = good(without), *q = good(&with);
    assert_same_problem(p, q);
    BfError error = {0};
    if (bf_problem_compare(p, q, &error) != BF_OK) fail_msg("%s: %s", row->name, error.text);
    bf_problem_destroy(&p);
    bf_problem_destroy(&q);
    tried++;
  }
  assert_in_range(tried, 18, 100);
}

/* Two problems that differ in a cosmetic key alone are the same; in any other, they are not. */
static void a_cosmetic_key_changes_no_answer(void **state) {
  BfProblem *p = good(&(Case){{{0}}}), *named = good(&(Case){.option = {{"-name", "other"}}}),
            *decayed = good(&(Case){.option = {{"-cost_weight_decay", "0.5"}}});
  BfError error      = {0};
  (void)state;
  assert_true(bf_key_row("name")->cosmetic && !bf_key_row("cost.weight_decay")->cosmetic);
  assert_string_equal(named->name, "other");
  assert_int_equal(bf_problem_compare(p, named, &error), BF_OK);
  assert_int_equal(bf_problem_compare(named, p, &error), BF_OK);
  assert_int_equal(bf_problem_compare(p, decayed, &error), BF_BAD_INPUT);
  assert_error(&error, BF_BAD_INPUT, "cost.weight_decay was 0, now 0.5");
  bf_problem_destroy(&p);
  bf_problem_destroy(&named);
  bf_problem_destroy(&decayed);
}

/* ---- ranges ----------------------------------------------------------------------------------------------------- */

static BfStatus read_with(const BfKey *row, double value, char text[BF_ERROR_LENGTH]) {
  char       option[BF_OPTION_LENGTH + 1] = "-", number[32];
  BfError    error                        = {0};
  BfProblem *problem                      = NULL;
  Case       with                         = *where_it_is_used(row->name);
  bf_option_name(row->name, option + 1);
  snprintf(number, sizeof number, "%.15g", value);
  with.option[0][0] = option, with.option[0][1] = number;
  if (!strcmp(row->name, "layer.width")) with.option[1][0] = "-layer_feedforward", with.option[1][1] = "relu";
  if (!strcmp(row->name, "data.sample.seed")) with.option[1][0] = "-data_sample_count", with.option[1][1] = "1";
  const BfStatus status = read_case(&with, &problem, &error);
  bf_problem_destroy(&problem);
  snprintf(text, BF_ERROR_LENGTH, "%s", error.text);
  return status;
}

/* What is just outside of the range that a row tells is refused, for that reason; its ends are not, for that reason. */
static void the_tables_ranges_are_those_that_hold(void **state) {
  const BfKey *row;
  char         text[BF_ERROR_LENGTH];
  int          tried = 0;
  (void)state;
  for (BfKeyWalk walk = {0}; (row = bf_key_next(&walk));) {
    if (!bf_key_has_range(row) || strstr(row->name, "row_I")) continue;
    assert_int_equal(read_with(row, row->above ? row->least : row->least - 1, text), BF_BAD_INPUT);
    if (!strstr(text, row->above ? "must be greater than" : "must be at least")) fail_msg("%s: %s", row->name, text);
    if (!row->above) read_with(row, row->least, text);
    else *text = '\0';
    if (strstr(text, "must be at least ") && strcmp(row->name, "layer.heads")) fail_msg("%s: %s", row->name, text);
    if (isinf(row->most)) continue;
    assert_int_equal(read_with(row, row->most + 1, text), BF_BAD_INPUT);
    if (!strstr(text, "must be at most")) fail_msg("%s: %s", row->name, text);
    tried++;
  }
  assert_in_range(tried, 8, 100);
}

/* ---- a cost that does not tell what training wants -------------------------------------------------------------- */

/* Like hinge, but that it cannot be asked for its derivative by R and b. The kind stays. */
static void a_readout_is_trained_by_its_derivative(void **state) {
  static BfCostKind mute;
  static const Case cases[] = {
      {.edit = {{"pooled_cross_entropy", "mute"}, {"matrix: [4, 0, -4, 0]", "kind: trained, matrix: {range: [0, 1]}"}},
       .text = "xor.yaml: cost.readout.kind must not be trained: mute tells no derivative by its readout"},
  };
  BfError error = {0};
  (void)state;
  mute            = *bf_cost_kind("hinge");
  mute.base.name  = "mute";
  mute.by_readout = NULL;
  if (bf_cost_register(&mute, &error) != BF_OK) fail_msg("%s", error.text);
  check_cases(cases, LENGTH(cases));
  BfProblem *problem = good(&(Case){.edit = {{"pooled_cross_entropy", "mute"}}});
  bf_problem_destroy(&problem);
}

/* ---- a key without a default ------------------------------------------------------------------------------------ */

static BfStatus read_wave(BfLayer *layer, BfTerm *term, const BfKeyReader *keys, bool *there, BfError *error) {
  int64_t waves = 0;
  (void)layer, (void)term;
  *there = false;
  return keys->given(keys, "layer.wave") ? keys->integer(keys, "layer.wave", &waves, error) : BF_OK;
}

static int no_matrix(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out) {
  (void)layer, (void)term, (void)k, (void)out;
  return 0;
}

static void no_apply(const BfTermCall *call, double *v) { (void)call, (void)v; }

static void no_transposed(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters) {
  (void)call, (void)lambda, (void)by_z, (void)by_parameters;
}

static const BfKind *kind_of_wave(int k) {
  static const BfKind kinds[] = {{.name = "0"}, {.name = "1 or more"}};
  return k < 2 ? &kinds[k] : NULL;
}

/* The last test: the term stays. Given on the command line alone, the key has no text in the file. */
static void a_terms_key_may_have_no_default(void **state) {
  static const char *const names[] = {NULL};
  static const BfKey       key     = {"layer.wave", "integer", NULL, "waves"};
  static const BfFamily    family  = {&key, true, true, kind_of_wave};
  static const BfTermKind  wave    = {.base       = {.name = "wave"},
                                      .version    = BF_KIND_VERSION,
                                      .family     = &family,
                                      .matrices   = names,
                                      .read       = read_wave,
                                      .matrix     = no_matrix,
                                      .apply      = no_apply,
                                      .transposed = no_transposed};
  BfError                  error   = {0};
  (void)state;
  if (bf_term_register(&wave, &error) != BF_OK) fail_msg("%s", error.text);
  BfProblem *problem = good(&(Case){.option = {{"-layer_wave", "3"}}});
  bf_problem_destroy(&problem);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_of_another_kind_are_refused_in_the_file),
      cmocka_unit_test(keys_of_another_kind_are_refused_on_the_command_line),
      cmocka_unit_test(only_what_the_command_line_took_away_stands_aside),
      cmocka_unit_test(what_stood_aside_stands_aside_in_a_restart),
      cmocka_unit_test(a_familys_keys_are_used_where_one_head_uses_them),
      cmocka_unit_test(kinds_name_keys_that_exist),
      cmocka_unit_test(the_tables_defaults_are_those_that_hold),
      cmocka_unit_test(a_cosmetic_key_changes_no_answer),
      cmocka_unit_test(the_tables_ranges_are_those_that_hold),
      cmocka_unit_test(a_readout_is_trained_by_its_derivative),
      cmocka_unit_test(a_terms_key_may_have_no_default),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  PetscFinalize();
  return failed;
}
