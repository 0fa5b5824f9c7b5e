/* Affine minorants of the costs that have one: below the cost at tokens at random, whatever the scale, and touching it
 * at their own tokens where the scale is 1. */
#include "expect.h"

enum { SLOTS = 5, DIM = 2, CLASSES = 3 };

static const int    first[]    = {0, 2, 3, 5};
static const int    position[] = {0, 1, 2};
static const double mass[]     = {0.5, 2, 1};
static const int    label[]    = {1, 1, 1};
static const double target[]   = {0.3, -0.2, 0.1, 0.8, -0.5, 0.4};

static uint64_t state = 11;
static double   about(double size) { return draw(&state, -size, size); }

static double value_of(const BfCost *cost, const BfContext *context, const double *z) {
  double  lanes[SLOTS * DIM * BF_LANES] __attribute__((aligned(64))) = {0}, g[BF_LANES];
  BfError error                                                      = {0};
  for (int i = 0; i < SLOTS * DIM; i++) lanes[i * BF_LANES] = z[i];
  assert_int_equal(bf_terminal_cost(cost, 0, context, 1, lanes, g, &error), BF_OK);
  return g[0];
}

static void check_kind(const char *name, const BfContext *context, double size) {
  double  matrix[CLASSES * DIM], bias[CLASSES], own[8] = {0};
  BfError error = {0};
  BfCost  cost  = {.kind     = bf_cost_kind(name),
                   .own      = own,
                   .dim      = DIM,
                   .step     = 1,
                   .classes  = CLASSES,
                   .readouts = 1,
                   .matrix   = matrix,
                   .bias     = bias,
                   .contexts = 3,
                   .tokens   = 7};
  for (int trial = 0; trial < 200; trial++) {
    double       at[SLOTS * DIM], from[SLOTS * DIM], r[SLOTS * DIM], constant, largest = 0;
    const double scale = trial % 4 ? draw(&state, 0, 1) : 1, reach = size;
    for (int i = 0; i < CLASSES * DIM; i++) matrix[i] = about(3);
    for (int i = 0; i < CLASSES; i++) bias[i] = about(1);
    for (int i = 0; i < SLOTS * DIM; i++) {
      from[i] = about(size);
      at[i]   = from[i] + about(reach);
    }
    const BfMinorantAt where = {scale, at, from, reach};
    assert_int_equal(cost.kind->minorant(&cost, 0, context, &where, &constant, r, &error), BF_OK);
    double there = constant;
    for (int i = 0; i < SLOTS * DIM; i++) there += r[i] * (at[i] - from[i]);
    const double g = value_of(&cost, context, at);
    assert_true(there <= g + 1e-13 * fabs(g));
    if (scale == 1) assert_true(there >= g - 1e-9 * (1 + fabs(g)));
    for (int k = 0; k < 20; k++) {
      double z[SLOTS * DIM], below = constant;
      for (int i = 0; i < SLOTS * DIM; i++) {
        z[i] = from[i] + about(reach);
        below += r[i] * (z[i] - from[i]);
      }
      largest = fmax(largest, below - value_of(&cost, context, z));
    }
    assert_true(largest <= 1e-13 * (1 + fabs(g)));
  }
}

static void below_the_cost(void **unused) {
  (void)unused;
  BfContext context = {.sequence = 0,
                       .tags     = 3,
                       .slots    = SLOTS,
                       .length   = 3,
                       .first    = first,
                       .position = position,
                       .mass     = mass,
                       .tokens   = 5,
                       .label    = label};
  for (int k = 0; k < 3; k++) {
    const double size = k == 0 ? 0.5 : k == 1 ? 2 : 40;
    check_kind("pooled_cross_entropy", &context, size);
    check_kind("token_cross_entropy", &context, size);
  }
  context.label  = NULL;
  context.target = target;
  check_kind("squared_error", &context, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(below_the_cost)};
  return RUN(tests);
}
