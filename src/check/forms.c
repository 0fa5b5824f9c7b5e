#include "check/forms.h"
#include "check/unary.h"
#include <assert.h>

/* ---- room ------------------------------------------------------------------------------------------------------- */

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Forms in use at once beside the tokens: of a layer its parameters, N(z) and what one query needs; of a readout its
 * numbers and what one context needs. */
static int64_t scratch_forms(const BfCheckModel *model) {
  const BfProblem *problem = model->problem;
  const int64_t    d = problem->layer.dim, width = problem->layer.width, classes = problem->cost.classes;
  int64_t          slots = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++) slots = most(slots, model->context[s].slots);
  const int64_t layer = problem->layer.parameters + model->tokens * d + slots * (d + 2) + 8 * d + width + 32;
  return most(layer, problem->cost.trained + classes + 4 * d + 32);
}

static void split(BfCheckForms *out, int64_t tokens, int64_t scratch) {
  const int64_t    size    = out->tokens[0].size;
  BfLinears *const space[] = {&out->tokens[0], &out->tokens[1], &out->scratch};
  double          *memory  = out->memory;
  for (int i = 0; i < 3; i++) {
    *space[i]        = out->tokens[0];
    space[i]->memory = memory;
    space[i]->room   = size * (i < 2 ? tokens : scratch);
    memory += space[i]->room;
  }
}

BfStatus bf_check_forms(const BfCheckModel *model, const BfCheckNumbers *numbers, int n, BfCheckForms *out,
                        BfError *error) {
  const BfProblem *problem = model->problem;
  const int64_t    d = problem->layer.dim, tokens = model->tokens * d, scratch = scratch_forms(model);
  *out           = (BfCheckForms){.model = model, .numbers = *numbers};
  out->tokens[0] = (BfLinears){.n = n, .size = bf_linear_size(n)};
  BF_TRY(BF_NEW(&out->memory, (2 * tokens + scratch) * out->tokens[0].size, error));
  BF_TRY(BF_NEW(&out->z, tokens, error));
  BF_TRY(BF_NEW(&out->next, tokens, error));
  BF_TRY(BF_NEW(&out->seen, tokens, error));
  BF_TRY(BF_NEW(&out->parameter, most(problem->layer.parameters, problem->cost.trained), error));
  BF_TRY(BF_NEW(&out->group, model->tokens, error));
  BF_TRY(BF_NEW(&out->many, model->tokens, error));
  BF_TRY(BF_NEW(&out->list, scratch, error));
  BF_TRY(BF_NEW(&out->number, 2 * most(problem->cost.classes, d), error));
  split(out, tokens, scratch);
  return BF_OK;
}

void bf_check_forms_clear(BfCheckForms *forms) {
  bf_free(forms->memory);
  bf_free(forms->z);
  bf_free(forms->next);
  bf_free(forms->seen);
  bf_free(forms->parameter);
  bf_free(forms->group);
  bf_free(forms->many);
  bf_free(forms->list);
  bf_free(forms->number);
  *forms = (BfCheckForms){0};
}

static BfLinear *form_in(BfLinears *space) {
  BfLinear *x = bf_linear_new(space);
  assert(x); /* scratch_forms counts them */
  return x;
}

BfLinear *bf_check_zero(BfCheckForms *forms) {
  BfLinear *x = form_in(&forms->scratch);
  bf_linear_span(&forms->scratch, x, bf_span(0));
  return x;
}

void bf_check_add_product(BfCheckForms *forms, BfLinear *z, const BfLinear *x, const BfLinear *y) {
  BfLinears *space = &forms->scratch;
  if (bf_linear_is_zero(x) || bf_linear_is_zero(y)) return;
  if (bf_linear_is_constant(x)) {
    bf_linear_add(space, z, bf_span(x->c), y);
  } else if (bf_linear_is_constant(y)) {
    bf_linear_add(space, z, bf_span(y->c), x);
  } else {
    const int64_t mark    = space->used;
    BfLinear     *product = form_in(space);
    bf_linear_mul(space, x, y, product);
    bf_linear_add(space, z, bf_span(1), product);
    space->used = mark;
  }
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

void bf_check_number(BfCheckForms *forms, int64_t i, double factor, BfLinear *out) {
  const BfCheckNumbers *x = &forms->numbers;
  if (x->point) {
    bf_linear_span(&forms->scratch, out, bf_span_scale(factor, bf_span(x->point[i])));
  } else if (x->variable[i] >= 0) {
    const int k = x->variable[i];
    bf_linear_variable(&forms->scratch, out, k, (BfSpan){forms->low[k], forms->high[k]}, factor);
  } else {
    bf_linear_span(&forms->scratch, out, bf_span_scale(factor, (BfSpan){x->lower[i], x->upper[i]}));
  }
}

static void expand(BfCheckForms *forms, int64_t t) {
  const BfLayer *layer = &forms->model->problem->layer;
  for (int i = 0; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    for (int e = 0; e < m->rows * m->cols; e++) {
      double    factor;
      const int k   = m->form->number(m->cols, e / m->cols, e % m->cols, &factor);
      BfLinear *out = forms->parameter[m->at + e] = form_in(&forms->scratch);
      if (k >= 0) bf_check_number(forms, t * layer->free + m->offset + k, factor, out);
      else bf_linear_span(&forms->scratch, out, bf_span(m->value ? m->value[e] : 0));
    }
  }
}

/* ---- terms of the velocity -------------------------------------------------------------------------------------- */

/* v_r += (M x)_r for all rows of a matrix of the layer. */
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
  for (int r = 0; r < width; r++) sigma[forms->model->sigma](&forms->scratch, hidden[r]);
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
  }
  bf_check_project(forms, v);
  for (int a = 0; a < d; a++) bf_linear_copy(&forms->scratch, v[a], forms->next[token + a]);
  forms->scratch.used = mark;
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/* Tokens that are alike share forms; those of the first are made. */
static bool is_first(BfCheckForms *forms, int64_t t, int64_t token, BfLinears *space, BfLinear **out) {
  const int64_t d = forms->model->problem->layer.dim, like = forms->model->like[t * forms->model->tokens + token];
  for (int64_t a = 0; a < d; a++) out[token * d + a] = like < token ? out[like * d + a] : form_in(space);
  return like == token;
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
  for (int64_t s = 0; s < model->problem->train.contexts; s++)
    for (int i = 0; i < model->context[s].slots; i++)
      if (is_first(forms, t + 1, model->first[s] + i, to, forms->next)) step(forms, t, s, i);
  BfLinear **z = forms->z;
  forms->z     = forms->next;
  forms->next  = z;
}

void bf_check_tokens(BfCheckForms *forms) {
  const BfCheckModel *model = forms->model;
  const BfData       *data  = &model->problem->train;
  const int64_t       d     = data->dim;
  forms->tokens[0].used     = 0;
  for (int64_t i = 0; i < model->tokens; i++)
    if (is_first(forms, 0, i, &forms->tokens[0], forms->z))
      for (int64_t a = 0; a < d; a++)
        bf_linear_span(&forms->tokens[0], forms->z[i * d + a], bf_span(data->z[i * d + a]));
  for (int64_t t = 0; t < model->problem->horizon; t++) layer(forms, t);
}
