#include "certify/bounder.h"
#include <math.h>
#include <string.h>

/* Counts of forms. */
typedef struct {
  int64_t parameters, readout, slots, most_slots, most_features, layer_work;
} Sizes;

static Sizes sizes_of(const BfObjective *of, const BfFormSpace *space) {
  const BfLayer *layer = &of->problem->layer;
  Sizes          s     = {.parameters = (int64_t)of->problem->horizon * layer->parameters,
                          .readout    = of->cost->matrix ? of->cost->classes : 0};
  for (int64_t i = 0; i < of->data.contexts; i++) {
    const BfContext *c        = &of->data.context[i].context;
    const int64_t    features = of->first[i + 1] - of->first[i], work = bf_layer_bound_work(space, layer, c);
    s.slots += c->slots;
    if (c->slots > s.most_slots) s.most_slots = c->slots;
    if (features > s.most_features) s.most_features = features;
    if (work > s.layer_work) s.layer_work = work;
  }
  return s;
}

static BfStatus forms(const BfFormSpace *space, int64_t count, BfAffine **out, BfError *error) {
  *out = bf_calloc(count, space->size, error);
  return *out ? BF_OK : BF_FAILURE;
}

/* Logits are variables of boxes; at a point they are what the numbers say. */
static BfStatus take_logits(BfBounder *x, int64_t count, BfError *error) {
  x->logits = count;
  BF_TRY(BF_NEW(&x->logit, count, error));
  BF_TRY(forms(&x->space, count, &x->apart, error));
  for (int64_t i = 0; i < count; i++) {
    x->logit[i]       = x->of->logits.logit[i];
    x->logit[i].apart = bf_affine_at(&x->space, x->apart, i);
  }
  return BF_OK;
}

static void place_data(BfBounder *x) {
  const BfObjective *of = x->of;
  const int          d  = of->problem->layer.dim;
  int64_t            at = 0;
  for (int64_t s = 0; s < of->data.contexts; s++) {
    const BfMerged *one = &of->data.context[s];
    x->at[s]            = at;
    of->cost->kind->reads(of->cost, &one->context, x->wanted + at);
    bf_layer_alike(&of->problem->layer, &one->context, one->z, x->like + at);
    for (int64_t i = 0; i < (int64_t)one->context.slots * d; i++) {
      BfAffine *const z = bf_affine_at(&x->space, x->data, at * d + i);
      if (of->from == 0) bf_affine_constant(&x->space, one->z[i], z);
      else bf_affine_interval(&x->space, of->axes->least[at * d + i], of->axes->most[at * d + i], NULL, z);
    }
    at += one->context.slots;
  }
}

BfStatus bf_bounder_create(const BfObjective *of, bool variables, BfBounder *x, BfError *error) {
  const int d = of->problem->layer.dim, n = variables ? of->n : 0;
  x->of         = of;
  x->space      = bf_form_space(n);
  const Sizes s = sizes_of(of, &x->space);
  BF_TRY(forms(&x->space, n, &x->variable, error));
  BF_TRY(forms(&x->space, s.parameters, &x->parameter, error));
  BF_TRY(take_logits(x, variables ? of->logits.count : 0, error));
  BF_TRY(forms(&x->space, s.readout * d, &x->matrix, error));
  BF_TRY(forms(&x->space, s.readout, &x->bias, error));
  BF_TRY(forms(&x->space, s.slots * d, &x->data, error));
  BF_TRY(forms(&x->space, s.most_slots * d, &x->z, error));
  BF_TRY(forms(&x->space, s.most_slots * d, &x->next, error));
  BF_TRY(forms(&x->space, s.most_features, &x->feature, error));
  BF_TRY(forms(&x->space, BF_BOUND_WORK(d), &x->cost_work, error));
  BF_TRY(BF_NEW((char **)&x->layer_work, s.layer_work, error));
  BF_TRY(BF_NEW(&x->at, of->data.contexts, error));
  BF_TRY(BF_NEW(&x->wanted, s.slots, error));
  BF_TRY(BF_NEW(&x->like, s.slots, error));
  BF_TRY(BF_NEW(&x->lower, s.most_features, error));
  BF_TRY(BF_NEW(&x->upper, s.most_features, error));
  x->components = s.slots * d;
  place_data(x);
  return BF_OK;
}

void bf_bounder_clear(BfBounder *x) {
  void *const owned[] = {x->variable, x->parameter, x->matrix,    x->bias,       x->data, x->z,
                         x->next,     x->feature,   x->cost_work, x->layer_work, x->at,   x->wanted,
                         x->like,     x->lower,     x->upper,     x->logit,      x->apart};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  *x = (BfBounder){0};
}

