/* Attention over a box of parameters. For query i, which is among the keys j that it sees,
 *
 *     delta_j = beta < A^T (N(z_i) + e_i), N(z_j) + e_j - N(z_i) - e_i > + log(mass_j / mass_i),    delta_i = 0
 *     p = softmax(delta),    mean_a = sum_j c_j N(z_j)_a + sum_j (p_j - c_j) (N(z_j)_a - N(z_r)_a),
 *
 * for any c_j and c_r = 1 - sum_{j != r} c_j: as sum p = 1, all that p and c have in common of the second sum is 0. c_j
 * is the middle of p_j's form, so that a token's rest counts with its share, and r, of each component, the token for
 * which the rests of shares move the mean least; where keys that are alike, whatever the parameters are, count as one
 * of their masses together, those that are like the query as the query. The shares of keys are invariant to what all
 * logits have in common, so differences come first, which cancel exactly where components are equal. Where delta_j is a
 * variable of the box, it stands for itself. Of two keys p is a sigmoid. Every mean is in the hull of its keys. */
#include "layer/term_kinds.h"

#include <math.h>
#include <string.h>

typedef struct {
  const BfTermBound *call;
  const BfFormSpace *space;
  const BfLayer     *layer;
  const BfContext   *context;
  int                d, query, keys; /* the tokens before `keys` are those that it sees */
  int                count;          /* of keys that stand for others, the query the first of them */
  /* forms, of work */
  BfAffine *at;      /* [d] N(z_i) + e_i */
  BfAffine *y;       /* [d] A^T of that */
  BfAffine *away;    /* [count][d] N(z_j) - N(z_i) */
  BfAffine *shifted; /* [d] e_j - e_i more */
  BfAffine *delta;   /* [count] */
  BfAffine *share;   /* [count] p_j, then p_j - c_j */
  BfAffine *mean;    /* [d] */
  BfAffine *one;
  BfAffine *work; /* of softmax */
  double   *part; /* [count] c_j */
  double   *rest; /* [count] of p_j's form */
  int      *key;  /* [count] which tokens they are */
} Query;

