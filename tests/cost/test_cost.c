/* What holds for every terminal cost, the same suite run over all kinds; the table of kinds; the stage cost. */
#include "expect.h"

enum { DIM = 2, CLASSES = 4, KINDS = 9 };

/* Every kind, and every pooling of the pooled one. */
static const struct {
  const char *name;
  BfPooling   pooling;
} kinds[KINDS] = {{"pooled_cross_entropy", BF_POOL_MEAN},
                  {"pooled_cross_entropy", BF_POOL_LAST},
                  {"pooled_cross_entropy", BF_POOL_FIRST},
                  {"token_cross_entropy", BF_POOL_MEAN},
                  {"squared_error", BF_POOL_MEAN},
                  {"wasserstein", BF_POOL_MEAN},
                  {"hinge", BF_POOL_MEAN},
                  {"hinge", BF_POOL_LAST},
                  {"hinge", BF_POOL_FIRST}};

typedef struct {
  BfCost           cost;
  BfPooled         pooled;
  BfPositionWeight weight;
  Sentence         sentence;
  Atoms            z;
  double           matrix[CLASSES * DIM], bias[CLASSES];
} Case;

/* Four tags, two of them at one position, with 3, 2, 4 and 1 atoms of masses 1, 3/2, 1/2 and 2. A position weight so
 * small that optimal couplings mix positions. */
static void draw_case(uint64_t *seed, int kind, Case *c) {
  *c                = (Case){0};
  c->cost.kind      = bf_cost_kind(kinds[kind].name);
  c->pooled.pooling = kinds[kind].pooling;
  c->weight.weight  = 0.5;
  c->cost.own       = c->cost.kind == bf_cost_kind("wasserstein") ? (void *)&c->weight : &c->pooled;
  c->cost.dim       = DIM;
  c->cost.classes   = CLASSES;
  c->cost.readouts  = 1;
  c->cost.matrix    = c->matrix;
  c->cost.bias      = c->bias;
  c->cost.contexts  = 3;
  c->cost.tokens    = 25;
  for (int k = 0; k < CLASSES * DIM; k++) c->matrix[k] = draw(seed, -2, 2);
  for (int k = 0; k < CLASSES; k++) c->bias[k] = draw(seed, -1, 1);
  const int label = draw_below(seed, CLASSES);
  add_tag(&c->sentence, 0, 3, 3, label);
  add_tag(&c->sentence, 2, 2, 3, label);
  add_tag(&c->sentence, 2, 4, 2, label);
  add_tag(&c->sentence, 3, 1, 2, label);
  for (int k = 0; k < 4 * DIM; k++) c->sentence.target[k] = draw(seed, -1, 1);
  draw_atoms(seed, &c->sentence.context, DIM, &c->z);
}

/* A lane's result is a function of that lane: the same bits in any lane, whatever is in the others. */
static void lanes_do_not_see_each_other(void **state) {
  (void)state;
  static const double strange[] = {0, -0.0, 1e300, -1e-310, 1e10, NAN, INFINITY, -INFINITY};
  uint64_t            seed      = 31;
  Case                c;
  for (int kind = 0; kind < KINDS; kind++)
    for (int trial = 0; trial < 20; trial++) {
      double alone[BF_LANES], g[BF_LANES];
      draw_case(&seed, kind, &c);
      const int slots = c.sentence.context.slots, source = draw_below(&seed, BF_LANES);
      Atoms     mixed = c.z;
      terminal(&c.cost, &c.sentence.context, &c.z, alone);
      for (int lane = 0; lane < BF_LANES; lane++) {
        for (int k = 0; k < slots * DIM; k++)
          for (int l = 0; l < BF_LANES; l++)
            mixed.at[k * BF_LANES + l] = l == lane ? c.z.at[k * BF_LANES + source] : strange[draw_below(&seed, 8)];
        terminal(&c.cost, &c.sentence.context, &mixed, g);
        assert_memory_equal(&g[lane], &alone[source], sizeof *g);
        assert_true(isfinite(g[lane]));
      }
    }
}