double bf_bounder_bytes(const BfObjective *of, bool variables) {
  const BfFormSpace space = bf_form_space(variables ? of->n : 0);
  const Sizes       s     = sizes_of(of, &space);
  const double      d     = of->problem->layer.dim;
  return (double)space.size * (space.n + (double)of->logits.count + (double)s.parameters + (double)s.readout * (d + 1) +
                               ((double)s.slots + 2 * (double)s.most_slots) * d + (double)s.most_features + 2 * d + 4) +
         (double)s.layer_work;
}

/* ---- through the layers ------------------------------------------------------------------------------------------ */

static BfAffine *form(const BfBounder *x, BfAffine *base, int64_t i) { return bf_affine_at(&x->space, base, i); }

/* The logits of context s and layer t: of which ranges are known, or where x->tell is set room for what is told. */
static void take_ranges(BfBounder *x, int64_t s, int t, int *told, BfLayerBound *call) {
  if (x->tell) {
    call->logit  = x->tell->logit + x->tell->count;
    call->logits = (int)(BF_MOST_TOLD - x->tell->count);
    call->told   = told;
  } else if (x->logits) {
    const int64_t *first = x->of->logits.first + s * x->of->problem->horizon + t;
    call->logit          = x->logit + first[0];
    call->logits         = (int)(first[1] - first[0]);
  }
}

/* The tokens of a context behind the last layer. */
static const BfAffine *through(BfBounder *x, int64_t s) {
  const BfProblem *p       = x->of->problem;
  const BfContext *context = &x->of->data.context[s].context;
  const BfAffine  *z       = form(x, x->data, x->at[s] * p->layer.dim);
  for (int t = x->of->from; t < x->of->to; t++) {
    int          told = 0;
    BfLayerBound call = {.space      = &x->space,
                         .layer      = &p->layer,
                         .context    = context,
                         .parameters = form(x, x->parameter, (int64_t)t * p->layer.parameters),
                         .wanted     = t == p->horizon - 1 ? x->wanted + x->at[s] : NULL,
                         .like       = x->like + x->at[s],
                         .constant   = x->of->free.constant + (int64_t)t * p->layer.dim};
    take_ranges(x, s, t, &told, &call);
    bf_layer_bound(&call, z, x->next, x->layer_work);
    if (x->tell) x->tell->first[s * p->horizon + t + 1] = x->tell->count += told;
    BfAffine *const other = x->z;
    x->z                  = x->next;
    x->next               = other;
    z                     = x->z;
  }
  return z;
}

/* The features of a context, into x->feature: of the cost, or axes of its tokens. */
static void find_features(BfBounder *x, int root, int64_t s) {
  const BfObjective *of      = x->of;
  const BfContext   *context = &of->data.context[s].context;
  const BfCost      *cost    = &of->cost[root];
  const BfAffine    *z       = through(x, s);
  for (int a = of->first[s]; of->to < of->problem->horizon && a < of->first[s + 1]; a++) {
    const BfTokenAxis *axis = &of->axes->axis[a];
    bf_affine_copy(&x->space, bf_affine_at(&x->space, z, axis->slot * of->problem->layer.dim + axis->component),
                   form(x, x->feature, a - of->first[s]));
  }
  if (of->to < of->problem->horizon) return;
  const BfCostBound end = {.space   = &x->space,
                           .cost    = cost,
                           .context = context,
                           .matrix  = cost->matrix ? x->matrix : NULL,
                           .bias    = cost->matrix ? x->bias : NULL,
                           .work    = x->cost_work};
  cost->kind->bound(&end, z, x->feature);
}

/* ---- over a box -------------------------------------------------------------------------------------------------- */

static void fill_entry(BfBounder *x, const BfEntry *e, BfAffine *out) {
  if (e->variable < 0) bf_affine_constant(&x->space, e->value, out);
  else if (e->factor == 1) bf_affine_copy(&x->space, form(x, x->variable, e->variable), out);
  else bf_affine_scale(&x->space, form(x, x->variable, e->variable), e->factor, out);
}

static int64_t controls_of(const BfObjective *of) { return (int64_t)of->problem->horizon * of->problem->layer.free; }

/* Number i of a readout's C d + C; k: the variable that it is, -1: none. */
static void fill_number(BfBounder *x, const BfCost *cost, int64_t i, int k, BfAffine *out) {
  const int64_t entries = (int64_t)cost->classes * cost->dim;
  if (k >= 0) bf_affine_copy(&x->space, form(x, x->variable, k), out);
  else if (cost->trained) bf_affine_constant(&x->space, cost->lower[i], out); /* its range is a point */
  else bf_affine_constant(&x->space, i < entries ? cost->matrix[i] : cost->bias[i - entries], out);
}