int64_t bf_attention_bound_work(const BfLayer *layer, const BfContext *context) {
  const int64_t d = layer->dim;
  return 4 * d + (d + 2) * context->slots + 1 + BF_SOFTMAX_WORK(context->slots) + (3 * context->slots + 7) / 8;
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
  q.work               = form(&q, q.one, 1);
  q.part               = (double *)form(&q, q.work, BF_SOFTMAX_WORK(q.context->slots));
  q.rest               = q.part + q.context->slots;
  q.key                = (int *)(q.rest + q.context->slots);
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

/* The query, and the other keys that stand for all. */
static void find_keys(Query *q) {
  q->key[0] = q->query;
  q->count  = 1;
  for (int j = 0; j < q->keys; j++)
    if (leader(q, j) == j && j != q->query) q->key[q->count++] = j;
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

/* N(z_i)_a - N(z_j)_a. */
static void subtract(const Query *q, int i, int j, int a, BfAffine *out) {
  if (is_constant(q, a)) bf_affine_constant(q->space, 0, out);
  else bf_affine_sub(q->space, token(q, i, a), token(q, j, a), out);
}

/* N(z_i) + e_i and N(z_j) - N(z_i). */
static void look(Query *q) {
  const double *e = code(q, q->query);
  for (int a = 0; a < q->d; a++) bf_affine_shift(q->space, token(q, q->query, a), e ? e[a] : 0, form(q, q->at, a));
  for (int k = 1; k < q->count; k++)
    for (int a = 0; a < q->d; a++) subtract(q, q->key[k], q->query, a, form(q, q->away, (int64_t)k * q->d + a));
}

/* N(z_j) + e_j - N(z_i) - e_i of key k; the codes' difference is off by 2^-53 of itself, which counts as that much of
 * e. */
static const BfAffine *shift(const Query *q, int k) {
  const double *e = code(q, q->query), *f = code(q, q->key[k]);
  BfAffine     *from = form(q, q->away, (int64_t)k * q->d);
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

/* Of the key j. NULL: nothing more is known of its logit. */
static BfLogitRange *known(const Query *q, int h, int j) {
  const BfLayerBound *of = q->call->of;
  for (int i = 0; i < of->logits; i++) {
    BfLogitRange *logit = &of->logit[i];
    if (logit->head == h && logit->query == q->query && logit->key == j) return logit;
  }
  return NULL;
}

static void tell(const Query *q, int h, int j, const BfAffine *delta) {
  const BfLayerBound *of = q->call->of;
  if (*of->told < of->logits)
    of->logit[(*of->told)++] =
        (BfLogitRange){.head = h, .query = q->query, .key = j, .least = delta->lower, .most = delta->upper};
}

/* delta's form becomes that of its variable over what is left. Both forms hold at every point of the box where delta is
 * in its range, so that their difference, in exact arithmetic 0, is in the difference's form. */
static void meet(const Query *q, BfLogitRange *logit, BfAffine *delta) {
  logit->least  = fmax(logit->lower, delta->lower);
  logit->most   = fmin(logit->upper, delta->upper);
  logit->radius = delta->radius;
  if (!(logit->least <= logit->most)) return;
  bf_affine_copy(q->space, delta, logit->apart);
  bf_affine_variable(q->space, logit->variable, logit->least, logit->most, delta);
  bf_affine_sub(q->space, logit->apart, delta, logit->apart);
}

static void use_ranges(const Query *q, int h, int j, BfAffine *delta) {
  BfLogitRange *logit;
  if (q->call->of->told) tell(q, h, j, delta);
  else if ((logit = known(q, h, j))) meet(q, logit, delta);
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
  bf_affine_constant(space, 0, q->delta);
  for (int k = 1; k < q->count; k++) {
    BfAffine       *delta = form(q, q->delta, k);
    const BfAffine *away  = shift(q, k);
    bf_affine_begin(space, delta);
    for (int b = 0; b < d; b++)
      bf_affine_plus_product(space, q->layer->beta, form(q, q->y, b), form(q, away, b), delta);
    bf_affine_end(space, delta);
    weigh(q, q->key[k], delta);
    use_ranges(q, h, q->key[k], delta);
  }
}

/* p - c into share, c into part: a whole number of 2^-20, so that sums of c are exact. Of two keys the query's share is
 * not needed. */
static void shares(const Query *q) {
  if (q->count == 2) bf_affine_sigmoid(q->space, form(q, q->delta, 1), form(q, q->share, 1));
  else bf_affine_softmax(q->space, q->count, q->delta, q->share, q->work);
  for (int k = q->count == 2; k < q->count; k++) {
    BfAffine     *p = form(q, q->share, k);
    const double *r = bf_affine_rest(q->space, p);
    q->part[k]      = 0x1p-20 * rint(0x1p20 * p->c);
    q->rest[k]      = p->e;
    for (int i = 0; i < q->space->n; i++) q->rest[k] += r[i];
    bf_affine_shift(q->space, p, -q->part[k], p);
  }
}

/* The key that differences of component a are taken from. */
static int reference(const Query *q, int a) {
  int    best  = 0;
  double least = INFINITY;
  for (int k = 0; k < q->count && q->count > 2; k++) {
    double sum = 0;
    for (int j = 0; j < q->count; j++) sum += q->rest[j] * fabs(token(q, q->key[j], a)->c - token(q, q->key[k], a)->c);
    if (sum >= least) continue;
    least = sum;
    best  = k;
  }
  return best;
}

static void average(const Query *q, int a) {
  const int r     = reference(q, a);
  BfAffine *mean  = form(q, q->mean, a);
  double    lower = INFINITY, upper = -INFINITY, part = 1;
  bf_affine_begin(q->space, mean);
  for (int k = 0; k < q->count; k++) {
    const BfAffine *key = token(q, q->key[k], a);
    lower               = key->lower < lower ? key->lower : lower;
    upper               = key->upper > upper ? key->upper : upper;
    if (k == r) continue;
    part -= q->part[k];
    bf_affine_plus(q->space, q->part[k], key, mean);
    subtract(q, q->key[k], q->key[r], a, q->one);
    bf_affine_plus_product(q->space, 1, form(q, q->share, k), q->one, mean);
  }
  bf_affine_plus(q->space, part, token(q, q->key[r], a), mean);
  bf_affine_end(q->space, mean);
  bf_affine_meet(q->space, lower, upper, mean);
}

/* A component that all keys share is its own mean. */
static void add_head(const Query *q, int h, BfAffine *sum) {
  if (q->count > 1) {
    logits(q, h);
    shares(q);
  }
  for (int a = 0; a < q->d; a++) {
    if (q->count == 1 || is_constant(q, a)) bf_affine_copy(q->space, token(q, q->query, a), form(q, q->mean, a));
    else average(q, a);
  }
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
      find_keys(&q);
      look(&q);
      for (int h = 0; h < q.layer->heads; h++) add_head(&q, h, sum);
    }
  }
}
