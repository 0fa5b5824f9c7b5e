/* One layer, z+ = P(r z + eps v), against a plain evaluation of its definition; the same bits in every lane.
 * (Instruction sets against one another: tests/kernel.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bellformer/layer.h"

enum { MOST_SLOTS = 16, MOST_DIM = 5, MOST_PARAMETERS = 512 };

typedef struct {
  int                 dim, heads, tags, atoms[4], position[4];
  double              residual, beta, scale; /* scale of the parameters */
  BfMask              mask;
  const BfProjection *projection;
  const char         *activation;
  int                 width, encoded;
  const BfNorm       *norm;
} Case;

static const Case cases[] = {
    {2, 1, 1, {1}, {0}, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, 0, NULL},
    {2, 1, 3, {2, 1, 3}, {0, 1, 1}, 1, 0.5, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, 1, NULL},
    {2, 3, 3, {1, 1, 1}, {0, 1, 2}, 0, 2, 1, BF_MASK_CAUSAL, &bf_project_clip, "relu", 3, 1, NULL},
    {1, 2, 2, {3, 2}, {0, 2}, 1, 1, 1, BF_MASK_CAUSAL, &bf_project_clip, "gelu", 2, 1, NULL},
    {3, 2, 4, {1, 2, 1, 4}, {0, 0, 1, 3}, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, "tanh", 4, 0, NULL},
    {5, 1, 2, {4, 4}, {0, 1}, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, NULL, 0, 1, NULL},
    {2, 0, 2, {2, 2}, {0, 1}, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "gelu", 5, 0, NULL},
    {2, 1, 3, {2, 1, 3}, {0, 1, 1}, 1, 1, 1e5, BF_MASK_FULL, &bf_project_clip, NULL, 0, 0, NULL},
    {4, 2, 2, {3, 3}, {0, 1}, 0, 1e150, 1e5, BF_MASK_CAUSAL, &bf_project_clip, NULL, 0, 1, NULL},
    /* |z|^2 overflows, underflows */
    {3, 1, 2, {2, 2}, {0, 1}, 1, 1e-200, 1e200, BF_MASK_FULL, &bf_project_sphere, NULL, 0, 0, NULL},
    {2, 1, 2, {2, 2}, {0, 1}, 0, 1, 1e-200, BF_MASK_FULL, &bf_project_sphere, NULL, 0, 0, NULL},
    {2, 1, 3, {2, 1, 3}, {0, 1, 1}, 1, 0.5, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, 1, &bf_norm_rms},
    {3, 2, 3, {1, 2, 1}, {0, 1, 2}, 0, 2, 1, BF_MASK_CAUSAL, &bf_project_none, "relu", 3, 1, &bf_norm_layer},
    {1, 1, 2, {3, 2}, {0, 2}, 1, 1, 1, BF_MASK_FULL, &bf_project_none, "gelu", 2, 0, &bf_norm_rms},
    {5, 2, 2, {2, 2}, {0, 1}, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, "tanh", 2, 1, &bf_norm_layer},
    {4, 1, 2, {2, 2}, {0, 1}, 1, 1, 9, BF_MASK_FULL, &bf_project_none, NULL, 0, 0, NULL},
    {2, 0, 2, {2, 2}, {0, 1}, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, "tanh", 5, 0, &bf_norm_layer},
};
enum { CASES = sizeof cases / sizeof *cases };

static uint64_t random_state = 1;
static double   uniform(void) { /* in [-1, 1) */
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(random_state >> 11) * 0x1p-52 - 1;
}

typedef struct {
  BfLayer   layer;
  BfContext context;
  int       first[5], position[4];
  double    mass[4], lower[MOST_DIM], upper[MOST_DIM], encoding[4 * MOST_DIM];
  double    parameters[MOST_PARAMETERS * BF_LANES] __attribute__((aligned(64)));
  double    z[MOST_SLOTS * MOST_DIM * BF_LANES] __attribute__((aligned(64)));
} Setup;

static Setup *setup(const Case *c) {
  Setup  *s           = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);
  BfError error       = {0};
  *s                  = (Setup){.layer = {.dim        = c->dim,
                                          .heads      = c->heads,
                                          .residual   = c->residual,
                                          .step       = 0.5,
                                          .beta       = c->beta,
                                          .mask       = c->mask,
                                          .norm       = c->norm,
                                          .projection = c->projection,
                                          .width      = c->width}};
  s->layer.activation = c->activation ? bf_activation(c->activation) : NULL;
  s->layer.lower      = s->lower;
  s->layer.upper      = s->upper;
  if (c->encoded) {
    s->layer.encoding  = s->encoding;
    s->layer.positions = 4;
  }
  assert_int_equal(bf_layer_matrices(&s->layer, &error), BF_OK);
  assert_int_equal(bf_layer_place(&s->layer, &error), BF_OK);
  assert_true(s->layer.parameters <= MOST_PARAMETERS);
  for (int a = 0; a < c->dim; a++) {
    s->lower[a] = -1.5 - 0.1 * a;
    s->upper[a] = 1.4;
  }
  for (int i = 0; i < 4 * c->dim; i++) s->encoding[i] = 0.5 * uniform();
  for (int i = 0; i < s->layer.parameters * BF_LANES; i++) s->parameters[i] = c->scale * 1.5 * uniform();
  s->context = (BfContext){.tags = c->tags, .first = s->first, .position = s->position, .mass = s->mass, .length = 4};
  for (int g = 0; g < c->tags; g++) {
    s->first[g + 1] = s->first[g] + c->atoms[g];
    s->position[g]  = c->position[g];
    s->mass[g]      = 1 + 0.5 * g;
    s->context.tokens += c->atoms[g] * s->mass[g];
  }
  s->context.slots = s->first[c->tags];
  for (int i = 0; i < s->context.slots * c->dim * BF_LANES; i++) s->z[i] = 1.2 * uniform();
  return s;
}

