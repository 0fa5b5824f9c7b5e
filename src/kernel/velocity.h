/* What the velocity and its transposed products share: how a block's tokens are seen as queries and as keys. Included
 * only by kernels that are compiled once for each instruction set. `d` and `layout` are passed as constants, so that
 * loops unroll. */
#pragma once
#include "kernel/kernels.h"
#include "kernel/lanes.h"

typedef BfPart BfPartLoose __attribute__((aligned(8)));

enum {
  VELOCITY_ROWS = 4
}; /* of queries at once: so many share what is loaded of the keys, which are beyond L1 where d N is large */

/* A call: what it is given, and its work. */
typedef struct {
  const BfFlatLayer *layer;
  const BfBlock     *block;
  const double      *parameters;
  BfLane            *s;             /* [rows][d] N(z) + e_p, as queries */
  BfLane            *v;             /* [rows][d] the layer's velocity */
  BfLane            *lambda;        /* [rows][d] its cotangent */
  BfLane            *logit, *t;     /* [ROWS][tokens] of some queries */
  BfLane            *by_y;          /* [tokens][d] cotangents of keys y = beta A s ... */
  BfLane            *seen;          /* [tokens][d] ... and sum over queries of (attention weight) lambda */
  double            *term;          /* work of terms */
  BfLane            *by_parameters; /* [parameters] */
  double            *y;             /* [tokens][d] keys beta A s: numbers where lanes are tokens, else in lanes */
  const double      *sk, *zk;       /* s and N(z) as keys */
  double  *copy; /* [2][tokens][d] these: as numbers where lanes are tokens; else N(z) alone, for its alignment */
  BfLane  *normed, *by_normed; /* [rows][d] N(z) and its cotangent, where there is a norm */
  BfLoose *by_x;               /* [rows][d] the cotangent of N(z) under way */
} BfVelocityWork;

/* As bf_velocity_work counts. */
BF_INLINE BfVelocityWork velocity_work(const BfFlatLayer *layer, const BfBlock *block, const double *parameters,
                                       double *work) {
  const int64_t  row = (int64_t)block->rows * layer->dim, key = (int64_t)block->tokens * layer->dim;
  BfVelocityWork w;
  w.layer         = layer;
  w.block         = block;
  w.parameters    = parameters;
  w.s             = (BfLane *)work;
  w.v             = w.s + row;
  w.lambda        = w.v + row;
  w.logit         = w.lambda + row;
  w.t             = w.logit + VELOCITY_ROWS * (int64_t)block->tokens;
  w.by_y          = w.t + VELOCITY_ROWS * (int64_t)block->tokens;
  w.seen          = w.by_y + key;
  w.by_parameters = w.seen + key;
  w.y             = (double *)(w.by_parameters + layer->parameters);
  w.copy          = w.y + key * BF_LANES;
  w.normed        = (BfLane *)(w.copy + key * BF_LANES);
  w.by_normed     = w.normed + row;
  w.term          = (double *)(w.normed + (layer->normalize ? 2 * row : 0));
  return w;
}

/* Component i of the keys. */
BF_INLINE BfLane key_at(const BfLayout layout, const double *keys, int64_t i) {
  return layout == BF_LANES_OF_TOKENS ? lane_set(keys[i]) : ((const BfLane *)keys)[i];
}

