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

#include "bellformer/layer.h"

typedef struct {
  int                 dim, heads, tokens, layout, encoded;
  double              residual, beta, zeta;
  BfMask              mask;
  const BfProjection *projection;
  const char         *activation;
  int                 width;
  const BfNorm       *norm;
} Case;

static const Case cases[] = {
    {2, 1, 4, 0, 0, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL},
    {2, 2, 7, 0, 1, 0, 0.5, 0.7, BF_MASK_CAUSAL, &bf_project_clip, "tanh", 3, NULL},
    {2, 1, 21, 1, 1, 1, 1, 2, BF_MASK_CAUSAL, &bf_project_sphere, NULL, 0, NULL},
    {1, 1, 9, 1, 0, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "gelu", 2, NULL},
    {3, 2, 16, 1, 0, 0, 1.5, 1, BF_MASK_FULL, &bf_project_sphere, "tanh", 4, NULL},
    {5, 1, 6, 0, 1, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, "gelu", 1, NULL},
    {8, 1, 5, 0, 0, 1, 0.3, 1, BF_MASK_CAUSAL, &bf_project_clip, NULL, 0, NULL},
    {16, 1, 10, 1, 1, 1, 0.1, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL},
    {4, 0, 3, 0, 0, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "tanh", 5, NULL},
    {6, 1, 13, 1, 0, 1, 0.2, 1, BF_MASK_CAUSAL, &bf_project_clip, NULL, 0, NULL},
    {2, 2, 7, 0, 1, 0, 0.5, 0.7, BF_MASK_CAUSAL, &bf_project_clip, "tanh", 3, &bf_norm_rms},
    {3, 2, 11, 1, 1, 1, 0.5, 2, BF_MASK_CAUSAL, &bf_project_none, NULL, 0, &bf_norm_rms},
    {5, 1, 6, 0, 1, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, "gelu", 2, &bf_norm_layer},
    {4, 1, 13, 1, 0, 0, 0.3, 1, BF_MASK_FULL, &bf_project_none, "tanh", 3, &bf_norm_layer},
    {16, 1, 10, 1, 1, 1, 0.1, 1, BF_MASK_FULL, &bf_project_sphere, NULL, 0, &bf_norm_rms},
    {1, 1, 9, 0, 0, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "gelu", 2, &bf_norm_rms},
};
enum { CASES = sizeof cases / sizeof *cases };

static uint64_t random_state;
static double   uniform(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) * 0x1p-52 - 1;
}

typedef struct {
  BfLayer layer;
  BfBlock block;
  int     n, lanes; /* doubles of z; of which in one row */
  double *parameters, *z, *f, *work;
  int    *position;
} Setup;

static double *doubles(int64_t n) {
  BfError error = {0};
  double *x     = bf_calloc(n, sizeof *x, &error);
  assert_non_null(x);
  return x;
}

static int is_real(const Setup *s, int at) { return s->block.layout == BF_LANES_OF_SEQUENCES || at < s->block.tokens; }

