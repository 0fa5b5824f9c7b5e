#include "check/axes.h"
#include "check/logit.h"
#include "check/unary.h"

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static void expand(BfCheckForms *forms, int64_t t) {
  const BfLayer *layer = &forms->model->problem->layer;
  for (int i = 0; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    for (int e = 0; e < m->rows * m->cols; e++) {
      double    factor;
      const int k   = m->form->number(m->cols, e / m->cols, e % m->cols, &factor);
      BfLinear *out = forms->parameter[m->at + e] = bf_linear_new(&forms->scratch);
      if (k >= 0) bf_check_number(forms, t * layer->free + m->offset + k, factor, out);
      else bf_linear_span(&forms->scratch, out, bf_span(m->value ? m->value[e] : 0));
    }
  }
}

/* ---- terms of the velocity -------------------------------------------------------------------------------------- */

/* v_r += (M x)_r for all rows of a matrix of the layer; v is open. */
static void add_matrix(BfCheckForms *forms, int m, BfLinear *const x[], BfLinear *v[]) {
  const BfMatrix *matrix = &forms->model->problem->layer.matrix[m];
  for (int e = 0; e < matrix->rows * matrix->cols; e++)
    bf_check_add_product(forms, v[e / matrix->cols], forms->parameter[matrix->at + e], x[e % matrix->cols]);
}

static void add_vector(BfCheckForms *forms, int m, BfLinear *v[]) {
  const BfMatrix *matrix = &forms->model->problem->layer.matrix[m];
  for (int e = 0; e < matrix->rows; e++)
    bf_linear_add(&forms->scratch, v[e], bf_span(1), forms->parameter[matrix->at + e]);
}

static void feed(BfCheckForms *forms, BfLinear *const seen[], BfLinear *v[]) {
  static BfUnary *const sigma[] = {NULL, bf_unary_tanh, bf_unary_relu, bf_unary_gelu};
  const int             m = forms->model->feedforward, width = forms->model->problem->layer.width;
  const int64_t         mark   = forms->scratch.used;
  BfLinear            **hidden = forms->list; /* nothing else is in the list by now */
  for (int r = 0; r < width; r++) hidden[r] = bf_check_zero(forms);
  add_matrix(forms, m, seen, hidden);
  add_vector(forms, m + 1, hidden);
  for (int r = 0; r < width; r++) {
    bf_linear_end(&forms->scratch, hidden[r]);
    sigma[forms->model->sigma](&forms->scratch, hidden[r]);
  }
  add_matrix(forms, m + 2, hidden, v);
  add_vector(forms, m + 3, v);
  forms->scratch.used = mark;
}

