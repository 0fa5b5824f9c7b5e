/* What the velocity and its transposed products share: how a block's tokens are seen as queries and as keys. Included only by
 * kernels that are compiled once for each instruction set. `d` and `spread` are passed as constants, so that loops unroll. */
#pragma once
#include "layer/kernels.h"
#include "layer/lanes.h"

typedef BfLane BfLoose __attribute__((aligned(8))); /* in arrays of others: PETSc aligns vectors to 16 bytes */

typedef struct {
  BfLane *s;             /* [rows][d] z + e_p, as queries */
  BfLane *v;             /* [rows][d] the layer's velocity */
  BfLane *lambda;        /* [rows][d] its cotangent */
  BfLane *logit, *t;     /* [tokens] of one query */
  BfLane *by_y;          /* [tokens][d] cotangents of keys y = beta A s ... */
  BfLane *seen;          /* [tokens][d] ... and sum over queries of (attention weight) lambda */
  BfLane *hidden;        /* [3][width] of the feed-forward part */
  BfLane *by_parameters; /* [parameters] */
  double *y, *sk, *zk;   /* [tokens][d] keys: numbers where spread, else in lanes */
} BfVelocityWork;

/* As bf_velocity_work counts. */
BF_INLINE BfVelocityWork velocity_work(const BfLayer *layer, const BfBlock *block, double *work) {
  const int64_t  row = (int64_t)block->rows * layer->dim, key = (int64_t)block->tokens * layer->dim;
  BfVelocityWork w;
  w.s             = (BfLane *)work;
  w.v             = w.s + row;
  w.lambda        = w.v + row;
  w.logit         = w.lambda + row;
  w.t             = w.logit + block->tokens;
  w.by_y          = w.t + block->tokens;
  w.seen          = w.by_y + key;
  w.hidden        = w.seen + key;
  w.by_parameters = w.hidden + 3 * (int64_t)layer->width;
  w.y             = (double *)(w.by_parameters + layer->parameters);
  w.sk            = w.y + key * BF_LANES;
  w.zk            = w.sk + key * BF_LANES;
  return w;
}

/* Component i of the keys. */
BF_INLINE BfLane key_at(const int spread, const double *keys, int64_t i) {
  return spread ? lane_set(keys[i]) : ((const BfLane *)keys)[i];
}

/* y = M x and y += M^T x with one matrix for all lanes; M [rows][cols]. */
BF_INLINE void multiply(const int rows, const int cols, const double *M, const BfLane *x, BfLane *y) {
  for (int a = 0; a < rows; a++) {
    BfLane sum = lane_set(M[a * cols]) * x[0];
    for (int b = 1; b < cols; b++) sum += lane_set(M[a * cols + b]) * x[b];
    y[a] = sum;
  }
}

BF_INLINE void multiply_transposed(const int rows, const int cols, const double *M, const BfLane *x, BfLane *y) {
  for (int a = 0; a < rows; a++)
    for (int b = 0; b < cols; b++) y[b] += lane_set(M[a * cols + b]) * x[a];
}

/* s = z + e_p of all tokens; where spread also s and z as keys. Else keys are the queries, and z is copied for its alignment. */
BF_INLINE void velocity_encode(const int d, const int spread, const BfLayer *layer, const BfBlock *block, const BfLoose *z,
                               const BfVelocityWork *w) {
  for (int i = 0; i < block->rows; i++)
    for (int a = 0; a < d; a++) {
      BfLane e = lane_set(0.0);
      for (int l = 0; layer->encoding && l < BF_LANES; l++) e[l] = layer->encoding[block->position[i * BF_LANES + l] * d + a];
      w->s[i * d + a] = layer->encoding ? z[i * d + a] + e : z[i * d + a];
    }
  if (!spread) {
    memcpy(w->zk, z, sizeof(BfLane) * (size_t)block->tokens * (size_t)d);
    memcpy(w->sk, w->s, sizeof(BfLane) * (size_t)block->tokens * (size_t)d);
    return;
  }
  for (int j = 0; j < block->tokens; j++)
    for (int a = 0; a < d; a++) {
      const int at = (j / BF_LANES) * d + a, l = j % BF_LANES;
      w->zk[j * d + a] = z[at][l];
      w->sk[j * d + a] = w->s[at][l];
    }
}

