/* Terms of single tokens: B z, and one that is registered as a plug-in's would be. A layer with the term against the
 * same layer without it: next - next' = eps (B z + c z^3) where P moves nothing; both laws of parameters (each lane its
 * own, all the same); transposed products against central differences; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bellformer/term.h"
#include "plain.h"

enum { ROWS = 3, MOST = 64 };

static uint64_t seed = 5;

/* ---- a term of our own: v_a += C_a z_a^3 ------------------------------------------------------------------------- */

static BfStatus cube_read(BfLayer *layer, BfTerm *term, const BfKeyReader *keys, bool *there, BfError *error) {
  (void)layer;
  (void)term;
  (void)keys;
  (void)error;
  *there = false;
  return BF_OK;
}

static int cube_matrix(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out) {
  (void)term;
  if (k) return 0;
  *out = (BfMatrix){.name = "C", .rows = layer->dim, .cols = 1, .vector = true};
  return 1;
}

static void cube_apply(const BfTermCall *call, double *v) {
  const double *C = bf_term_matrix(call, 0);
  for (int i = 0; i < call->rows * call->layer->dim; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const double z = call->z[i * BF_LANES + l];
      v[i * BF_LANES + l] += C[i % call->layer->dim * call->stride + l % call->stride] * z * z * z;
    }
}

static void cube_transposed(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters) {
  const double *C    = bf_term_matrix(call, 0);
  double       *by_C = by_parameters + (int64_t)call->term->matrix->at * BF_LANES;
  for (int i = 0; i < call->rows * call->layer->dim; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const double z = call->z[i * BF_LANES + l], by = lambda[i * BF_LANES + l];
      by_z[i * BF_LANES + l] += 3 * C[i % call->layer->dim] * z * z * by;
      by_C[i % call->layer->dim * BF_LANES + l] += z * z * z * by;
    }
}

static const char *const cube_names[] = {"C", NULL};
static const BfTermKind  cube         = {.base       = {.name = "cube"},
                                         .version    = BF_KIND_VERSION,
                                         .matrices   = cube_names,
                                         .unnormed   = true,
                                         .read       = cube_read,
                                         .matrix     = cube_matrix,
                                         .apply      = cube_apply,
                                         .transposed = cube_transposed};

/* ---- layers ------------------------------------------------------------------------------------------------------ */

typedef struct {
  int                 dim, heads, layout;
  const BfNorm       *norm;
  const BfProjection *projection;
  const char         *activation, *terms[2];
} Case;

static const Case cases[] = {
    {1, 0, 0, &bf_norm_none, &bf_project_none, NULL, {"linear", NULL}},
    {2, 1, 0, &bf_norm_rms, &bf_project_none, NULL, {"linear", NULL}},
    {3, 2, 1, &bf_norm_layer, &bf_project_none, "tanh", {"linear", "cube"}},
    {5, 1, 1, &bf_norm_none, &bf_project_sphere, "gelu", {"cube", "linear"}},
    {2, 0, 1, &bf_norm_rms, &bf_project_sphere, NULL, {"cube", NULL}},
};
enum { CASES = sizeof cases / sizeof *cases };

static BfLayer make_case(const Case *c, int with) {
  BfError error    = {0};
  BfLayer layer    = {.dim        = c->dim,
                      .heads      = c->heads,
                      .residual   = 1,
                      .step       = 0.5,
                      .beta       = 0.7,
                      .norm       = c->norm,
                      .projection = c->projection,
                      .width      = c->activation ? 3 : 0};
  layer.activation = c->activation ? bf_activation(c->activation) : NULL;
  for (int k = 0; with && k < 2 && c->terms[k]; k++)
    assert_int_equal(bf_layer_add_term(&layer, c->terms[k], &error), BF_OK);
  assert_int_equal(bf_layer_matrices(&layer, &error), BF_OK);
  assert_int_equal(bf_layer_place(&layer, &error), BF_OK);
  return layer;
}

/* eps (B z + C z^3) of component a, from the entries of lane l. */
static double expected(const BfLayer *layer, const double *parameters, const double *z, int a, int l) {
  double sum = 0;
  for (int m = 0; m < layer->matrices; m++) {
    const BfMatrix *matrix = &layer->matrix[m];
    for (int b = 0; !strcmp(matrix->name, "B") && b < layer->dim; b++)
      sum += parameters[(matrix->at + a * layer->dim + b) * BF_LANES + l] * z[b * BF_LANES + l];
    if (!strcmp(matrix->name, "C")) sum += parameters[(matrix->at + a) * BF_LANES + l] * pow(z[a * BF_LANES + l], 3);
  }
  return layer->step * sum;
}