/* Free numbers of a readout are the last variables. */
static void fill_readout(BfBounder *x, const BfCost *cost) {
  const BfFreeNumbers *free    = &x->of->free;
  const int64_t        entries = (int64_t)cost->classes * cost->dim, controls = controls_of(x->of);
  int                  k = x->of->from ? x->of->axes->count : 0;
  if (!cost->matrix) return;
  while (k < free->n && free->number[k] < controls) k++;
  for (int64_t i = 0; i < entries + cost->classes; i++) {
    const bool is = k < free->n && free->number[k] == controls + i;
    fill_number(x, cost, i, is ? k++ : -1, i < entries ? form(x, x->matrix, i) : form(x, x->bias, i - entries));
  }
}

static void take_features(const BfBounder *x, int first, int count, BfLower *to) {
  const int n = to->n;
  for (int f = 0; f < count; f++) {
    const BfAffine *from = form(x, x->feature, f);
    to->c[first + f]     = from->c;
    to->e[first + f]     = from->e;
    to->least[first + f] = from->lower;
    to->most[first + f]  = from->upper;
    memcpy(to->b + (int64_t)(first + f) * n, bf_affine_slope(from), sizeof(double) * (size_t)n);
    memcpy(to->r + (int64_t)(first + f) * n, bf_affine_rest(&x->space, from), sizeof(double) * (size_t)n);
  }
}

/* Axes of tokens before the first layer, where they are variables. */
static void fill_tokens(BfBounder *x) {
  const BfObjective *of = x->of;
  for (int64_t i = 0; of->from > 0 && i < x->components; i++)
    if (of->axes->of[i] >= 0) bf_affine_copy(&x->space, form(x, x->variable, of->axes->of[i]), form(x, x->data, i));
}

/* Tokens, parameters and the readout over the box of free numbers. */
static void set_box(BfBounder *x, const BfCost *cost, const double lower[], const double upper[]) {
  const BfObjective *of    = x->of;
  const int64_t      count = of->problem->layer.parameters;
  for (int k = 0; k < of->free.n; k++) bf_affine_variable(&x->space, k, lower[k], upper[k], form(x, x->variable, k));
  for (int64_t i = of->from * count; i < of->to * count; i++) fill_entry(x, &of->entry[i], form(x, x->parameter, i));
  fill_tokens(x);
  fill_readout(x, cost);
}

/* What variable k is in terms of xi: centre and width; where its box ends, and what a 256th of it is. */
static void place_variable(int k, double centre, double width, double lower, double upper, BfLower *to) {
  to->centre[k] = centre;
  to->width[k]  = width;
  to->end[0][k] = lower;
  to->end[1][k] = upper;
  to->part[k]   = (upper - lower) / 256;
}

/* A logit's variable runs over what is left of its box. Its coupling is one more feature, of nothing where forms say
 * nothing. */
static void take_logit(BfBounder *x, int64_t i, BfLower *to) {
  const BfLogitRange *logit = &x->logit[i];
  const int           k = logit->variable, f = x->of->features + (int)i, n = to->n;
  BfAffine           *v = form(x, x->variable, k), *apart = logit->apart;
  to->stiff[i] = to->slack[i] = 0;
  to->least[f]                = -INFINITY;
  to->most[f]                 = INFINITY;
  if (!(logit->least <= logit->most)) {
    to->empty = true;
    return;
  }
  bf_affine_variable(&x->space, k, logit->least, logit->most, v);
  const double c = v->c, w = bf_affine_slope(v)[k];
  place_variable(k, c, w, (logit->lower - c) / w, (logit->upper - c) / w, to);
  if (apart->radius < 1e300 && logit->radius > 0 && w > 0) bf_couple_count(to, (int)i, w, logit->radius);
  else bf_affine_constant(&x->space, 0, apart);
  to->c[f] = apart->c;
  to->e[f] = apart->e;
  memcpy(to->b + (int64_t)f * n, bf_affine_slope(apart), sizeof(double) * (size_t)n);
  memcpy(to->r + (int64_t)f * n, bf_affine_rest(&x->space, apart), sizeof(double) * (size_t)n);
}

