/* A layer on a context that is alone, compiled once for each instruction set: lanes are its slots, eight at a time,
 * which look at all of them. What a slot gives is what it gives in bf_layer_apply, bit by bit: the same sums in the
 * same order. Where lanes differ in what they see, what is hidden is added as 0. */
#include "kernel/attend.h"
#include "kernel/kernels.h"

typedef struct {
  BfLane    *s;     /* [rows][d] N(z) + e_p */
  BfLane    *y;     /* [rows][d] A s; behind attention what the other terms give */
  BfLane    *v;     /* [rows][d] velocity */
  BfLaneInt *own;   /* [rows] positions */
  BfPart    *logit; /* [slots] of one part of a row; then exp(logit - the tag's largest) */
  BfPart    *top;   /* [tags] the largest; then what the tag's sums are multiplied by */
  double    *key;   /* [slots][d] A s */
  double    *value; /* [slots][d] N(z) */
  BfLane    *seen;  /* [rows][d] N(z), where there is a norm */
  double    *term;  /* work of terms */
} Work;

static int rows_of(const BfContext *context) { return (context->slots + BF_LANES - 1) / BF_LANES; }

/* As bf_layer_alone_work counts. */
BF_INLINE Work work_split(const BfFlatLayer *layer, const BfContext *context, double *work) {
  const int64_t rows = rows_of(context), each = rows * layer->dim;
  Work          w;
  w.s     = (BfLane *)work;
  w.y     = w.s + each;
  w.v     = w.y + each;
  w.own   = (BfLaneInt *)(w.v + each);
  w.logit = (BfPart *)(w.own + rows);
  w.top   = w.logit + (int64_t)context->slots * BF_PARTS;
  w.key   = (double *)(w.top + (int64_t)context->tags * BF_PARTS);
  w.value = w.key + each * BF_LANES;
  w.seen  = (BfLane *)(w.value + each * BF_LANES);
  w.term  = (double *)(w.seen + (layer->normalize ? each : 0));
  return w;
}

/* From lanes to numbers, [slots][d]. */
BF_INLINE void spread(const int d, int rows, const BfLane *from, double *to) {
  for (int i = 0; i < rows; i++)
    for (int l = 0; l < BF_LANES; l++)
      for (int a = 0; a < d; a++) to[(i * BF_LANES + l) * d + a] = from[i * d + a][l];
}

/* N(z), which it returns, also as numbers; positions; s. */
BF_INLINE const BfLane *encode(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *z,
                               const Work *w) {
  const int rows = rows_of(context);
  for (int i = 0; layer->normalize && i < rows; i++)
    layer->normalize(d, (const double *)(z + i * d), (double *)(w->seen + i * d));
  const BfLane *x = layer->normalize ? w->seen : z;
  spread(d, rows, x, w->value);
  for (int i = 0, g = 0; i < rows * BF_LANES; i++) { /* padding is where the last tag is */
    while (i >= context->first[g + 1] && g + 1 < context->tags) g++;
    w->own[i / BF_LANES][i % BF_LANES] = context->position[g];
  }
  for (int i = 0; i < rows; i++)
    for (int a = 0; a < d; a++) {
      BfLane e = lane_set(0.0);
      for (int l = 0; layer->encoding && l < BF_LANES; l++) e[l] = layer->encoding[w->own[i][l] * d + a];
      w->s[i * d + a] = layer->encoding ? x[i * d + a] + e : x[i * d + a];
    }
  return x;
}

/* How many tags, from the first, some lane of a row may see. */
static int tags_seen(const BfFlatLayer *layer, const BfContext *context, const BfLaneInt *own) {
  int     tags = context->tags;
  int64_t most = (*own)[0];
  if (layer->mask == BF_MASK_FULL) return tags;
  for (int l = 1; l < BF_LANES; l++) most = (*own)[l] > most ? (*own)[l] : most;
  while (tags > 1 && context->position[tags - 1] > most) tags--;
  return tags;
}

/* Logits of slots first .. last - 1; returns the largest. */
BF_INLINE BfPart logits(const int d, double beta, const BfLane *s, int p, const Work *w, int first, int last) {
  const BfPart big = part_set(0x1p1022);
  BfPart       max = part_set(-DBL_MAX);
  for (int j = first; j < last; j++) {
    BfPart dot = part_of(&s[0], p) * part_set(w->key[j * d]);
    for (int a = 1; a < d; a++) dot += part_of(&s[a], p) * part_set(w->key[j * d + a]);
    w->logit[j] = part_min(part_max(part_set(beta) * dot, -big), big);
    max         = part_max(w->logit[j], max);
  }
  return max;
}

/* Of part p of a row: exponentials of all slots seen into w->logit, what their tags' sums are multiplied by into
 * w->top; returns the sum of all weights. Tags of one slot need no exponential of theirs. */