static void clear(Setup *s) {
  s->layer.encoding = NULL; /* the test's own */
  s->layer.lower = s->layer.upper = NULL;
  bf_layer_clear(&s->layer);
  free(s);
}

static double sigma(const char *name, double x) {
  if (!strcmp(name, "tanh")) return tanh(x);
  return strcmp(name, "relu") ? x * 0.5 * (1 + erf(x / sqrt(2))) : x > 0 ? x : 0;
}

static const double *matrix(const Setup *s, const char *name, int h, double out[]) {
  char full[16];
  snprintf(full, sizeof full, h < 0 ? "%s" : "%s_%d", name, h);
  for (int m = 0; m < s->layer.matrices; m++)
    if (!strcmp(s->layer.matrix[m].name, full)) {
      for (int i = 0; i < s->layer.matrix[m].rows * s->layer.matrix[m].cols; i++)
        out[i] = s->parameters[(s->layer.matrix[m].at + i) * BF_LANES];
      return out;
    }
  fail_msg("no matrix %s", full);
  return NULL;
}

static int slot_tag(const Setup *s, int i) {
  int g = 0;
  while (i >= s->first[g + 1]) g++;
  return g;
}

/* Component a of N(z) of slot i in lane 0, by its definition. */
static double seen(const Setup *s, int i, int a) {
  const int     d    = s->layer.dim;
  const double *z    = s->z + i * d * BF_LANES;
  long double   mean = 0, square = 0;
  if (!s->layer.norm->apply) return z[a * BF_LANES];
  for (int b = 0; s->layer.norm == &bf_norm_layer && b < d; b++) mean += (long double)z[b * BF_LANES] / d;
  for (int b = 0; b < d; b++) square += (z[b * BF_LANES] - mean) * (z[b * BF_LANES] - mean) / d;
  return (double)((z[a * BF_LANES] - mean) / sqrtl(square + 1e-5L));
}

static double logit(const Setup *s, const double *A, int i, int j) {
  const int d   = s->layer.dim;
  double    sum = 0;
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      const double x = seen(s, i, a) + (s->layer.encoding ? s->encoding[s->position[slot_tag(s, i)] * d + a] : 0);
      const double y = seen(s, j, b) + (s->layer.encoding ? s->encoding[s->position[slot_tag(s, j)] * d + b] : 0);
      sum += x * A[a * d + b] * y;
    }
  return s->layer.beta * sum;
}

/* Att_h of slot i in lane 0, added to v. */
static void attend(const Setup *s, int h, int i, double v[]) {
  const int d = s->layer.dim;
  double A[MOST_DIM * MOST_DIM], V[MOST_DIM * MOST_DIM], k[MOST_SLOTS], most = -INFINITY, sum = 0, mean[MOST_DIM] = {0};
  matrix(s, "A", h, A);
  matrix(s, "V", h, V);
  for (int j = 0; j < s->context.slots; j++) {
    const int seen = s->layer.mask == BF_MASK_FULL || s->position[slot_tag(s, j)] <= s->position[slot_tag(s, i)];
    k[j]           = seen ? logit(s, A, i, j) : -INFINITY;
    most           = fmax(most, k[j]);
  }
  for (int j = 0; j < s->context.slots; j++) {
    k[j] = exp(k[j] - most) * s->mass[slot_tag(s, j)];
    sum += k[j];
    for (int a = 0; a < d; a++) mean[a] += k[j] * seen(s, j, a);
  }
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) v[a] += V[a * d + b] * mean[b] / sum;
}

static void feed_forward(const Setup *s, const char *name, int i, double v[]) {
  const int d = s->layer.dim, w = s->layer.width;
  double    W1[64], b1[16], W2[64], b2[16], y[16];
  matrix(s, "W1", -1, W1);
  matrix(s, "b1", -1, b1);
  matrix(s, "W2", -1, W2);
  matrix(s, "b2", -1, b2);
  for (int u = 0; u < w; u++) {
    y[u] = b1[u];
    for (int a = 0; a < d; a++) y[u] += W1[u * d + a] * seen(s, i, a);
    y[u] = sigma(name, y[u]);
  }
  for (int a = 0; a < d; a++) {
    v[a] += b2[a];
    for (int u = 0; u < w; u++) v[a] += W2[a * w + u] * y[u];
  }
}

