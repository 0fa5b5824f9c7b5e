#include "kernel/attend.h"
#include "kernel/kernels.h"

/* What queries, keys, values and the feed-forward part see of a cell. */
BF_INLINE void load(const BfTableShape *shape, int position, int64_t cell, int encoded, BfLane *z) {
  const BfFlatLayer *layer = &shape->layer;
  for (int a = 0; a < shape->d; a++) {
    z[a] = lane_set(shape->seen[cell * shape->d + a]);
    if (encoded && layer->encoding) z[a] += lane_set(layer->encoding[position * shape->d + a]);
  }
}

void BF_KERNEL(bf_table_prepare)(BfTableShape *shape, const double *parameters) {
  const BfFlatLayer *layer = &shape->layer;
  const BfLane      *p     = (const BfLane *)parameters;
  const int          d = shape->d, n = shape->n, Q = shape->queries;
  BfLane             s[BF_MOST_DIM], y[BF_MOST_DIM], z[BF_MOST_DIM];
  for (int h = 0; h < layer->heads; h++)
    for (int j = 0; j < Q; j++) {
      load(shape, shape->position[j / n], j % n, 1, s);
      lane_matvec(d, p + bf_flat_A(layer, d, h), s, y);
      for (int i = 0; i < Q; i++) {
        load(shape, shape->position[i / n], i % n, 1, s);
        ((BfLane *)shape->logit)[((int64_t)h * Q + i) * Q + j] = lane_logit(d, layer->beta, s, y);
      }
    }
  for (int c = 0; c < n; c++) {
    load(shape, 0, c, 0, y);
    for (int a = 0; a < d; a++) z[a] = lane_set(shape->point[c * d + a]);
    const BfPoints one = {parameters, BF_LANES, 1, (const double *)z, (const double *)y, shape->term};
    shape->forwards    = lane_terms(d, layer, &one, (BfLane *)shape->forward + c * d);
  }
}

void BF_KERNEL(bf_table_sight)(const BfTableShape *shape, int g, const int64_t cell[], double *to, int64_t stride) {
  const int     d = shape->d, Q = shape->queries, atoms = shape->context->first[g + 1] - shape->context->first[g];
  const int64_t from = (int64_t)shape->place[g] * shape->n;
  BfLane        z[atoms * d], logit[atoms];
  int           slot[atoms], times[atoms], runs = 0; /* atoms of one cell, which are neighbours, are seen together */
  for (int j = 0; j < atoms; j++) {
    if (j && cell[j] == cell[j - 1]) {
      times[runs - 1]++;
      continue;
    }
    load(shape, 0, cell[j], 0, z + runs * d);
    times[runs]  = 1;
    slot[runs++] = j;
  }
  for (int h = 0; h < shape->layer.heads; h++)
    for (int q = 0; q < Q; q++) {
      const BfLane *row = (const BfLane *)shape->logit + ((int64_t)h * Q + q) * Q + from;
      BfLane       *out = (BfLane *)(to + h * stride) + (int64_t)q * shape->sight;
      for (int j = 0; j < runs; j++) logit[j] = row[cell[slot[j]]];
      if (atoms == 1) {
        out[0] = logit[0];
        out[1] = lane_set(1.0);
        for (int a = 0; a < d; a++) out[2 + a] = z[a];
        continue;
      }
      const BfTagSight seen = lane_sight(d, runs, times, logit, z, out + 2);
      out[0]                = seen.max;
      out[1]                = seen.weight;
    }
}

/* What query q sees of tag g's law. */
BF_INLINE const BfLane *sight_of(const BfTableShape *shape, int h, int g, int q, const double *last) {
  const int     tags  = shape->context->tags;
  const int64_t block = (int64_t)shape->queries * shape->sight;
  const double *from =
      g < tags - 1 ? shape->lead + ((int64_t)h * tags + g) * block * BF_LANES : last + h * block * BF_LANES;
  return (const BfLane *)from + (int64_t)q * shape->sight;
}

/* Two tags that are both seen: one of the factors exp(max_g - max) is 1, so that one exp serves both. */
BF_INLINE void attend_two(const int d, const BfTableShape *shape, const BfLane *V, const BfLane *x, const BfLane *y,
                          BfLane *v) {
  const BfLane    one = lane_set(1.0), max = lane_max(y[0], x[0]), e = lane_exp(lane_min(y[0], x[0]) - max);
  const BfLaneInt x_max = x[0] == max, y_max = y[0] == max;
  const BfLane    f = lane_set(shape->context->mass[0]) * (BfLane)(((BfLaneInt)one & x_max) | ((BfLaneInt)e & ~x_max));
  const BfLane    g = lane_set(shape->context->mass[1]) * (BfLane)(((BfLaneInt)one & y_max) | ((BfLaneInt)e & ~y_max));
  BfLane          num[BF_MOST_DIM];
  for (int a = 0; a < d; a++) num[a] = f * x[2 + a] + g * y[2 + a];
  lane_add_head(d, V, num, f * x[1] + g * y[1], v);
}

