/* Cross entropies: -log softmax against the formula in long double, pooling, extreme logits, accuracy. */
#include "expect.h"

enum { CLASSES = 5, DIM = 3 };

static BfCost make_cost(const char *kind, int dim, int classes, double matrix[], double bias[]) {
  BfCost cost = {.kind = bf_cost_kind(kind), .dim = dim, .classes = classes, .readouts = 1};
  assert_non_null(cost.kind);
  cost.matrix   = matrix;
  cost.bias     = bias;
  cost.contexts = 1;
  cost.tokens   = 1;
  return cost;
}

/* One context of one token in one dimension: the loss of logits matrix * x + bias, and the label that is given. */
static double loss_of(double x, int classes, double matrix[], double bias[], int label) {
  const BfCost cost = make_cost("token_cross_entropy", 1, classes, matrix, bias);
  Sentence     s    = {0};
  Atoms        z;
  double       g[BF_LANES];
  add_tag(&s, 0, 1, 1, label);
  set_atoms(&x, 1, 1, &z);
  terminal(&cost, &s.context, &z, g);
  return g[0];
}

static int label_of(double x, int classes, double matrix[], double bias[]) {
  const BfCost cost = make_cost("pooled_cross_entropy", 1, classes, matrix, bias);
  Atoms        z;
  int          given = -1;
  set_atoms(&x, 1, 1, &z);
  for (int label = 0; label < classes; label++) {
    Sentence s = {0};
    add_tag(&s, 0, 1, 1, label);
    if (bf_cost_correct(&cost, 0, &s.context, z.at) == 1) {
      assert_int_equal(given, -1);
      given = label;
    }
  }
  return given;
}

/* -log(e^{l_label} / sum_c e^{l_c}) with nothing subtracted: long double holds e^{+-11000}. */
static long double direct(const BfCost *cost, int64_t readout, const double r[], int label) {
  long double sum = 0, mine = 0;
  for (int c = 0; c < cost->classes; c++) {
    const int64_t row   = readout * cost->classes + c;
    long double   logit = cost->bias[row];
    for (int a = 0; a < cost->dim; a++) logit += (long double)cost->matrix[row * cost->dim + a] * r[a];
    sum += expl(logit);
    if (c == label) mine = expl(logit);
  }
  return logl(sum / mine);
}

/* N tokens, one a tag, labels of their own, the second of three readouts; logits up to 3, 30, 300, 3000. */
static void losses_are_those_of_the_formula(void **state) {
  (void)state;
  uint64_t seed = 21;
  double   matrix[3 * CLASSES * DIM], bias[3 * CLASSES], g[BF_LANES], r[DIM];
  BfCost   cost  = make_cost("token_cross_entropy", DIM, CLASSES, matrix, bias);
  BfError  error = {0};
  Atoms    z;
  cost.readouts = 3;
  cost.tokens   = 10;
  for (double size = 1; size <= 1000; size *= 10) {
    Sentence s = {0};
    for (int k = 0; k < 3 * CLASSES * DIM; k++) matrix[k] = draw(&seed, -size, size);
    for (int k = 0; k < 3 * CLASSES; k++) bias[k] = draw(&seed, -size, size);
    for (int g_ = 0; g_ < 4; g_++) add_tag(&s, g_, 2, 3, draw_below(&seed, CLASSES));
    draw_atoms(&seed, &s.context, DIM, &z);
    for (int64_t readout = 0; readout < 3; readout++) {
      assert_int_equal(bf_terminal_cost(&cost, readout, &s.context, BF_LANES, z.at, g, &error), BF_OK);
      for (int l = 0; l < BF_LANES; l++) {
        long double sum = 0;
        for (int i = 0; i < 8; i++) {
          for (int a = 0; a < DIM; a++) r[a] = *atom(&z, DIM, i, a, l);
          sum += 1.5L * direct(&cost, readout, r, s.label[i / 2]);
        }
        expect_near(g[l], (double)(sum / 10), 1e-14, 1e-15 * size);
      }
    }
  }
}

/* Equal logits cost log C; two logits a gap apart cost log(1 + e^-gap), which is e^-gap - e^-2gap / 2 + ...: small
 * losses keep their digits. */
