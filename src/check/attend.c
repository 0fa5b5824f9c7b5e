/* Attention, norms and projections of forms (forms.h). */
#include "check/elementary.h"
#include "check/logit.h"
#include "check/share.h"
#include "check/unary.h"

/* ---- attention -------------------------------------------------------------------------------------------------- */

typedef struct {
  BfCheckForms    *forms;
  const BfLayer   *layer;
  const BfContext *context;
  int64_t          t, s, first;
  int              i, groups; /* the query; kinds of keys, the first of which is its own */
} Query;

static BfLinear *seen(const Query *q, int j, int a) { return q->forms->seen[(q->first + j) * q->layer->dim + a]; }
static double    encoding(const Query *q, int j, int a) { return bf_check_encoding(q->layer, q->context, j, a); }

/* Whether component a of N(z) is the same for two tokens, whatever the controls. */
static bool is_same(const Query *q, int j, int k, int a) {
  return bf_check_is_same(q->forms->model, q->t, q->first + j, q->first + k, a);
}

static bool is_one_key(const Query *q, int j, int k) {
  return bf_check_is_one_key(q->forms->model, q->t, (BfCheckToken){q->s, j}, (BfCheckToken){q->s, k});
}

/* Kinds of keys that the query sees; its own is the first, and there, since a token always sees itself. */
static void find_groups(Query *q) {
  int *group = q->forms->group, *many = q->forms->many;
  q->groups = 1;
  group[0]  = q->i;
  many[0]   = 0;
  for (int j = 0; j < q->context->slots; j++) {
    int g = 0;
    if (!bf_check_sees(q->layer, q->context, q->i, j)) continue;
    while (g < q->groups && !is_one_key(q, j, group[g])) g++;
    if (g == q->groups) group[g] = j, many[g] = 0, q->groups++;
    many[g]++;
  }
}

/* Components of N of group g minus those of the query, NULL where they are equal: into list[(g - 1) d + b]. */
static void differ(const Query *q, BfLinear **difference) {
  const int d = q->layer->dim;
  for (int g = 1; g < q->groups; g++)
    for (int b = 0; b < d; b++) {
      const int  j   = q->forms->group[g];
      BfLinear **out = &difference[(g - 1) * d + b];
      *out           = NULL;
      if (is_same(q, j, q->i, b)) continue;
      *out = bf_check_zero(q->forms);
      bf_linear_add(&q->forms->scratch, *out, bf_span(1), seen(q, j, b));
      bf_linear_add(&q->forms->scratch, *out, bf_span(-1), seen(q, q->i, b));
      bf_linear_end(&q->forms->scratch, *out);
    }
}

static BfSpan encoding_difference(const Query *q, int g, int b) {
  return bf_span_sub(bf_span(encoding(q, q->forms->group[g], b)), bf_span(encoding(q, q->i, b)));
}

/* y_b = sum_a (N(z_i) + e_i)_a A_ab. */
static BfLinear *image_of(const Query *q, int h, int b) {
  BfCheckForms *forms = q->forms;
  const int     d = q->layer->dim, at = q->layer->matrix[forms->model->attention + 2 * h].at;
  BfLinear     *y = bf_check_zero(forms);
  for (int a = 0; a < d; a++) {
    const int64_t mark = forms->scratch.used;
    BfLinear     *sum  = bf_check_zero(forms);
    bf_linear_copy(&forms->scratch, seen(q, q->i, a), sum);
    bf_linear_shift(sum, bf_span(encoding(q, q->i, a)));
    bf_check_add_product(forms, y, sum, forms->parameter[at + a * d + b]);
    forms->scratch.used = mark;
  }
  bf_linear_end(&forms->scratch, y);
  return y;
}

/* delta_g = beta sum_b y_b (difference of N + e)_b; made in delta[g]. */
static void add_logits(const Query *q, int b, BfLinear *y, BfLinear **difference, BfLinear **delta) {
  BfCheckForms *forms = q->forms;
  for (int g = 1; g < q->groups; g++) {
    const BfLinear *known = difference[(g - 1) * q->layer->dim + b];
    const BfSpan    shift = encoding_difference(q, g, b);
    const int64_t   mark  = forms->scratch.used;
    BfLinear       *sum   = bf_check_zero(forms);
    if (known) bf_linear_copy(&forms->scratch, known, sum);
    bf_linear_shift(sum, shift);
    bf_check_add_product(forms, delta[g], y, sum);
    forms->scratch.used = mark;
  }
}

static bool matters(const Query *q, int b, BfLinear **difference) {
  for (int g = 1; g < q->groups; g++) {
    const BfSpan shift = encoding_difference(q, g, b);
    if (difference[(g - 1) * q->layer->dim + b] || shift.lo != 0 || shift.hi != 0) return true;
  }
  return false;
}

