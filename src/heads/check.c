/* What a problem must be for heads. */
#include "heads/check.h"
#include "layer/term_kinds.h"
#include <math.h>
#include <string.h>

/* ---- the layer --------------------------------------------------------------------------------------------------- */

static BfStatus check_terms(const BfProblem *problem, BfError *error) {
  const BfLayer *layer = &problem->layer;
  const char    *file  = problem->yaml;
  for (int k = 0; k < layer->terms; k++) {
    const BfTermKind *kind = layer->term[k].kind;
    if (kind != &bf_term_attention)
      return bf_fail(error, BF_BAD_INPUT, "%s: %s is given, but the layers of heads are attention alone", file,
                     kind->family ? kind->family->key->name : kind->base.name);
  }
  if (!layer->heads) return bf_fail(error, BF_BAD_INPUT, "%s: layer.heads must be at least 1 for heads, got 0", file);
  if (layer->norm != &bf_norm_none)
    return bf_fail(error, BF_BAD_INPUT, "%s: layer.norm must be none for heads, got %s", file, layer->norm->base.name);
  if (layer->residual != 1)
    return bf_fail(error, BF_BAD_INPUT, "%s: layer.residual must be 1 for heads, got %g", file, layer->residual);
  return BF_OK;
}

/* ---- heads that are alike ---------------------------------------------------------------------------------------- */

/* A fixed V stands divided by the number of heads of its layer: equal up to that rounding. */
static bool same_value(const BfMatrix *a, double factor_a, const BfMatrix *b, double factor_b) {
  for (int e = 0; a->value && b->value && e < a->rows * a->cols; e++) {
    const double x = factor_a * a->value[e], y = factor_b * b->value[e];
    if (fabs(x - y) > 1e-14 * fabs(x)) return false;
  }
  return true;
}

static BfStatus check_ranges(const BfProblem *problem, const BfMatrix *first, const BfMatrix *m, BfError *error) {
  const double *lower = problem->control_lower, *upper = problem->control_upper;
  for (int k = 0; k < m->free; k++) {
    const int i = first->offset + k, j = m->offset + k;
    if (lower[i] != lower[j] || upper[i] != upper[j])
      return bf_fail(
          error, BF_BAD_INPUT,
          "%s: control.%s.range must be that of %s for heads, which are all alike, got [%g, %g] and [%g, %g]",
          problem->yaml, m->name, first->name, lower[j], upper[j], lower[i], upper[i]);
  }
  return BF_OK;
}

static BfStatus check_forms(const BfProblem *problem, const BfMatrix *first, const BfMatrix *m, BfError *error) {
  if (m->form != first->form)
    return bf_fail(error, BF_BAD_INPUT,
                   "%s: control.%s.form must be that of %s for heads, which are all alike, got %s and %s",
                   problem->yaml, m->name, first->name, m->form->base.name, first->form->base.name);
  if (!same_value(m, 1, first, 1))
    return bf_fail(error, BF_BAD_INPUT, "%s: control.%s.value must be that of %s for heads, which are all alike",
                   problem->yaml, m->name, first->name);
  return BF_OK;
}

BfStatus bf_heads_check_layer(const BfProblem *problem, BfError *error) {
  const BfLayer *layer = &problem->layer;
  BF_TRY(check_terms(problem, error));
  for (int k = 2; k < 2 * layer->heads; k++)
    BF_TRY(check_forms(problem, &layer->attention[k % 2], &layer->attention[k], error));
  return BF_OK;
}

BfStatus bf_heads_check(const BfProblem *problem, BfError *error) {
  const BfLayer *layer = &problem->layer;
  BF_TRY(bf_heads_check_layer(problem, error));
  if (problem->heads.room && !layer->attention[1].free)
    return bf_fail(error, BF_BAD_INPUT, "%s: control.V.form must not be fixed where heads are inserted", problem->yaml);
  for (int k = 2; k < 2 * layer->heads; k++)
    BF_TRY(check_ranges(problem, &layer->attention[k % 2], &layer->attention[k], error));
  return BF_OK;
}

BfStatus bf_heads_check_forms(const BfLayer *layer, const BfLayer *other, const char *what, BfError *error) {
  if (other->dim != layer->dim)
    return bf_fail(error, BF_BAD_INPUT, "%s: its tokens have %d components, this problem's %d", what, other->dim,
                   layer->dim);
  for (int k = 0; k < 2; k++) {
    const BfMatrix *a = &layer->attention[k], *b = &other->attention[k];
    const char     *name = k ? "V" : "A";
    if (a->form != b->form)
      return bf_fail(error, BF_BAD_INPUT, "%s: its control.%s.form is %s, this problem's %s", what, name,
                     b->form->base.name, a->form->base.name);
    if (!same_value(a, k ? layer->heads : 1, b, k ? other->heads : 1))
      return bf_fail(error, BF_BAD_INPUT, "%s: its control.%s.value is another", what, name);
  }
  return BF_OK;
}
