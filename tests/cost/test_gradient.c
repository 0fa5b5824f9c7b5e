/* The gradient of a terminal cost by the tokens, and by the numbers of the readout, against central differences of the
 * cost, component by component, and against the formula of the adjoint's end where the kind has one: tags with several
 * atoms and masses that are no whole numbers, every pooling, several readouts; a coupling that swaps; logits far apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "bellformer/cost.h"
#include "cost/pooling.h"
#include "cost/wasserstein.h"

enum { DIM = 2, TAGS = 3, SLOTS = 6, SIZE = SLOTS * DIM * BF_LANES };

static const int first[TAGS + 1] = {0, 2, 3, 6}, position[TAGS] = {0, 1, 2}, same_label[TAGS] = {1, 1, 1},
                              own_label[TAGS] = {2, 0, 1};
static const double mass[TAGS] = {1.5, 1, 2.0 / 3}, target[TAGS * DIM] = {0.3, -0.2, 0.9, 0.1, -0.7, 0.4};
static double R[2 * 3 * DIM] = {1, 2, -1, 0.5, 0.25, -2, 3, 0, 1, 1, -2, 0.5}, b[2 * 3] = {0.1, 0, -0.2, 0, 0.3, 0};

static BfContext context(const int *label) {
  return (BfContext){.tags     = TAGS,
                     .slots    = SLOTS,
                     .length   = 3,
                     .first    = first,
                     .position = position,
                     .mass     = mass,
                     .tokens   = 6,
                     .label    = label,
                     .target   = label ? NULL : target};
}

static BfCost cost(const char *kind) {
  BfCost c = {.kind = bf_cost_kind(kind), .dim = DIM, .readouts = 1, .contexts = 3, .tokens = 17};
  if (c.kind->has_readout) {
    c.classes  = 3;
    c.readouts = 2;
    c.matrix   = R;
    c.bias     = b;
  }
  return c;
}

static void fill(double *z) {
  uint64_t state = 5;
  for (int i = 0; i < SIZE; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    z[i]  = (double)(state >> 11) * 0x1p-52 - 1;
  }
}

/* The adjoint's end by its formula, by which the flow checks itself, is the gradient of lane 0. */
static void against_formula(const BfCost *c, int64_t readout, const BfContext *x, const double *z,
                            const double *gradient) {
  double  plain[SLOTS * DIM], p[SLOTS * DIM];
  BfError error = {0};
  if (!c->kind->adjoint) return;
  for (int i = 0; i < SLOTS * DIM; i++) plain[i] = z[i * BF_LANES];
  assert_int_equal(c->kind->adjoint(c, readout, x, plain, p, &error), BF_OK);
  for (int i = 0; i < SLOTS * DIM; i++)
    if (!(fabs(p[i] - gradient[i * BF_LANES]) < 1e-15))
      fail_msg("%s, component %d: %.17g is not %.17g", c->kind->base.name, i, p[i], gradient[i * BF_LANES]);
}

/* Every component of every lane: lanes do not depend on one another, so that all move at once. */
static void against_differences(const BfCost *c, int64_t readout, const BfContext *x) {
  _Alignas(64) double z[SIZE], gradient[SIZE];
  double              g[BF_LANES], plain[BF_LANES], side[2][BF_LANES];
  BfError             error = {0};
  const double        h     = 1e-5;
  fill(z);
  assert_int_equal(bf_terminal_gradient(c, readout, x, BF_LANES, z, g, gradient, &error), BF_OK);
  assert_int_equal(bf_terminal_cost(c, readout, x, BF_LANES, z, plain, &error), BF_OK);
  assert_memory_equal(g, plain, sizeof g);
  against_formula(c, readout, x, z, gradient);
  for (int i = 0; i < SLOTS * DIM; i++) {
    for (int s = 0; s < 2; s++) {
      for (int l = 0; l < BF_LANES; l++) z[i * BF_LANES + l] += s ? 2 * h : -h;
      bf_terminal_cost(c, readout, x, BF_LANES, z, side[s], &error);
    }
    for (int l = 0; l < BF_LANES; l++) {
      z[i * BF_LANES + l] -= h;
      const double slope = (side[1][l] - side[0][l]) / (2 * h);
      if (fabs(slope - gradient[i * BF_LANES + l]) > 1e-8)
        fail_msg("%s, component %d: %.12g is not %.12g", c->kind->base.name, i, gradient[i * BF_LANES + l], slope);
    }
  }
}

