/* The matrices of a layer and the free numbers that fill them. */
#include "bellformer/term.h"
#include <stdlib.h>

static void add_term(BfLayer *layer, const BfTermKind *kind) {
  BfTerm  *term = &layer->term[layer->terms++];
  BfMatrix unused;
  *term = (BfTerm){.kind = kind};
  while (kind->matrix(layer, term->matrices, &unused)) term->matrices++;
  layer->matrices += term->matrices;
}

BfStatus bf_layer_matrices(BfLayer *layer, BfError *error) {
  int at = 0;
  if (layer->heads) add_term(layer, &bf_term_attention);
  if (layer->activation) add_term(layer, &bf_term_feedforward);
  BF_TRY(BF_NEW(&layer->matrix, layer->matrices, error));
  layer->attention = layer->matrix;
  for (int i = 0; i < layer->terms; i++) {
    BfTerm *term = &layer->term[i];
    term->matrix = layer->matrix + at;
    for (int k = 0; k < term->matrices; k++) term->kind->matrix(layer, k, &layer->matrix[at++]);
  }
  return BF_OK;
}

static BfStatus free_numbers(BfMatrix *m, BfError *error) {
  const int square = m->rows == m->cols;
  switch (m->form) {
  case BF_FORM_FULL:
    m->free = m->rows * m->cols;
    return BF_OK;
  case BF_FORM_DIAGONAL:
    if (!square)
      return bf_fail(error, BF_BAD_INPUT, "form diagonal needs a square matrix, it is %d x %d", m->rows, m->cols);
    m->free = m->rows;
    return BF_OK;
  case BF_FORM_SCALAR:
    if (!square)
      return bf_fail(error, BF_BAD_INPUT, "form scalar needs a square matrix, it is %d x %d", m->rows, m->cols);
    m->free = 1;
    return BF_OK;
  case BF_FORM_SKEW:
    if (m->rows != 2 || m->cols != 2)
      return bf_fail(error, BF_BAD_INPUT, "form skew needs a 2 x 2 matrix, it is %d x %d", m->rows, m->cols);
    m->free = 1;
    return BF_OK;
  case BF_FORM_FIXED:
    if (!m->value) return bf_fail(error, BF_BAD_INPUT, "form fixed needs a value");
    m->free = 0;
    return BF_OK;
  }
  return bf_fail(error, BF_FAILURE, "unknown form %d", (int)m->form);
}

BfStatus bf_layer_place(BfLayer *layer, BfError *error) {
  int offset = 0, at = 0;
  for (int i = 0; i < layer->matrices; i++) {
    BfMatrix *m = &layer->matrix[i];
    BF_TRY(free_numbers(m, error));
    m->offset = offset;
    m->at     = at;
    offset += m->free;
    at += m->rows * m->cols;
  }
  layer->free       = offset;
  layer->parameters = at;
  return bf_kernels_choose(&layer->kernels, error);
}

void bf_layer_clear(BfLayer *layer) {
  for (int i = 0; i < layer->matrices; i++) bf_free(layer->matrix[i].value);
  bf_free(layer->matrix);
  bf_free(layer->encoding);
  bf_free((void *)layer->lower);
  bf_free((void *)layer->upper);
  *layer = (BfLayer){0};
}

/* Entry (r, c) of a matrix whose free numbers are u. */
static double entry(const BfMatrix *m, const double u[], int r, int c) {
  switch (m->form) {
  case BF_FORM_FULL:
    return u[r * m->cols + c];
  case BF_FORM_DIAGONAL:
    return r == c ? u[r] : 0.0;
  case BF_FORM_SCALAR:
    return r == c ? u[0] : 0.0;
  case BF_FORM_SKEW:
    return r == c ? 0.0 : r ? u[0] : -u[0];
  case BF_FORM_FIXED:
    return m->value[r * m->cols + c];
  }
  abort();
}

void bf_layer_expand(const BfLayer *layer, const double u[], double parameters[], int64_t stride) {
  for (int i = 0; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    for (int e = 0; e < m->rows * m->cols; e++)
      parameters[(m->at + e) * stride] = entry(m, u + m->offset, e / m->cols, e % m->cols);
  }
}

/* What a derivative by entry (r, c) adds to those by the free numbers. */
static void collect(const BfMatrix *m, double by_entry, int r, int c, double by_u[]) {
  switch (m->form) {
  case BF_FORM_FULL:
    by_u[r * m->cols + c] += by_entry;
    return;
  case BF_FORM_DIAGONAL:
    if (r == c) by_u[r] += by_entry;
    return;
  case BF_FORM_SCALAR:
    if (r == c) by_u[0] += by_entry;
    return;
  case BF_FORM_SKEW:
    if (r != c) by_u[0] += r ? by_entry : -by_entry;
    return;
  case BF_FORM_FIXED:
    return;
  }
}

void bf_layer_collect(const BfLayer *layer, const double by_parameters[], double by_u[]) {
  for (int i = 0; i < layer->matrices; i++) {
    const BfMatrix *m = &layer->matrix[i];
    for (int e = 0; e < m->rows * m->cols; e++)
      collect(m, by_parameters[m->at + e], e / m->cols, e % m->cols, by_u + m->offset);
  }
}