static void image(const Setup *s, const Case *c, int i, double out[]) {
  const int   d           = s->layer.dim;
  double      v[MOST_DIM] = {0};
  long double norm        = 0; /* its exponents hold the square of any double */
  for (int h = 0; h < c->heads; h++) attend(s, h, i, v);
  if (c->activation) feed_forward(s, c->activation, i, v);
  for (int a = 0; a < d; a++) {
    out[a] = c->residual * s->z[(i * d + a) * BF_LANES] + 0.5 * v[a];
    norm += (long double)out[a] * out[a];
  }
  for (int a = 0; c->projection != &bf_project_none && a < d; a++)
    out[a] = c->projection == &bf_project_sphere ? (double)(out[a] / sqrtl(norm))
                                                 : fmin(fmax(out[a], s->lower[a]), s->upper[a]);
}

static double *apply(const Setup *s) {
  BfError error = {0};
  double *next  = bf_calloc(s->context.slots * s->layer.dim * BF_LANES, sizeof *next, &error);
  double *work  = bf_calloc(bf_layer_work(&s->layer, &s->context), sizeof *work, &error);
  bf_layer_apply(&s->layer, &s->context, s->parameters, s->z, next, work);
  bf_free(work);
  return next;
}

static void the_definition(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) {
    Setup  *s    = setup(&cases[k]);
    double *next = apply(s), expected[MOST_DIM];
    for (int i = 0; i < s->context.slots; i++) {
      image(s, &cases[k], i, expected);
      for (int a = 0; a < s->layer.dim; a++)
        if (!(fabs(next[(i * s->layer.dim + a) * BF_LANES] - expected[a]) <= 1e-12))
          fail_msg("case %d, slot %d: %.17g, by definition %.17g", k, i, next[(i * s->layer.dim + a) * BF_LANES],
                   expected[a]);
    }
    bf_free(next);
    clear(s);
  }
}

static int same_bits(const double *x, const double *y, int count) { return !memcmp(x, y, sizeof *x * (size_t)count); }

/* Every lane gives what it would give in lane 0. */
static void lanes_are_alike(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) {
    Setup    *s     = setup(&cases[k]);
    const int count = s->context.slots * s->layer.dim;
    double   *next  = apply(s);
    for (int lane = 1; lane < BF_LANES; lane++) {
      for (int i = 0; i < s->layer.parameters; i++) s->parameters[i * BF_LANES] = s->parameters[i * BF_LANES + lane];
      for (int i = 0; i < count; i++) s->z[i * BF_LANES] = s->z[i * BF_LANES + lane];
      double *alone = apply(s);
      for (int i = 0; i < count; i++) assert_true(same_bits(&alone[i * BF_LANES], &next[i * BF_LANES + lane], 1));
      bf_free(alone);
    }
    bf_free(next);
    clear(s);
  }
}

/* In place, as the rollout uses it. */
static void in_place(void **state) {
  (void)state;
  Setup  *s     = setup(&cases[2]);
  BfError error = {0};
  double *next = apply(s), *work = bf_calloc(bf_layer_work(&s->layer, &s->context), sizeof *work, &error);
  bf_layer_apply(&s->layer, &s->context, s->parameters, s->z, s->z, work);
  assert_true(same_bits(next, s->z, s->context.slots * s->layer.dim * BF_LANES));
  bf_free(work);
  bf_free(next);
  clear(s);
}

/* full: row-major; diagonal, scalar, skew as named; fixed takes no free number. */
static void forms(void **state) {
  BfLayer layer = {.dim = 2, .heads = 2, .width = 0};
  BfError error = {0};
  double  out[16], u[] = {1, 2, 3, 4, 5, 6, 7};
  (void)state;
  assert_int_equal(bf_layer_matrices(&layer, &error), BF_OK);
  layer.matrix[0].form  = bf_form("full");
  layer.matrix[1].form  = bf_form("diagonal");
  layer.matrix[2].form  = bf_form("skew");
  layer.matrix[3].form  = bf_form("fixed");
  layer.matrix[3].value = bf_calloc(4, sizeof(double), &error);
  for (int i = 0; i < 4; i++) layer.matrix[3].value[i] = 10 + i;
  assert_int_equal(bf_layer_place(&layer, &error), BF_OK);
  assert_int_equal(layer.free, 7);
  bf_layer_expand(&layer, u, out, 1);
  const double expected[] = {1, 2, 3, 4, 5, 0, 0, 6, 0, -7, 7, 0, 10, 11, 12, 13};
  assert_true(same_bits(out, expected, 16));
  bf_layer_clear(&layer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_definition),
      cmocka_unit_test(lanes_are_alike),
      cmocka_unit_test(in_place),
      cmocka_unit_test(forms),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
