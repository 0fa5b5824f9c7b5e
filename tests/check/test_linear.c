/* Forms against points: what a form says of a quantity is tried at random points of its box, where the quantity itself
 * is followed in long double; and that no remainder is idle: extreme points come near to what a form allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "bellformer/splitmix64.h"
#include "check/elementary.h"
#include "check/rounding.h"
#include "check/share.h"
#include "check/unary.h"

enum { N = 5, POINTS = 24, FORMS = 6 };

static uint64_t seed = 11;
static double   uniform(double low, double high) {
    return low + (high - low) * ((double)(bf_splitmix64(&seed) >> 11) * 0x1p-53);
}
static int below(int n) { return (int)(bf_splitmix64(&seed) % (uint64_t)n); }

/* A quantity at the points of the box; the form says of it at point p: c + b xi + what it allows beside. */
typedef struct {
  BfLinear   *form;
  long double at[POINTS];
} Quantity;

static double    xi[POINTS][N];
static double    memory[4096];
static BfLinears space = {.n = N, .memory = memory, .room = 4096, .trust = 4};

static long double affine(const BfLinear *x, int p) {
  long double sum = x->c;
  for (int k = 0; k < N; k++) sum += (long double)x->b[k] * xi[p][k];
  return sum;
}

/* Long double rounds, too. */
static void holds(const Quantity *q, const char *what) {
  for (int p = 0; p < POINTS; p++) {
    const long double slack = 1e-18L * (1 + fabsl(q->at[p]) + fabsl((long double)q->form->c) + q->form->sum);
    if (!(fabsl(q->at[p] - affine(q->form, p)) <= q->form->e + slack))
      fail_msg("%s: %.20Lg is farther than %.17g from %.20Lg", what, q->at[p], q->form->e, affine(q->form, p));
    if (!(q->at[p] >= q->form->range.lo - slack && q->at[p] <= q->form->range.hi + slack))
      fail_msg("%s: %.20Lg is not in [%.17g, %.17g]", what, q->at[p], q->form->range.lo, q->form->range.hi);
  }
}

/* Any form, and of each point some value that it allows, often one of the ends. */
static void draw(Quantity *q, double c, double size, double e) {
  bf_linear_span(&space, q->form, bf_span(0));
  BfLinear *x = q->form;
  x->c        = c;
  x->e        = e;
  x->sum      = 0;
  for (int k = 0; k < N; k++) {
    x->b[k] = below(4) ? uniform(-size, size) : 0;
    x->sum += fabs(x->b[k]);
  }
  const double radius = x->sum + x->e;
  x->range            = (BfSpan){bf_add_down(c, -radius), c + radius};
  for (int p = 0; p < POINTS; p++) {
    const double share = below(3) ? 2 * below(2) - 1 : uniform(-1, 1);
    q->at[p]           = affine(x, p) + (long double)share * e;
  }
}

static void draw_points(void) {
  for (int p = 0; p < POINTS; p++)
    for (int k = 0; k < N; k++) xi[p][k] = below(2) ? 2 * below(2) - 1 : uniform(-1, 1);
}

static BfStatus sums_and_products(void *context, BfError *error) {
  Quantity x, y, z;
  (void)context;
  (void)error;
  space.size = bf_linear_size(N);
  for (int trial = 0; trial < 20000; trial++) {
    space.used        = 0;
    const double size = pow(10, uniform(-6, 2)), e = below(2) ? 0 : size * pow(10, uniform(-3, 1));
    const double s      = below(3) ? uniform(-3, 3) : below(3) - 1;
    const BfSpan factor = below(2) ? bf_span(s) : (BfSpan){s, s + 0x1p-40};
    x.form = bf_linear_new(&space), y.form = bf_linear_new(&space), z.form = bf_linear_new(&space);
    draw_points();
    draw(&x, uniform(-3, 3), size, e);
    draw(&y, below(5) ? uniform(-3, 3) : 0, pow(10, uniform(-6, 2)), below(2) ? 0 : pow(10, uniform(-5, 1)));
    bf_linear_mul(&space, x.form, y.form, z.form);
    bf_linear_end(&space, z.form);
    for (int p = 0; p < POINTS; p++) z.at[p] = x.at[p] * y.at[p];
    holds(&z, "product");
    bf_linear_add(&space, z.form, factor, x.form);
    bf_linear_end(&space, z.form);
    for (int p = 0; p < POINTS; p++) z.at[p] += (long double)(p % 2 ? factor.lo : factor.hi) * x.at[p];
    holds(&z, "sum");
    bf_linear_scale(&space, z.form, factor);
    bf_linear_end(&space, z.form);
    bf_linear_shift(z.form, factor);
    for (int p = 0; p < POINTS; p++) z.at[p] = (long double)factor.hi * z.at[p] + (long double)factor.lo;
    holds(&z, "scaled");
    const BfSpan known = {x.form->c - 0.2 * size, x.form->c + 0.1 * size};
    bf_linear_meet(&space, x.form, known);
    for (int p = 0; p < POINTS; p++) x.at[p] = fminl(fmaxl(x.at[p], known.lo), known.hi);
    if (x.form->sum == 0) holds(&x, "met"); /* else its points are elsewhere now */
  }
  return BF_OK;
}