/* mu_s is a measure: atoms of equal mass and tag have no order. */
static void the_order_of_equal_atoms_does_not_matter(void **state) {
  (void)state;
  uint64_t seed = 32;
  Case     c;
  for (int kind = 0; kind < KINDS; kind++)
    for (int trial = 0; trial < 30; trial++) {
      double g[BF_LANES], again[BF_LANES];
      draw_case(&seed, kind, &c);
      const BfContext *context = &c.sentence.context;
      terminal(&c.cost, context, &c.z, g);
      for (int tag = 0; tag < context->tags; tag++)
        for (int i = context->first[tag + 1] - 1; i > context->first[tag]; i--) {
          const int k = context->first[tag] + draw_below(&seed, i - context->first[tag] + 1);
          for (int e = 0; e < DIM * BF_LANES; e++) {
            const double here              = c.z.at[i * DIM * BF_LANES + e];
            c.z.at[i * DIM * BF_LANES + e] = c.z.at[k * DIM * BF_LANES + e];
            c.z.at[k * DIM * BF_LANES + e] = here;
          }
        }
      terminal(&c.cost, context, &c.z, again);
      for (int l = 0; l < BF_LANES; l++) expect_near(again[l], g[l], 1e-13, 1e-16);
    }
}

/* An atom of mass m and two atoms of mass m/2 at one place are one measure. */
static void splitting_atoms_changes_nothing(void **state) {
  (void)state;
  uint64_t seed = 33;
  Case     c;
  for (int kind = 0; kind < KINDS; kind++)
    for (int trial = 0; trial < 30; trial++) {
      double   g[BF_LANES], again[BF_LANES];
      Sentence twice = {0};
      Atoms    z;
      draw_case(&seed, kind, &c);
      const BfContext *context = &c.sentence.context;
      for (int tag = 0; tag < context->tags; tag++) {
        const int atoms = context->first[tag + 1] - context->first[tag];
        add_tag(&twice, context->position[tag], 2 * atoms, (int)(context->mass[tag] * atoms), context->label[tag]);
      }
      memcpy(twice.target, c.sentence.target, sizeof twice.target);
      for (int i = 0; i < context->slots; i++)
        for (int half = 0; half < 2; half++)
          memcpy(atom(&z, DIM, 2 * i + half, 0, 0), atom(&c.z, DIM, i, 0, 0), sizeof(double) * DIM * BF_LANES);
      terminal(&c.cost, context, &c.z, g);
      terminal(&c.cost, &twice.context, &z, again);
      for (int l = 0; l < BF_LANES; l++) expect_near(again[l], g[l], 1e-13, 1e-16);
    }
}

/* (2 ((1 - 0)^2 + (0 - 2)^2) + 1/2 (1 + 9) + 1/2 (0 + 16)) / N with N = 10: 23/10. */
static void squared_error_is_the_mean_over_tokens(void **state) {
  (void)state;
  BfCost   cost = {.kind = bf_cost_kind("squared_error"), .dim = 2, .readouts = 1, .contexts = 4, .tokens = 10};
  Sentence s    = {0};
  Atoms    z;
  double   g[BF_LANES];
  add_tag(&s, 0, 1, 2, 0);
  add_tag(&s, 5, 2, 1, 0);
  memcpy(s.target, (double[]){0, 2, 1, -1}, 4 * sizeof(double));
  set_atoms((double[]){1, 0, 2, 2, 1, 3}, 3, 2, &z);
  terminal(&cost, &s.context, &z, g);
  for (int l = 0; l < BF_LANES; l++) expect_near(g[l], 2.3, 1e-15, 0);
  assert_true(isnan(bf_cost_correct(&cost, 0, &s.context, z.at)));
  assert_true(bf_cost_denominator(&cost) == 10);
}

static void stage_cost_is_step_times_half_decay_times_norm(void **state) {
  (void)state;
  const BfCost cost = {.step = 0.5, .weight_decay = 0.25};
  const double u[]  = {1, -2, 4, 100};
  assert_true(bf_stage_cost(&cost, 3, u) == 0.5 * 0.125 * 21);
  assert_true(bf_stage_cost(&cost, 0, u) == 0);
}

static void kinds_are_found_by_name_only(void **state) {
  (void)state;
  assert_null(bf_cost_kind("cross_entropy"));
  assert_null(bf_cost_kind(""));
  assert_null(bf_cost_kind("wassersteins"));
  for (int k = 0; k < KINDS; k++) {
    const BfCostKind *kind = bf_cost_kind(kinds[k].name);
    assert_non_null(kind);
    assert_string_equal(kind->base.name, kinds[k].name);
    assert_int_equal(kind->has_readout, strstr(kinds[k].name, "cross_entropy") || strstr(kinds[k].name, "hinge"));
    assert_int_equal(kind->needs_target, !kind->has_readout);
  }
}