/* Each logit of a kind, with log(m_g / m_0), since m_g keys count. */
static void logits(const Query *q, int h, BfLinear **difference, BfLinear **delta) {
  BfCheckForms *forms = q->forms;
  const int    *many  = forms->many;
  differ(q, difference);
  for (int g = 0; g < q->groups; g++) delta[g] = bf_check_zero(forms);
  for (int b = 0; b < q->layer->dim; b++) {
    const int64_t mark = forms->scratch.used;
    if (matters(q, b, difference)) add_logits(q, b, image_of(q, h, b), difference, delta);
    forms->scratch.used = mark;
  }
  for (int g = 1; g < q->groups; g++) {
    bf_linear_scale(&forms->scratch, delta[g], bf_span(q->layer->beta));
    bf_linear_end(&forms->scratch, delta[g]);
    if (many[g] != many[0])
      bf_linear_shift(delta[g], bf_span_log(bf_span_quotient(bf_span(many[g]), bf_span(many[0]))));
  }
}

/* Those of kinds. p[0] is made where there are more than two. */
static void shares(const Query *q, BfLinear *const delta[], BfLinear *p[]) {
  BfCheckForms *forms = q->forms;
  BfLinears    *space = &forms->scratch;
  if (q->groups == 2) {
    bf_linear_copy(space, delta[1], p[1]);
    bf_unary_sigmoid(space, p[1]);
  } else {
    bf_check_shares(space, q->groups, delta, p, forms->room);
  }
}

/* The kind that differences of component b are taken from: where remainders of shares count least. */
static int reference(const Query *q, int b, BfLinear *const p[]) {
  const int *group = q->forms->group;
  int        best  = 0;
  double     least = INFINITY;
  for (int r = 0; r < q->groups && q->groups > 2 && !q->forms->by_query; r++) {
    double sum = 0;
    for (int g = 0; g < q->groups; g++) sum += p[g]->e * fabs(seen(q, group[g], b)->c - seen(q, group[r], b)->c);
    if (!(sum < least)) continue;
    least = sum;
    best  = r;
  }
  return best;
}

/* sum_g c_g x_g + sum_{g != r} (p_g - c_g) (x_g - x_r), c_r = 1 - sum_{g != r} c_g, is the mean whatever c is, since
 * all shares are 1 together. c_g is about p_g's middle, a whole number of 2^-20, so that c_r is exact. */
static void average(const Query *q, int b, BfLinear *const p[], BfLinear *mean) {
  BfCheckForms *forms = q->forms;
  BfLinears    *space = &forms->scratch;
  const int    *group = forms->group, r = reference(q, b, p);
  BfSpan        hull = seen(q, group[r], b)->range;
  double        left = 1;
  for (int g = 0; g < q->groups; g++) {
    const BfLinear *x = seen(q, group[g], b);
    if (g == r) continue;
    const int64_t mark = space->used;
    const double  part = forms->by_query ? 0 : 0x1p-20 * rint(0x1p20 * p[g]->c);
    BfLinear     *away = bf_check_zero(forms), *share = bf_check_zero(forms);
    hull = bf_span_hull(hull, x->range);
    left -= part;
    bf_linear_add(space, mean, bf_span(part), x);
    if (!is_same(q, group[g], group[r], b)) {
      bf_linear_add(space, away, bf_span(1), x);
      bf_linear_add(space, away, bf_span(-1), seen(q, group[r], b));
      bf_linear_end(space, away);
      bf_linear_copy(space, p[g], share);
      bf_linear_shift(share, bf_span(-part));
      bf_check_add_product(forms, mean, share, away);
    }
    space->used = mark;
  }
  bf_linear_add(space, mean, bf_span(left), seen(q, group[r], b));
  bf_linear_end(space, mean);
  bf_linear_meet_by(space, mean, hull, forms->trust_means);
}

static Query query_of(BfCheckForms *forms, int64_t t, int64_t s, int i) {
  const BfCheckModel *model = forms->model;
  Query               q     = {.forms   = forms,
                               .layer   = &model->problem->layer,
                               .context = &model->context[s],
                               .t       = t,
                               .s       = s,
                               .first   = model->first[s],
                               .i       = i};
  find_groups(&q);
  return q;
}

BfSpan bf_check_range_of_logit(BfCheckForms *forms, const int32_t *name) {
  const Query   q          = query_of(forms, name[BF_LOGIT_LAYER], name[BF_LOGIT_CONTEXT], name[BF_LOGIT_QUERY]);
  const int64_t mark       = forms->scratch.used;
  BfLinear    **difference = forms->list, **delta = difference + (int64_t)(q.groups - 1) * q.layer->dim;
  int           g = 1;
  while (!is_one_key(&q, name[BF_LOGIT_KEY], forms->group[g])) g++;
  logits(&q, name[BF_LOGIT_HEAD], difference, delta);
  forms->scratch.used = mark;
  return delta[g]->range;
}

