#include "check/terminal.h"
#include "check/elementary.h"
#include "cost/pooling.h"

/* ---- features --------------------------------------------------------------------------------------------------- */

/* R_c - R_label of a readout: entry a, or the bias where a is d. */
static BfSpan coefficient(const BfCost *cost, int64_t readout, int c, int label, int a) {
  const int64_t row  = readout * cost->classes;
  const double *at   = a < cost->dim ? cost->matrix + row * cost->dim + a : cost->bias + row;
  const int64_t step = a < cost->dim ? cost->dim : 1;
  if (!(a < cost->dim) && !cost->bias) return bf_span(0);
  return bf_span_sub(bf_span(at[c * step]), bf_span(at[label * step]));
}

/* Of a trained readout: the same of forms that stand in `parameter`. */
static BfLinear *trained(BfCheckForms *forms, int c, int label, int a) {
  const BfCost *cost  = &forms->model->problem->cost;
  const int64_t begin = a < cost->dim ? 0 : (int64_t)cost->classes * cost->dim, step = a < cost->dim ? cost->dim : 1;
  BfLinear     *x  = bf_check_zero(forms);
  const int64_t at = begin + (a < cost->dim ? a : 0);
  bf_linear_add(&forms->scratch, x, bf_span(1), forms->parameter[at + c * step]);
  bf_linear_add(&forms->scratch, x, bf_span(-1), forms->parameter[at + label * step]);
  bf_linear_end(&forms->scratch, x);
  return x;
}

/* zeta_c - zeta_label of representation r. */
static BfLinear *logit(BfCheckForms *forms, int64_t readout, BfLinear *const r[], int c, int label) {
  const BfCost *cost = &forms->model->problem->cost;
  BfLinear     *x    = bf_check_zero(forms);
  for (int a = 0; a <= cost->dim; a++) {
    const int64_t mark = forms->scratch.used;
    if (!cost->trained) {
      const BfSpan by = coefficient(cost, readout, c, label, a);
      if (a == cost->dim) bf_linear_shift(x, by);
      else if (by.lo != 0 || by.hi != 0) bf_linear_add(&forms->scratch, x, by, r[a]);
    } else if (a < cost->dim) {
      bf_check_add_product(forms, x, trained(forms, c, label, a), r[a]);
    } else {
      bf_linear_add(&forms->scratch, x, bf_span(1), trained(forms, c, label, a));
    }
    forms->scratch.used = mark;
  }
  bf_linear_end(&forms->scratch, x);
  return x;
}

/* Forms of the readout's numbers, behind which scratch is free. */
static void read_numbers(BfCheckForms *forms) {
  const BfProblem *problem = forms->model->problem;
  const int64_t    first   = (int64_t)problem->horizon * problem->layer.free;
  forms->scratch.used      = 0;
  for (int64_t i = 0; i < problem->cost.trained; i++) {
    forms->parameter[i] = bf_check_zero(forms);
    bf_check_number(forms, first + i, 1, forms->parameter[i]);
  }
}

/* The mean over the tokens at the positions that the cost pools. */
static void pool(BfCheckForms *forms, int64_t s, BfLinear *r[]) {
  const BfCheckModel *model   = forms->model;
  const BfContext    *context = &model->context[s];
  const BfPooled     *own     = model->problem->cost.own;
  const int           d = model->problem->cost.dim, last = context->tags - 1; /* tags are in the order of positions */
  const BfPooling     pooling = own ? own->pooling : BF_POOL_MEAN;
  int                 count   = 0;
  for (int a = 0; a < d; a++) r[a] = bf_check_zero(forms);
  for (int i = 0; i < context->slots; i++) {
    const int position = context->position[bf_check_tag(context, i)];
    if (pooling == BF_POOL_LAST && position != context->position[last]) continue;
    if (pooling == BF_POOL_FIRST && position != context->position[0]) continue;
    for (int a = 0; a < d; a++)
      bf_linear_add(&forms->scratch, r[a], bf_span(1), forms->z[(model->first[s] + i) * d + a]);
    count++;
  }
  for (int a = 0; a < d; a++) {
    bf_linear_scale(&forms->scratch, r[a], bf_span_quotient(bf_span(1), bf_span(count)));
    bf_linear_end(&forms->scratch, r[a]);
  }
}

/* ---- one loss --------------------------------------------------------------------------------------------------- */

