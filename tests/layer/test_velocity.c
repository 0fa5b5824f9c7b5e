/* The flow's velocity, and a layer's step with P, against their definitions, and their transposed Jacobian products
 * against central differences: for random w, <lambda, (f(z + h w, A + h B) - f(z - h w, A - h B)) / 2h> = <by_z, w> +
 * <by_A, B>; in both layouts of lanes. (Instruction sets against one another: tests/kernel.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

typedef struct {
  LayerCase layer;
  int       tokens, layout, encoded;
  double    zeta;
} Case;

static const Case cases[] = {
    {{2, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL}, 4, 0, 0, 1},
    {{2, 2, 0, 0.5, BF_MASK_CAUSAL, &bf_project_clip, "tanh", 3, NULL}, 7, 0, 1, 0.7},
    {{2, 1, 1, 1, BF_MASK_CAUSAL, &bf_project_sphere, NULL, 0, NULL}, 21, 1, 1, 2},
    {{1, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "gelu", 2, NULL}, 9, 1, 0, 1},
    {{3, 2, 0, 1.5, BF_MASK_FULL, &bf_project_sphere, "tanh", 4, NULL}, 16, 1, 0, 1},
    {{5, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, "gelu", 1, NULL}, 6, 0, 1, 1},
    {{8, 1, 1, 0.3, BF_MASK_CAUSAL, &bf_project_clip, NULL, 0, NULL}, 5, 0, 0, 1},
    {{16, 1, 1, 0.1, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL}, 10, 1, 1, 1},
    {{4, 0, 1, 1, BF_MASK_FULL, &bf_project_clip, "tanh", 5, NULL}, 3, 0, 0, 1},
    {{6, 1, 1, 0.2, BF_MASK_CAUSAL, &bf_project_clip, NULL, 0, NULL}, 13, 1, 0, 1},
    {{2, 2, 0, 0.5, BF_MASK_CAUSAL, &bf_project_clip, "tanh", 3, &bf_norm_rms}, 7, 0, 1, 0.7},
    {{3, 2, 1, 0.5, BF_MASK_CAUSAL, &bf_project_none, NULL, 0, &bf_norm_rms}, 11, 1, 1, 2},
    {{5, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, "gelu", 2, &bf_norm_layer}, 6, 0, 1, 1},
    {{4, 1, 0, 0.3, BF_MASK_FULL, &bf_project_none, "tanh", 3, &bf_norm_layer}, 13, 1, 0, 1},
    {{16, 1, 1, 0.1, BF_MASK_FULL, &bf_project_sphere, NULL, 0, &bf_norm_rms}, 10, 1, 1, 1},
    {{1, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "gelu", 2, &bf_norm_rms}, 9, 0, 0, 1},
    {{2, 1, 1, 1, BF_MASK_FULL, &ball, NULL, 0, NULL}, 9, 1, 1, 2},
    {{3, 2, 1, 0.5, BF_MASK_CAUSAL, &ball, "tanh", 3, &bf_norm_layer}, 7, 0, 1, 1},
};
enum { CASES = sizeof cases / sizeof *cases };

static uint64_t seed;

typedef struct {
  BfLayer layer;
  BfBlock block;
  int     n, lanes; /* doubles of z; of which in one row */
  double *parameters, *z, *f, *work;
  int    *position;
} Setup;

static int is_real(const Setup *s, int at) { return s->block.layout == BF_LANES_OF_SEQUENCES || at < s->block.tokens; }

static Setup setup(const Case *c) {
  Setup     s     = {0};
  BfError   error = {0};
  const int d     = c->layer.dim;
  seed            = 7;
  s.layer         = make_layer(&c->layer, c->encoded ? c->tokens : 0, 0.5, &seed); /* P of `clip` moves many tokens */
  const int rows  = c->layout == BF_LANES_OF_TOKENS ? (c->tokens + BF_LANES - 1) / BF_LANES : c->tokens;
  s.position      = bf_calloc((int64_t)rows * BF_LANES, sizeof(int), &error);
  for (int i = 0; i < rows * BF_LANES; i++)
    s.position[i] = c->layout == BF_LANES_OF_TOKENS ? (i < c->tokens ? i : 0) : i / BF_LANES;
  s.block      = (BfBlock){rows, c->tokens, (BfLayout)c->layout, s.position};
  s.n          = rows * d * BF_LANES;
  s.parameters = doubles(s.layer.parameters);
  s.z          = doubles(s.n);
  s.f          = doubles(s.n);
  s.work       = doubles(bf_velocity_work(&s.layer, &s.block));
  for (int p = 0; p < s.layer.parameters; p++) s.parameters[p] = uniform(&seed);
  for (int i = 0; i < s.n; i++) s.z[i] = uniform(&seed);
  return s;
}