void bf_bounder_box(BfBounder *x, int root, const double lower[], const double upper[], BfLower *to) {
  const BfObjective *of = x->of;
  to->cost              = &of->cost[root];
  to->empty             = false;
  set_box(x, to->cost, lower, upper);
  for (int k = 0; k < of->free.n; k++) {
    const BfAffine *v = form(x, x->variable, k);
    place_variable(k, v->c, bf_affine_slope(v)[k], -1, 1, to);
  }
  for (int64_t i = 0; i < x->logits; i++) {
    x->logit[i].lower = lower[x->logit[i].variable];
    x->logit[i].upper = upper[x->logit[i].variable];
  }
  for (int64_t s = 0; s < of->data.contexts; s++) {
    find_features(x, root, s);
    take_features(x, of->first[s], of->first[s + 1] - of->first[s], to);
  }
  for (int64_t i = 0; i < x->logits; i++) take_logit(x, i, to);
}

void bf_bounder_tokens(BfBounder *x, const double lower[], const double upper[], double least[], double most[]) {
  const BfObjective *of = x->of;
  const int          d  = of->problem->layer.dim;
  set_box(x, &of->cost[0], lower, upper);
  for (int64_t s = 0; s < of->data.contexts; s++) {
    const BfAffine *z = through(x, s);
    for (int64_t i = 0; i < (int64_t)of->data.context[s].context.slots * d; i++) {
      least[x->at[s] * d + i] = bf_affine_at(&x->space, z, i)->lower;
      most[x->at[s] * d + i]  = bf_affine_at(&x->space, z, i)->upper;
    }
  }
}

BfStatus bf_bounder_tell(const BfObjective *of, BfLogits *out, BfError *error) {
  BfBounder x = {0};
  BfStatus  status;
  BF_GOTO(BF_NEW(&out->logit, BF_MOST_TOLD, error));
  BF_GOTO(BF_NEW(&out->first, of->data.contexts * of->problem->horizon + 1, error));
  BF_GOTO(bf_bounder_create(of, true, &x, error));
  x.tell = out;
  set_box(&x, &of->cost[0], of->lower, of->upper);
  for (int64_t s = 0; s < of->data.contexts && out->count < BF_MOST_TOLD; s++) through(&x, s);
  if (out->count == BF_MOST_TOLD) bf_logits_clear(out); /* far too many */
done:
  bf_bounder_clear(&x);
  return status;
}

/* ---- at a point -------------------------------------------------------------------------------------------------- */

static void set_point(BfBounder *x, const BfCost *cost, const double number[]) {
  const BfObjective *of    = x->of;
  const int64_t      count = of->problem->layer.parameters, controls = controls_of(of);
  const int64_t      entries = (int64_t)cost->classes * cost->dim;
  for (int64_t i = 0; of->from > 0 && i < x->components; i++)
    if (of->axes->of[i] >= 0)
      bf_affine_constant(&x->space, number[of->free.all - of->axes->count + of->axes->of[i]], form(x, x->data, i));
  for (int64_t i = of->from * count; i < of->to * count; i++) {
    const BfEntry *e = &of->entry[i];
    /* entries are the control times 1 or -1, which is exact */
    bf_affine_constant(&x->space, e->number < 0 ? e->value : e->factor * number[e->number], form(x, x->parameter, i));
  }
  for (int64_t i = 0; cost->matrix && i < entries + cost->classes; i++) {
    const double given = i < entries ? cost->matrix[i] : cost->bias[i - entries];
    bf_affine_constant(&x->space, cost->trained ? number[controls + i] : given,
                       i < entries ? form(x, x->matrix, i) : form(x, x->bias, i - entries));
  }
}

double bf_bounder_value(BfBounder *x, int root, const double number[]) {
  const BfObjective *of       = x->of;
  const BfCost      *cost     = &of->cost[root];
  const int64_t      controls = controls_of(of);
  double             sum = 0, size = 0, decay = 0;
  set_point(x, cost, number);
  for (int64_t s = 0; s < of->data.contexts; s++) {
    const int count = of->first[s + 1] - of->first[s];
    find_features(x, root, s);
    for (int f = 0; f < count; f++) {
      x->lower[f] = form(x, x->feature, f)->lower;
      x->upper[f] = form(x, x->feature, f)->upper;
    }
    const double phi = cost->kind->upper(cost, &of->data.context[s].context, x->lower, x->upper);
    sum += of->data.context[s].times * phi;
    size += of->data.context[s].times * fabs(phi);
  }
  for (int64_t i = 0; i < controls; i++) decay += number[i] * number[i];
  decay *= cost->step * cost->weight_decay / 2;
  /* sums of at most so many terms, decay's all of one sign */
  const double rounding = ldexp((double)(controls + of->data.contexts) + 16, -52);
  const double value    = sum + decay + rounding * (size + decay);
  return isnan(value) ? INFINITY : value;
}