static void closed_forms_hold_to_the_last_digits(void **state) {
  (void)state;
  double none[CLASSES] = {0}, one[] = {1, 0}, zero[] = {0, 0};
  expect_near(loss_of(0.7, CLASSES, none, none, 3), log(5), 1e-15, 0);
  expect_near(loss_of(1, 2, one, zero, 0), log((M_E + 1) / M_E), 1e-15, 0);
  expect_near(loss_of(50, 2, one, zero, 0), exp(-50), 1e-15, 0);
  expect_near(loss_of(50, 2, one, zero, 1), 50, 1e-15, 0);
  expect_near(loss_of(-700, 2, one, zero, 1), exp(-700), 1e-13, 0);
  assert_true(loss_of(3, 1, one, zero, 0) == 0);
}

static void extreme_logits_stay_finite(void **state) {
  (void)state;
  double huge[] = {1e300, -1e300, 0}, most[] = {1.7e308, -1.7e308, 1.7e308}, zero[3] = {0};
  assert_true(loss_of(1, 3, huge, zero, 0) == 0);
  assert_true(loss_of(1, 3, huge, zero, 1) == 2e300);
  assert_true(loss_of(1, 3, huge, zero, 2) == 1e300);
  for (int label = 0; label < 3; label++) {
    assert_true(isfinite(loss_of(1.7e308, 3, most, most, label)));
    assert_true(isfinite(loss_of(-1.7e308, 3, most, most, label)));
    assert_true(isfinite(loss_of(0, 3, most, zero, label)));
  }
  expect_near(loss_of(1.7e308, 3, most, zero, 0), log(2), 1e-15, 0); /* of two equally large ones */

  /* Products of both signs that overflow: the sum would be infinity minus infinity. */
  double   matrix[] = {1.7e308, 1.7e308, 0, 0}, g[BF_LANES];
  BfCost   cost     = make_cost("pooled_cross_entropy", 2, 2, matrix, zero);
  Sentence s        = {0};
  Atoms    z;
  add_tag(&s, 0, 1, 1, 1);
  set_atoms((double[]){1e10, -1e10}, 1, 2, &z);
  terminal(&cost, &s.context, &z, g);
  expect_near(g[0], log(2), 1e-15, 0);
}

/* A flow that diverged must be seen, not costed. */
static void what_is_no_number_stays_none(void **state) {
  (void)state;
  double matrix[] = {1, 2, -1}, zero[3] = {0};
  for (int label = 0; label < 3; label++) assert_true(isnan(loss_of(NAN, 3, matrix, zero, label)));
}

/* Positions 1, 1, 4, 6 with masses 3/2, 1, 2/3, 2: r is the mean over all, over the last (6), over the first (1: two
 * tags, weighted by mass). */
static void pooling_weights_atoms_by_mass(void **state) {
  (void)state;
  const double x[]    = {0.5, -0.25, 0.75, 1.0, -1.0, 0.125, 0.3}; /* slots 2, 1, 3, 1 */
  double       bias[] = {0.1, -0.2, 0.3}, matrix[] = {1, -2, 0.5}, g[BF_LANES];
  BfCost       cost  = make_cost("pooled_cross_entropy", 1, 3, matrix, bias);
  const double first = (1.5 * (0.5 - 0.25) + 0.75) / 4;
  const double last  = 0.3;
  const double mean  = (1.5 * (0.5 - 0.25) + 0.75 + (1.0 - 1.0 + 0.125) * 2 / 3 + 2 * 0.3) / 8;
  Sentence     s     = {0};
  Atoms        z;
  cost.contexts = 2; /* of a mean over two contexts */
  add_tag(&s, 1, 2, 3, 2);
  add_tag(&s, 1, 1, 1, 2);
  add_tag(&s, 4, 3, 2, 2);
  add_tag(&s, 6, 1, 2, 2);
  set_atoms(x, 7, 1, &z);
  cost.own = &(BfPooled){BF_POOL_MEAN};
  terminal(&cost, &s.context, &z, g);
  expect_near(g[0], (double)direct(&cost, 0, &mean, 2) / 2, 1e-15, 0);
  cost.own = &(BfPooled){BF_POOL_LAST};
  terminal(&cost, &s.context, &z, g);
  expect_near(g[0], (double)direct(&cost, 0, &last, 2) / 2, 1e-15, 0);
  cost.own = &(BfPooled){BF_POOL_FIRST};
  terminal(&cost, &s.context, &z, g);
  expect_near(g[0], (double)direct(&cost, 0, &first, 2) / 2, 1e-15, 0);
}

