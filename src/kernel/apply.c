/* The direct evaluation of a layer, compiled once for each instruction set: in lanes, part by part of them, so that
 * what a loop carries stays in registers. Means first, which depend on A alone; then what V and the other terms make of
 * them. */
#include "kernel/attend.h"
#include "kernel/kernels.h"

enum { FEW = 4 }; /* tags of one atom each that are seen in registers alone */

typedef struct {
  BfLane *s;     /* [slots][d] N(z) + e_p */
  BfLane *y;     /* [slots][d] A s; behind attention what the other terms give */
  BfLane *v;     /* [slots][d] velocity */
  BfLane *mean;  /* [slots][d] of one head */
  BfLane *seen;  /* [slots][d] N(z), where there is a norm */
  BfLane *logit; /* [slots] of one query */
  BfLane *top;   /* [tags] of one query: their largest */
  double *term;  /* work of terms */
} Work;

/* As bf_layer_work counts. */
BF_INLINE Work work_split(const BfFlatLayer *layer, const BfContext *context, double *work) {
  const int64_t each = (int64_t)context->slots * layer->dim;
  BfLane       *base = (BfLane *)work;
  Work          w    = {.s = base, .y = base + each, .v = base + 2 * each, .mean = base + 3 * each};
  w.seen             = base + 4 * each;
  w.logit            = w.seen + (layer->normalize ? each : 0);
  w.top              = w.logit + context->slots;
  w.term             = (double *)(w.top + context->tags);
  return w;
}

/* N(z) of all slots, which queries, keys, values and the feed-forward part see; z itself where there is no norm. */
static const BfLane *normalize(const BfFlatLayer *layer, const BfContext *context, const BfLane *z, const Work *w) {
  const int d = layer->dim;
  if (!layer->normalize) return z;
  for (int i = 0; i < context->slots; i++)
    layer->normalize(d, (const double *)(z + i * d), (double *)(w->seen + i * d));
  return w->seen;
}

/* s, which is N(z) itself where there is no encoding. */
static const BfLane *encode(const BfFlatLayer *layer, const BfContext *context, const BfLane *seen, const Work *w) {
  const int d = layer->dim;
  if (!layer->encoding) return seen;
  for (int g = 0; g < context->tags; g++) {
    const double *e = layer->encoding + context->position[g] * d;
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int a = 0; a < d; a++)
        for (int p = 0; p < BF_PARTS; p++) part_put(&w->s[i * d + a], p, part_of(&seen[i * d + a], p) + part_set(e[a]));
  }
  return w->s;
}

/* ---- the mean that a query sees --------------------------------------------------------------------------------- */

typedef struct {
  const BfFlatLayer *layer;
  const BfContext   *context;
  const BfLane      *s;           /* [d] of the query */
  const BfLane      *y, *z;       /* [slots][d] A s and N(z) of what it may see */
  BfLane            *logit, *top; /* as in Work */
} Query;

/* Over `tags` tags of one atom each, a constant of at most FEW. One of them has the largest logit and weight 1, so that
 * one exponential less is needed: the first atom's takes its place. */
BF_INLINE void mean_of_few(const int d, const int tags, int p, const Query *q, BfPart *mean) {
  BfPart logit[FEW], weight[FEW], max, den, num[BF_MOST_DIM];
  for (int j = 0; j < tags; j++) logit[j] = part_logit(d, p, q->layer->beta, q->s, q->y + j * d);
  max = logit[0];
  for (int j = 1; j < tags; j++) max = part_max(logit[j], max);
  weight[0] = part_set(1.0);
  for (int j = 1; j < tags; j++) {
    const BfPart e = part_exp(part_where_equal(logit[j], max, logit[0], logit[j]) - max);
    weight[0]      = part_where_equal(logit[j], max, e, weight[0]);
    weight[j]      = part_where_equal(logit[j], max, part_set(1.0), e);
  }
  for (int j = 0; j < tags; j++) weight[j] *= part_set(q->context->mass[j]);
  den = weight[0];
  for (int j = 1; j < tags; j++) den += weight[j];
  for (int a = 0; a < d; a++) {
    num[a] = weight[0] * part_of(&q->z[a], p);
    for (int j = 1; j < tags; j++) num[a] += weight[j] * part_of(&q->z[j * d + a], p);
    mean[a] = num[a] / den;
  }
}