static void clear(Setup *s) {
  bf_layer_clear(&s->layer);
  bf_free(s->position);
  bf_free(s->parameters);
  bf_free(s->z);
  bf_free(s->f);
  bf_free(s->work);
}

/* Where component a of the token that stands at row * BF_LANES + lane is. */
static int64_t at(const Setup *s, int place, int a) {
  return ((int64_t)(place / BF_LANES) * s->layer.dim + a) * BF_LANES + place % BF_LANES;
}

/* The place of token j of the sequence that the token at `place` is in. */
static int other(const Setup *s, int place, int j) {
  return s->block.layout == BF_LANES_OF_TOKENS ? j : j * BF_LANES + place % BF_LANES;
}

/* The tokens that the one at `place` sees, itself the i-th. */
static Tokens tokens_of(const Setup *s, int place, int *i) {
  Tokens x = {.n = s->block.tokens, .parameters = s->parameters};
  *i       = s->block.layout == BF_LANES_OF_TOKENS ? place : place / BF_LANES;
  for (int j = 0; j < x.n; j++) {
    const int key = other(s, place, j);
    x.position[j] = s->position[key];
    x.mass[j]     = 1;
    for (int a = 0; a < s->layer.dim; a++) x.z[j * s->layer.dim + a] = s->z[at(s, key, a)];
  }
  return x;
}

static void plain(const Setup *s, const Case *c, int place, double f[]) {
  int          i;
  const int    d = s->layer.dim;
  const Tokens x = tokens_of(s, place, &i);
  double       v[BF_MOST_DIM], zv = 0, zz = 0;
  plain_velocity(&s->layer, &x, i, v);
  for (int a = 0; a < d; a++) {
    zv += v[a] * x.z[i * d + a];
    zz += x.z[i * d + a] * x.z[i * d + a];
  }
  for (int a = 0; a < d; a++) {
    const double z = x.z[i * d + a];
    f[a]           = c->zeta * (v[a] - (s->layer.projection == &bf_project_sphere ? zv / zz * z : 0)) +
           (s->layer.residual - 1) * z / s->layer.step;
  }
}

static void velocity_is_its_definition(void **unused) {
  (void)unused;
  for (int k = 0; k < CASES; k++) {
    Setup  s = setup(&cases[k]);
    double f[BF_MOST_DIM];
    bf_velocity(&s.layer, &s.block, s.parameters, cases[k].zeta, s.z, s.f, s.work);
    for (int i = 0; i < s.block.rows * BF_LANES; i++) {
      if (!is_real(&s, i)) continue;
      plain(&s, &cases[k], i, f);
      for (int a = 0; a < s.layer.dim; a++)
        if (fabs(f[a] - s.f[at(&s, i, a)]) > 1e-12 * (1 + fabs(f[a])))
          fail_msg("case %d: %.17g is not %.17g", k, s.f[at(&s, i, a)], f[a]);
    }
    clear(&s);
  }
}

static void step_is_its_definition(void **unused) {
  (void)unused;
  for (int k = 0; k < CASES; k++) {
    Setup   s = setup(&cases[k]);
    double  next[BF_MOST_DIM];
    double *y = doubles(s.n);
    bf_step(&s.layer, &s.block, s.parameters, s.z, y, s.f, s.work);
    for (int i = 0; i < s.block.rows * BF_LANES; i++) {
      if (!is_real(&s, i)) continue;
      int          own;
      const Tokens x = tokens_of(&s, i, &own);
      plain_image(&s.layer, &x, own, next);
      for (int a = 0; a < s.layer.dim; a++)
        if (fabs(next[a] - s.f[at(&s, i, a)]) > 1e-12 * (1 + fabs(next[a])))
          fail_msg("case %d: %.17g is not %.17g", k, s.f[at(&s, i, a)], next[a]);
    }
    bf_free(y);
    clear(&s);
  }
}

/* What is moved: f, or z+. */
static void evaluate(const Setup *s, const Case *c, int step, double *y, double *f) {
  if (step) bf_step(&s->layer, &s->block, s->parameters, s->z, y, f, s->work);
  else bf_velocity(&s->layer, &s->block, s->parameters, c->zeta, s->z, f, s->work);
}

