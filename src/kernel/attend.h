/* The steps of a layer, in lanes: the arithmetic that the direct evaluations (apply.c, alone.c) and the tables of the
 * full space share, so that all give the same bits. `d` is passed as a constant where it is small, so that loops over
 * it unroll.
 */
#pragma once
#include "kernel/flat.h"
#include "kernel/lanes.h"

/* y = A s. matrix: [d][d] in lanes. */
BF_INLINE void lane_matvec(const int d, const BfLane *matrix, const BfLane *s, BfLane *y) {
  for (int a = 0; a < d; a++) {
    BfLane sum = matrix[a * d] * s[0];
    for (int b = 1; b < d; b++) sum += matrix[a * d + b] * s[b];
    y[a] = sum;
  }
}

/* beta <s, y>, kept finite so that differences of logits exist. */
BF_INLINE BfLane lane_logit(const int d, double beta, const BfLane *s, const BfLane *y) {
  BfLane dot = s[0] * y[0];
  for (int a = 1; a < d; a++) dot += s[a] * y[a];
  const BfLane big = lane_set(0x1p1022);
  return lane_min(lane_max(lane_set(beta) * dot, -big), big);
}

/* sum + x, `times` times: the bits of that many atoms one by one, up to BF_MOST_REPEATED; a product beyond. */
BF_INLINE BfLane lane_add_times(BfLane sum, BfLane x, int times) {
  if (times > BF_MOST_REPEATED) return sum + lane_set((double)times) * x;
  for (int k = 0; k < times; k++) sum += x;
  return sum;
}

/* What a query token sees of one tag: the largest logit of its atoms, and with weights exp(logit - max) the number of
 * atoms and the sum of z'. */
typedef struct {
  BfLane max, weight;
} BfTagSight;

/* times: [atoms] how many each stands for, or NULL: one. */
BF_INLINE BfTagSight lane_sight(const int d, int atoms, const int *times, const BfLane *logit, const BfLane *z,
                                BfLane *sum) {
  BfTagSight sight = {logit[0], lane_set(0.0)};
  for (int j = 1; j < atoms; j++) sight.max = lane_max(logit[j], sight.max);
  for (int a = 0; a < d; a++) sum[a] = lane_set(0.0);
  for (int j = 0; j < atoms; j++) {
    const BfLane e = lane_exp(logit[j] - sight.max);
    const int    n = times ? times[j] : 1;
    if (n == 1) {
      sight.weight += e;
      for (int a = 0; a < d; a++) sum[a] += e * z[j * d + a];
      continue;
    }
    sight.weight = lane_add_times(sight.weight, e, n);
    for (int a = 0; a < d; a++) sum[a] = lane_add_times(sum[a], e * z[j * d + a], n);
  }
  return sight;
}

/* v += V (mean) with mean = num / den. */
BF_INLINE void lane_add_head(const int d, const BfLane *V, const BfLane *num, BfLane den, BfLane *v) {
  BfLane mean[BF_MOST_DIM], out[BF_MOST_DIM];
  for (int a = 0; a < d; a++) mean[a] = num[a] / den;
  lane_matvec(d, V, mean, out);
  for (int a = 0; a < d; a++) v[a] += out[a];
}

/* v = the sum of all terms of single tokens, at these: added by itself, so that a table of it by cells gives the same
 * bits. Returns 0, and leaves v, where there are none. */
BF_INLINE int lane_terms(const int d, const BfFlatLayer *layer, const BfPoints *points, BfLane *v) {
  for (int i = 0; layer->terms && i < points->rows * d; i++) v[i] = lane_set(0.0);
  if (layer->terms) layer->add_terms(layer->of, points, (double *)v);
  return layer->terms;
}

/* z / |z| of one lane where |z|^2 is beyond, or near the end of, what a double holds: scaled first. What is infinite
 * counts as the largest double. The origin, which has no direction, stays. */
static inline void lane_normalize_far(const int d, BfLane *z, int l) {
  double most = 0, norm2 = 0;
  for (int a = 0; a < d; a++) {
    if (!(z[a][l] < DBL_MAX)) z[a][l] = z[a][l] != z[a][l] ? 0 : DBL_MAX;
    if (z[a][l] < -DBL_MAX) z[a][l] = -DBL_MAX;
    const double size = __builtin_fabs(z[a][l]);
    most              = size > most ? size : most;
  }
  if (most == 0) return;
  for (int a = 0; a < d; a++) {
    z[a][l] /= most;
    norm2 += z[a][l] * z[a][l];
  }
  for (int a = 0; a < d; a++) z[a][l] /= __builtin_sqrt(norm2);
}

/* z = P(z). */
BF_INLINE void lane_project(const int d, const BfFlatLayer *layer, BfLane *z) {
  BfLane norm2 = lane_set(0.0);
  if (layer->clips) {
    for (int a = 0; a < d; a++) z[a] = lane_max(lane_min(z[a], lane_set(layer->upper[a])), lane_set(layer->lower[a]));
    return;
  }
  if (layer->project) {
    layer->project(layer->of, (double *)z);
    return;
  }
  for (int a = 0; a < d; a++) norm2 += z[a] * z[a];
  for (int l = 0; l < BF_LANES; l++) {
    if (!(norm2[l] > 1e-280 && norm2[l] < 1e300)) lane_normalize_far(d, z, l);
    else
      for (int a = 0; a < d; a++) z[a][l] /= __builtin_sqrt(norm2[l]);
  }
}

/* next = P(r z + eps v). */
BF_INLINE void lane_update(const int d, const BfFlatLayer *layer, const BfLane *z, const BfLane *v, BfLane *next) {
  for (int a = 0; a < d; a++) next[a] = lane_set(layer->residual) * z[a] + lane_set(layer->step) * v[a];
  lane_project(d, layer, next);
}