/* y = beta A s of all keys. */
BF_INLINE void velocity_keys(const int d, const int spread, const BfLayer *layer, const BfBlock *block, const double *A,
                             const BfVelocityWork *w) {
  for (int j = 0; j < block->tokens; j++) {
    if (!spread) {
      BfLane *y = (BfLane *)w->y + j * d;
      multiply(d, d, A, (const BfLane *)w->sk + j * d, y);
      for (int a = 0; a < d; a++) y[a] *= lane_set(layer->beta);
    } else {
      for (int a = 0; a < d; a++) {
        double sum = 0;
        for (int b = 0; b < d; b++) sum += A[a * d + b] * w->sk[j * d + b];
        w->y[j * d + a] = layer->beta * sum;
      }
    }
  }
}

/* How many keys, from the first, some lane of row i may see. */
BF_INLINE int velocity_visible(const int spread, const BfLayer *layer, const BfBlock *block, int i) {
  int n = block->tokens, most = block->position[i * BF_LANES];
  if (layer->mask == BF_MASK_FULL) return n;
  for (int l = 1; l < BF_LANES; l++)
    if (block->position[i * BF_LANES + l] > most) most = block->position[i * BF_LANES + l];
  while (n > 1 && block->position[(n - 1) * (spread ? 1 : BF_LANES)] > most) n--;
  return n;
}

/* The logits of row i with the first n keys, and their maximum; -DBL_MAX where the mask forbids. */
BF_INLINE BfLane velocity_logits(const int d, const int spread, const BfLayer *layer, const BfBlock *block, int i, int n,
                                 const BfVelocityWork *w) {
  const BfLane *s    = w->s + i * d;
  BfLane        max  = lane_set(-DBL_MAX);
  const int     mask = spread && layer->mask == BF_MASK_CAUSAL;
  BfLaneInt     own  = {0};
  for (int l = 0; mask && l < BF_LANES; l++) own[l] = block->position[i * BF_LANES + l];
  for (int j = 0; j < n; j++) {
    BfLane dot = s[0] * key_at(spread, w->y, j * d);
    for (int a = 1; a < d; a++) dot += s[a] * key_at(spread, w->y, j * d + a);
    if (mask) {
      const int64_t   p     = block->position[j];
      const BfLaneInt sees  = (BfLaneInt){p, p, p, p, p, p, p, p} <= own;
      dot = (BfLane)(((BfLaneInt)dot & sees) | ((BfLaneInt)lane_set(-DBL_MAX) & ~sees));
    }
    w->logit[j] = dot;
    max         = lane_max(dot, max);
  }
  return max;
}

/* The cases of d and spread that are compiled apart. */
#define BF_VELOCITY_CASE(d, name, ...) case d: if (block->spread) name(d, 1, __VA_ARGS__); else name(d, 0, __VA_ARGS__); break
#define BF_VELOCITY_CASES(name, ...)                                                                                                 \
  switch (layer->dim) {                                                                                                              \
    BF_VELOCITY_CASE(1, name, __VA_ARGS__);                                                                                          \
    BF_VELOCITY_CASE(2, name, __VA_ARGS__);                                                                                          \
    BF_VELOCITY_CASE(3, name, __VA_ARGS__);                                                                                          \
    BF_VELOCITY_CASE(4, name, __VA_ARGS__);                                                                                          \
    BF_VELOCITY_CASE(8, name, __VA_ARGS__);                                                                                          \
    BF_VELOCITY_CASE(16, name, __VA_ARGS__);                                                                                         \
  default:                                                                                                                           \
    if (block->spread) name(layer->dim, 1, __VA_ARGS__);                                                                             \
    else name(layer->dim, 0, __VA_ARGS__);                                                                                           \
  }

