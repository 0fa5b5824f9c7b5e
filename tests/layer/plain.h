/* A layer by its definition, in plain loops over the tokens of one lane: what the tests compare with, and the layers
 * that they make. */
#pragma once
#include "bellformer/layer.h"

enum { MOST_TOKENS = 32 };

/* What every case of a layer says. */
typedef struct {
  int                 dim, heads;
  double              residual, beta;
  BfMask              mask;
  const BfProjection *projection;
  const char         *activation; /* or NULL */
  int                 width;
  const BfNorm       *norm; /* NULL: none */
} LayerCase;

/* P(y) = y / max(1, |y| / 2), onto the ball of radius 2: neither a box nor the sphere, so that kernels call it. */
extern const BfProjection ball;

/* In [-1, 1). */
double uniform(uint64_t *seed);
/* Zeroed, 64-byte aligned, for bf_free; ends the test where there is no memory. */
double *doubles(int64_t n);
/* eps = 1/2; Z about [-size, size]; a random e_p for so many positions, or none. For bf_layer_clear. */
BfLayer make_layer(const LayerCase *c, int positions, double size, uint64_t *seed);

/* Tokens of one lane, and the parameters that it has. */
typedef struct {
  int           n;
  double        z[MOST_TOKENS * BF_MOST_DIM]; /* [n][dim] */
  int           position[MOST_TOKENS];
  double        mass[MOST_TOKENS];
  const double *parameters; /* [layer->parameters] */
} Tokens;

/* v of token i, [dim]. */
void plain_velocity(const BfLayer *layer, const Tokens *x, int i, double v[]);
/* P(r z + eps v) of token i, [dim]. */
void plain_image(const BfLayer *layer, const Tokens *x, int i, double next[]);