BF_INLINE BfPart weigh(const int d, const BfFlatLayer *layer, const BfContext *context, int tags, int row, int p,
                       const Work *w) {
  const int      *first = context->first;
  const BfPartInt own   = ((const BfPartInt *)&w->own[row])[p];
  const BfPartInt all   = (BfPartInt){0} - (layer->mask == BF_MASK_FULL);
  BfPart          max = part_set(-DBL_MAX), den = part_set(0.0);
  for (int g = 0; g < tags; g++) {
    w->top[g]            = logits(d, layer->beta, w->s + row * d, p, w, first[g], first[g + 1]);
    const BfPartInt sees = all | (context->position[g] <= own);
    max                  = (BfPart)(((BfPartInt)part_max(w->top[g], max) & sees) | ((BfPartInt)max & ~sees));
  }
  for (int g = 0; g < tags; g++) {
    const BfPart    top  = w->top[g];
    const BfPartInt sees = all | (context->position[g] <= own);
    const BfPart    mass = (BfPart)((BfPartInt)(part_set(context->mass[g]) * part_exp(top - max)) & sees);
    BfPart          sum  = part_set(0.0);
    for (int j = first[g]; j < first[g + 1] && first[g + 1] - first[g] > 1; j++) {
      w->logit[j] = part_exp(w->logit[j] - top);
      sum += w->logit[j];
    }
    den += first[g + 1] - first[g] > 1 ? mass * sum : mass;
    w->top[g] = mass;
  }
  return den;
}

/* Components a .. a + count - 1 of the sum over what is seen of weight z. */
BF_INLINE void add_up(const int d, const int count, const BfContext *context, int tags, int a, int p, const Work *w,
                      BfLane *num) {
  BfPart total[4];
  for (int b = 0; b < count; b++) total[b] = part_set(0.0);
  for (int g = 0; g < tags; g++) {
    const int     atoms = context->first[g + 1] - context->first[g];
    const BfPart *e     = w->logit + context->first[g];
    const double *z     = w->value + (int64_t)context->first[g] * d + a;
    BfPart        sum[4];
    for (int b = 0; b < count; b++) sum[b] = atoms > 1 ? part_set(0.0) : part_set(z[b]);
    for (int j = 0; j < atoms && atoms > 1; j++)
      for (int b = 0; b < count; b++) sum[b] += e[j] * part_set(z[j * d + b]);
    for (int b = 0; b < count; b++) total[b] += w->top[g] * sum[b];
  }
  for (int b = 0; b < count; b++) part_put(&num[a + b], p, total[b]);
}

BF_INLINE void attend(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *V, int row,
                      const Work *w) {
  const int tags = tags_seen(layer, context, &w->own[row]), rest = d % 4;
  BfLane    den, num[BF_MOST_DIM];
  for (int p = 0; p < BF_PARTS; p++) {
    part_put(&den, p, weigh(d, layer, context, tags, row, p, w));
    for (int a = 0; a + 4 <= d; a += 4) add_up(d, 4, context, tags, a, p, w, num);
    if (rest == 1) add_up(d, 1, context, tags, d - 1, p, w, num);
    if (rest == 2) add_up(d, 2, context, tags, d - 2, p, w, num);
    if (rest == 3) add_up(d, 3, context, tags, d - 3, p, w, num);
  }
  lane_add_head(d, V, num, den, w->v + row * d);
}

BF_INLINE void apply(const int d, const BfFlatLayer *layer, const BfContext *context, const BfLane *parameter,
                     const BfLane *z, BfLane *next, const Work *w) {
  const int     rows = rows_of(context);
  const BfLane *seen = encode(d, layer, context, z, w);
  for (int i = 0; i < rows * d; i++) w->v[i] = lane_set(0.0);
  for (int h = 0; h < layer->heads; h++) {
    const BfLane *A = parameter + bf_flat_A(layer, d, h), *V = parameter + bf_flat_V(layer, d, h);
    for (int i = 0; i < rows; i++) lane_matvec(d, A, w->s + i * d, w->y + i * d);
    spread(d, rows, w->y, w->key);
    for (int i = 0; i < rows; i++) attend(d, layer, context, V, i, w);
  }
  const BfPoints points = {(const double *)parameter, BF_LANES, rows, (const double *)z, (const double *)seen, w->term};
  if (lane_terms(d, layer, &points, w->y))
    for (int i = 0; i < rows * d; i++) w->v[i] += w->y[i];
  for (int i = 0; i < rows; i++) lane_update(d, layer, z + i * d, w->v + i * d, next + i * d);
}

void BF_KERNEL(bf_layer_alone)(const BfFlatLayer *layer, const BfContext *context, const double *parameters,
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
