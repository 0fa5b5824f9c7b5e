/* Images of laws by sums. How far they may be from those of bf_layer_apply, u = 2^-53 for doubles:
 *
 * Both take a weight as mass exp(x), x a difference of logits, at most `spread` = S, in one exponential or two. An
 * argument is off by u S, an exponential by 4 u, a product by u, a sum of N atoms by N u of its terms, all positive:
 * the weights of the two are within delta = (4 S + 8 N + 64) u of each other, and their means, convex combinations of
 * numbers of size Z_b at most, within 4 delta Z_b. Then come d products with V, sums over heads, eps v + r z, and the
 * change to units of cells: each rounds what is at most |r| Z + eps (sum |V_ab| Z_b + |FF|). Hence
 *
 *   margin_a = (4 delta / u + 4 (N + d + heads) + 64) u size_a / width_a,
 *   size_a   = |r| Z_a + eps sum_h,b |V_ab| Z_b + eps |FF_a| + |lower_a| + (n_a + 1) width_a.
 *
 * In floats, with u = 2^-24, sums come rounded once from doubles; two additions a sum, a division, a product, an
 * addition a head, the change to cells: (heads + 16) u times the same. On the sphere y / |y| is off by twice that times
 * 1 / |y|, for |y|^2 from 1e-30 to 1e30. Numbers below the least normal one lose at most 2^-149 in floats and 2^-1074
 * in doubles, beside a den of at least e^-80 and e^-600 times a mass; widths of cells are from 1e-30 to 1e30
 * (images_plan.c). */
#include "kernel/images.h"
#include "kernel/attend.h"
#include "kernel/kernels.h"

#define REAL BfShort
#define MASK BfShortInt
#define SCALAR float
#define FACE(name) short_##name
#define BASE base_float
#define MARGIN margin_float
#define SUMS narrow
#define ROUNDING 0x1.8p23f
#define UNIT 0x1p-24f
#include "kernel/images_row.h"
#undef REAL
#undef MASK
#undef SCALAR
#undef FACE
#undef BASE
#undef MARGIN
#undef SUMS
#undef ROUNDING
#undef UNIT

#define REAL BfLane
#define MASK BfLaneInt
#define SCALAR double
#define FACE(name) lane_##name
#define BASE base
#define MARGIN margin
#define SUMS wide
#define ROUNDING 0x1.8p52
#define UNIT 0x1p-53
#include "kernel/images_row.h"

void BF_KERNEL(bf_image_row_float)(const BfImageShape *shape, const BfImageRow *row) { short_row_of(shape, row); }
void BF_KERNEL(bf_image_row)(const BfImageShape *shape, const BfImageRow *row) { lane_row_of(shape, row); }

/* ---- a block of actions ----------------------------------------------------------------------------------------- */

BF_INLINE BfLane lane_abs(BfLane x) { return lane_max(x, -x); }

/* w_q(c) for all; returns the largest difference of logits, in lanes. */
static BfLane weigh(const BfImageShape *shape) {
  const int64_t Q = shape->table->queries, rows = shape->table->layer.heads * Q;
  BfLane        spread = lane_set(0.0);
  for (int64_t i = 0; i < rows; i++) {
    const BfLane *logit = (const BfLane *)shape->table->logit + i * Q;
    BfLane       *to    = (BfLane *)shape->weight + i * Q;
    BfLane        most = logit[0], least = logit[0];
    for (int64_t j = 1; j < Q; j++) {
      most  = lane_max(logit[j], most);
      least = lane_min(logit[j], least);
    }
    spread = lane_max(most - least, spread);
    for (int64_t j = 0; j < Q; j++) to[j] = lane_exp(logit[j] - most);
  }
  return spread;
}

/* The largest |seen| and |point| of an axis. */
static void sizes(const BfTableShape *t, int a, double *seen, double *point) {
  *seen = *point = 0;
  for (int c = 0; c < t->n; c++) {
    *seen  = __builtin_fmax(*seen, __builtin_fabs(t->seen[c * t->d + a]));
    *point = __builtin_fmax(*point, __builtin_fabs(t->point[c * t->d + a]));
  }
}

