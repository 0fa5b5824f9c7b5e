/* The steps of a layer, in lanes: the arithmetic that the direct evaluations (apply.c, alone.c) and the tables of the
 * full space share, so that all give the same bits. `d` is passed as a constant where it is small, so that loops over
 * it unroll.
 */
#pragma once
#include "kernel/flat.h"
#include "kernel/lanes.h"

/* Component a of A s in part p of the lanes. matrix: [d][d]. */
BF_INLINE BfPart part_product(const int d, int p, const BfLane *matrix, const BfLane *s, int a) {
  BfPart sum = part_of(&matrix[a * d], p) * part_of(&s[0], p);
  for (int b = 1; b < d; b++) sum += part_of(&matrix[a * d + b], p) * part_of(&s[b], p);
  return sum;
}

/* y = A s, not the same array. */
BF_INLINE void lane_matvec(const int d, const BfLane *matrix, const BfLane *s, BfLane *y) {
  for (int p = 0; p < BF_PARTS; p++)
    for (int a = 0; a < d; a++) part_put(&y[a], p, part_product(d, p, matrix, s, a));
}

/* beta <s, y>, kept finite so that differences of logits exist. */
BF_INLINE BfPart part_logit(const int d, int p, double beta, const BfLane *s, const BfLane *y) {
  const BfPart big = part_set(0x1p1022);
  BfPart       dot = part_of(&s[0], p) * part_of(&y[0], p);
  for (int a = 1; a < d; a++) dot += part_of(&s[a], p) * part_of(&y[a], p);
  return part_min(part_max(part_set(beta) * dot, -big), big);
}

BF_INLINE BfLane lane_logit(const int d, double beta, const BfLane *s, const BfLane *y) {
  BfLane logit;
  for (int p = 0; p < BF_PARTS; p++) part_put(&logit, p, part_logit(d, p, beta, s, y));
  return logit;
}

/* sum + x, `times` times: the bits of that many atoms one by one, up to BF_MOST_REPEATED; a product beyond. */
BF_INLINE BfPart part_add_times(BfPart sum, BfPart x, int times) {
  if (times > BF_MOST_REPEATED) return sum + part_set((double)times) * x;
  for (int k = 0; k < times; k++) sum += x;
  return sum;
}

/* What a query token sees of one tag, whose largest logit is `max`: with weights exp(logit - max) the number of atoms,
 * which it returns, and the sum of z'. times: [atoms] how many each stands for, or NULL: one. */
BF_INLINE BfPart part_sight(const int d, int p, int atoms, const int *times, BfPart max, const BfLane *logit,
                            const BfLane *z, BfPart *sum) {
  BfPart weight = part_set(0.0);
  for (int a = 0; a < d; a++) sum[a] = part_set(0.0);
  for (int j = 0; j < atoms; j++) {
    const BfPart e = part_exp(part_of(&logit[j], p) - max);
    const int    n = times ? times[j] : 1;
    if (n == 1) {
      weight += e;
      for (int a = 0; a < d; a++) sum[a] += e * part_of(&z[j * d + a], p);
      continue;
    }
    weight = part_add_times(weight, e, n);
    for (int a = 0; a < d; a++) sum[a] = part_add_times(sum[a], e * part_of(&z[j * d + a], p), n);
  }
  return weight;
}

typedef struct {
  BfLane max, weight;
} BfTagSight;

BF_INLINE BfTagSight lane_sight(const int d, int atoms, const int *times, const BfLane *logit, const BfLane *z,
                                BfLane *sum) {
  BfTagSight sight;
  for (int p = 0; p < BF_PARTS; p++) {
    BfPart max = part_of(&logit[0], p), seen[BF_MOST_DIM];
    for (int j = 1; j < atoms; j++) max = part_max(part_of(&logit[j], p), max);
    part_put(&sight.max, p, max);
    part_put(&sight.weight, p, part_sight(d, p, atoms, times, max, logit, z, seen));
    for (int a = 0; a < d; a++) part_put(&sum[a], p, seen[a]);
  }
  return sight;
}

/* v += V mean. */
BF_INLINE void lane_add_mean(const int d, const BfLane *V, const BfLane *mean, BfLane *v) {
  for (int p = 0; p < BF_PARTS; p++)
    for (int a = 0; a < d; a++) part_put(&v[a], p, part_of(&v[a], p) + part_product(d, p, V, mean, a));
}

/* The same with mean = num / den. */
BF_INLINE void lane_add_head(const int d, const BfLane *V, const BfLane *num, BfLane den, BfLane *v) {
  BfLane mean[BF_MOST_DIM];
  for (int a = 0; a < d; a++)
    for (int p = 0; p < BF_PARTS; p++) part_put(&mean[a], p, part_of(&num[a], p) / part_of(&den, p));
  lane_add_mean(d, V, mean, v);
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

/* Component a of P(z) where P clips to a box. */
BF_INLINE BfPart part_clip(const BfFlatLayer *layer, int a, BfPart z) {
  return part_max(part_min(z, part_set(layer->upper[a])), part_set(layer->lower[a]));
}

/* z = P(z). */
BF_INLINE void lane_project(const int d, const BfFlatLayer *layer, BfLane *z) {
  BfLane norm2 = lane_set(0.0);
  if (layer->clips) {
    for (int a = 0; a < d; a++)
      for (int p = 0; p < BF_PARTS; p++) part_put(&z[a], p, part_clip(layer, a, part_of(&z[a], p)));
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
  const BfPart r = part_set(layer->residual), eps = part_set(layer->step);
  for (int a = 0; a < d; a++)
    for (int p = 0; p < BF_PARTS; p++) {
      const BfPart y = r * part_of(&z[a], p) + eps * part_of(&v[a], p);
      part_put(&next[a], p, layer->clips ? part_clip(layer, a, y) : y);
    }
  if (!layer->clips) lane_project(d, layer, next);
}