static void equal_logits_give_the_smallest_label(void **state) {
  (void)state;
  double none[] = {0, 0, 0, 0}, slope[] = {-1, 2, 2, 1}, bias[] = {5, 0, 0, 1};
  assert_int_equal(label_of(1, 4, none, none), 0);
  assert_int_equal(label_of(1, 4, slope, none), 1);
  assert_int_equal(label_of(-1, 4, slope, none), 0);
  assert_int_equal(label_of(1, 4, none, bias), 0);
  assert_int_equal(label_of(2, 4, slope, bias), 1);
  assert_int_equal(label_of(5. / 3, 4, slope, none), 1);
}

/* For tokens the mass that is classified rightly; only lane 0 is asked. */
static void accuracy_counts_the_mass_of_lane_0(void **state) {
  (void)state;
  double   slope[] = {-1, 1}, zero[] = {0, 0}; /* label 1 where x > 0, else 0 */
  BfCost   cost = make_cost("token_cross_entropy", 1, 2, slope, zero);
  Sentence s    = {0};
  Atoms    z;
  cost.contexts = 3;
  cost.tokens   = 40;
  add_tag(&s, 0, 4, 6, 1);
  add_tag(&s, 1, 2, 1, 0);
  set_atoms((double[]){1, 2, -3, 0, -1, 1}, 6, 1, &z);
  for (int i = 0; i < 6; i++)
    for (int l = 1; l < BF_LANES; l++) *atom(&z, 1, i, 0, l) = i < 4 ? 1 : -1;
  assert_true(bf_cost_correct(&cost, 0, &s.context, z.at) == 2 * 1.5 + 0.5);
  assert_true(bf_cost_denominator(&cost) == 40);
  cost.kind  = bf_cost_kind("pooled_cross_entropy"); /* the mean is 0: equal logits, label 0; all tags have one label */
  s.label[0] = 0;
  assert_true(bf_cost_correct(&cost, 0, &s.context, z.at) == 1);
  s.label[0] = s.label[1] = 1;
  assert_true(bf_cost_correct(&cost, 0, &s.context, z.at) == 0);
  assert_true(bf_cost_denominator(&cost) == 3);
}

/* What eval tells: pooled atoms weighed by mass, R r + b, the smallest label of the largest logit. */
static void answers_are_those_of_the_readout(void **state) {
  (void)state;
  double   R[] = {1, 2, 0, -1, 1, 2}, b[] = {0.5, 3, 0.5}, r[2 * BF_LANES], logits[3];
  BfCost   cost = make_cost("pooled_cross_entropy", 2, 3, R, b);
  Sentence s    = {0};
  Atoms    z;
  add_tag(&s, 0, 2, 1, 0); /* two atoms of half a token each */
  add_tag(&s, 3, 1, 3, 0); /* one atom of three */
  set_atoms((double[]){1, 0, 3, 2, -1, 4}, 3, 2, &z);
  s.context.label = NULL; /* not looked at */
  cost.own        = &(BfPooled){BF_POOL_MEAN};
  cost.kind->represent(&cost, &s.context, z.at, r);
  assert_true(r[0] == (0.5 * 1 + 0.5 * 3 + 3 * -1) / 4 && r[BF_LANES] == (0.5 * 0 + 0.5 * 2 + 3 * 4) / 4);
  cost.own = &(BfPooled){BF_POOL_FIRST};
  cost.kind->represent(&cost, &s.context, z.at, r);
  assert_true(r[0] == 2 && r[BF_LANES] == 1);
  cost.own = &(BfPooled){BF_POOL_LAST};
  cost.kind->represent(&cost, &s.context, z.at, r);
  assert_true(r[0] == -1 && r[BF_LANES] == 4);
  assert_int_equal(bf_logits(&cost, 0, (double[]){-1, 4}, logits), 0); /* 0 and 2 attain it */
  assert_true(logits[0] == 7.5 && logits[1] == -1 && logits[2] == 7.5);
  assert_non_null(cost.kind->represent);
  assert_null(bf_cost_kind("token_cross_entropy")->represent);
  assert_null(bf_cost_kind("squared_error")->represent);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(losses_are_those_of_the_formula),    cmocka_unit_test(closed_forms_hold_to_the_last_digits),
      cmocka_unit_test(extreme_logits_stay_finite),         cmocka_unit_test(what_is_no_number_stays_none),
      cmocka_unit_test(pooling_weights_atoms_by_mass),      cmocka_unit_test(equal_logits_give_the_smallest_label),
      cmocka_unit_test(accuracy_counts_the_mass_of_lane_0), cmocka_unit_test(answers_are_those_of_the_readout),
  };
  return RUN(tests);
}