/* What an image may be off by (see above), given S in lanes. */
static void bound(BfImageShape *shape, BfLane spread) {
  const BfTableShape *t     = shape->table;
  const BfFlatLayer  *layer = &t->layer;
  const BfLane       *p     = (const BfLane *)shape->parameters;
  const int           d = t->d, N = t->context->slots;
  double              seen[BF_MOST_DIM], point[BF_MOST_DIM];
  for (int a = 0; a < d; a++) sizes(t, a, &seen[a], &point[a]);
  const BfLane factor = (lane_set(4.0) * (lane_set(4.0) * spread + lane_set(8.0 * N + 64)) +
                         lane_set(4.0 * (N + d + layer->heads) + 64)) *
                        lane_set(0x1p-53);
  BfLane size[BF_MOST_DIM], all = lane_set(0.0);
  for (int a = 0; a < d; a++) {
    BfLane forward = lane_set(0.0);
    size[a]        = lane_set(layer->residual * point[a]);
    for (int h = 0; h < layer->heads; h++)
      for (int b = 0; b < d; b++)
        size[a] += lane_abs(p[bf_flat_V(layer, d, h) + a * d + b]) * lane_set(layer->step * seen[b]);
    for (int c = 0; t->forwards && c < t->n; c++)
      forward = lane_max(lane_abs(((const BfLane *)t->forward)[c * d + a]), forward);
    size[a] += forward * lane_set(layer->step);
    all += size[a];
  }
  for (int a = 0; a < d; a++) {
    const double ends = __builtin_fabs(t->lower[a]) + (t->cells[a] + 1) * t->width[a];
    const BfLane of   = ((layer->unit ? lane_set(2.0) * all : size[a]) + lane_set(ends)) / lane_set(t->width[a]),
                 wide = of * factor, narrow = wide + of * lane_set((layer->heads + 16) * 0x1p-24);
    ((BfLane *)shape->margin)[a] = wide;
    for (int l = 0; l < BF_LANES; l++) ((BfShort *)shape->margin_float)[a][l] = (float)narrow[l] * 1.000001f;
  }
}

/* Lanes in which something is too large for floats, or is no number, are certain of nothing. */
static void doubt_lanes(BfImageShape *shape) {
  const BfTableShape *t = shape->table;
  for (int l = 0; l < BF_LANES; l++) {
    int sound = 1;
    for (int a = 0; a < t->d; a++) sound &= ((BfLane *)shape->margin)[a][l] < 1e15;
    for (int i = 0; i < t->n * t->d; i++) sound &= __builtin_fabs(((BfLane *)shape->base)[i][l]) < 1e30;
    for (int a = 0; a < t->d && !sound; a++) {
      ((BfLane *)shape->margin)[a][l]        = 1e30;
      ((BfShort *)shape->margin_float)[a][l] = 1e30f;
    }
  }
}

void BF_KERNEL(bf_image_prepare)(BfImageShape *shape) {
  const BfTableShape *t      = shape->table;
  const BfFlatLayer  *layer  = &t->layer;
  const int           d      = t->d;
  const BfLane        spread = weigh(shape);
  shape->spread              = 0;
  for (int l = 0; l < BF_LANES; l++) shape->spread = spread[l] > shape->spread ? spread[l] : shape->spread;
  bound(shape, spread);
  for (int i = 0; i < t->n * d; i++) {
    const int a    = i % d;
    BfLane    base = lane_set(layer->residual * t->point[i]);
    if (t->forwards) base += lane_set(layer->step) * ((const BfLane *)t->forward)[i];
    if (!layer->unit) base = (base - lane_set(t->lower[a])) * lane_set(shape->scale[a]);
    ((BfLane *)shape->base)[i] = base;
    for (int l = 0; l < BF_LANES; l++) ((BfShort *)shape->base_float)[i][l] = (float)base[l];
  }
  doubt_lanes(shape);
}