/* What a plug-in must not give, and what it may: it is then found by its name, behind the program's own. */
static void kinds_are_added(void **state) {
  static const BfKey foreign[] = {{"layer.delta", "number", "1", "delta"}, {.name = NULL}},
                     own[]     = {{"cost.delta", "number", "1", "delta"}, {.name = NULL}};
  static BfCostKind kind;
  const BfCostKind *square = bf_cost_kind("squared_error");
  BfError           error  = {0};
  int               before = 0;
  (void)state;
  while (bf_cost_family.kind(before)) before++;
  kind = *square;
  expect_refused(bf_cost_register(&kind, &error), &error, "there is a cost.terminal squared_error already");
  kind.base.name = "squared error";
  expect_refused(bf_cost_register(&kind, &error), &error,
                 "a cost.terminal is called 'squared error', which is no word");
  kind.base.name = "quartic";
  kind.version   = BF_KIND_VERSION + 1;
  expect_refused(bf_cost_register(&kind, &error), &error,
                 "cost.terminal quartic is of interface version 8, this program has 7");
  kind.version   = BF_KIND_VERSION;
  kind.base.keys = foreign;
  expect_refused(bf_cost_register(&kind, &error), &error,
                 "cost.terminal quartic: the key layer.delta does not begin with cost.");
  kind.base.keys = own;
  kind.evaluate  = NULL;
  expect_refused(bf_cost_register(&kind, &error), &error, "cost.terminal quartic has no function evaluate");
  assert_null(bf_cost_kind("quartic"));
  kind.evaluate = square->evaluate;
  assert_int_equal(bf_cost_register(&kind, &error), BF_OK);
  assert_ptr_equal(bf_cost_kind("quartic"), &kind);
  assert_ptr_equal(bf_cost_family.kind(before), &kind.base);
  assert_null(bf_cost_family.kind(before + 1));
}

static void data_that_do_not_fit_the_cost_are_refused(void **state) {
  (void)state;
  uint64_t seed  = 34;
  BfError  error = {0};
  Case     c;
  double   g[BF_LANES] = {42};
  draw_case(&seed, 3, &c);
  BfContext context   = c.sentence.context;
  c.sentence.label[2] = CLASSES;
  expect_refused(bf_terminal_cost(&c.cost, 0, &context, BF_LANES, c.z.at, g, &error), &error,
                 "sequence 7 has label 4, but the readout has labels 0 to 3 only");
  c.sentence.label[2] = -1;
  expect_refused(bf_terminal_cost(&c.cost, 0, &context, BF_LANES, c.z.at, g, &error), &error,
                 "sequence 7 has label -1, but the readout has labels 0 to 3 only");
  context.label = NULL;
  expect_refused(bf_terminal_cost(&c.cost, 0, &context, BF_LANES, c.z.at, g, &error), &error,
                 "token_cross_entropy wants labels, but the data has targets");
  assert_true(isnan(bf_cost_correct(&c.cost, 0, &context, c.z.at)));
  c.cost.kind    = bf_cost_kind("wasserstein");
  context.target = NULL;
  expect_refused(bf_terminal_cost(&c.cost, 0, &context, BF_LANES, c.z.at, g, &error), &error,
                 "wasserstein wants targets, but the data has labels");
  assert_true(g[0] == 42);
}

static void clear_frees_what_the_cost_owns(void **state) {
  (void)state;
  BfError error = {0};
  BfCost  cost = {.kind = bf_cost_kind("wasserstein"), .dim = 3}, zero = {0};
  assert_int_equal(bf_new(&cost.own, 1, cost.kind->own, &error), BF_OK);
  assert_int_equal(BF_NEW(&cost.matrix, 6, &error), BF_OK);
  assert_int_equal(BF_NEW(&cost.bias, 2, &error), BF_OK);
  bf_cost_clear(&cost);
  bf_cost_clear(&zero);
  assert_true(!cost.kind && !cost.own && !cost.matrix && !cost.bias && !cost.dim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lanes_do_not_see_each_other),
      cmocka_unit_test(the_order_of_equal_atoms_does_not_matter),
      cmocka_unit_test(splitting_atoms_changes_nothing),
      cmocka_unit_test(squared_error_is_the_mean_over_tokens),
      cmocka_unit_test(stage_cost_is_step_times_half_decay_times_norm),
      cmocka_unit_test(kinds_are_found_by_name_only),
      cmocka_unit_test(kinds_are_added),
      cmocka_unit_test(data_that_do_not_fit_the_cost_are_refused),
      cmocka_unit_test(clear_frees_what_the_cost_owns),
  };
  return RUN(tests);
}
