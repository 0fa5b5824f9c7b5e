/* The multiclass hinge: max(0, max over j != y of (1 + s_j) - s_y) in closed form and against plain loops in long
 * double; its subgradient R_j - R_y, with j the smallest rival that attains the maximum; kinks, one class, what is no
 * number. */
#include "expect.h"

enum { DIM = 3, CLASSES = 5 };

/* One context of one token: s = matrix z + bias. */
static BfCost cost_of(int dim, int classes, double matrix[], double bias[]) {
  return (BfCost){.kind     = bf_cost_kind("hinge"),
                  .dim      = dim,
                  .classes  = classes,
                  .readouts = 1,
                  .matrix   = matrix,
                  .bias     = bias,
                  .contexts = 1,
                  .tokens   = 1};
}

static void at(const BfCost *cost, const double z[], int label, double *loss, double gradient[]) {
  Sentence s = {0};
  Atoms    lanes;
  double   g[BF_LANES], by_lanes[MAX_DIM * BF_LANES];
  BfError  error = {0};
  add_tag(&s, 0, 1, 1, label);
  set_atoms(z, 1, cost->dim, &lanes);
  assert_int_equal(bf_terminal_gradient(cost, 0, &s.context, BF_LANES, lanes.at, g, by_lanes, &error), BF_OK);
  *loss = g[0];
  for (int a = 0; a < cost->dim; a++) gradient[a] = by_lanes[a * BF_LANES];
}

/* Two classes: max(0, 1 - (s_y - s_other)), the hinge of two. */
static void two_classes_are_the_hinge_of_two(void **state) {
  double R[] = {2, -1}, b[] = {0.5, 0}, loss, slope;
  BfCost cost = cost_of(1, 2, R, b);
  (void)state;
  for (double z = -2; z <= 2; z += 0.125) {
    const double apart = 3 * z + 0.5, wanted = fmax(0, 1 - apart); /* s_0 - s_1 */
    at(&cost, &z, 0, &loss, &slope);
    assert_true(loss == wanted && slope == (wanted > 0 ? -3 : 0));
    at(&cost, &z, 1, &loss, &slope);
    assert_true(loss == fmax(0, 1 + apart) && slope == (1 + apart > 0 ? 3 : 0));
  }
}

/* z = 1: s = (0, 3, 3, 1): of label 3 the rivals 1 and 2 attain 3 and the smaller counts; loss 1 + 3 - 1. Of label 1
 * the rival is 2, at a distance of 0: loss 1. Of bias 2 for label 1 the margin is 1 + 3 - 5 < 0; of bias 1 it is 0, a
 * kink, where the subgradient is 0. */
static void ties_and_kinks(void **state) {
  double R[] = {0, 3, 2, -5}, b[] = {0, 0, 1, 6}, loss, slope;
  BfCost cost = cost_of(1, 4, R, b);
  double z    = 1;
  (void)state;
  at(&cost, &z, 3, &loss, &slope);
  assert_true(loss == 3 && slope == 3 - -5);
  at(&cost, &z, 1, &loss, &slope);
  assert_true(loss == 1 && slope == 2 - 3);
  b[1] = 1;
  at(&cost, &z, 1, &loss, &slope);
  assert_true(loss == 0 && slope == 0);
  b[1] = 2;
  at(&cost, &z, 1, &loss, &slope);
  assert_true(loss == 0 && slope == 0);
}

static void one_class_costs_nothing(void **state) {
  double R[] = {7}, b[] = {-3}, loss, slope, z = 2;
  BfCost cost = cost_of(1, 1, R, b);
  (void)state;
  at(&cost, &z, 0, &loss, &slope);
  assert_true(loss == 0 && slope == 0);
}

/* Every pooling, atoms of other masses, several readouts, averaged over three contexts. */
static void against_plain_loops(void **state) {
  uint64_t seed  = 41;
  int      above = 0;
  (void)state;
  for (int trial = 0; trial < 300; trial++) {
    double   R[2 * CLASSES * DIM], b[2 * CLASSES], g[BF_LANES];
    Sentence s      = {0};
    BfPooled pooled = {(BfPooling)(trial % 3)};
    Atoms    z;
    BfError  error = {0};
    BfCost   cost  = cost_of(DIM, CLASSES, R, b);
    for (int k = 0; k < 2 * CLASSES * DIM; k++) R[k] = draw(&seed, -2, 2);
    for (int k = 0; k < 2 * CLASSES; k++) b[k] = draw(&seed, -1, 1);
    const int label = draw_below(&seed, CLASSES), lane = draw_below(&seed, BF_LANES), readout = trial % 2;
    cost.own = &pooled, cost.contexts = 3, cost.readouts = 2;
    add_tag(&s, 0, 3, 2, label);
    add_tag(&s, 1, 1, 2, label);
    add_tag(&s, 1, 2, 5, label);
    draw_atoms(&seed, &s.context, DIM, &z);
    assert_int_equal(bf_terminal_cost(&cost, readout, &s.context, BF_LANES, z.at, g, &error), BF_OK);
    long double mass = 0, r[DIM] = {0}, most = -INFINITY, own = 0;
    for (int tag = 0; tag < 3; tag++)
      for (int i = s.first[tag]; i < s.first[tag + 1]; i++) {
        if (s.position[tag] == (pooled.pooling == BF_POOL_LAST ? 0 : pooled.pooling == BF_POOL_FIRST ? 1 : 2)) continue;
        for (int a = 0; a < DIM; a++) r[a] += (long double)s.mass[tag] * *atom(&z, DIM, i, a, lane);
        mass += s.mass[tag];
      }
    for (int c = 0; c < CLASSES; c++) {
      long double x = b[readout * CLASSES + c];
      for (int a = 0; a < DIM; a++) x += R[(readout * CLASSES + c) * DIM + a] * r[a] / mass;
      if (c == label) own = x;
      else most = x > most ? x : most;
    }
    const long double margin = 1 + most - own;
    above += margin > 0;
    expect_near(g[lane], margin > 0 ? (double)margin / 3 : 0, 1e-14, 1e-15);
    assert_true(margin > 0 || g[lane] == 0);
  }
  assert_in_range(above, 100, 295);
}

/* Numbers that overflow in a product are kept finite; what is no number stays none, in loss and subgradient. */
static void extremes(void **state) {
  double R[] = {1e300, -1e300}, b[] = {0, 0}, loss, slope, z = 1e200;
  BfCost cost = cost_of(1, 2, R, b);
  (void)state;
  at(&cost, &z, 1, &loss, &slope);
  assert_true(loss == 2e307 && slope == 2e300);
  at(&cost, &z, 0, &loss, &slope);
  assert_true(loss == 0 && slope == 0);
  z = NAN;
  at(&cost, &z, 0, &loss, &slope);
  assert_true(isnan(loss) && isnan(slope));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_classes_are_the_hinge_of_two),
                                     cmocka_unit_test(ties_and_kinks), cmocka_unit_test(one_class_costs_nothing),
                                     cmocka_unit_test(against_plain_loops), cmocka_unit_test(extremes)};
  return RUN(tests);
}