/* ---- sums of a law ---------------------------------------------------------------------------------------------- */

BF_INLINE void put_narrow(int count, const BfLane *from, float *to) {
  for (int i = 0; i < count; i++)
    for (int l = 0; l < BF_LANES; l++) to[i * BF_LANES + l] = (float)from[i][l];
}

BF_INLINE void sum_atoms(const int d, const BfImageShape *shape, const BfImageQueries *queries,
                         const BfSeenAtoms *atoms, const BfImageSums *to) {
  const BfTableShape *t     = shape->table;
  const BfFlatLayer  *layer = &t->layer;
  const int64_t       Q     = t->queries;
  for (int i = 0; i < queries->count; i++)
    for (int h = 0; h < layer->heads; h++) {
      const int64_t q      = queries->cell ? queries->cell[i] : i;
      const BfLane *V      = (const BfLane *)shape->parameters + bf_flat_V(layer, d, h);
      const BfLane *weight = (const BfLane *)shape->weight + (h * Q + queries->place * t->n + q) * Q;
      const int64_t at     = (q * layer->heads + h) * (1 + d);
      BfLane        sum[1 + BF_MOST_DIM], num[BF_MOST_DIM];
      sum[0] = lane_set(0.0);
      for (int a = 0; a < d; a++) num[a] = lane_set(0.0);
      for (int j = 0; j < atoms->count; j++) {
        const int    c = (int)atoms->cell[j];
        const BfLane w = lane_set(atoms->mass[j]) * weight[atoms->place[j] * t->n + c];
        sum[0] += w;
        for (int a = 0; a < d; a++) num[a] += w * lane_set(t->seen[c * d + a]);
      }
      lane_matvec(d, V, num, sum + 1);
      for (int a = 0; a < d; a++) sum[1 + a] *= lane_set(layer->step * shape->scale[a]);
      for (int k = 0; k <= d; k++) ((BfLane *)to->wide)[at + k] = sum[k];
      put_narrow(1 + d, sum, to->narrow + at * BF_LANES);
    }
}

void BF_KERNEL(bf_image_sum)(const BfImageShape *shape, const BfImageQueries *queries, const BfSeenAtoms *atoms,
                             const BfImageSums *to) {
#ifndef BF_FEW_CASES
  if (shape->table->d == 2) sum_atoms(2, shape, queries, atoms, to);
  else
#endif
    sum_atoms(shape->table->d, shape, queries, atoms, to);
}

/* ---- measures --------------------------------------------------------------------------------------------------- */

BF_INLINE BfShortInt join_one(const int tags, const BfImageTag tag[], int c) {
  BfShortInt number = {0}, bad = {0};
  for (int g = 0; g < tags; g++) {
    const int64_t    at    = tag[g].base + tag[g].step * (tag[g].row ? tag[g].row[c] : c);
    const BfShortInt image = ((const BfShortInt *)tag[g].image)[at];
    number                 = number * tag[g].radix + image;
    bad |= image;
  }
  return number | (BfShortInt)(bad < 0);
}

BF_INLINE int join(const int tags, const BfImageTag tag[], int count, int lanes, int32_t *next, int64_t stride) {
  int doubts = 0;
  for (int c = 0; c < count; c++) {
    const BfShortInt number = join_one(tags, tag, c);
    int32_t          all    = 0;
    for (int l = 0; l < lanes; l++) {
      next[l * stride + c] = number[l];
      all |= number[l];
    }
    doubts += all < 0;
  }
  return doubts;
}

int BF_KERNEL(bf_image_join)(int tags, const BfImageTag tag[], int count, int lanes, int32_t *next, int64_t stride) {
#ifndef BF_FEW_CASES
  if (lanes == BF_LANES && tags == 2) return join(2, tag, count, BF_LANES, next, stride);
  if (lanes == BF_LANES && tags == 3) return join(3, tag, count, BF_LANES, next, stride);
#endif
  return join(tags, tag, count, lanes, next, stride);
}