/* That at (z + h w, parameters + h b). */
static void moved(Setup *s, const Case *c, int step, double h, const double *w, const double *b, double *f) {
  double *y = doubles(s->n);
  for (int i = 0; i < s->n; i++) s->z[i] += h * w[i];
  for (int p = 0; p < s->layer.parameters; p++) s->parameters[p] += h * b[p];
  evaluate(s, c, step, y, f);
  for (int i = 0; i < s->n; i++) s->z[i] -= h * w[i];
  for (int p = 0; p < s->layer.parameters; p++) s->parameters[p] -= h * b[p];
  bf_free(y);
}

static double product(int n, const double *x, const double *y) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

static void one_direction(Setup *s, const Case *c, int step, const double *lambda, const double *by_z,
                          const double *by_p) {
  const double h = 1e-6, weight[] = {-1, 8, -8, 1}; /* of fourth order; so small that no token crosses a kink of P */
  const int    way[] = {2, 1, -1, -2};
  double      *w = doubles(s->n), *b = doubles(s->layer.parameters), *there = doubles(s->n), *slope = doubles(s->n);
  for (int i = 0; i < s->n; i++) w[i] = uniform(&seed);
  for (int p = 0; p < s->layer.parameters; p++) b[p] = uniform(&seed);
  for (int k = 0; k < 4; k++) {
    moved(s, c, step, way[k] * h, w, b, there);
    for (int i = 0; i < s->n; i++) slope[i] += weight[k] * there[i] / (12 * h);
  }
  const double expected = product(s->n, lambda, slope),
               found    = product(s->n, by_z, w) + product(s->layer.parameters, by_p, b);
  if (fabs(expected - found) > 1e-7 * (1 + fabs(expected)))
    fail_msg("%s, case %d: %.12g is not %.12g", step ? "step" : "velocity", (int)(c - cases), found, expected);
  bf_free(w);
  bf_free(b);
  bf_free(there);
  bf_free(slope);
}

static void check_products(const Case *c, int step) {
  Setup   s      = setup(c);
  double *lambda = doubles(s.n), *by_z = doubles(s.n), *by_p = doubles(s.layer.parameters);
  double *y = doubles(s.n), *by_y = doubles(s.n);
  for (int i = 0; i < s.block.rows * BF_LANES; i++)
    for (int a = 0; a < s.layer.dim; a++) lambda[at(&s, i, a)] = is_real(&s, i) ? uniform(&seed) : 0;
  memcpy(by_y, lambda, sizeof(double) * (size_t)s.n);
  evaluate(&s, c, step, y, s.f);
  const BfTransposed to = {by_z, by_p};
  if (step) bf_step_transposed(&s.layer, &s.block, s.parameters, s.z, y, by_y, &to, s.work);
  else bf_velocity_transposed(&s.layer, &s.block, s.parameters, c->zeta, s.z, lambda, &to, s.work);
  for (int i = 0; i < s.block.rows * BF_LANES; i++)
    for (int a = 0; a < s.layer.dim; a++)
      if (!is_real(&s, i)) assert_true(by_z[at(&s, i, a)] == 0);
  for (int way = 0; way < 4; way++) one_direction(&s, c, step, lambda, by_z, by_p);
  bf_free(y);
  bf_free(by_y);
  bf_free(lambda);
  bf_free(by_z);
  bf_free(by_p);
  clear(&s);
}

static void products_are_derivatives(void **unused) {
  (void)unused;
  for (int k = 0; k < 2 * CASES; k++) check_products(&cases[k / 2], k % 2);
}

static void collect_is_the_transpose_of_expand(void **unused) {
  (void)unused;
  const BfForm *const forms[] = {bf_form("full"), bf_form("diagonal"), bf_form("scalar"), bf_form("skew")};
  for (int k = 0; k < 4; k++) {
    BfLayer layer = {.dim = 2, .heads = 1};
    BfError error = {0};
    double  u[8], x[8], y[8], by_u[8] = {0};
    bf_layer_matrices(&layer, &error);
    layer.matrix[0].form = forms[k];
    layer.matrix[1].form = forms[3 - k];
    assert_int_equal(bf_layer_place(&layer, &error), BF_OK);
    for (int i = 0; i < 8; i++) {
      u[i] = uniform(&seed);
      y[i] = uniform(&seed);
    }
    bf_layer_expand(&layer, u, x, 1);
    bf_layer_collect(&layer, y, by_u);
    assert_true(fabs(product(layer.parameters, x, y) - product(layer.free, u, by_u)) < 1e-14);
    bf_layer_clear(&layer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(velocity_is_its_definition), cmocka_unit_test(step_is_its_definition),
      cmocka_unit_test(products_are_derivatives), cmocka_unit_test(collect_is_the_transpose_of_expand)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