/* What is done with the features x[count] of one loss, whose targets are y[count] (squared error). */
typedef struct Visit Visit;
struct Visit {
  void (*loss)(Visit *visit, BfCheckForms *forms, int count, BfLinear *const x[], const double y[]);
  const double *xi;
  double        near;  /* so near to an end of its range a feature counts as there */
  BfLinear     *sum;   /* of g_f x_f */
  double        total; /* of K, rounded down; or of upper bounds, rounded up */
};

/* -p log p >= that, of 0 <= p <= 1. */
static double entropy(double p) {
  if (p <= 0) return 0;
  return bf_span_mul(bf_span(p), bf_span_negative(bf_span_log(bf_span(p)))).lo;
}

/* Any g >= 0 of sum at most 1 supports log(1 + sum exp x): K is the entropy of g and 1 - sum g. */
static double support_entropies(int count, const double at[], double g[]) {
  double most = 0, sum, k = 0, low = 0;
  for (int f = 0; f < count; f++) most = fmax(most, at[f]);
  sum = exp(-most);
  for (int f = 0; f < count; f++) sum += g[f] = exp(at[f] - most);
  for (int f = 0; f < count; f++) g[f] = isfinite(g[f] / sum) ? g[f] / sum : 0;
  for (sum = 2; sum > 1;) {
    sum = 0;
    for (int f = 0; f < count; f++) sum += g[f];
    for (int f = 0; f < count && sum > 1; f++) g[f] *= 1 - 0x1p-40;
  }
  for (int f = 0; f < count; f++) {
    k   = bf_add_down(k, entropy(g[f]));
    low = bf_add_down(low, g[f]);
  }
  /* x -> -x log x is concave: least at an end of what is left */
  return bf_add_down(k, fmin(entropy(fmin(1 - low, 1)), entropy(bf_add_down(1, -sum))));
}

/* (x - y)^2 >= g (x - y) - g^2 / 4. */
static double support_squares(int count, const double at[], const double y[], double g[]) {
  double k = 0;
  for (int f = 0; f < count; f++) {
    g[f] = 2 * (at[f] - y[f]);
    const BfSpan each =
        bf_span_add(bf_span_mul(bf_span(g[f]), bf_span(y[f])), bf_span_scale(0.25, bf_span_square(bf_span(g[f]))));
    k = bf_add_down(k, -each.hi);
  }
  return k;
}

/* max(0, 1 + max x) >= 1 + x_c for each c, and >= 0. */
static double support_hinge(int count, const double at[], double g[]) {
  int largest = 0;
  for (int f = 0; f < count; f++) {
    g[f] = 0;
    if (at[f] > at[largest]) largest = f;
  }
  if (!count || !(1 + at[largest] > 0)) return 0;
  g[largest] = 1;
  return 1;
}

static double support(BfCheckCost cost, int count, const double at[], const double y[], double g[]) {
  if (cost == BF_CHECK_SQUARED) return support_squares(count, at, y, g);
  return cost == BF_CHECK_HINGE ? support_hinge(count, at, g) : support_entropies(count, at, g);
}

static double value_at(const BfLinear *x, int n, const double xi[]) {
  double value = x->c;
  for (int k = 0; k < n; k++) value += x->b[k] * xi[k];
  return value;
}

/* Any point gives a support; best where the loss is least within the remainders of the forms at xi, and their ranges:
 * at the ends against the first gradient, or between, where a feature's derivative has turned there. number: [5 count]
 * that point, the gradient, the first one, where that was, whether an end was taken. */
static double support_near(const Visit *visit, const BfCheckForms *forms, int count, BfLinear *const x[],
                           const double y[]) {
  double *at = forms->number, *g = at + count, *first = g + count, *from = first + count, *there = from + count;
  bool    turned = false;
  for (int f = 0; f < count; f++) from[f] = at[f] = value_at(x[f], forms->scratch.n, visit->xi);
  support(forms->model->cost, count, at, y, g);
  for (int f = 0; f < count; f++) {
    first[f] = g[f];
    there[f] = 0;
    if (g[f] == 0) continue;
    const double end = g[f] > 0 ? x[f]->range.lo : x[f]->range.hi;
    at[f] -= copysign(x[f]->e, g[f]);
    if ((g[f] > 0 ? at[f] - end : end - at[f]) <= visit->near) at[f] = end, there[f] = 1;
  }
  const double k = support(forms->model->cost, count, at, y, g);
  for (int f = 0; f < count; f++) {
    if (first[f] * g[f] >= 0) continue;
    at[f]    = from[f] + (at[f] - from[f]) * (first[f] / (first[f] - g[f]));
    turned   = true;
    there[f] = 0;
  }
  return turned ? support(forms->model->cost, count, at, y, g) : k;
}

