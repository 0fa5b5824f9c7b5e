#include "plain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static double length(int d, const double *y) {
  double square = 0;
  for (int a = 0; a < d; a++) square += y[a * BF_LANES] * y[a * BF_LANES];
  return sqrt(square);
}

static void ball_apply(const BfLayer *layer, double *y) {
  for (int l = 0; l < BF_LANES; l++) {
    const double scale = fmax(1, length(layer->dim, y + l) / 2);
    for (int a = 0; a < layer->dim; a++) y[a * BF_LANES + l] /= scale;
  }
}

/* (2/|y|) (lambda - <lambda, n> n), n = y / |y|, outside. */
static void ball_transposed(const BfLayer *layer, const double *y, double *lambda) {
  for (int l = 0; l < BF_LANES; l++) {
    const double size  = length(layer->dim, y + l);
    double       along = 0;
    if (size <= 2) continue;
    for (int i = l; i < layer->dim * BF_LANES; i += BF_LANES) along += lambda[i] * y[i] / size;
    for (int i = l; i < layer->dim * BF_LANES; i += BF_LANES) lambda[i] = 2 / size * (lambda[i] - along * y[i] / size);
  }
}

const BfProjection ball = {.base = {.name = "ball"}, .apply = ball_apply, .transposed = ball_transposed};

double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(*seed >> 11) * 0x1p-52 - 1;
}

double *doubles(int64_t n) {
  BfError error = {0};
  double *x     = bf_calloc(n, sizeof *x, &error);
  assert_non_null(x);
  return x;
}

BfLayer make_layer(const LayerCase *c, int positions, double size, uint64_t *seed) {
  BfLayer layer = {.dim        = c->dim,
                   .heads      = c->heads,
                   .residual   = c->residual,
                   .step       = 0.5,
                   .beta       = c->beta,
                   .mask       = c->mask,
                   .norm       = c->norm,
                   .projection = c->projection,
                   .activation = c->activation ? bf_activation(c->activation) : NULL,
                   .width      = c->width,
                   .positions  = positions,
                   .encoding   = positions ? doubles((int64_t)positions * c->dim) : NULL};
  BfError error = {0};
  double *lower = doubles(c->dim), *upper = doubles(c->dim);
  for (int a = 0; a < c->dim; a++) {
    lower[a] = -1.1 * size - 0.01 * a;
    upper[a] = size;
  }
  layer.lower = lower;
  layer.upper = upper;
  for (int i = 0; i < positions * c->dim; i++) layer.encoding[i] = 0.5 * uniform(seed);
  assert_int_equal(bf_layer_matrices(&layer, &error), BF_OK);
  assert_int_equal(bf_layer_place(&layer, &error), BF_OK);
  return layer;
}

static const double *matrix(const BfLayer *layer, const Tokens *x, const char *name, int h) {
  char full[BF_MATRIX_NAME];
  snprintf(full, sizeof full, h < 0 ? "%s" : "%s_%d", name, h);
  for (int m = 0; m < layer->matrices; m++)
    if (!strcmp(layer->matrix[m].name, full)) return x->parameters + layer->matrix[m].at;
  fail_msg("no matrix %s", full);
  return NULL;
}

/* Component a of N(z) of token i. */
static double seen(const BfLayer *layer, const Tokens *x, int i, int a) {
  const int     d    = layer->dim;
  const double *z    = x->z + i * d;
  long double   mean = 0, square = 0;
  if (layer->norm == &bf_norm_none) return z[a];
  for (int b = 0; layer->norm == &bf_norm_layer && b < d; b++) mean += (long double)z[b] / d;
  for (int b = 0; b < d; b++) square += (z[b] - mean) * (z[b] - mean) / d;
  return (double)((z[a] - mean) / sqrtl(square + 1e-5L));
}

static double encoded(const BfLayer *layer, const Tokens *x, int i, int a) {
  return seen(layer, x, i, a) + (layer->encoding ? layer->encoding[x->position[i] * layer->dim + a] : 0);
}

static double logit(const BfLayer *layer, const Tokens *x, const double *A, int i, int j) {
  double sum = 0;
  for (int a = 0; a < layer->dim; a++)
    for (int b = 0; b < layer->dim; b++)
      sum += encoded(layer, x, i, a) * A[a * layer->dim + b] * encoded(layer, x, j, b);
  return layer->beta * sum;
}

/* Att_h of token i, added to v. */
static void attend(const BfLayer *layer, const Tokens *x, int h, int i, double v[]) {
  const int     d = layer->dim;
  const double *A = matrix(layer, x, "A", h), *V = matrix(layer, x, "V", h);
  double        k[MOST_TOKENS], most = -INFINITY, sum = 0, mean[BF_MOST_DIM] = {0};
  for (int j = 0; j < x->n; j++) {
    k[j] = layer->mask == BF_MASK_FULL || x->position[j] <= x->position[i] ? logit(layer, x, A, i, j) : -INFINITY;
    most = fmax(most, k[j]);
  }
  for (int j = 0; j < x->n; j++) {
    k[j] = exp(k[j] - most) * x->mass[j];
    sum += k[j];
    for (int a = 0; a < d; a++) mean[a] += k[j] * seen(layer, x, j, a);
  }
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) v[a] += V[a * d + b] * mean[b] / sum;
}

static double sigma(const char *name, double x) {
  if (!strcmp(name, "tanh")) return tanh(x);
  return strcmp(name, "relu") ? x * 0.5 * (1 + erf(x / sqrt(2))) : x > 0 ? x : 0;
}

static void feed_forward(const BfLayer *layer, const Tokens *x, int i, double v[]) {
  const int     d = layer->dim, w = layer->width;
  const double *W1 = matrix(layer, x, "W1", -1), *b1 = matrix(layer, x, "b1", -1);
  const double *W2 = matrix(layer, x, "W2", -1), *b2 = matrix(layer, x, "b2", -1);
  for (int u = 0; u < w; u++) {
    double y = b1[u];
    for (int a = 0; a < d; a++) y += W1[u * d + a] * seen(layer, x, i, a);
    for (int a = 0; a < d; a++) v[a] += W2[a * w + u] * sigma(bf_activation_name(layer->activation), y);
  }
  for (int a = 0; a < d; a++) v[a] += b2[a];
}

void plain_velocity(const BfLayer *layer, const Tokens *x, int i, double v[]) {
  for (int a = 0; a < layer->dim; a++) v[a] = 0;
  for (int h = 0; h < layer->heads; h++) attend(layer, x, h, i, v);
  if (layer->activation) feed_forward(layer, x, i, v);
}

void plain_image(const BfLayer *layer, const Tokens *x, int i, double next[]) {
  const int   d = layer->dim;
  double      v[BF_MOST_DIM];
  long double square = 0; /* its exponents hold the square of any double */
  plain_velocity(layer, x, i, v);
  for (int a = 0; a < d; a++) {
    next[a] = layer->residual * x->z[i * d + a] + layer->step * v[a];
    square += (long double)next[a] * next[a];
  }
  for (int a = 0; a < d; a++) {
    if (layer->projection == &ball && square > 4) next[a] = (double)(2 * next[a] / sqrtl(square));
    if (layer->projection == &bf_project_sphere) next[a] = (double)(next[a] / sqrtl(square));
    if (layer->projection == &bf_project_clip) next[a] = fmin(fmax(next[a], layer->lower[a]), layer->upper[a]);
  }
}
