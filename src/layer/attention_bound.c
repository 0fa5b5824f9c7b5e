/* Attention over a box of parameters. For query i, which is among the keys j that it sees,
 *
 *     delta_j = beta < A^T (N(z_i) + e_i), N(z_j) + e_j - N(z_i) - e_i > + log(mass_j / mass_i),    delta_i = 0
 *     p_j = 1 / sum_k exp(delta_k - delta_j),    mean = N(z_i) + sum_j p_j (N(z_j) - N(z_i)):
 *
 * where keys that are alike, whatever the parameters are, count as one of their masses together, those that are like
 * the query as the query. The shares of keys are invariant to what all logits have in common, so differences come
 * first, which cancel exactly where components are equal. Of two keys p is a sigmoid. Every mean is in the hull of its
 * keys. */
#include "layer/term_kinds.h"

#include <math.h>
#include <string.h>

typedef struct {
  const BfTermBound *call;
  const BfFormSpace *space;
  const BfLayer     *layer;
  const BfContext   *context;
  int                d, query, keys; /* the tokens before `keys` are those that it sees */
  /* forms, of work */
  BfAffine *at;      /* [d] N(z_i) + e_i */
  BfAffine *y;       /* [d] A^T of that */
  BfAffine *away;    /* [keys][d] N(z_j) - N(z_i) */
  BfAffine *shifted; /* [d] e_j - e_i more */
  BfAffine *delta;   /* [keys] */
  BfAffine *share;   /* [keys] p_j */
  BfAffine *mean;    /* [d] */
  BfAffine *one;
} Query;

int64_t bf_attention_bound_work(const BfLayer *layer, const BfContext *context) {
  const int64_t d = layer->dim;
  return 4 * d + (d + 2) * context->slots + 1;
}

static BfAffine *form(const Query *q, const BfAffine *base, int64_t i) { return bf_affine_at(q->space, base, i); }

static Query begin(const BfTermBound *call) {
  const BfLayer *layer = call->of->layer;
  Query          q     = {.call    = call,
                          .space   = call->of->space,
                          .layer   = layer,
                          .context = call->of->context,
                          .d       = layer->dim,
                          .at      = call->work};
  q.y                  = form(&q, q.at, q.d);
  q.shifted            = form(&q, q.y, q.d);
  q.mean               = form(&q, q.shifted, q.d);
  q.away               = form(&q, q.mean, q.d);
  q.delta              = form(&q, q.away, (int64_t)q.d * q.context->slots);
  q.share              = form(&q, q.delta, q.context->slots);
  q.one                = form(&q, q.share, q.context->slots);
  return q;
}

static int tag_of(const BfContext *context, int slot) {
  int g = 0;
  while (context->first[g + 1] <= slot) g++;
  return g;
}

static const double *code(const Query *q, int slot) {
  return q->layer->encoding ? q->layer->encoding + (int64_t)q->context->position[tag_of(q->context, slot)] * q->d
                            : NULL;
}

/* The key that stands for key j: the first that is like it, or the query. */
static int leader(const Query *q, int j) {
  const int *like = q->call->of->like;
  if (!like) return j;
  return like[j] == like[q->query] ? q->query : like[j];
}

/* The next key from j on that stands for others and is not the query; q->keys: there is none. */
static int next_key(const Query *q, int j) {
  while (j < q->keys && (leader(q, j) != j || j == q->query)) j++;
  return j;
}

/* Of all keys that one stands for. */
static double mass_of(const Query *q, int j) {
  const BfContext *context = q->context;
  double           sum     = 0;
  if (!q->call->of->like) return context->mass[tag_of(context, j)];
  for (int g = 0; context->first[g] < q->keys; g++)
    for (int k = context->first[g]; k < context->first[g + 1]; k++) sum += leader(q, k) == j ? context->mass[g] : 0;
  return sum;
}

/* Whether component a of N(z) is the same for all tokens: of z itself, or where all of z are. */
static bool is_constant(const Query *q, int a) {
  const char *constant = q->call->of->constant;
  if (!constant) return false;
  return q->layer->norm->apply ? !memchr(constant, 0, (size_t)q->d) : constant[a];
}

static const BfAffine *token(const Query *q, int i, int a) { return form(q, q->call->z, (int64_t)i * q->d + a); }

/* N(z_i) + e_i and N(z_j) - N(z_i). */
static void look(Query *q) {
  const double *e = code(q, q->query);
  for (int a = 0; a < q->d; a++) bf_affine_shift(q->space, token(q, q->query, a), e ? e[a] : 0, form(q, q->at, a));
  for (int j = next_key(q, 0); j < q->keys; j = next_key(q, j + 1))
    for (int a = 0; a < q->d; a++) {
      BfAffine *away = form(q, q->away, (int64_t)j * q->d + a);
      if (is_constant(q, a)) bf_affine_constant(q->space, 0, away);
      else bf_affine_sub(q->space, token(q, j, a), token(q, q->query, a), away);
    }
}

