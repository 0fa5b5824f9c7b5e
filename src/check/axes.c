#include "check/axes.h"
#include "check/logit.h"

/* ---- which ------------------------------------------------------------------------------------------------------ */

/* The component that an axis names; -1: it is none of the problem's. */
static int64_t place_of(const BfCheckModel *model, const int32_t *name) {
  const BfProblem *problem = model->problem;
  const int32_t    s = name[BF_AXIS_CONTEXT], i = name[BF_AXIS_TOKEN], a = name[BF_AXIS_COMPONENT];
  if (s < 0 || s >= problem->train.contexts || a < 0 || a >= problem->layer.dim) return -1;
  return i < 0 || i >= model->context[s].slots ? -1 : (model->first[s] + i) * problem->layer.dim + a;
}

static BfStatus take(const BfCheckModel *model, int64_t t, int axis, const int32_t *name, BfCheckAxes *x,
                     BfError *error) {
  const int64_t  components = model->tokens * model->problem->layer.dim, place = place_of(model, name);
  const int64_t *same  = model->same + t * components;
  bool           twice = false;
  for (int b = 0; b < axis; b++) twice = twice || x->place[b] == place;
  if (place < 0 || twice)
    return bf_fail(error, BF_BAD_INPUT, "/certificate/axes: axis %d (sequence %d, token %d, component %d) is %s", axis,
                   (int)name[BF_AXIS_CONTEXT], (int)name[BF_AXIS_TOKEN], (int)name[BF_AXIS_COMPONENT],
                   place < 0 ? "none of the problem" : "there twice");
  x->place[axis] = place;
  x->first[axis] = x->of[place] >= 0 ? x->of[place] : axis;
  for (int64_t i = 0; i < components; i++)
    if (same[i] == same[place] && x->of[i] < 0) x->of[i] = axis;
  return BF_OK;
}

BfStatus bf_check_axes(const BfCheckModel *model, int64_t t, int count, const int32_t *name, BfCheckAxes *out,
                       BfError *error) {
  const int64_t components = model->tokens * model->problem->layer.dim;
  *out                     = (BfCheckAxes){.count = count};
  BF_TRY(BF_NEW(&out->of, components, error));
  BF_TRY(BF_NEW(&out->fixed, components, error));
  BF_TRY(BF_NEW(&out->place, count, error));
  BF_TRY(BF_NEW(&out->first, count, error));
  for (int64_t i = 0; i < components; i++) out->of[i] = -1;
  for (int a = 0; a < count; a++) BF_TRY(take(model, t, a, name + (int64_t)a * BF_AXIS_WORDS, out, error));
  return BF_OK;
}

void bf_check_axes_clear(BfCheckAxes *axes) {
  bf_free(axes->of);
  bf_free(axes->place);
  bf_free(axes->first);
  bf_free(axes->fixed);
  *axes = (BfCheckAxes){0};
}

/* ---- in a box --------------------------------------------------------------------------------------------------- */

void bf_check_axis_form(const BfCheckForms *forms, int64_t i, BfLinears *space, BfLinear *out) {
  const int a = forms->axes->of[i];
  if (a >= 0) bf_linear_variable(space, out, a, bf_check_within(forms, a), 1);
  else bf_linear_span(space, out, forms->axes->fixed[i]);
}

void bf_check_tilt(BfCheckForms *forms, BfLinear *sum) {
  const BfCheckAxes *x    = forms->axes;
  const int64_t      mark = forms->scratch.used;
  BfLinear          *z    = bf_check_zero(forms);
  for (int a = 0; a < x->count; a++) {
    bf_linear_variable(&forms->scratch, z, x->first[a], bf_check_within(forms, x->first[a]), 1);
    if (x->tilt[a] != 0) bf_linear_add(&forms->scratch, sum, bf_span(-x->tilt[a]), z);
  }
  forms->scratch.used = mark;
}

double bf_check_most_tilt(const BfCheckForms *forms, const BfCheckPart *part) {
  const BfCheckAxes *x   = forms->axes;
  double             sum = 0;
  for (int a = 0; a < x->count; a++) {
    const int k = x->first[a];
    BfSpan    z = bf_check_within(forms, k);
    if (k == part->variable && part->side == 0) z.hi = fmin(z.hi, part->to);
    if (k == part->variable && part->side == 1) z.lo = fmax(z.lo, part->to);
    sum += bf_span_mul(bf_span(x->tilt[a]), z).hi;
  }
  return sum;
}