/* g x from below by the form; by the end of the range, where the support is there. */
static void add_tangent(Visit *visit, BfCheckForms *forms, int count, BfLinear *const x[], const double y[]) {
  const double *at = forms->number, *g = at + count, *there = at + 4 * (int64_t)count;
  visit->total = bf_add_down(visit->total, support_near(visit, forms, count, x, y));
  for (int f = 0; f < count; f++) {
    const double end = g[f] > 0 ? x[f]->range.lo : x[f]->range.hi;
    if (g[f] != 0 && there[f] == 1 && at[f] == end) visit->total = bf_add_down(visit->total, bf_mul_down(g[f], end));
    else if (g[f] != 0) bf_linear_add(&forms->scratch, visit->sum, bf_span(g[f]), x[f]);
  }
}

/* Each of these losses grows with every feature, or with its distance from the target. */
static void add_most(Visit *visit, BfCheckForms *forms, int count, BfLinear *const x[], const double y[]) {
  double most = 0, sum = 0;
  if (forms->model->cost == BF_CHECK_SQUARED) {
    for (int f = 0; f < count; f++) visit->total += bf_span_square(bf_span_sub(x[f]->range, bf_span(y[f]))).hi;
    return;
  }
  for (int f = 0; f < count; f++) most = fmax(most, x[f]->range.hi);
  if (forms->model->cost == BF_CHECK_HINGE) {
    double largest = -INFINITY;
    for (int f = 0; f < count; f++) largest = fmax(largest, x[f]->range.hi);
    visit->total += fmax(0, 1 + largest);
    return;
  }
  sum = bf_span_exp(bf_span(-most)).hi;
  for (int f = 0; f < count; f++) sum += bf_span_exp(bf_span_sub(bf_span(x[f]->range.hi), bf_span(most))).hi;
  visit->total += most + bf_span_log(bf_span(sum)).hi;
}

/* ---- all losses ------------------------------------------------------------------------------------------------- */

static void visit_logits(BfCheckForms *forms, int64_t readout, BfLinear *const r[], int label, Visit *visit) {
  const int64_t mark  = forms->scratch.used;
  int           count = 0;
  for (int c = 0; c < forms->model->problem->cost.classes; c++)
    if (c != label) forms->list[count++] = logit(forms, readout, r, c, label);
  visit->loss(visit, forms, count, forms->list, NULL);
  forms->scratch.used = mark;
}

static void visit_context(BfCheckForms *forms, int64_t readout, int64_t s, Visit *visit) {
  const BfCheckModel *model   = forms->model;
  const BfContext    *context = &model->context[s];
  const int           d       = model->problem->cost.dim;
  const int64_t       mark    = forms->scratch.used;
  BfLinear           *r[BF_MOST_DIM];
  if (model->cost == BF_CHECK_POOLED || model->cost == BF_CHECK_HINGE) {
    pool(forms, s, r);
    visit_logits(forms, readout, r, context->label[0], visit);
  } else {
    for (int i = 0; i < context->slots; i++) {
      const int        g = bf_check_tag(context, i);
      BfLinear *const *z = forms->z + (model->first[s] + i) * d;
      if (model->cost == BF_CHECK_TOKEN) visit_logits(forms, readout, z, context->label[g], visit);
      else visit->loss(visit, forms, d, z, context->target + (int64_t)g * d);
    }
  }
  forms->scratch.used = mark;
}

static void visit_all(BfCheckForms *forms, int64_t readout, Visit *visit) {
  for (int64_t s = 0; s < forms->model->problem->train.contexts; s++) visit_context(forms, readout, s, visit);
}

static BfSpan weight(const BfCheckForms *forms) {
  return bf_span_quotient(bf_span(1), bf_span(bf_cost_denominator(&forms->model->problem->cost)));
}

double bf_check_tangent(BfCheckForms *forms, int64_t readout, const double xi[], double near, BfLinear *sum) {
  Visit visit = {.loss = add_tangent, .xi = xi, .near = near, .sum = sum};
  bf_linear_span(&forms->scratch, sum, bf_span(0));
  read_numbers(forms);
  visit_all(forms, readout, &visit);
  bf_linear_scale(&forms->scratch, sum, weight(forms));
  return bf_span_mul(bf_span(visit.total), weight(forms)).lo;
}

double bf_check_terminal_most(BfCheckForms *forms, int64_t readout) {
  Visit visit = {.loss = add_most};
  read_numbers(forms);
  visit_all(forms, readout, &visit);
  return bf_span_mul(bf_span(visit.total), weight(forms)).hi;
}