/* Attention of query q at a position: the tags that it may see, combined as in bf_layer_apply. */
BF_INLINE void attend(const int d, const BfTableShape *shape, const BfLane *V, int h, int q, int position,
                      const double *last, BfLane *v) {
  const BfContext *context = shape->context;
  const int        causal = shape->layer.mask == BF_MASK_CAUSAL, tags = context->tags;
  BfLane           max = lane_set(-DBL_MAX), den = lane_set(0.0), num[BF_MOST_DIM];
  if (tags == 2 && !(causal && context->position[1] > position)) {
    attend_two(d, shape, V, sight_of(shape, h, 0, q, last), sight_of(shape, h, 1, q, last), v);
    return;
  }
  for (int g = 0; g < tags; g++)
    if (!causal || context->position[g] <= position) max = lane_max(sight_of(shape, h, g, q, last)[0], max);
  for (int a = 0; a < d; a++) num[a] = lane_set(0.0);
  for (int g = 0; g < tags; g++) {
    if (causal && context->position[g] > position) continue;
    const BfLane *seen = sight_of(shape, h, g, q, last);
    const BfLane  mass = lane_set(context->mass[g]) * lane_exp(seen[0] - max);
    den += mass * seen[1];
    for (int a = 0; a < d; a++) num[a] += mass * seen[2 + a];
  }
  lane_add_head(d, V, num, den, v);
}

BF_INLINE void measure_slots(const int d, BfTableShape *shape, const BfLane *p, const int64_t cell[],
                             const double *last) {
  const BfFlatLayer *layer   = &shape->layer;
  const BfContext   *context = shape->context;
  BfLane            *next    = (BfLane *)shape->next;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      if (i > context->first[g] && cell[i] == cell[i - 1]) { /* atoms of one cell move together */
        for (int a = 0; a < d; a++) next[i * d + a] = next[(i - 1) * d + a];
        continue;
      }
      BfLane z[BF_MOST_DIM], v[BF_MOST_DIM];
      for (int a = 0; a < d; a++) {
        z[a] = lane_set(shape->point[cell[i] * d + a]);
        v[a] = lane_set(0.0);
      }
      const int q = shape->place[g] * shape->n + (int)cell[i];
      for (int h = 0; h < layer->heads; h++)
        attend(d, shape, p + bf_flat_V(layer, d, h), h, q, context->position[g], last, v);
      if (shape->forwards)
        for (int a = 0; a < d; a++) v[a] += ((const BfLane *)shape->forward)[cell[i] * d + a];
      lane_update(d, layer, z, v, next + i * d);
    }
}

void BF_KERNEL(bf_table_measure)(BfTableShape *shape, const double *parameters, const int64_t cell[],
                                 const double *last) {
  const BfLane *p = (const BfLane *)parameters;
  switch (shape->d) {
  case 1:
    measure_slots(1, shape, p, cell, last);
    break;
  case 2:
    measure_slots(2, shape, p, cell, last);
    break;
  case 3:
    measure_slots(3, shape, p, cell, last);
    break;
  default:
    measure_slots(shape->d, shape, p, cell, last);
  }
}

/* floor of 0 <= x < 2^31: round to the nearest integer, step back where that went up. */
BF_INLINE BfLane lane_floor(BfLane x) {
  const BfLane shift = lane_set(0x1p52), rounded = (x + shift) - shift;
  return rounded - (BfLane)((BfLaneInt)lane_set(1.0) & (BfLaneInt)(rounded > x));
}

/* clamp(floor((z_j - lo_j) / h_j), 0, n_j - 1), row-major. */
BF_INLINE BfLane nearest(const int d, const BfTableShape *shape, const BfLane *z) {
  BfLane cell = lane_set(0.0);
  for (int a = 0; a < d; a++) {
    const BfLane x       = (z[a] - lane_set(shape->lower[a])) / lane_set(shape->width[a]);
    const BfLane clamped = lane_min(lane_max(x, lane_set(0.0)), lane_set(shape->cells[a] - 1));
    cell                 = cell * lane_set(shape->cells[a]) + lane_floor(clamped);
  }
  return cell;
}