/* ---- functions -------------------------------------------------------------------------------------------------- */

static long double exp_of(long double x) { return expl(x); }
static long double sigmoid_of(long double x) { return 1 / (1 + expl(-x)); }
static long double tanh_of(long double x) { return tanhl(x); }
static long double relu_of(long double x) { return x > 0 ? x : 0; }
static long double gelu_of(long double x) { return 0.5L * x * erfcl(-x / sqrtl(2)); }
static long double inverse_of(long double x) { return 1 / x; }
static long double square_of(long double x) { return x * x; }
static long double root_of(long double x) { return 1 / sqrtl(x); }
static long double clip_of(long double x) { return x > 0.75L ? 0.75L : x < -0.5L ? -0.5L : x; }
static void        clip(const BfLinears *of, BfLinear *x) { bf_unary_clip(of, x, -0.5, 0.75); }

static const struct {
  const char *name;
  BfUnary    *form;
  long double (*value)(long double x);
  bool positive;
} functions[] = {{"exp", bf_unary_exp, exp_of, false},
                 {"sigmoid", bf_unary_sigmoid, sigmoid_of, false},
                 {"tanh", bf_unary_tanh, tanh_of, false},
                 {"relu", bf_unary_relu, relu_of, false},
                 {"gelu", bf_unary_gelu, gelu_of, false},
                 {"clip", clip, clip_of, false},
                 {"square", bf_unary_square, square_of, false},
                 {"1/x", bf_unary_inverse, inverse_of, true},
                 {"x^(-1/2)", bf_unary_inverse_root, root_of, true}};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* How near the extremes of f - alpha x over the argument's range come to what the form allows beside b. */
static double used_part(const BfLinear *x, const BfLinear *y, long double (*f)(long double), double alpha) {
  enum { STEPS = 4000 };
  long double least = INFINITY, most = -INFINITY;
  for (int i = 0; i <= STEPS; i++) {
    const long double at = x->range.lo + (x->range.hi - x->range.lo) * (i / (long double)STEPS);
    const long double d  = f(at) - alpha * at;
    least = fminl(least, d), most = fmaxl(most, d);
  }
  return (double)((most - least) / 2) / y->e;
}

static BfStatus functions_hold(void *context, BfError *error) {
  Quantity x, y;
  (void)context;
  (void)error;
  space.size = bf_linear_size(N);
  for (int trial = 0; trial < 8000; trial++) {
    const int k = trial % FUNCTIONS;
    space.used  = 0;
    x.form = bf_linear_new(&space), y.form = bf_linear_new(&space);
    draw_points();
    const double size = pow(10, uniform(-7, 0.5)), e = below(2) ? 0 : size * uniform(0, 2);
    draw(&x, 0, size, e);
    const double radius = x.form->sum + x.form->e,
                 c      = functions[k].positive ? radius * uniform(1.01, 3) : uniform(-4, 4);
    draw(&x, c, size, e);
    if (functions[k].positive && !(x.form->range.lo > 0)) continue;
    y = (Quantity){.form = y.form};
    bf_linear_copy(&space, x.form, y.form);
    functions[k].form(&space, y.form);
    for (int p = 0; p < POINTS; p++) y.at[p] = functions[k].value(x.at[p]);
    holds(&y, functions[k].name);
    const double alpha = x.form->b[0] != 0 ? y.form->b[0] / x.form->b[0] : 0;
    if (e == 0 && size > 1e-3 && alpha != 0 && strcmp(functions[k].name, "gelu"))
      if (!(used_part(x.form, y.form, functions[k].value, alpha) > 0.99 || y.form->e < 1e-12))
        fail_msg("%s: of the remainder %g only a part of %g is needed", functions[k].name, y.form->e,
                 used_part(x.form, y.form, functions[k].value, alpha));
  }
  return BF_OK;
}

