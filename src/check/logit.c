/* Logits as variables of boxes.
 *
 * Its own form D of a logit delta, and D's range, hold at all controls of a box. So does its interval [low, high], by
 * what the box is; and delta is in the intersection [l, h] of both. Where that is empty there are no controls in the
 * box, and any claim of them holds. Else let c, w be a double in [l, h] and at least the largest distance from it, and
 * xi_k = (delta - c) / w (0 where w is 0): then |xi_k| <= 1, and delta is the form V = c + w xi_k without a remainder,
 * which takes D's place in what follows.
 *
 * As delta has both forms, 0 has X = D - V: c_x + sum_j b_j xi_j + r = 0 for some |r| <= e at the xi of all controls of
 * the box. So for a bound J >= L(xi), any g:
 *
 *     J >= L(xi) + g (c_x + sum_j b_j xi_j + r) >= L(xi) + g (c_x + sum_j b_j xi_j) - |g| e .
 *
 * That is what bf_linear_add makes of L's affine part and g X, the second's remainder and rounding in the first's.
 *
 * Mixtures of bounds are bounds where their xi are the same at the same controls. So [l, h] is found when D is first
 * made for a box, and stays, however D is made later: what that tells more only makes V's range smaller. */
#include "check/logit.h"
#include <stdio.h>

static int64_t place(const BfCheckLogits *x, int64_t t, int h, int64_t token, int j) {
  return ((t * x->model->problem->layer.heads + h) * x->model->tokens + token) * x->slots + j;
}

/* ---- which ------------------------------------------------------------------------------------------------------ */

/* How many keys the query sees that are alike `key`. */
static int count_like(const BfCheckModel *model, int64_t t, BfCheckToken query, BfCheckToken key) {
  const BfContext *context = &model->context[query.s];
  int              many    = 0;
  for (int j = 0; j < context->slots; j++)
    many += bf_check_sees(&model->problem->layer, context, query.i, j) &&
            bf_check_is_one_key(model, t, (BfCheckToken){query.s, j}, key);
  return many;
}

/* Logit l is that of all queries that are alike its query, see as many alike, and as many keys alike its key. */
static void note(BfCheckLogits *x, int l) {
  const BfCheckModel *model = x->model;
  const int32_t      *name  = x->name + (int64_t)l * BF_LOGIT_WORDS;
  const int64_t       t     = name[BF_LOGIT_LAYER];
  const BfCheckToken  query = {name[BF_LOGIT_CONTEXT], name[BF_LOGIT_QUERY]}, key = {query.s, name[BF_LOGIT_KEY]};
  const int           own = count_like(model, t, query, query), many = count_like(model, t, query, key);
  for (int64_t s = 0; s < model->problem->train.contexts; s++)
    for (int i = 0; i < model->context[s].slots; i++) {
      const BfCheckToken other = {s, i};
      if (!bf_check_is_one_key(model, t, other, query) || count_like(model, t, other, query) != own ||
          count_like(model, t, other, key) != many)
        continue;
      for (int j = 0; j < model->context[s].slots; j++)
        if (bf_check_sees(&model->problem->layer, &model->context[s], i, j) &&
            bf_check_is_one_key(model, t, (BfCheckToken){s, j}, key))
          x->of[place(x, t, name[BF_LOGIT_HEAD], model->first[s] + i, j)] = l;
    }
}

static bool is_there(const BfCheckModel *model, const int32_t *name) {
  const BfProblem *problem = model->problem;
  const int        heads = model->attention >= 0 ? problem->layer.heads : 0, s = name[BF_LOGIT_CONTEXT];
  if (s < 0 || s >= problem->train.contexts || name[BF_LOGIT_HEAD] < 0 || name[BF_LOGIT_HEAD] >= heads) return false;
  const int slots = model->context[s].slots, i = name[BF_LOGIT_QUERY], j = name[BF_LOGIT_KEY];
  return name[BF_LOGIT_LAYER] >= 0 && name[BF_LOGIT_LAYER] < problem->horizon && i >= 0 && i < slots && j >= 0 &&
         j < slots;
}

static BfStatus take(BfCheckLogits *x, int l, BfError *error) {
  const BfCheckModel *model = x->model;
  const int32_t      *name  = x->name + (int64_t)l * BF_LOGIT_WORDS;
  const int64_t       s = name[BF_LOGIT_CONTEXT], t = name[BF_LOGIT_LAYER];
  const int           i = name[BF_LOGIT_QUERY], j = name[BF_LOGIT_KEY];
  const char         *why = NULL;
  char                text[BF_LOGIT_TEXT];
  if (!is_there(model, name)) why = "is none of the problem";
  else if (!bf_check_sees(&model->problem->layer, &model->context[s], i, j))
    why = "has a query that does not see its key";
  else if (bf_check_is_one_key(model, t, (BfCheckToken){s, i}, (BfCheckToken){s, j}))
    why = "is 0: its key is alike its query";
  else if (x->of[place(x, t, name[BF_LOGIT_HEAD], model->first[s] + i, j)] >= 0) why = "is there twice";
  if (why) return bf_fail(error, BF_BAD_INPUT, "/certificate/logits: %s %s", bf_check_logit_text(x, l, text), why);
  note(x, l);
  return BF_OK;
}

