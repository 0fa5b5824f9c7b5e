#include "certify/depth.h"
#include "certify/bounder.h"
#include <math.h>
#include <string.h>

/* Of a component's size: a range of no more is rounding of what is constant. */
static const double rounding = 1e-12;
/* Of the width of an axis, beside it at both ends: other programs' enclosures are a little wider. */
static const double beside = 0.01;

/* ---- axes -------------------------------------------------------------------------------------------------------- */

static int64_t count_slots(const BfMergedData *data) {
  int64_t slots = 0;
  for (int64_t s = 0; s < data->contexts; s++) slots += data->context[s].context.slots;
  return slots;
}

static BfStatus find_ranges(const BfObjective *early, BfTokenAxes *x, BfError *error) {
  BfBounder bounder = {0};
  BfStatus  status  = bf_bounder_create(early, true, &bounder, error);
  if (status == BF_OK) bf_bounder_tokens(&bounder, early->lower, early->upper, x->least, x->most);
  bf_bounder_clear(&bounder);
  return status;
}

/* The slot of a context whose component is that of slot i, too. */
static int first_like(const BfObjective *whole, int t, const int like[], int i, int a) {
  return whole->free.constant[(int64_t)t * whole->problem->layer.dim + a] ? 0 : like[i];
}

/* An axis for every component that J depends on and that is not as one before it. */
static BfStatus name_axes(const BfObjective *whole, int t, BfTokenAxes *x, BfError *error) {
  const int64_t slots = count_slots(&whole->data);
  const int     d     = whole->problem->layer.dim;
  int          *like;
  BF_TRY(BF_NEW(&x->axis, slots * d, error));
  BF_TRY(BF_NEW(&like, slots, error));
  for (int64_t s = 0, at = 0; s < whole->data.contexts; at += whole->data.context[s++].context.slots) {
    const BfMerged *one = &whole->data.context[s];
    bf_layer_alike(&whole->problem->layer, &one->context, one->z, like);
    for (int i = 0; i < one->context.slots; i++)
      for (int a = 0; a < d; a++) {
        const int     first = first_like(whole, t, like, i, a);
        const int64_t own = (at + i) * d + a, other = (at + first) * d + a;
        const double  size = fabs(x->least[own]) + fabs(x->most[own]);
        if (first < i) x->of[own] = x->of[other];
        else if (!whole->free.reads[(int64_t)t * d + a]) x->of[own] = -1;
        else if (x->most[own] - x->least[own] <= rounding * size) x->of[own] = -1;
        else {
          x->of[own]          = x->count;
          x->axis[x->count++] = (BfTokenAxis){s, i, a};
        }
      }
  }
  bf_free(like);
  return BF_OK;
}

static BfStatus place_axes(const BfObjective *whole, BfTokenAxes *x, BfError *error) {
  const int d = whole->problem->layer.dim;
  BF_TRY(BF_NEW(&x->lower, x->count, error));
  BF_TRY(BF_NEW(&x->upper, x->count, error));
  for (int64_t s = 0, at = 0, a = 0; s < whole->data.contexts; at += whole->data.context[s++].context.slots)
    for (; a < x->count && x->axis[a].context == s; a++) {
      const int64_t i    = (at + x->axis[a].slot) * d + x->axis[a].component;
      const double  more = beside * (x->most[i] - x->least[i]);
      x->lower[a]        = x->least[i] - more;
      x->upper[a]        = x->most[i] + more;
    }
  return BF_OK;
}

static BfStatus create_axes(const BfObjective *whole, const BfDepth *depth, BfTokenAxes *x, BfError *error) {
  const int64_t components = count_slots(&whole->data) * whole->problem->layer.dim;
  BF_TRY(BF_NEW(&x->of, components, error));
  BF_TRY(BF_NEW(&x->least, components, error));
  BF_TRY(BF_NEW(&x->most, components, error));
  BF_TRY(find_ranges(&depth->early, x, error));
  BF_TRY(name_axes(whole, depth->t, x, error));
  return place_axes(whole, x, error);
}

/* ---- objectives -------------------------------------------------------------------------------------------------- */

/* Arrays that an objective of a part has of its own; all others are the whole's. */
static BfStatus begin_part(const BfObjective *whole, int from, int to, int n, BfObjective *out, BfError *error) {
  const int64_t q = whole->problem->layer.free;
  *out            = *whole;
  out->from       = from;
  out->to         = to;
  out->n          = n;
  out->first = NULL, out->entry = NULL;
  out->lower = out->upper = out->decay = NULL;
  out->free.number = NULL, out->free.rest = NULL;
  out->free.rest_decay = bf_rest_decay(whole->problem, &whole->free, from * q, to * q);
  BF_TRY(BF_NEW(&out->lower, n, error));
  BF_TRY(BF_NEW(&out->upper, n, error));
  return BF_NEW(&out->decay, n, error);
}