/* Of a range that is a few roundings wide no more than a few roundings may be left over, though a chord has no slope
 * there. */
static BfStatus short_ranges(void *context, BfError *error) {
  (void)context;
  (void)error;
  space.size = bf_linear_size(N);
  for (int trial = 0; trial < 4000; trial++) {
    Quantity x, y;
    space.used = 0;
    x.form = bf_linear_new(&space), y.form = bf_linear_new(&space);
    draw_points();
    const double size = pow(10, uniform(-17, -14));
    draw(&x, uniform(0.5, 4), size, below(2) ? 0 : size);
    y = (Quantity){.form = y.form};
    bf_linear_copy(&space, x.form, y.form);
    functions[trial % FUNCTIONS].form(&space, y.form);
    for (int p = 0; p < POINTS; p++) y.at[p] = functions[trial % FUNCTIONS].value(x.at[p]);
    holds(&y, functions[trial % FUNCTIONS].name);
    if (!(y.form->e <= 1e-11)) fail_msg("%s: the remainder is %g", functions[trial % FUNCTIONS].name, y.form->e);
  }
  return BF_OK;
}

/* Shares of a softmax: far apart, near, equal. How much of a remainder some point takes is returned. */
static double shares_of(int m, double apart, double size, double e) {
  enum { MOST = 5 };
  Quantity  x[MOST], p[MOST];
  BfLinear *from[MOST] = {NULL};
  BfLinear *to[MOST]   = {NULL};
  double    room[6 * MOST + MOST * MOST], used = 0;
  for (int j = 0; j < m; j++) {
    from[j] = x[j].form = bf_linear_new(&space), to[j] = p[j].form = bf_linear_new(&space);
    draw(&x[j], below(4) ? uniform(-apart, apart) : 0, j ? size : 0, j ? e : 0);
  }
  bf_check_shares(&space, m, from, to, room);
  for (int j = 0; j < m; j++) {
    for (int i = 0; i < POINTS; i++) {
      long double others = 0;
      for (int k = 0; k < m; k++) others += k == j ? 0 : expl(x[k].at[i] - x[j].at[i]);
      p[j].at[i] = 1 / (1 + others);
      used       = fmax(used, (double)fabsl(p[j].at[i] - affine(to[j], i)) / (to[j]->e + 1e-12));
    }
    holds(&p[j], "share");
  }
  return used;
}

static BfStatus shares_hold(void *context, BfError *error) {
  double used[2] = {0};
  (void)context;
  (void)error;
  assert_true(bf_check_share_room(5) <= 55);
  space.size = bf_linear_size(N);
  for (int trial = 0; trial < 40000; trial++) {
    const int    m    = 2 + below(4);
    const double size = pow(10, uniform(-7, 1)), e = below(2) ? 0 : size * uniform(0, 2);
    space.used = 0;
    draw_points();
    const double part = shares_of(m, below(20) ? 3 : 400, size, e);
    if (size > 1e-3 && size < 0.3) used[m > 2] = fmax(used[m > 2], part);
  }
  if (!(used[0] > 0.99 && used[1] > 0.9)) fail_msg("of remainders only %g and %g are needed", used[0], used[1]);
  return BF_OK;
}

/* ---- intervals -------------------------------------------------------------------------------------------------- */