BfStatus bf_check_logits(const BfCheckModel *model, int first, int count, const int32_t *name, BfCheckLogits *out,
                         BfError *error) {
  const int64_t size = bf_linear_size(first + count);
  *out               = (BfCheckLogits){.model = model, .first = first, .count = count, .name = name};
  if (!count) return BF_OK;
  for (int64_t s = 0; s < model->problem->train.contexts; s++)
    if (model->context[s].slots > out->slots) out->slots = model->context[s].slots;
  const int64_t places = place(out, model->problem->horizon, 0, 0, 0);
  BF_TRY(BF_NEW(&out->of, places, error));
  for (int64_t i = 0; i < places; i++) out->of[i] = -1;
  for (int l = 0; l < count; l++) BF_TRY(take(out, l, error));
  BF_TRY(BF_NEW(&out->met, count, error));
  BF_TRY(BF_NEW(&out->within, count, error));
  BF_TRY(BF_NEW(&out->radius, count, error));
  BF_TRY(BF_NEW(&out->given, count, error));
  out->space = (BfLinears){.n = first + count, .size = size, .room = size * count};
  return BF_NEW(&out->space.memory, size * count, error);
}

void bf_check_logits_clear(BfCheckLogits *logits) {
  bf_free(logits->of);
  bf_free(logits->met);
  bf_free(logits->within);
  bf_free(logits->radius);
  bf_free(logits->given);
  bf_free(logits->space.memory);
  *logits = (BfCheckLogits){0};
}

const char *bf_check_logit_text(const BfCheckLogits *logits, int l, char text[BF_LOGIT_TEXT]) {
  const BfCheckModel *model = logits->model;
  const int32_t      *name  = logits->name + (int64_t)l * BF_LOGIT_WORDS;
  const long long     s     = name[BF_LOGIT_CONTEXT];
  snprintf(text, BF_LOGIT_TEXT, "logit %d (sequence %lld, layer %d, head %d, query %d, key %d)", l,
           s >= 0 && s < model->problem->train.contexts ? (long long)model->context[s].sequence : s,
           (int)name[BF_LOGIT_LAYER], (int)name[BF_LOGIT_HEAD], (int)name[BF_LOGIT_QUERY], (int)name[BF_LOGIT_KEY]);
  return text;
}

/* ---- in a box --------------------------------------------------------------------------------------------------- */

static BfLinear *coupling(const BfCheckLogits *x, int l) { return (BfLinear *)(x->space.memory + l * x->space.size); }

void bf_check_box(BfCheckForms *forms, const double low[], const double high[]) {
  BfCheckLogits *x = forms->logits;
  forms->low       = low;
  forms->high      = high;
  if (!x) return;
  x->empty = false;
  for (int l = 0; l < x->count; l++) {
    x->met[l]    = false;
    x->within[l] = (BfSpan){low[x->first + l], high[x->first + l]};
  }
}

void bf_check_logits_again(BfCheckLogits *logits) {
  for (int l = 0; l < logits->count; l++) logits->radius[l] = 0;
}

/* Where the box is empty its interval stays what it was. */
void bf_check_logit(BfCheckForms *forms, int64_t t, int64_t token, int h, int j, BfLinear *delta) {
  BfCheckLogits *x = forms->logits;
  const int      l = x && !x->natural ? x->of[place(x, t, h, token, j)] : -1;
  if (l < 0) return;
  BfLinear    *apart  = coupling(x, l);
  const BfSpan left   = bf_span_meet(x->within[l], delta->range);
  const bool   empty  = !(left.lo <= left.hi);
  const double radius = delta->sum + delta->e;
  x->empty            = x->empty || empty;
  if (!x->met[l] && !empty) x->within[l] = left;
  x->met[l] = true;
  bf_linear_copy(&x->space, delta, apart);
  bf_linear_variable(&x->space, delta, x->first + l, x->within[l], 1);
  if (!empty) delta->range = bf_span_meet(delta->range, left);
  bf_linear_add(&x->space, apart, bf_span(-1), delta);
  bf_linear_end(&x->space, apart);
  x->radius[l] = isfinite(radius) && isfinite(apart->e) ? radius : 0;
}

/* Where none are given: as of a penalty weight x^2 / 2 of x = c_x + sum_j b_j xi_j, as far as x is from 0 for certain,
 * and a little of D's radius less: of where D may be the whole is worth a part of what costs are, were V's interval as
 * wide. */
void bf_check_couple(const BfCheckForms *forms, const double xi[], BfLinear *sum) {
  const BfCheckLogits *x = forms->logits;
  for (int l = 0; l < x->count; l++) {
    const BfLinear *apart  = coupling(x, l);
    const BfSpan    within = x->within[l];
    const double    radius = x->radius[l], half = bf_span_half(within, bf_span_middle(within));
    double          at = apart->c;
    if (!(radius > 0 && half > 0)) continue; /* D is not finite, or there is nothing to couple */
    for (int k = 0; k < x->space.n; k++) at += apart->b[k] * xi[k];
    const double beyond = fabs(at) - radius / 64 - apart->e;
    const double own    = beyond > 0 ? copysign(0.25 * x->size * beyond / (half * radius), at) : 0;
    const double slope  = x->has_given ? x->given[l] : own;
    if (slope != 0 && isfinite(slope)) bf_linear_add(&x->space, sum, bf_span(slope), apart);
  }
}

const BfLinear *bf_check_coupling(const BfCheckLogits *logits, int l) { return coupling(logits, l); }

double bf_check_steepest(const BfCheckLogits *logits, int l) {
  const BfSpan within = logits->within[l];
  const double half = bf_span_half(within, bf_span_middle(within)), steepest = logits->size / half;
  return logits->radius[l] > 0 && isfinite(steepest) ? steepest : 0;
}

BfSpan bf_check_within(const BfCheckForms *forms, int k) {
  const BfCheckLogits *x = forms->logits;
  return x && k >= x->first ? x->within[k - x->first] : (BfSpan){forms->low[k], forms->high[k]};
}