void BF_KERNEL(bf_table_rank)(const BfTableShape *shape, double out[BF_LANES]) {
  const BfContext *context = shape->context;
  BfLane           total   = lane_set(0.0);
  for (int g = 0; g < context->tags; g++) {
    const int     first = context->first[g], atoms = context->first[g + 1] - first;
    const double *choose = shape->choose[atoms];
    BfLane        cell[BF_MOST_ATOMS], type = lane_set(0.0);
    for (int i = 0; i < atoms; i++) {
      cell[i] = nearest(shape->d, shape, (const BfLane *)shape->next + (first + i) * shape->d);
      for (int j = i; j > 0; j--) { /* insertion, as a network */
        const BfLane low = lane_min(cell[j - 1], cell[j]), high = lane_max(cell[j - 1], cell[j]);
        cell[j - 1] = low;
        cell[j]     = high;
      }
    }
    if (atoms == 1) type = cell[0];
    else
      for (int k = 0; k < atoms; k++) {
        const double *row = choose + k * (shape->n + atoms) + k;
        for (int l = 0; l < BF_LANES; l++) type[l] += row[(int)cell[k][l]];
      }
    total = total * lane_set(shape->radix[g]) + type;
  }
  for (int l = 0; l < BF_LANES; l++) out[l] = total[l];
}

/* The new cell of atom g of a pair. */
BF_INLINE BfLane pair_cell(const int d, const BfTableShape *shape, const BfLane *p, int g, int64_t first,
                           int64_t second) {
  const BfFlatLayer *layer = &shape->layer;
  const int64_t      cell = g ? second : first, Q = shape->queries, q = shape->place[g] * shape->n + cell;
  BfLane             x[2 + BF_MOST_DIM], y[2 + BF_MOST_DIM], z[BF_MOST_DIM], v[BF_MOST_DIM], next[BF_MOST_DIM];
  x[1] = y[1] = lane_set(1.0);
  for (int a = 0; a < d; a++) {
    x[2 + a] = lane_set(shape->seen[first * d + a]);
    y[2 + a] = lane_set(shape->seen[second * d + a]);
    z[a]     = lane_set(shape->point[cell * d + a]);
    v[a]     = lane_set(0.0);
  }
  for (int h = 0; h < layer->heads; h++) {
    const BfLane *row = (const BfLane *)shape->logit + (h * Q + q) * Q;
    x[0]              = row[shape->place[0] * shape->n + first];
    y[0]              = row[shape->place[1] * shape->n + second];
    attend_two(d, shape, p + bf_flat_V(layer, d, h), x, y, v);
  }
  if (shape->forwards)
    for (int a = 0; a < d; a++) v[a] += ((const BfLane *)shape->forward)[cell * d + a];
  lane_update(d, layer, z, v, next);
  return nearest(d, shape, next);
}

/* Where the tags differ in nothing, the second atom of (i, j) moves as the first of (j, i): the two terms of a sum may
 * change places. */
BF_INLINE void move_pairs(const int d, BfTableShape *shape, const BfLane *p, int64_t lead0, int64_t lead1, int lanes,
                          int32_t *next) {
  const int64_t n     = shape->n;
  const int     alike = shape->place[0] == shape->place[1] && shape->context->mass[0] == shape->context->mass[1];
  BfLane       *image = (BfLane *)shape->image;
  for (int64_t i = lead0; i < lead1; i++)
    for (int64_t j = 0; j < n; j++) image[i * n + j] = pair_cell(d, shape, p, 0, i, j);
  for (int64_t i = lead0; i < lead1; i++)
    for (int64_t j = 0; j < n; j++) {
      const int    held   = alike && j >= lead0 && j < lead1;
      const BfLane second = held ? image[j * n + i] : pair_cell(d, shape, p, 1, i, j);
      const BfLane number = image[i * n + j] * lane_set((double)n) + second;
      for (int l = 0; l < lanes; l++) next[(l * n + i) * n + j] = (int32_t)number[l];
    }
}

void BF_KERNEL(bf_table_pairs)(BfTableShape *shape, const double *parameters, int64_t lead0, int64_t lead1, int lanes,
                               int32_t *next) {
  const BfLane *p = (const BfLane *)parameters;
  switch (shape->d) {
  case 1:
    move_pairs(1, shape, p, lead0, lead1, lanes, next);
    break;
  case 2:
    move_pairs(2, shape, p, lead0, lead1, lanes, next);
    break;
  case 3:
    move_pairs(3, shape, p, lead0, lead1, lanes, next);
    break;
  default:
    move_pairs(shape->d, shape, p, lead0, lead1, lanes, next);
  }
}
