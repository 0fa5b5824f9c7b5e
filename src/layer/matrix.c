/* The matrices of a layer and the free numbers that fill them. */
#include "bellformer/term.h"
#include <string.h>

/* The terms that the layer was given and those that its members imply, in the order of kinds. */
static void order_terms(BfLayer *layer) {
  const BfTermKind *kind;
  BfTerm            ordered[BF_MOST_TERMS] = {{0}};
  int               count                  = 0;
  for (int k = 0; (kind = bf_term_kind(k)); k++) {
    const BfTerm *given = bf_layer_term(layer, kind);
    if (given) ordered[count++] = *given;
    else if (kind->implied && kind->implied(layer)) ordered[count++].kind = kind;
  }
  memcpy(layer->term, ordered, sizeof ordered);
  layer->terms = count;
}

BfStatus bf_layer_matrices(BfLayer *layer, BfError *error) {
  int at = 0, matrices = 0;
  order_terms(layer);
  for (int i = 0; i < layer->terms; i++) {
    BfTerm  *term = &layer->term[i];
    BfMatrix unused;
    while (term->kind->matrix(layer, term, term->matrices, &unused)) term->matrices++;
    matrices += term->matrices;
  }
  BF_TRY(BF_NEW(&layer->matrix, matrices, error));
  layer->matrices  = matrices;
  layer->attention = layer->matrix;
  for (int i = 0; i < layer->terms; i++) {
    BfTerm *term = &layer->term[i];
    term->matrix = layer->matrix + at;
    for (int k = 0; k < term->matrices; k++) {
      term->kind->matrix(layer, term, k, &layer->matrix[at]);
      layer->matrix[at++].form = bf_form(bf_form_family.key->fallback);
    }
  }
  return BF_OK;
}

static BfStatus count_free(BfMatrix *m, BfError *error) {
  const BfForm *form = m->form;
  if (form->fits && !form->fits(m->rows, m->cols))
    return bf_fail(error, BF_BAD_INPUT, "form %s needs a %s matrix, %s is %d x %d", form->base.name, form->needs,
                   m->name, m->rows, m->cols);
  if (form->given && !m->value) return bf_fail(error, BF_BAD_INPUT, "form %s needs a value", form->base.name);
  m->free = form->free(m->rows, m->cols);
  return BF_OK;
}

BfStatus bf_layer_place(BfLayer *layer, BfError *error) {
  int offset = 0, at = 0;
  for (int i = 0; i < layer->matrices; i++) {
    BfMatrix *m = &layer->matrix[i];
    BF_TRY(count_free(m, error));
    m->offset = offset;
    m->at     = at;
    offset += m->free;
    at += m->rows * m->cols;
  }
  layer->free       = offset;
  layer->parameters = at;
  if (!layer->norm) layer->norm = &bf_norm_none;
  if (!layer->projection) layer->projection = &bf_project_clip;
  return bf_kernels_choose(&layer->kernels, error);
}

void bf_layer_clear(BfLayer *layer) {
  for (int i = 0; i < layer->matrices; i++) bf_free(layer->matrix[i].value);
  bf_free(layer->matrix);
  for (int k = 0; k < layer->terms; k++) bf_free(layer->term[k].own);
  bf_free(layer->encoding);
  bf_free((void *)layer->lower);
  bf_free((void *)layer->upper);
  *layer = (BfLayer){0};
}

void bf_layer_expand(const BfLayer *layer, const double u[], double parameters[], int64_t stride) {
  for (int i = 0; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    for (int e = 0; e < m->rows * m->cols; e++) {
      double    factor;
      const int k                      = m->form->number(m->cols, e / m->cols, e % m->cols, &factor);
      parameters[(m->at + e) * stride] = k >= 0 ? factor * u[m->offset + k] : m->value ? m->value[e] : 0.0;
    }
  }
}

void bf_layer_collect(const BfLayer *layer, const double by_parameters[], double by_u[]) {
  for (int i = 0; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    for (int e = 0; e < m->rows * m->cols; e++) {
      double    factor;
      const int k = m->form->number(m->cols, e / m->cols, e % m->cols, &factor);
      if (k >= 0) by_u[m->offset + k] += factor * by_parameters[m->at + e];
    }
  }
}
