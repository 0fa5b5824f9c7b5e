/* The direct evaluation of a layer, compiled once for each instruction set. */
#include "kernel/attend.h"
#include "kernel/kernels.h"

typedef struct {
  BfLane *s;     /* [slots][d] N(z) + e_p */
  BfLane *y;     /* [slots][d] A s; behind attention what the other terms give */
  BfLane *v;     /* [slots][d] velocity */
  BfLane *logit; /* [slots] of one query */
  BfLane *max;   /* [tags] of one query */
  BfLane *seen;  /* [slots][d] N(z), where there is a norm */
  double *term;  /* work of terms */
} Work;

BF_INLINE Work work_split(const BfFlatLayer *layer, const BfContext *context, double *work) {
  const int64_t each = (int64_t)context->slots * layer->dim;
  BfLane       *base = (BfLane *)work;
  Work          w    = {base, base + each, base + 2 * each, base + 3 * each, NULL, NULL, NULL};
  w.max              = w.logit + context->slots;
  w.seen             = w.max + context->tags;
  w.term             = (double *)(w.seen + (layer->normalize ? each : 0));
  return w;
}

/* N(z) of all slots, which queries, keys, values and the feed-forward part see; z itself where there is no norm. */
BF_INLINE const BfLane *normalize(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *z,
                                  const Work *w) {
  if (!layer->normalize) return z;
  for (int i = 0; i < context->slots; i++)
    layer->normalize(d, (const double *)(z + i * d), (double *)(w->seen + i * d));
  return w->seen;
}

BF_INLINE void encode(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *z, BfLane *s) {
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int a = 0; a < d; a++)
        s[i * d + a] =
            layer->encoding ? z[i * d + a] + lane_set(layer->encoding[context->position[g] * d + a]) : z[i * d + a];
}

/* Attention of the query slot i at a position over the tags that it may see. */
BF_INLINE void attend(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *V, const BfLane *z,
                      int position, int i, const Work *w) {
  const int causal = layer->mask == BF_MASK_CAUSAL;
  BfLane    max    = lane_set(-DBL_MAX);
  for (int g = 0; g < context->tags; g++) {
    if (causal && context->position[g] > position) continue;
    BfLane tag = lane_set(-DBL_MAX);
    for (int j = context->first[g]; j < context->first[g + 1]; j++) {
      w->logit[j] = lane_logit(d, layer->beta, w->s + i * d, w->y + j * d);
      tag         = lane_max(w->logit[j], tag);
    }
    w->max[g] = tag;
    max       = lane_max(tag, max);
  }
  BfLane den = lane_set(0.0), num[BF_MOST_DIM];
  for (int a = 0; a < d; a++) num[a] = lane_set(0.0);
  for (int g = 0; g < context->tags; g++) {
    if (causal && context->position[g] > position) continue;
    const int    j = context->first[g], atoms = context->first[g + 1] - j;
    const int   *times = context->times ? context->times + j : NULL;
    const BfLane mass  = lane_set(context->mass[g]) * lane_exp(w->max[g] - max);
    if (atoms == 1 && (!times || times[0] == 1)) { /* lane_sight would give weight 1 and sum z */
      den += mass;
      for (int a = 0; a < d; a++) num[a] += mass * z[j * d + a];
    } else {
      BfLane           sum[BF_MOST_DIM];
      const BfTagSight sight = lane_sight(d, atoms, times, w->logit + j, z + j * d, sum);
      den += mass * sight.weight;
      for (int a = 0; a < d; a++) num[a] += mass * sum[a];
    }
  }
  lane_add_head(d, V, num, den, w->v + i * d);
}

BF_INLINE void apply(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *parameter,
                     const BfLane *z, BfLane *next, const Work *w) {
  const int     slots = context->slots;
  const BfLane *seen  = normalize(d, layer, context, z, w);
  encode(d, layer, context, seen, w->s);
  for (int i = 0; i < slots * d; i++) w->v[i] = lane_set(0.0);
  for (int h = 0; h < layer->heads; h++) {
    const BfLane *A = parameter + bf_flat_A(layer, d, h), *V = parameter + bf_flat_V(layer, d, h);
    for (int j = 0; j < slots; j++) lane_matvec(d, A, w->s + j * d, w->y + j * d);
    for (int g = 0; g < context->tags; g++)
      for (int i = context->first[g]; i < context->first[g + 1]; i++)
        attend(d, layer, context, V, seen, context->position[g], i, w);
  }
  const BfPoints points = {(const double *)parameter, BF_LANES, slots, (const double *)z,
                           (const double *)seen,      w->term};
  if (lane_terms(d, layer, &points, w->y))
    for (int i = 0; i < slots * d; i++) w->v[i] += w->y[i];
  for (int i = 0; i < slots; i++) lane_update(d, layer, z + i * d, w->v + i * d, next + i * d);
}

void BF_KERNEL(bf_layer_apply)(const BfFlatLayer *layer, const BfContext *context, const double *parameters,
                               const double *z, double *next, double *work) {
  const Work    w = work_split(layer, context, work);
  const BfLane *p = (const BfLane *)parameters, *from = (const BfLane *)z;
  BfLane       *to = (BfLane *)next;
  switch (layer->dim) {
  case 1:
    apply(1, layer, context, p, from, to, &w);
    break;
  case 2:
    apply(2, layer, context, p, from, to, &w);
    break;
  case 3:
    apply(3, layer, context, p, from, to, &w);
    break;
  default:
    apply(layer->dim, layer, context, p, from, to, &w);
  }
}