/* Attention of row i over its first n keys: v += V mean. */
BF_INLINE void velocity_attend(const int d, const int spread, const BfLayer *layer, const BfBlock *block, const double *V, int i,
                               const BfVelocityWork *w) {
  const int    n   = velocity_visible(spread, layer, block, i);
  const BfLane max = velocity_logits(d, spread, layer, block, i, n, w);
  BfLane       den = lane_set(0.0), mean[BF_MOST_DIM], out[BF_MOST_DIM];
  for (int a = 0; a < d; a++) mean[a] = lane_set(0.0);
  for (int j = 0; j < n; j++) {
    const BfLane e = lane_exp(w->logit[j] - max);
    den += e;
    for (int a = 0; a < d; a++) mean[a] += e * key_at(spread, w->zk, j * d + a);
  }
  for (int a = 0; a < d; a++) mean[a] /= den;
  multiply(d, d, V, mean, out);
  for (int a = 0; a < d; a++) w->v[i * d + a] += out[a];
}

/* h = W1 z + b1 of a row. */
BF_INLINE void velocity_hidden(const int d, const BfLayer *layer, const double *parameter, const BfLoose *z, BfLane *h) {
  const BfMatrix *m  = layer->matrix + 2 * layer->heads;
  const double   *W1 = parameter + m[0].at, *b1 = parameter + m[1].at;
  for (int k = 0; k < layer->width; k++) {
    h[k] = lane_set(b1[k]);
    for (int a = 0; a < d; a++) h[k] += lane_set(W1[k * d + a]) * z[a];
  }
}

/* v += W2 sigma(h) + b2. */
BF_INLINE void velocity_feedforward(const int d, const BfLayer *layer, const double *parameter, const BfLoose *z, BfLane *v, BfLane *h) {
  const BfMatrix *m  = layer->matrix + 2 * layer->heads;
  const double   *W2 = parameter + m[2].at, *b2 = parameter + m[3].at;
  velocity_hidden(d, layer, parameter, z, h);
  bf_activate(layer->activation, (double *)h, layer->width);
  for (int a = 0; a < d; a++) {
    BfLane sum = lane_set(b2[a]);
    for (int k = 0; k < layer->width; k++) sum += lane_set(W2[a * layer->width + k]) * h[k];
    v[a] += sum;
  }
}

/* The layer's velocity v of all rows into w->v, with w->s and the keys of the last head left there. */
BF_INLINE void velocity_layer(const int d, const int spread, const BfLayer *layer, const BfBlock *block, const double *parameter,
                              const BfLoose *z, const BfVelocityWork *w) {
  velocity_encode(d, spread, layer, block, z, w);
  for (int i = 0; i < block->rows * d; i++) w->v[i] = lane_set(0.0);
  for (int h = 0; h < layer->heads; h++) {
    const double *A = parameter + layer->matrix[2 * h].at, *V = parameter + layer->matrix[2 * h + 1].at;
    velocity_keys(d, spread, layer, block, A, w);
    for (int i = 0; i < block->rows; i++) velocity_attend(d, spread, layer, block, V, i, w);
  }
  for (int i = 0; layer->activation && i < block->rows; i++)
    velocity_feedforward(d, layer, parameter, z + i * d, w->v + i * d, w->hidden);
}

/* <x, y>, and 1 / |z|^2 with 0 for the origin, which has no direction. */
BF_INLINE BfLane velocity_dot(const int d, const BfLoose *x, const BfLoose *y) {
  BfLane sum = x[0] * y[0];
  for (int a = 1; a < d; a++) sum += x[a] * y[a];
  return sum;
}

BF_INLINE BfLane velocity_inverse_square(const int d, const BfLoose *z) {
  const BfLane    square = velocity_dot(d, z, z);
  const BfLaneInt there  = square > lane_set(0.0);
  return (BfLane)((BfLaneInt)(lane_set(1.0) / square) & there);
}
