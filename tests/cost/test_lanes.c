/* Lanes in use: one optimal transport a lane for cost and gradient together, none for lanes that are not used; the same
 * bits whatever the other lanes hold and however many are in use. Linked with --wrap, so that solves are counted. */
#include "expect.h"

enum { DIM = 2, SIZE = MAX_SLOTS * DIM * BF_LANES };

static int solves;

BfStatus __real_bf_transport_plan(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                                  double *cost, int64_t *plan, BfError *error);
BfStatus __wrap_bf_transport_plan(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                                  double *cost, int64_t *plan, BfError *error) {
  solves++;
  return __real_bf_transport_plan(n, supply, m, demand, ground, cost, plan, error);
}

BfStatus __real_bf_transport(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                             double *cost, BfError *error);
BfStatus __wrap_bf_transport(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                             double *cost, BfError *error) {
  solves++;
  return __real_bf_transport(n, supply, m, demand, ground, cost, error);
}

static void sentence(int labels, Sentence *s, Atoms *z) {
  uint64_t seed = 3;
  *s            = (Sentence){0};
  for (int g = 0; g < 4; g++) add_tag(s, g / 2, 1 + g % 2, 2, 1);
  for (int i = 0; i < MAX_TAGS * MAX_DIM; i++) s->target[i] = draw(&seed, -1, 1);
  if (labels) s->context.target = NULL;
  else s->context.label = NULL;
  draw_atoms(&seed, &s->context, DIM, z);
}

static double matrix[3 * DIM] = {1, 2, -1, 0.5, 0.25, -2}, bias[3] = {0.1, 0, -0.2};

static BfCost cost_of(const char *kind) {
  return (BfCost){.kind     = bf_cost_kind(kind),
                  .dim      = DIM,
                  .classes  = 3,
                  .readouts = 1,
                  .matrix   = matrix,
                  .bias     = bias,
                  .contexts = 3,
                  .tokens   = 20};
}

/* Positions weigh nothing, and no atom stands at its own target. */
static void a_lane_is_one_transport(void **state) {
  (void)state;
  Sentence s;
  Atoms    z;
  BfCost   c = cost_of("wasserstein");
  double   g[BF_LANES], gradient[SIZE];
  BfError  error = {0};
  sentence(0, &s, &z);
  for (int lanes = 1; lanes <= BF_LANES; lanes++) {
    solves = 0;
    assert_int_equal(bf_terminal_cost(&c, 0, &s.context, lanes, z.at, g, &error), BF_OK);
    assert_int_equal(solves, lanes);
    solves = 0;
    assert_int_equal(bf_terminal_gradient(&c, 0, &s.context, lanes, z.at, g, gradient, &error), BF_OK);
    assert_int_equal(solves, lanes);
  }
}

static void expect_same_lanes(const BfCost *c, const BfContext *context, const Atoms *z, int lanes) {
  Atoms   spoiled = *z;
  double  g[2][BF_LANES], gradient[2][SIZE], plain[BF_LANES];
  BfError error = {0};
  for (int i = 0; i < context->slots * DIM; i++)
    for (int l = lanes; l < BF_LANES; l++) spoiled.at[i * BF_LANES + l] = l % 2 ? NAN : INFINITY;
  assert_int_equal(bf_terminal_gradient(c, 0, context, BF_LANES, z->at, g[0], gradient[0], &error), BF_OK);
  assert_int_equal(bf_terminal_gradient(c, 0, context, lanes, spoiled.at, g[1], gradient[1], &error), BF_OK);
  assert_int_equal(bf_terminal_cost(c, 0, context, lanes, spoiled.at, plain, &error), BF_OK);
  for (int l = 0; l < lanes; l++) {
    assert_memory_equal(&g[0][l], &g[1][l], sizeof(double));
    assert_memory_equal(&g[0][l], &plain[l], sizeof(double));
    for (int i = 0; i < context->slots * DIM; i++)
      assert_memory_equal(&gradient[0][i * BF_LANES + l], &gradient[1][i * BF_LANES + l], sizeof(double));
  }
}

static void other_lanes_do_not_matter(void **state) {
  const BfKind *kind;
  (void)state;
  for (int k = 0; (kind = bf_cost_family.kind(k)); k++) {
    Sentence s;
    Atoms    z;
    BfCost   c = cost_of(kind->name);
    sentence(c.kind->has_readout, &s, &z);
    for (int lanes = 1; lanes <= BF_LANES; lanes++) expect_same_lanes(&c, &s.context, &z, lanes);
    if (c.kind != bf_cost_kind("wasserstein")) continue;
    c.own = &(BfPositionWeight){.weight = 100}; /* no transport where positions are kept */
    expect_same_lanes(&c, &s.context, &z, 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_lane_is_one_transport),
                                     cmocka_unit_test(other_lanes_do_not_matter)};
  return RUN(tests);
}