static double *random_doubles(int64_t n) {
  double *x = doubles(n);
  for (int64_t i = 0; i < n; i++) x[i] = uniform(&seed);
  return x;
}

/* The matrices of terms that were added stand last: the parameters before them are those of the layer without. */
static void a_term_adds_what_it_says(void **unused) {
  (void)unused;
  const int       first[] = {0, 1, 2, 3}, position[] = {0, 1, 1};
  const double    mass[]  = {1, 2, 0.5};
  const BfContext context = {
      .tags = 3, .slots = ROWS, .length = 2, .first = first, .position = position, .mass = mass, .tokens = 3.5};
  for (int k = 0; k < CASES; k++) {
    if (cases[k].projection != &bf_project_none) continue;
    BfLayer   with = make_case(&cases[k], 1), without = make_case(&cases[k], 0);
    const int d = with.dim, n = ROWS * d * BF_LANES;
    double   *p = random_doubles((int64_t)with.parameters * BF_LANES), *z = random_doubles(n), *y = random_doubles(n),
           *x    = random_doubles(n);
    double *work = random_doubles(bf_layer_work(&with, &context));
    bf_layer_apply(&with, &context, p, z, y, work);
    if (without.matrices) bf_layer_apply(&without, &context, p, z, x, work);
    else memcpy(x, z, sizeof(double) * (size_t)n);
    for (int i = 0; i < n; i++) {
      const int    row = i / (d * BF_LANES), a = i / BF_LANES % d, l = i % BF_LANES;
      const double want = expected(&with, p, z + row * d * BF_LANES, a, l);
      if (!(fabs(y[i] - x[i] - want) <= 1e-14 * (1 + fabs(y[i]))))
        fail_msg("case %d: %.17g is not %.17g", k, y[i] - x[i], want);
    }
    bf_free(p);
    bf_free(z);
    bf_free(y);
    bf_free(x);
    bf_free(work);
    bf_layer_clear(&with);
    bf_layer_clear(&without);
  }
}

static BfBlock make_block(int layout) {
  static int position[ROWS * BF_LANES];
  return (BfBlock){ROWS, layout ? ROWS * BF_LANES : ROWS, (BfLayout)layout, position};
}

/* The flow's velocity with shared parameters is that of a layer whose lanes all have these. */
static void products_are_derivatives(void **unused) {
  (void)unused;
  for (int k = 0; k < CASES; k++) {
    BfLayer       layer = make_case(&cases[k], 1);
    const BfBlock block = make_block(cases[k].layout);
    const int     n = ROWS * layer.dim * BF_LANES, q = layer.parameters;
    double       *p = random_doubles(q), *z = random_doubles(n), *lambda = random_doubles(n), *w = random_doubles(n),
           *b    = random_doubles(q), *f[2];
    double *by_z = random_doubles(n), *by_p = random_doubles(q),
           *work       = random_doubles(bf_velocity_work(&layer, &block));
    const double h     = 1e-5;
    double       found = 0, difference = 0;
    memset(by_p, 0, sizeof(double) * (size_t)q);
    bf_velocity_transposed(&layer, &block, p, 1, z, lambda, &(BfTransposed){by_z, by_p}, work);
    for (int i = 0; i < n; i++) found += by_z[i] * w[i];
    for (int i = 0; i < q; i++) found += by_p[i] * b[i];
    for (int side = 0; side < 2; side++) {
      const double by = side ? -2 * h : h;
      for (int i = 0; i < n; i++) z[i] += by * w[i];
      for (int i = 0; i < q; i++) p[i] += by * b[i];
      f[side] = random_doubles(n);
      bf_velocity(&layer, &block, p, 1, z, f[side], work);
    }
    for (int i = 0; i < n; i++) difference += lambda[i] * (f[0][i] - f[1][i]) / (2 * h);
    if (!(fabs(found - difference) <= 1e-7 * (1 + fabs(difference))))
      fail_msg("case %d: %.12g is not %.12g", k, found, difference);
    double *const all[] = {p, z, lambda, w, b, f[0], f[1], by_z, by_p, work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) bf_free(all[i]);
    bf_layer_clear(&layer);
  }
}