/* The numbers of a readout, with lane 0 alone: what is there already is added to. */
static void readout_against_differences(const BfCost *c, int64_t readout, const BfContext *x) {
  enum { C = 3, NUMBERS = C * DIM + C };
  _Alignas(64) double z[SIZE];
  double              g[2][BF_LANES], by[NUMBERS];
  BfError             error = {0};
  const double        h     = 1e-5;
  fill(z);
  for (int i = 0; i < NUMBERS; i++) by[i] = i;
  bf_terminal_by_readout(c, readout, x, z, by);
  for (int i = 0; i < NUMBERS; i++) {
    double      *number = i < C * DIM ? c->matrix + readout * C * DIM + i : c->bias + readout * C + i - C * DIM;
    const double was    = *number;
    for (int s = 0; s < 2; s++) {
      *number = was + (s ? h : -h);
      assert_int_equal(bf_terminal_cost(c, readout, x, 1, z, g[s], &error), BF_OK);
    }
    *number            = was;
    const double slope = (g[1][0] - g[0][0]) / (2 * h);
    if (!(fabs(slope - (by[i] - i)) <= 1e-8))
      fail_msg("%s, number %d of the readout: %.12g is not %.12g", c->kind->base.name, i, by[i] - i, slope);
  }
}

static void every_kind(void **unused) {
  (void)unused;
  const BfContext labels = context(same_label), own = context(own_label), targets = context(NULL);
  for (int64_t r = 0; r < 2; r++) {
    for (int pooling = BF_POOL_MEAN; pooling <= BF_POOL_FIRST; pooling++) {
      BfCost pooled = cost("pooled_cross_entropy"), hinge = cost("hinge");
      pooled.own = hinge.own = &(BfPooled){(BfPooling)pooling};
      against_differences(&pooled, r, &labels);
      against_differences(&hinge, r, &labels);
      readout_against_differences(&pooled, r, &labels);
      readout_against_differences(&hinge, r, &labels);
    }
    BfCost c = cost("token_cross_entropy");
    against_differences(&c, r, &own);
    readout_against_differences(&c, r, &own);
  }
  BfCost c = cost("squared_error");
  against_differences(&c, 0, &targets);
  BfPositionWeight weight = {.weight = 0.2}; /* small: couplings that are not the tags' own */
  c                       = cost("wasserstein");
  c.own                   = &weight;
  against_differences(&c, 0, &targets);
  weight.weight = 100;
  against_differences(&c, 0, &targets);
}

/* x = (0, 1), y = (1, 0) at two positions, no weight on them: each token is already at the other's target. */
static void a_swap(void **unused) {
  (void)unused;
  const int       one[] = {0, 1, 2}, place[] = {0, 1};
  const double    whole[] = {1, 1}, y[] = {1, 0};
  const BfContext x = {
      .tags = 2, .slots = 2, .length = 2, .first = one, .position = place, .mass = whole, .tokens = 2, .target = y};
  BfCost              c = {.kind = bf_cost_kind("wasserstein"), .dim = 1, .readouts = 1, .contexts = 1, .tokens = 2};
  _Alignas(64) double z[2 * BF_LANES] = {0}, gradient[2 * BF_LANES];
  double              g[BF_LANES];
  BfError             error = {0};
  for (int l = 0; l < BF_LANES; l++) z[BF_LANES + l] = 1;
  assert_int_equal(bf_terminal_gradient(&c, 0, &x, BF_LANES, z, g, gradient, &error), BF_OK);
  for (int l = 0; l < BF_LANES; l++) assert_true(g[l] == 0 && gradient[l] == 0 && gradient[BF_LANES + l] == 0);
  c.own = &(BfPositionWeight){.weight = 1e6}; /* held at its own: 2 (z - y) / 2 */
  assert_int_equal(bf_terminal_gradient(&c, 0, &x, BF_LANES, z, g, gradient, &error), BF_OK);
  assert_true(gradient[0] == -1 && gradient[BF_LANES] == 1);
}

/* Of a label that is all but certain the gradient keeps its digits: R^T (p - onehot) with 1 - p = e^-50 / (1 + e^-50).
 */
static void certain_labels(void **unused) {
  (void)unused;
  const int       one[] = {0, 1}, place[] = {0}, label[] = {0};
  const double    whole[]  = {1};
  double          matrix[] = {50, 0}, bias[] = {0, 0};
  const BfContext x = {
      .tags = 1, .slots = 1, .length = 1, .first = one, .position = place, .mass = whole, .tokens = 1, .label = label};
  BfCost              c = {.kind     = bf_cost_kind("token_cross_entropy"),
                           .dim      = 1,
                           .readouts = 1,
                           .classes  = 2,
                           .matrix   = matrix,
                           .bias     = bias,
                           .contexts = 1,
                           .tokens   = 1};
  _Alignas(64) double z[BF_LANES], gradient[BF_LANES];
  double              g[BF_LANES];
  BfError             error = {0};
  for (int l = 0; l < BF_LANES; l++) z[l] = 1;
  assert_int_equal(bf_terminal_gradient(&c, 0, &x, BF_LANES, z, g, gradient, &error), BF_OK);
  assert_true(fabs(gradient[0] / (-50 * exp(-50) / (1 + exp(-50))) - 1) < 1e-14);
  matrix[0] = 1e300;
  assert_int_equal(bf_terminal_gradient(&c, 0, &x, BF_LANES, z, g, gradient, &error), BF_OK);
  assert_true(gradient[0] == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind), cmocka_unit_test(a_swap),
                                     cmocka_unit_test(certain_labels)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
