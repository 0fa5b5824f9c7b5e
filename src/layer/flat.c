#include "layer/flat.h"
#include "layer/term_kinds.h"

/* Of a kind that is `unnormed` the cotangent is that of z, else that of N(z). */
static BfTermCall call(const BfLayer *layer, const BfTerm *term, const BfPoints *points) {
  return (BfTermCall){.layer      = layer,
                      .term       = term,
                      .parameters = points->parameters,
                      .stride     = points->stride,
                      .rows       = points->rows,
                      .z          = term->kind->unnormed ? points->z : points->seen,
                      .work       = points->work};
}

static void add_terms(const void *of, const BfPoints *points, double *v) {
  const BfLayer *layer = of;
  for (int k = 0; k < layer->terms; k++) {
    const BfTerm    *term = &layer->term[k];
    const BfTermCall at   = call(layer, term, points);
    if (points->hidden && term->kind == &bf_term_feedforward) bf_feedforward_shown(&at, points->hidden, v);
    else if (bf_term_is_tokenwise(term)) term->kind->apply(&at, v);
  }
}

static void add_terms_transposed(const void *of, const BfPoints *points, const double *lambda,
                                 const BfPointsTransposed *to) {
  const BfLayer *layer = of;
  for (int k = 0; k < layer->terms; k++) {
    const BfTerm    *term = &layer->term[k];
    const BfTermCall at   = call(layer, term, points);
    if (bf_term_is_tokenwise(term))
      term->kind->transposed(&at, lambda, term->kind->unnormed ? to->by_z : to->by_seen, to->by_parameters);
  }
}

static void project(const void *of, double *y) {
  const BfLayer *layer = of;
  layer->projection->apply(layer, y);
}

void bf_layer_flat_unbounded(const BfLayer *layer, BfFlatLayer *flat) {
  flat->dim                  = layer->dim;
  flat->heads                = layer->heads;
  flat->attention            = layer->heads ? bf_attention_A(layer, 0) : 0;
  flat->parameters           = layer->parameters;
  flat->residual             = layer->residual;
  flat->step                 = layer->step;
  flat->beta                 = layer->beta;
  flat->mask                 = layer->mask;
  flat->encoding             = layer->encoding;
  flat->normalize            = layer->norm->apply;
  flat->normalize_transposed = layer->norm->transposed;
  flat->clips                = 0;
  flat->project              = layer->projection->apply ? project : NULL;
  flat->unit                 = layer->projection->unit;
  flat->of                   = layer;
  flat->add_terms            = add_terms;
  flat->add_terms_transposed = add_terms_transposed;
  flat->terms                = 0;
  for (int k = 0; k < layer->terms; k++) flat->terms += bf_term_is_tokenwise(&layer->term[k]);
}

void bf_layer_flat(const BfLayer *layer, BfFlatLayer *flat) {
  bf_layer_flat_unbounded(layer, flat);
  flat->clips = !flat->unit && !flat->project;
  if (flat->clips) layer->projection->box(layer, flat->lower, flat->upper);
}