/* ---- registration ------------------------------------------------------------------------------------------------ */

static void expect_refused(BfTermKind kind, const char *text) {
  BfError error = {0};
  assert_int_equal(bf_term_register(&kind, &error), BF_BAD_INPUT);
  assert_string_equal(error.text, text);
}

static void others_are_refused(void **unused) {
  (void)unused;
  static const char *const taken[] = {"A", NULL}, *const long_name[] = {"MMMMMMMMMMMM", NULL};
  static const BfKey keys[] = {{"cost.x", "number", "0", ""}, {.name = NULL}};
  BfTermKind         other  = cube;
  expect_refused(cube, "there is a layer term cube already");
  other.base.name = "other";
  expect_refused(other, "layer term other: term cube has a matrix C already");
  other.matrices = taken;
  expect_refused(other, "layer term other: term attention has a matrix A already");
  other.matrices = long_name;
  expect_refused(other, "layer term other: a matrix is called 'MMMMMMMMMMMM'");
  other.base.keys = keys;
  expect_refused(other, "layer term other: the key cost.x does not begin with layer.");
  other.transposed = NULL;
  expect_refused(other, "layer term other has no function transposed");
  other.apply = NULL;
  expect_refused(other, "layer term other has no function apply: terms that see the measure are the program's own");
  other.base.name = "2";
  expect_refused(other, "a layer term is called '2', which is no word");
  other.version = 77;
  expect_refused(other, "layer term 2 is of interface version 77, this program has 7");
}

static const BfKind *no_kind(int k) {
  (void)k;
  return NULL;
}

static const BfKind *one_kind(int k) {
  static const BfKind kind = {.name = "on"};
  return k ? NULL : &kind;
}

/* Whoever reads a problem looks for a family's key by its name, and goes through its kinds. */
static void families_are_checked(void **unused) {
  (void)unused;
  static const BfKey       key = {"layer.wave", "word", "on", ""}, elsewhere = {"cost.wave", "word", "on", ""};
  static const char *const names[] = {"D", NULL};
  BfTermKind               wave    = cube;
  BfFamily                 family  = {.kind = one_kind};
  wave.base.name = "wave", wave.matrices = names, wave.family = &family;
  expect_refused(wave, "layer term wave: its family has no key");
  family.key = &(const BfKey){0};
  expect_refused(wave, "layer term wave: its family has no key");
  family.key = &elsewhere;
  expect_refused(wave, "layer term wave: the key cost.wave does not begin with layer.");
  family = (BfFamily){.key = &key};
  expect_refused(wave, "layer term wave: its family has no kinds");
  family.kind = no_kind;
  expect_refused(wave, "layer term wave: its family has no kinds");
}

static void terms_come_once_and_in_order(void **unused) {
  (void)unused;
  const Case               both    = {.dim        = 2,
                                      .heads      = 1,
                                      .norm       = &bf_norm_none,
                                      .projection = &bf_project_none,
                                      .activation = "relu",
                                      .terms      = {"cube", "linear"}};
  BfLayer                  layer   = make_case(&both, 1);
  BfError                  error   = {0};
  static const char *const names[] = {"A_0", "V_0", "W1", "b1", "W2", "b2", "B", "C"};
  assert_int_equal(layer.matrices, 8);
  for (int k = 0; k < 8; k++) assert_string_equal(layer.matrix[k].name, names[k]);
  assert_int_equal(layer.free, 4 + 4 + 6 + 3 + 6 + 2 + 4 + 2);
  assert_int_equal(bf_layer_add_term(&layer, "linear", &error), BF_BAD_INPUT);
  assert_string_equal(error.text, "the layer has its term linear already");
  error = (BfError){0};
  assert_int_equal(bf_layer_add_term(&layer, "quadratic", &error), BF_BAD_INPUT);
  assert_string_equal(error.text, "there is no layer term quadratic");
  bf_layer_clear(&layer);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_term_adds_what_it_says),
                                     cmocka_unit_test(products_are_derivatives), cmocka_unit_test(others_are_refused),
                                     cmocka_unit_test(families_are_checked),
                                     cmocka_unit_test(terms_come_once_and_in_order)};
  BfError                 error   = {0};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (bf_term_register(&cube, &error) != BF_OK) {
    printf("Bail out! %s\n", error.text);
    return 1;
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
