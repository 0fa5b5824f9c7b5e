#include "check/minorant.h"
#include <math.h>
#include <string.h>

BfStatus bf_check_minorants(const BfCheckCells *cells, BfCheckAxes *axes, const BfCheckModel *model,
                            const BfCheckNumbers *numbers, int64_t t, BfCheckMinorants *out, BfError *error) {
  const int D = cells->of.axes, n = D + cells->of.later;
  *out = (BfCheckMinorants){.cells = cells, .axes = axes};
  BF_TRY(BF_NEW(&out->number, n, error));
  BF_TRY(BF_NEW(&out->ends, 4 * (int64_t)n, error));
  BF_TRY(BF_NEW(&out->variable, numbers->count, error));
  for (int a = 0; a < D; a++) out->number[a] = -1;
  int k = D;
  for (int64_t i = 0; i < numbers->count; i++) {
    const bool later = i >= t * model->problem->layer.free && numbers->variable[i] >= 0;
    out->variable[i] = later ? k : -1;
    if (later) out->number[k++] = (int32_t)i;
  }
  BfCheckNumbers own = *numbers;
  own.number         = out->number;
  own.variable       = out->variable;
  BF_TRY(bf_check_forms(model, &own, n, &out->forms, error));
  out->forms.from = t;
  out->forms.axes = axes;
  return bf_check_claims_create(&out->forms, n, 0, &out->claims, error);
}

void bf_check_minorants_clear(BfCheckMinorants *minorants) {
  bf_tree_destroy(&minorants->proof);
  bf_check_claims_clear(&minorants->claims);
  bf_check_forms_clear(&minorants->forms);
  bf_free(minorants->number);
  bf_free(minorants->ends);
  bf_free(minorants->variable);
  *minorants = (BfCheckMinorants){0};
}

void bf_check_fix_axes(BfCheckAxes *axes, BfCheckForms *forms) {
  const int64_t components = forms->model->tokens * forms->model->problem->layer.dim;
  for (int64_t i = 0; i < components; i++) axes->fixed[i] = bf_span_all();
  for (int way = 0; way < 2 * BF_CHECK_WAYS; way++) {
    bf_check_way(forms, way / 2);
    forms->by_query = way % 2;
    bf_check_tokens(forms);
    for (int64_t i = 0; i < components; i++) axes->fixed[i] = bf_span_meet(axes->fixed[i], forms->z[i]->range);
  }
  bf_check_way(forms, 0);
  forms->by_query = false;
}

BfStatus bf_check_minorants_next(BfCheckMinorants *x, BfTreeItem *item, bool *there, BfError *error) {
  for (;;) {
    *there = x->plane < x->cells->planes;
    if (!*there) return BF_OK;
    if (!x->proof) BF_TRY(bf_check_cells_proof(x->cells, x->plane, &x->proof, error));
    BF_TRY(bf_tree_next(x->proof, item, there, error));
    if (*there) {
      item->number += x->before;
      item->plane = x->plane;
      return BF_OK;
    }
    x->before += bf_tree_claims(x->proof, BF_TREE_LEAF) + bf_tree_claims(x->proof, BF_TREE_CUT);
    x->plane++;
    bf_tree_destroy(&x->proof);
  }
}

/* The claim for values at which axes that are one quantity are equal: of the first of them in what all intervals have
 * in common, and of what any of them cuts. False: there are none. */
static bool join_axes(BfCheckMinorants *x, const BfTreeItem *item, BfTreeItem *out) {
  const int    n    = item->n;
  const size_t size = sizeof(double) * (size_t)n;
  double      *low = x->ends, *high = low + n, *inner_low = high + n, *inner_high = inner_low + n;
  bool         some = true;
  memcpy(low, item->low, size);
  memcpy(high, item->high, size);
  memcpy(inner_low, item->claim == BF_TREE_CUT ? item->inner_low : item->low, size);
  memcpy(inner_high, item->claim == BF_TREE_CUT ? item->inner_high : item->high, size);
  for (int b = 0; b < x->axes->count; b++) {
    const int a = x->axes->first[b];
    if (a == b) continue;
    low[a]        = fmax(low[a], low[b]);
    high[a]       = fmin(high[a], high[b]);
    inner_low[a]  = fmax(inner_low[a], inner_low[b]);
    inner_high[a] = fmin(inner_high[a], inner_high[b]);
    inner_low[b]  = low[b];
    inner_high[b] = high[b];
    some          = some && low[a] <= high[a];
  }
  out->low = low, out->high = high;
  out->inner_low = inner_low, out->inner_high = inner_high;
  return some;
}

bool bf_check_minorant(BfCheckMinorants *x, const BfTreeItem *item) {
  const double *c  = x->cells->coefficient + item->plane * (1 + x->axes->count);
  BfTreeItem    of = *item;
  if (!join_axes(x, item, &of)) return true;
  x->claims.lower = c[0];
  x->axes->tilt   = c + 1;
  of.readout      = x->cells->plane[item->plane].readout;
  return bf_check_claim(&x->claims, &of);
}