static void clear_part(BfObjective *x) {
  bf_free(x->lower);
  bf_free(x->upper);
  bf_free(x->decay);
  *x = (BfObjective){0};
}

static BfStatus create_early(const BfObjective *whole, BfDepth *depth, BfError *error) {
  BfObjective *x = &depth->early;
  BF_TRY(begin_part(whole, 0, depth->t, whole->n, x, error));
  x->free.number = whole->free.number;
  x->free.rest   = whole->free.rest;
  x->entry       = whole->entry;
  x->first       = whole->first;
  x->axes        = &depth->axes;
  memcpy(x->lower, whole->lower, sizeof(double) * (size_t)x->n);
  memcpy(x->upper, whole->upper, sizeof(double) * (size_t)x->n);
  memcpy(x->decay, whole->decay, sizeof(double) * (size_t)depth->first);
  return BF_OK;
}

/* Features of the early objective: the axes of each context. */
static BfStatus count_axes(const BfObjective *whole, BfDepth *depth, BfError *error) {
  BfObjective *x = &depth->early;
  BF_TRY(BF_NEW(&depth->features, whole->data.contexts + 1, error));
  x->features = depth->axes.count;
  x->first    = depth->features;
  for (int a = 0; a < x->features; a++) x->first[depth->axes.axis[a].context + 1] = a + 1;
  for (int64_t s = 0; s < whole->data.contexts; s++)
    if (x->first[s + 1] < x->first[s]) x->first[s + 1] = x->first[s];
  return BF_OK;
}

static BfStatus fill_entries(const BfObjective *whole, const BfDepth *depth, BfObjective *x, BfError *error) {
  const int64_t count = (int64_t)whole->problem->horizon * whole->problem->layer.parameters;
  BF_TRY(BF_NEW(&x->entry, count, error));
  memcpy(x->entry, whole->entry, sizeof *x->entry * (size_t)count);
  for (int64_t i = 0; i < count; i++)
    if (x->entry[i].variable >= 0) x->entry[i].variable += depth->axes.count - depth->first;
  return BF_OK;
}

/* Early numbers have no part in it: a point has them 0. */
static BfStatus create_late(const BfObjective *whole, BfDepth *depth, BfError *error) {
  const BfTokenAxes *axes = &depth->axes;
  const int          D = axes->count, late = whole->n - depth->first;
  const int64_t      all = whole->free.all, before = depth->t * (int64_t)whole->problem->layer.free;
  BfObjective       *x = &depth->late;
  BF_TRY(begin_part(whole, depth->t, whole->problem->horizon, D + late, x, error));
  BF_TRY(BF_NEW(&x->free.number, x->n, error));
  BF_TRY(BF_NEW(&x->free.rest, all + D, error));
  BF_TRY(fill_entries(whole, depth, x, error));
  x->first    = whole->first;
  x->axes     = axes;
  x->free.n   = x->n;
  x->free.all = all + D;
  x->symmetry = (BfSymmetry){0};
  for (int a = 0; a < D; a++) {
    x->lower[a]       = axes->lower[a];
    x->upper[a]       = axes->upper[a];
    x->free.number[a] = (int32_t)(all + a);
  }
  for (int k = 0; k < late; k++) {
    x->lower[D + k]       = whole->lower[depth->first + k];
    x->upper[D + k]       = whole->upper[depth->first + k];
    x->decay[D + k]       = whole->decay[depth->first + k];
    x->free.number[D + k] = whole->free.number[depth->first + k];
  }
  for (int64_t i = before; i < all; i++) x->free.rest[i] = whole->free.rest[i];
  return BF_OK;
}

BfStatus bf_depth_create(const BfObjective *whole, int t, BfDepth *x, BfError *error) {
  const int64_t before = t * (int64_t)whole->problem->layer.free;
  x->t                 = t;
  while (x->first < whole->n && whole->free.number[x->first] < before) x->first++;
  BF_TRY(create_early(whole, x, error));
  BF_TRY(create_axes(whole, x, &x->axes, error));
  if (x->axes.count > BF_MOST_AXES) return BF_OK;
  BF_TRY(count_axes(whole, x, error));
  return create_late(whole, x, error);
}

void bf_depth_clear(BfDepth *x) {
  void *const owned[] = {x->axes.axis, x->axes.lower,       x->axes.upper,     x->axes.of,    x->axes.least,
                         x->axes.most, x->late.free.number, x->late.free.rest, x->late.entry, x->features};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  clear_part(&x->early);
  clear_part(&x->late);
  *x = (BfDepth){0};
}