/* Over the atoms of `tags` tags, tag by tag. */
BF_INLINE void mean_of_tags(const int d, int tags, int p, const Query *q, BfPart *mean) {
  const BfContext *context = q->context;
  BfPart           max = part_set(-DBL_MAX), den = part_set(0.0), num[BF_MOST_DIM];
  for (int g = 0; g < tags; g++) {
    BfPart top = part_set(-DBL_MAX);
    for (int j = context->first[g]; j < context->first[g + 1]; j++) {
      const BfPart logit = part_logit(d, p, q->layer->beta, q->s, q->y + j * d);
      part_put(&q->logit[j], p, logit);
      top = part_max(logit, top);
    }
    part_put(&q->top[g], p, top);
    max = part_max(top, max);
  }
  for (int a = 0; a < d; a++) num[a] = part_set(0.0);
  for (int g = 0; g < tags; g++) {
    const int     j = context->first[g], atoms = context->first[g + 1] - j;
    const int    *times = context->times ? context->times + j : NULL;
    const BfPart  top = part_of(&q->top[g], p), mass = part_set(context->mass[g]) * part_exp(top - max);
    const BfLane *z = q->z + j * d;
    if (atoms == 1 && (!times || times[0] == 1)) { /* part_sight would give weight 1 and sum z */
      den += mass;
      for (int a = 0; a < d; a++) num[a] += mass * part_of(&z[a], p);
    } else {
      BfPart sum[BF_MOST_DIM];
      den += mass * part_sight(d, p, atoms, times, top, q->logit + j, z, sum);
      for (int a = 0; a < d; a++) num[a] += mass * sum[a];
    }
  }
  for (int a = 0; a < d; a++) mean[a] = num[a] / den;
}

/* Whether tags have one atom each, of weight 1. */
static int are_single(const BfContext *context) {
  if (context->slots != context->tags) return 0;
  for (int i = 0; context->times && i < context->slots; i++)
    if (context->times[i] != 1) return 0;
  return 1;
}

BF_INLINE void means_of(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *A,
                        const BfLane *s, const BfLane *z, const Work *w, BfLane *mean) {
  const int single = are_single(context), from = bf_asked_from(context), to = bf_asked_to(context);
  for (int j = 0; j < context->slots; j++) lane_matvec(d, A, s + j * d, w->y + j * d);
  for (int g = 0, tags = context->tags; g < context->tags; g++) {
    if (layer->mask == BF_MASK_CAUSAL)
      for (tags = g + 1; tags < context->tags && context->position[tags] == context->position[g];) tags++;
    for (int i = context->first[g] < from ? from : context->first[g]; i < context->first[g + 1] && i < to; i++)
      for (int p = 0; p < BF_PARTS; p++) {
        const Query q = {layer, context, s + i * d, w->y, z, w->logit, w->top};
        BfPart      seen[BF_MOST_DIM];
        if (single && tags == 1) mean_of_few(d, 1, p, &q, seen);
        else if (single && tags == 2) mean_of_few(d, 2, p, &q, seen);
        else if (single && tags == 3) mean_of_few(d, 3, p, &q, seen);
        else if (single && tags == 4) mean_of_few(d, 4, p, &q, seen);
        else mean_of_tags(d, tags, p, &q, seen);
        for (int a = 0; a < d; a++) part_put(&mean[(i - from) * d + a], p, seen[a]);
      }
  }
}

static void means(const BfFlatLayer *layer, const BfContext *context, const BfLane *A, const BfLane *s, const BfLane *z,
                  const Work *w, BfLane *mean) {
  switch (layer->dim) {
  case 1:
    means_of(1, layer, context, A, s, z, w, mean);
    break;
  case 2:
    means_of(2, layer, context, A, s, z, w, mean);
    break;
  case 3:
    means_of(3, layer, context, A, s, z, w, mean);
    break;
  default:
    means_of(layer->dim, layer, context, A, s, z, w, mean);
  }
}