static Setup setup(const Case *c) {
  Setup   s          = {0};
  BfError error      = {0};
  random_state       = 7;
  s.layer            = (BfLayer){.dim        = c->dim,
                                 .heads      = c->heads,
                                 .residual   = c->residual,
                                 .step       = 0.5,
                                 .beta       = c->beta,
                                 .mask       = c->mask,
                                 .norm       = c->norm,
                                 .projection = c->projection,
                                 .width      = c->width};
  s.layer.activation = c->activation ? bf_activation(c->activation) : NULL;
  assert_int_equal(bf_layer_matrices(&s.layer, &error), BF_OK);
  assert_int_equal(bf_layer_place(&s.layer, &error), BF_OK);
  double *lower = doubles(c->dim), *upper = doubles(c->dim);
  for (int a = 0; a < c->dim; a++) { /* narrow: P of `clip` moves many tokens */
    lower[a] = -0.6 - 0.01 * a;
    upper[a] = 0.5;
  }
  s.layer.lower = lower;
  s.layer.upper = upper;
  if (c->encoded) {
    s.layer.encoding  = doubles((int64_t)c->tokens * c->dim);
    s.layer.positions = c->tokens;
    for (int i = 0; i < c->tokens * c->dim; i++) s.layer.encoding[i] = 0.5 * uniform();
  }
  const int rows = c->layout == BF_LANES_OF_TOKENS ? (c->tokens + BF_LANES - 1) / BF_LANES : c->tokens;
  s.position     = bf_calloc((int64_t)rows * BF_LANES, sizeof(int), &error);
  for (int i = 0; i < rows * BF_LANES; i++)
    s.position[i] = c->layout == BF_LANES_OF_TOKENS ? (i < c->tokens ? i : 0) : i / BF_LANES;
  s.block      = (BfBlock){rows, c->tokens, (BfLayout)c->layout, s.position};
  s.n          = rows * c->dim * BF_LANES;
  s.parameters = doubles(s.layer.parameters);
  s.z          = doubles(s.n);
  s.f          = doubles(s.n);
  s.work       = doubles(bf_velocity_work(&s.layer, &s.block));
  for (int p = 0; p < s.layer.parameters; p++) s.parameters[p] = uniform();
  for (int i = 0; i < s.n; i++) s.z[i] = uniform();
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

/* Component a of N(z) of the token at `place`, by its definition. */
static double seen(const Setup *s, int place, int a) {
  const int d    = s->layer.dim;
  double    mean = 0, square = 0;
  if (!s->layer.norm->apply) return s->z[at(s, place, a)];
  for (int b = 0; s->layer.norm == &bf_norm_layer && b < d; b++) mean += s->z[at(s, place, b)] / d;
  for (int b = 0; b < d; b++) square += pow(s->z[at(s, place, b)] - mean, 2) / d;
  return (s->z[at(s, place, a)] - mean) / sqrt(square + 1e-5);
}

static double encoded(const Setup *s, int place, int a) {
  return seen(s, place, a) + (s->layer.encoding ? s->layer.encoding[s->position[place] * s->layer.dim + a] : 0);
}

static double sigma(const char *name, double x) {
  return strcmp(name, "tanh") ? 0.5 * x * (1 + erf(x / sqrt(2))) : tanh(x);
}

static void plain_attention(const Setup *s, int h, int place, double v[]) {
  const int     d = s->layer.dim;
  const double *A = s->parameters + bf_attention_A(&s->layer, h), *V = s->parameters + bf_attention_V(&s->layer, h);
  double        sum = 0, mean[BF_MOST_DIM] = {0};
  for (int j = 0; j < s->block.tokens; j++) {
    const int key   = other(s, place, j);
    double    logit = 0;
    if (s->layer.mask == BF_MASK_CAUSAL && s->position[key] > s->position[place]) continue;
    for (int a = 0; a < d; a++)
      for (int b = 0; b < d; b++) logit += encoded(s, place, a) * A[a * d + b] * encoded(s, key, b);
    const double k = exp(s->layer.beta * logit);
    sum += k;
    for (int a = 0; a < d; a++) mean[a] += k * seen(s, key, a);
  }
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) v[a] += V[a * d + b] * mean[b] / sum;
}

/* v of the token at `place`. */
static void plain_velocity(const Setup *s, const Case *c, int place, double v[]) {
  const int       d = s->layer.dim, w = s->layer.width;
  const BfMatrix *m = s->layer.term[s->layer.terms - 1].matrix;
  for (int a = 0; a < d; a++) v[a] = 0;
  for (int h = 0; h < s->layer.heads; h++) plain_attention(s, h, place, v);
  for (int k = 0; k < w; k++) {
    double x = s->parameters[m[1].at + k];
    for (int a = 0; a < d; a++) x += s->parameters[m[0].at + k * d + a] * seen(s, place, a);
    for (int a = 0; a < d; a++) v[a] += s->parameters[m[2].at + a * w + k] * sigma(c->activation, x);
  }
  for (int a = 0; w && a < d; a++) v[a] += s->parameters[m[3].at + a];
}

static void plain(const Setup *s, const Case *c, int place, double f[]) {
  const int d = s->layer.dim;
  double    v[BF_MOST_DIM], zv = 0, zz = 0;
  plain_velocity(s, c, place, v);
  for (int a = 0; a < d; a++) {
    zv += v[a] * s->z[at(s, place, a)];
    zz += s->z[at(s, place, a)] * s->z[at(s, place, a)];
  }
  for (int a = 0; a < d; a++) {
    const double z = s->z[at(s, place, a)];
    f[a]           = c->zeta * (v[a] - (c->projection == &bf_project_sphere ? zv / zz * z : 0)) +
           (c->residual - 1) * z / s->layer.step;
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

/* z+ = P(r z + eps v) of the token at `place`. */
static void plain_step(const Setup *s, const Case *c, int place, double next[]) {
  const int d = s->layer.dim;
  double    v[BF_MOST_DIM], square = 0;
  plain_velocity(s, c, place, v);
  for (int a = 0; a < d; a++) {
    next[a] = c->residual * s->z[at(s, place, a)] + s->layer.step * v[a];
    square += next[a] * next[a];
  }
  for (int a = 0; a < d; a++) {
    if (c->projection == &bf_project_sphere) next[a] /= sqrt(square);
    if (c->projection == &bf_project_clip) next[a] = fmin(fmax(next[a], s->layer.lower[a]), s->layer.upper[a]);
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
      plain_step(&s, &cases[k], i, next);
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
  for (int i = 0; i < s->n; i++) w[i] = uniform();
  for (int p = 0; p < s->layer.parameters; p++) b[p] = uniform();
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
    for (int a = 0; a < s.layer.dim; a++) lambda[at(&s, i, a)] = is_real(&s, i) ? uniform() : 0;
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
      u[i] = uniform();
      y[i] = uniform();
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