/* A part of that. */
BF_INLINE BfPart key_part(const BfLayout layout, const double *keys, int64_t i, int p) {
  return layout == BF_LANES_OF_TOKENS ? part_set(keys[i]) : part_of((const BfLane *)keys + i, p);
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

/* N(z) of all tokens, which queries, keys, values and the feed-forward part see; z itself where there is no norm. */
BF_INLINE const BfLoose *velocity_normalize(const int d, const BfLoose *z, const BfVelocityWork *w) {
  if (!w->layer->normalize) return z;
  for (int i = 0; i < w->block->rows; i++)
    w->layer->normalize(d, (const double *)(z + i * d), (double *)(w->normed + i * d));
  return (const BfLoose *)w->normed;
}

/* N(z), which it returns, and s = N(z) + e_p of all tokens, as queries and as keys. */
BF_INLINE const BfLoose *velocity_encode(const int d, const BfLayout layout, const BfLoose *z, BfVelocityWork *w) {
  const BfFlatLayer *layer = w->layer;
  const BfBlock     *block = w->block;
  const BfLoose     *x     = velocity_normalize(d, z, w);
  for (int i = 0; i < block->rows; i++)
    for (int a = 0; a < d; a++) {
      BfLane e = lane_set(0.0);
      for (int l = 0; layer->encoding && l < BF_LANES; l++)
        e[l] = layer->encoding[block->position[i * BF_LANES + l] * d + a];
      w->s[i * d + a] = layer->encoding ? x[i * d + a] + e : x[i * d + a];
    }
  w->zk = w->copy;
  w->sk = layout == BF_LANES_OF_TOKENS ? w->copy + (int64_t)block->tokens * d : (const double *)w->s;
  if (layout == BF_LANES_OF_SEQUENCES) memcpy(w->copy, x, sizeof(BfLane) * (size_t)block->tokens * (size_t)d);
  for (int j = 0; layout == BF_LANES_OF_TOKENS && j < block->tokens; j++)
    for (int a = 0; a < d; a++) {
      const int at = (j / BF_LANES) * d + a, l = j % BF_LANES;
      w->copy[j * d + a]                   = x[at][l];
      w->copy[(block->tokens + j) * d + a] = w->s[at][l];
    }
  return x;
}

/* y = beta A s of all keys. */
BF_INLINE void velocity_keys(const int d, const BfLayout layout, const double *A, const BfVelocityWork *w) {
  const double beta = w->layer->beta;
  for (int j = 0; j < w->block->tokens; j++) {
    if (layout == BF_LANES_OF_SEQUENCES) {
      BfLane *y = (BfLane *)w->y + j * d;
      multiply(d, d, A, w->s + j * d, y);
      for (int a = 0; a < d; a++) y[a] *= lane_set(beta);
    } else {
      for (int a = 0; a < d; a++) {
        double sum = 0;
        for (int b = 0; b < d; b++) sum += A[a * d + b] * w->sk[j * d + b];
        w->y[j * d + a] = beta * sum;
      }
    }
  }
}

/* How many keys, from the first, some lane of row i may see. */
BF_INLINE int velocity_visible(const BfLayout layout, const BfFlatLayer *layer, const BfBlock *block, int i) {
  int n = block->tokens, most = block->position[i * BF_LANES];
  if (layer->mask == BF_MASK_FULL) return n;
  for (int l = 1; l < BF_LANES; l++)
    if (block->position[i * BF_LANES + l] > most) most = block->position[i * BF_LANES + l];
  while (n > 1 && block->position[(n - 1) * (layout == BF_LANES_OF_TOKENS ? 1 : BF_LANES)] > most) n--;
  return n;
}

/* out[r * stride + j] = <x_r, key_j> of `rows` rows with the first n keys. */
BF_INLINE void velocity_dots(const int d, const BfLayout layout, const int rows, const BfLane *x, const double *keys,
                             int n, int stride, BfLane *out) {
  for (int p = 0; p < BF_PARTS; p++)
    for (int j = 0; j < n; j++)
      for (int r = 0; r < rows; r++) {
        BfPart dot = part_of(&x[r * d], p) * key_part(layout, keys, j * d, p);
        for (int a = 1; a < d; a++) dot += part_of(&x[r * d + a], p) * key_part(layout, keys, j * d + a, p);
        part_put(&out[r * stride + j], p, dot);
      }
}

/* -DBL_MAX for the logits of row i that the causal mask forbids. */
BF_INLINE void velocity_mask(const BfLayout layout, const BfBlock *block, int i, int n, BfLane *logit) {
  BfLaneInt own = {0};
  for (int l = 0; l < BF_LANES; l++) own[l] = block->position[i * BF_LANES + l];
  for (int j = 0; j < n; j++) {
    const int64_t   p    = block->position[j * (layout == BF_LANES_OF_TOKENS ? 1 : BF_LANES)];
    const BfLaneInt sees = (BfLaneInt){p, p, p, p, p, p, p, p} <= own;
    logit[j]             = (BfLane)(((BfLaneInt)logit[j] & sees) | ((BfLaneInt)lane_set(-DBL_MAX) & ~sees));
  }
}

/* Logits of `rows` rows from i with the keys that the last of them sees, at w->logit[r * tokens + j], replaced by
 * exp(logit - their maximum). den [rows]: the sums of these. Returns the number of keys. */
BF_INLINE int velocity_weights(const int d, const BfLayout layout, const int rows, int i, const BfVelocityWork *w,
                               BfLane *den) {
  const BfFlatLayer *layer = w->layer;
  const BfBlock     *block = w->block;
  const int          n     = velocity_visible(layout, layer, block, i + rows - 1);
  velocity_dots(d, layout, rows, w->s + i * d, w->y, n, block->tokens, w->logit);
  for (int r = 0; r < rows; r++) {
    BfLane *logit = w->logit + r * block->tokens;
    if (layer->mask == BF_MASK_CAUSAL) velocity_mask(layout, block, i + r, n, logit);
    for (int p = 0; p < BF_PARTS; p++) {
      BfPart max = part_set(-DBL_MAX), sum = part_set(0.0);
      for (int j = 0; j < n; j++) max = part_max(part_of(&logit[j], p), max);
      for (int j = 0; j < n; j++) {
        const BfPart e = part_exp(part_of(&logit[j], p) - max);
        part_put(&logit[j], p, e);
        sum += e;
      }
      part_put(&den[r], p, sum);
    }
  }
  return n;
}

/* The cases of d and layout that are compiled apart; without vectors of four doubles or more nothing is gained by it.
 */
#define BF_VELOCITY_CASE(d, name, ...)                                                                                 \
  do {                                                                                                                 \
    if (block->layout == BF_LANES_OF_TOKENS) name(d, BF_LANES_OF_TOKENS, __VA_ARGS__);                                 \
    else name(d, BF_LANES_OF_SEQUENCES, __VA_ARGS__);                                                                  \
  } while (0)
#if defined(__AVX2__) && !defined(BF_FEW_CASES)
#define BF_VELOCITY_CASES(name, ...)                                                                                   \
  switch (layer->dim) {                                                                                                \
  case 1:                                                                                                              \
    BF_VELOCITY_CASE(1, name, __VA_ARGS__);                                                                            \
    break;                                                                                                             \
  case 2:                                                                                                              \
    BF_VELOCITY_CASE(2, name, __VA_ARGS__);                                                                            \
    break;                                                                                                             \
  case 3:                                                                                                              \
    BF_VELOCITY_CASE(3, name, __VA_ARGS__);                                                                            \
    break;                                                                                                             \
  default:                                                                                                             \
    BF_VELOCITY_CASE(layer->dim, name, __VA_ARGS__);                                                                   \
  }
#else
#define BF_VELOCITY_CASES(name, ...) BF_VELOCITY_CASE(layer->dim, name, __VA_ARGS__)
#endif

/* Components a .. a + count - 1 of sum over n keys of weight z, for `rows` rows: sum[r * d + a]. */
BF_INLINE void velocity_sums(const int d, const BfLayout layout, const int rows, const int count, int a, int n,
                             const BfVelocityWork *w, BfLane *sum) {
  const int tokens = w->block->tokens;
  for (int p = 0; p < BF_PARTS; p++) {
    BfPart part[VELOCITY_ROWS][4];
    for (int r = 0; r < rows; r++)
      for (int b = 0; b < count; b++) part[r][b] = part_set(0.0);
    for (int j = 0; j < n; j++)
      for (int b = 0; b < count; b++) {
        const BfPart z = key_part(layout, w->zk, j * d + a + b, p);
        for (int r = 0; r < rows; r++) part[r][b] += part_of(&w->logit[r * tokens + j], p) * z;
      }
    for (int r = 0; r < rows; r++)
      for (int b = 0; b < count; b++) part_put(&sum[r * d + a + b], p, part[r][b]);
  }
}

/* Attention of `rows` rows from i: v += V mean. */
BF_INLINE void velocity_attend(const int d, const BfLayout layout, const int rows, const double *V, int i,
                               const BfVelocityWork *w) {
  BfLane    den[VELOCITY_ROWS], mean[VELOCITY_ROWS * BF_MOST_DIM], out[BF_MOST_DIM];
  const int n = velocity_weights(d, layout, rows, i, w, den), rest = d % 4;
  for (int a = 0; a + 4 <= d; a += 4) velocity_sums(d, layout, rows, 4, a, n, w, mean);
  if (rest == 1) velocity_sums(d, layout, rows, 1, d - 1, n, w, mean);
  if (rest == 2) velocity_sums(d, layout, rows, 2, d - 2, n, w, mean);
  if (rest == 3) velocity_sums(d, layout, rows, 3, d - 3, n, w, mean);
  for (int r = 0; r < rows; r++) {
    for (int b = 0; b < d; b++) mean[r * d + b] /= den[r];
    multiply(d, d, V, mean + r * d, out);
    for (int b = 0; b < d; b++) w->v[(i + r) * d + b] += out[b];
  }
}

/* All rows of a block, x = N(z). */
BF_INLINE BfPoints velocity_points(const BfLoose *z, const BfLoose *x, const BfVelocityWork *w) {
  return (BfPoints){w->parameters, 1, w->block->rows, (const double *)z, (const double *)x, w->term};
}

/* The layer's velocity v of all rows into w->v, with w->s and the keys of the last head left there; returns N(z). */
BF_INLINE const BfLoose *velocity_layer(const int d, const BfLayout layout, const BfLoose *z, BfVelocityWork *w) {
  const int      rows = w->block->rows;
  const BfLoose *x    = velocity_encode(d, layout, z, w);
  for (int i = 0; i < rows * d; i++) w->v[i] = lane_set(0.0);
  for (int h = 0; h < w->layer->heads; h++) {
    const double *A = w->parameters + bf_flat_A(w->layer, d, h), *V = w->parameters + bf_flat_V(w->layer, d, h);
    velocity_keys(d, layout, A, w);
    int i = 0;
    for (; i + VELOCITY_ROWS <= rows; i += VELOCITY_ROWS) velocity_attend(d, layout, VELOCITY_ROWS, V, i, w);
    for (; i < rows; i++) velocity_attend(d, layout, 1, V, i, w);
  }
  const BfPoints points = velocity_points(z, x, w);
  if (w->layer->terms) w->layer->add_terms(w->layer->of, &points, (double *)w->v);
  return x;
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