void bf_check_attend(BfCheckForms *forms, int64_t t, int64_t s, int i, int h, BfLinear *mean[]) {
  const Query q          = query_of(forms, t, s, i);
  const int   d          = q.layer->dim;
  BfLinear  **difference = forms->list, **delta = difference + (int64_t)(q.groups - 1) * d, **p = delta + q.groups;
  for (int b = 0; b < d; b++) mean[b] = bf_check_zero(forms);
  if (q.groups == 1) {
    for (int b = 0; b < d; b++) bf_linear_copy(&forms->scratch, seen(&q, i, b), mean[b]);
    return;
  }
  logits(&q, h, difference, delta);
  for (int g = 0; g < q.groups; g++) p[g] = bf_check_zero(forms);
  for (int g = 1; forms->logits && g < q.groups; g++)
    bf_check_logit(forms, t, q.first + i, h, forms->group[g], delta[g]);
  shares(&q, delta, p);
  for (int b = 0; b < d; b++) average(&q, b, p, mean[b]);
}

/* ---- norms and projections -------------------------------------------------------------------------------------- */

/* The sum of squares, open. */
static BfLinear *squares(BfCheckForms *forms, BfLinear *const x[]) {
  BfLinears *space = &forms->scratch;
  BfLinear  *sum = bf_check_zero(forms), *one = bf_check_zero(forms);
  for (int a = 0; a < forms->model->problem->layer.dim; a++) {
    bf_linear_copy(space, x[a], one);
    bf_unary_square(space, one);
    bf_linear_add(space, sum, bf_span(1), one);
  }
  return sum;
}

/* x - mean of x: (1 - 1/d) x_a - 1/d sum of the others. */
static void centre(BfCheckForms *forms, BfLinear *const x[], BfLinear *out[]) {
  const int    d    = forms->model->problem->layer.dim;
  const BfSpan part = bf_span_quotient(bf_span(-1), bf_span(d)), own = bf_span_quotient(bf_span(d - 1), bf_span(d));
  for (int a = 0; a < d; a++) {
    out[a] = bf_check_zero(forms);
    for (int b = 0; b < d; b++) bf_linear_add(&forms->scratch, out[a], a == b ? own : part, x[b]);
    bf_linear_end(&forms->scratch, out[a]);
  }
}

void bf_check_norm(BfCheckForms *forms, BfLinear *const z[], BfLinear *out[]) {
  BfLinears    *space = &forms->scratch;
  const int     d     = forms->model->problem->layer.dim;
  const int64_t mark  = space->used;
  BfLinear     *c[BF_MOST_DIM];
  for (int a = 0; a < d; a++) c[a] = z[a];
  if (forms->model->norm == BF_CHECK_LAYER) centre(forms, z, c);
  BfLinear    *root = squares(forms, c);
  const double most = bf_span_sqrt(bf_span(d)).hi;
  bf_linear_scale(space, root, bf_span_quotient(bf_span(1), bf_span(d)));
  bf_linear_shift(root, bf_span(1e-5));
  bf_linear_end(space, root);
  bf_linear_meet(space, root, (BfSpan){1e-5, INFINITY});
  bf_unary_inverse_root(space, root);
  for (int a = 0; a < d; a++) {
    bf_linear_mul(space, c[a], root, out[a]);
    bf_linear_end(space, out[a]);
    bf_linear_meet(space, out[a], (BfSpan){-most, most});
  }
  space->used = mark;
}

static void to_sphere(BfCheckForms *forms, BfLinear *y[]) {
  BfLinears    *space = &forms->scratch;
  const int64_t mark  = space->used;
  const int     d     = forms->model->problem->layer.dim;
  int           zeros = 0;
  for (int a = 0; a < d; a++) zeros += bf_linear_is_zero(y[a]);
  if (zeros == d) return; /* the origin stays where it is */
  BfLinear *root = squares(forms, y), *product = bf_check_zero(forms);
  bf_linear_end(space, root);
  const bool known = root->range.lo > 0;
  if (known) bf_unary_inverse_root(space, root);
  for (int a = 0; a < d; a++) {
    if (known) {
      bf_linear_mul(space, y[a], root, product);
      bf_linear_end(space, product);
      bf_linear_copy(space, product, y[a]);
      bf_linear_meet(space, y[a], (BfSpan){-1, 1});
    } else {
      bf_linear_span(space, y[a], (BfSpan){-1, 1});
    }
  }
  space->used = mark;
}

void bf_check_project(BfCheckForms *forms, BfLinear *y[]) {
  const BfLayer *layer = &forms->model->problem->layer;
  double         lower[BF_MOST_DIM], upper[BF_MOST_DIM];
  if (forms->model->projection == BF_CHECK_SPHERE) {
    to_sphere(forms, y);
    return;
  }
  layer->projection->box(layer, lower, upper);
  for (int a = 0; a < layer->dim; a++) bf_unary_clip(&forms->scratch, y[a], lower[a], upper[a]);
}