static void inside(BfSpan x, long double value, const char *what) {
  if (!(x.lo <= value * (1 + 1e-18L) + 1e-4000L && x.hi >= value * (1 - 1e-18L) - 1e-4000L) && value > 0)
    fail_msg("%s: %.20Lg is not in [%.17g, %.17g]", what, value, x.lo, x.hi);
  if (!(x.hi - x.lo <= 1e-15L * fabsl(value) + 1e-300L)) fail_msg("%s: [%.17g, %.17g] is wide", what, x.lo, x.hi);
}

static BfStatus elementary_functions(void *context, BfError *error) {
  (void)context;
  (void)error;
  for (int trial = 0; trial < 4000; trial++) {
    const double x = uniform(-30, 30), y = pow(10, uniform(-8, 8));
    inside(bf_span_exp(bf_span(x)), expl(x), "exp");
    inside(bf_span_sqrt(bf_span(y)), sqrtl(y), "sqrt");
    inside(bf_span_cbrt(bf_span(y)), cbrtl(y), "cbrt");
    inside(bf_span_sigmoid(bf_span(x)), 1 / (1 + expl(-(long double)x)), "sigmoid");
    inside(bf_span_quotient(bf_span(y), bf_span(7)), y / 7.0L, "quotient");
    if (y > 1.5) inside(bf_span_log(bf_span(y)), logl(y), "log");
    if (fabs(x) < 8) inside(bf_gelu(fabs(x)), gelu_of(fabs(x)), "gelu");
    const BfSpan one = {x, x + y}, all = bf_span_mul(one, (BfSpan){-1, 2});
    assert_true(all.lo <= fmin(-(x + y), 2 * x) && all.hi >= fmax(-x, 2 * (x + y)));
  }
  assert_true(!bf_span_is_finite(bf_span_log((BfSpan){0, 1})));
  assert_true(!bf_span_is_finite(bf_span_quotient(bf_span(1), (BfSpan){-1, 1})));
  assert_true(!bf_span_is_finite(bf_span_exp(bf_span(1e6))));
  return BF_OK;
}

/* What is not known stays so: no product or function makes a bound of it. */
static BfStatus infinite_remainders(void *context, BfError *error) {
  (void)context;
  (void)error;
  space.size  = bf_linear_size(N);
  space.used  = 0;
  BfLinear *x = bf_linear_new(&space), *y = bf_linear_new(&space), *z = bf_linear_new(&space);
  bf_linear_span(&space, y, (BfSpan){-1, 2});
  for (int k = 0; k < FUNCTIONS; k++) {
    bf_linear_span(&space, x, bf_span_all());
    bf_linear_mul(&space, x, y, z);
    bf_linear_end(&space, z);
    assert_true(z->e == INFINITY && z->range.hi == INFINITY);
    bf_linear_add(&space, z, bf_span(0), y);
    bf_linear_end(&space, z);
    assert_true(z->e == INFINITY);
    functions[k].form(&space, x);
    assert_true(x->e == INFINITY || (x->range.hi < INFINITY && x->c + x->e >= x->range.hi));
  }
  return BF_OK;
}

static void upwards(BfStatus (*work)(void *, BfError *)) {
  BfError error = {0};
  assert_int_equal(bf_rounding_upwards(work, NULL, &error), BF_OK);
}
static void intervals(void **unused) { (void)unused, upwards(elementary_functions); }
static void forms(void **unused) { (void)unused, upwards(sums_and_products); }
static void unaries(void **unused) { (void)unused, upwards(functions_hold); }
static void shares(void **unused) { (void)unused, upwards(shares_hold); }
static void narrow(void **unused) { (void)unused, upwards(short_ranges); }
static void unknown(void **unused) { (void)unused, upwards(infinite_remainders); }

static void numbers_are_written_outwards(void **unused) {
  char text[BF_SPAN_TEXT];
  (void)unused;
  assert_string_equal(bf_span_text(0.0123456789, 4, false, text), "0.01234");
  assert_string_equal(bf_span_text(0.0123456789, 4, true, text), "0.01235");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(intervals),
                                     cmocka_unit_test(forms),
                                     cmocka_unit_test(unaries),
                                     cmocka_unit_test(narrow),
                                     cmocka_unit_test(shares),
                                     cmocka_unit_test(unknown),
                                     cmocka_unit_test(numbers_are_written_outwards)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