/* z+ of token i of context s into next, whose forms are there. */
static void step(BfCheckForms *forms, int64_t t, int64_t s, int i) {
  const BfCheckModel *model = forms->model;
  const BfLayer      *layer = &model->problem->layer;
  const int           d     = layer->dim;
  const int64_t       mark = forms->scratch.used, token = (model->first[s] + i) * d;
  BfLinear           *v[BF_MOST_DIM], *mean[BF_MOST_DIM];
  for (int a = 0; a < d; a++) v[a] = bf_check_zero(forms);
  for (int h = 0; model->attention >= 0 && h < layer->heads; h++) {
    const int64_t inner = forms->scratch.used;
    bf_check_attend(forms, t, s, i, h, mean);
    add_matrix(forms, model->attention + 2 * h + 1, mean, v);
    forms->scratch.used = inner;
  }
  if (model->feedforward >= 0) feed(forms, forms->seen + token, v);
  if (model->linear >= 0) add_matrix(forms, model->linear, forms->z + token, v);
  for (int a = 0; a < d; a++) {
    bf_linear_scale(&forms->scratch, v[a], bf_span(layer->step));
    if (layer->residual != 0) bf_linear_add(&forms->scratch, v[a], bf_span(layer->residual), forms->z[token + a]);
    bf_linear_end(&forms->scratch, v[a]);
  }
  bf_check_project(forms, v);
  for (int a = 0; a < d; a++) bf_linear_copy(&forms->scratch, v[a], forms->next[token + a]);
  forms->scratch.used = mark;
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/* Tokens that are alike share forms; those of the first are made. */
static bool is_first(BfCheckForms *forms, int64_t t, int64_t token, BfLinears *space, BfLinear **out) {
  const int64_t d = forms->model->problem->layer.dim, like = forms->model->like[t * forms->model->tokens + token];
  for (int64_t a = 0; a < d; a++) out[token * d + a] = like < token ? out[like * d + a] : bf_linear_new(space);
  return like == token;
}

/* Ranges of the logits of a layer, once N(z) are there. */
static void measure(BfCheckForms *forms, int64_t t) {
  BfCheckLogits *x = forms->logits;
  for (int l = 0; l < x->count; l++) {
    const int32_t *name = x->name + (int64_t)l * BF_LOGIT_WORDS;
    if (name[BF_LOGIT_LAYER] == t) x->within[l] = bf_span_meet(x->within[l], bf_check_range_of_logit(forms, name));
  }
}

static void layer(BfCheckForms *forms, int64_t t) {
  const BfCheckModel *model = forms->model;
  const int64_t       d     = model->problem->layer.dim;
  BfLinears          *to    = &forms->tokens[(t + 1) % 2];
  forms->scratch.used = to->used = 0;
  expand(forms, t);
  for (int64_t i = 0; i < model->tokens; i++) {
    if (model->norm == BF_CHECK_PLAIN)
      for (int64_t a = 0; a < d; a++) forms->seen[i * d + a] = forms->z[i * d + a];
    else if (is_first(forms, t, i, &forms->scratch, forms->seen))
      bf_check_norm(forms, forms->z + i * d, forms->seen + i * d);
  }
  if (forms->logits && forms->logits->natural) measure(forms, t);
  for (int64_t s = 0; s < model->problem->train.contexts; s++)
    for (int i = 0; i < model->context[s].slots; i++)
      if (is_first(forms, t + 1, model->first[s] + i, to, forms->next)) step(forms, t, s, i);
  BfLinear **z = forms->z;
  forms->z     = forms->next;
  forms->next  = z;
}

/* Component i of the tokens before the first layer. */
static void begin(const BfCheckForms *forms, int64_t i, BfLinears *space, BfLinear *out) {
  if (forms->axes) bf_check_axis_form(forms, i, space, out);
  else bf_linear_span(space, out, bf_span(forms->model->problem->train.z[i]));
}

void bf_check_tokens(BfCheckForms *forms) {
  const BfCheckModel *model = forms->model;
  const int64_t       d     = model->problem->layer.dim;
  BfLinears          *first = &forms->tokens[forms->from % 2];
  first->used               = 0;
  if (forms->logits) bf_check_logits_again(forms->logits);
  for (int64_t i = 0; i < model->tokens; i++)
    if (is_first(forms, forms->from, i, first, forms->z))
      for (int64_t a = 0; a < d; a++) begin(forms, i * d + a, first, forms->z[i * d + a]);
  for (int64_t t = forms->from; t < forms->to; t++) layer(forms, t);
}

void bf_check_logit_ranges(BfCheckForms *forms, BfSpan range[]) {
  BfCheckLogits *x = forms->logits;
  x->natural       = true;
  for (int l = 0; l < x->count; l++) x->within[l] = bf_span_all();
  for (int way = 0; way < 2 * BF_CHECK_WAYS; way++) {
    bf_check_way(forms, way / 2);
    forms->by_query = way % 2;
    bf_check_tokens(forms);
  }
  bf_check_way(forms, 0);
  forms->by_query = x->natural = false;
  for (int l = 0; l < x->count; l++) range[l] = x->within[l];
}