void BF_KERNEL(bf_layer_means)(const BfFlatLayer *layer, const BfContext *context, const double *A, const double *z,
                               double *mean, double *work) {
  const Work    w    = work_split(layer, context, work);
  const BfLane *seen = normalize(layer, context, (const BfLane *)z, &w);
  means(layer, context, (const BfLane *)A, encode(layer, context, seen, &w), seen, &w, (BfLane *)mean);
}

/* ---- a layer ---------------------------------------------------------------------------------------------------- */

/* v += V mean at the slots that are asked for. */
BF_INLINE void add_head(const int d, int asked, const BfLane *V, const BfLane *mean, BfLane *v) {
  for (int i = 0; i < asked; i++) lane_add_mean(d, V, mean + i * d, v + i * d);
}

/* v [asked][d] = the sum over heads. What is known needs no s. */
BF_INLINE void add_heads(const int d, const BfFlatLayer *layer, const BfContext *context, const BfKnownParts *known,
                         const BfLane *parameter, const BfLane *seen, const Work *w) {
  const BfLane *s     = NULL;
  const int     asked = bf_asked_to(context) - bf_asked_from(context);
  for (int i = 0; i < asked * d; i++)
    for (int p = 0; p < BF_PARTS; p++) part_put(&w->v[i], p, part_set(0.0));
  for (int h = 0; h < layer->heads; h++) {
    const BfLane *mean = known ? (const BfLane *)known->mean[h] : NULL;
    if (!mean) {
      if (!s) s = encode(layer, context, seen, w);
      means(layer, context, parameter + bf_flat_A(layer, d, h), s, seen, w, w->mean);
      mean = w->mean;
    }
    add_head(d, asked, parameter + bf_flat_V(layer, d, h), mean, w->v);
  }
}

/* next = P(r z + eps (v + terms)); terms: NULL, or [asked][d]. */
BF_INLINE void update(const int d, const BfFlatLayer *layer, int asked, const BfLane *z, const BfLane *terms, BfLane *v,
                      BfLane *next) {
  for (int i = 0; i < asked; i++) {
    for (int a = i * d; terms && a < (i + 1) * d; a++)
      for (int p = 0; p < BF_PARTS; p++) part_put(&v[a], p, part_of(&v[a], p) + part_of(&terms[a], p));
    lane_update(d, layer, z + i * d, v + i * d, next + i * d);
  }
}

BF_INLINE void apply(const int d, const BfFlatLayer *layer, const BfContext *context, const BfKnownParts *known,
                     const BfLane *parameter, const BfLane *z, BfLane *next, const Work *w) {
  const int     from = bf_asked_from(context), asked = bf_asked_to(context) - from, first = from * d;
  const BfLane *seen = normalize(layer, context, z, w);
  add_heads(d, layer, context, known, parameter, seen, w);
  const BfPoints points = {.parameters = (const double *)parameter,
                           .stride     = BF_LANES,
                           .rows       = asked,
                           .z          = (const double *)(z + first),
                           .seen       = (const double *)(seen + first),
                           .hidden     = known ? known->hidden : NULL,
                           .work       = w->term};
  update(d, layer, asked, z + first, lane_terms(d, layer, &points, w->y) ? w->y : NULL, w->v, next + first);
}

void BF_KERNEL(bf_layer_apply)(const BfFlatLayer *layer, const BfContext *context, const BfKnownParts *known,
                               const double *parameters, const double *z, double *next, double *work) {
  const Work    w = work_split(layer, context, work);
  const BfLane *p = (const BfLane *)parameters, *from = (const BfLane *)z;
  BfLane       *to = (BfLane *)next;
  switch (layer->dim) {
  case 1:
    apply(1, layer, context, known, p, from, to, &w);
    break;
  case 2:
    apply(2, layer, context, known, p, from, to, &w);
    break;
  case 3:
    apply(3, layer, context, known, p, from, to, &w);
    break;
  default:
    apply(layer->dim, layer, context, known, p, from, to, &w);
  }
}