/* N(z_j) + e_j - N(z_i) - e_i; the codes' difference is off by 2^-53 of itself, which counts as that much of e. */
static const BfAffine *shift(const Query *q, int j) {
  const double *e = code(q, q->query), *f = code(q, j);
  BfAffine     *from = form(q, q->away, (int64_t)j * q->d);
  if (!e || e == f) return from;
  for (int a = 0; a < q->d; a++) {
    const double by = f[a] - e[a];
    bf_affine_interval(q->space, by - 0x1p-52 * fabs(by), by + 0x1p-52 * fabs(by), NULL, q->one);
    bf_affine_add(q->space, form(q, from, a), q->one, form(q, q->shifted, a));
  }
  return q->shifted;
}

/* + log(mass_j / mass_i); masses are whole numbers, the quotient is off by 2^-53 of itself. */
static void weigh(const Query *q, int j, BfAffine *delta) {
  const double m = mass_of(q, j), own = mass_of(q, q->query);
  if (m == own) return;
  const BfEnclosed log = bf_enclose_log(m / own);
  bf_affine_interval(q->space, log.down - 0x1p-51, log.up + 0x1p-51, NULL, q->one);
  bf_affine_add(q->space, delta, q->one, delta);
}

static void logits(const Query *q, int h) {
  const BfFormSpace *space = q->space;
  const int          d     = q->d;
  for (int b = 0; b < d; b++) {
    BfAffine *y = form(q, q->y, b);
    bf_affine_begin(space, y);
    for (int a = 0; a < d; a++)
      bf_affine_plus_product(space, 1, bf_term_entry(q->call, 2 * h, a * d + b), form(q, q->at, a), y);
    bf_affine_end(space, y);
  }
  bf_affine_constant(space, 0, form(q, q->delta, q->query));
  for (int j = next_key(q, 0); j < q->keys; j = next_key(q, j + 1)) {
    BfAffine       *delta = form(q, q->delta, j);
    const BfAffine *away  = shift(q, j);
    bf_affine_begin(space, delta);
    for (int b = 0; b < d; b++)
      bf_affine_plus_product(space, q->layer->beta, form(q, q->y, b), form(q, away, b), delta);
    bf_affine_end(space, delta);
    weigh(q, j, delta);
  }
}

/* 1 / sum_k exp(delta_k - delta_j), within [0, 1]. */
static void share(const Query *q, int j) {
  const BfFormSpace *space = q->space;
  BfAffine          *p = form(q, q->share, j), *e = q->one;
  const BfAffine    *delta = form(q, q->delta, j);
  bf_affine_begin(space, p);
  for (int k = 0; k < q->keys; k++) {
    if (leader(q, k) != k) continue;
    if (k == j) {
      bf_affine_constant(space, 1, e);
    } else {
      bf_affine_sub(space, form(q, q->delta, k), delta, e);
      bf_affine_exp(space, e, e);
    }
    bf_affine_plus(space, 1, e, p);
  }
  bf_affine_end(space, p);
  bf_affine_meet(space, 1, INFINITY, p);
  if (p->radius < 1e260) {
    bf_affine_reciprocal(space, p, p);
    bf_affine_meet(space, 0, 1, p);
  } else {
    bf_affine_interval(space, 0, 1, delta, p);
  }
}

/* mean_a is between the least and the largest of its keys. */
static void average(const Query *q) {
  for (int a = 0; a < q->d; a++) {
    BfAffine *mean  = form(q, q->mean, a);
    double    lower = token(q, q->query, a)->lower, upper = token(q, q->query, a)->upper;
    bf_affine_begin(q->space, mean);
    bf_affine_plus(q->space, 1, token(q, q->query, a), mean);
    for (int j = next_key(q, 0); j < q->keys; j = next_key(q, j + 1)) {
      const BfAffine *key = token(q, j, a);
      lower               = key->lower < lower ? key->lower : lower;
      upper               = key->upper > upper ? key->upper : upper;
      bf_affine_plus_product(q->space, 1, form(q, q->share, j), form(q, q->away, (int64_t)j * q->d + a), mean);
    }
    bf_affine_end(q->space, mean);
    bf_affine_meet(q->space, lower, upper, mean);
  }
}

static void add_head(const Query *q, int h, BfAffine *sum) {
  logits(q, h);
  const int first = next_key(q, 0), two = next_key(q, first + 1) >= q->keys;
  for (int j = first; j < q->keys; j = next_key(q, j + 1)) {
    if (two) bf_affine_sigmoid(q->space, form(q, q->delta, j), form(q, q->share, j));
    else share(q, j);
  }
  average(q);
  for (int a = 0; a < q->d; a++)
    for (int b = 0; b < q->d; b++)
      bf_affine_plus_product(q->space, q->layer->step, bf_term_entry(q->call, 2 * h + 1, a * q->d + b),
                             form(q, q->mean, b), form(q, sum, (int64_t)q->query * q->d + a));
}

void bf_attention_bound(const BfTermBound *call, BfAffine *sum) {
  const BfContext *context = call->of->context;
  Query            q       = begin(call);
  for (int g = 0, tags = context->tags; g < context->tags; g++) {
    if (q.layer->mask == BF_MASK_CAUSAL)
      for (tags = g + 1; tags < context->tags && context->position[tags] == context->position[g];) tags++;
    for (q.query = context->first[g]; q.query < context->first[g + 1]; q.query++) {
      if (!bf_term_wants(call, q.query)) continue;
      q.keys = context->first[tags];
      look(&q);
      for (int h = 0; h < q.layer->heads; h++) add_head(&q, h, sum);
    }
  }
}
