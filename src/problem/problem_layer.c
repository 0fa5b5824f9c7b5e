/* step, token.*, layer.* */
#include "bellformer/term.h"
#include "reader.h"

#include <stdio.h>
#include <string.h>

static BfStatus read_token(BfReader *reader, BfError *error) {
  BfLayer *layer      = &reader->problem->layer;
  int64_t  dim        = 0;
  double  *bound      = NULL;
  int      projection = 0;
  BF_TRY(bf_key_integer(reader->keys, "token.dim", &dim, error));
  layer->dim = (int)dim;
  BF_TRY(bf_read_numbers(reader, "token.lower", dim, "one a component", &bound, error));
  layer->lower = bound;
  BF_TRY(bf_read_numbers(reader, "token.upper", dim, "one a component", &bound, error));
  layer->upper = bound;
  for (int j = 0; j < layer->dim; j++) {
    if (!(layer->lower[j] < layer->upper[j]))
      return bf_key_fail(reader->keys, "token.lower", error, "must be below token.upper, got %g and %g in component %d",
                         layer->lower[j], layer->upper[j], j);
    if (!(layer->lower[j] >= -BF_FARTHEST && layer->upper[j] <= BF_FARTHEST))
      return bf_key_fail(reader->keys, "token.lower", error,
                         "and token.upper must be within %g, got %g and %g in component %d", BF_FARTHEST,
                         layer->lower[j], layer->upper[j], j);
  }
  BF_TRY(bf_family_choose(reader->keys, &bf_projection_family, &projection, error));
  layer->projection = bf_projections[projection];
  return BF_OK;
}

/* Which maps of single heads have a use. */
static BfStatus settle_heads(BfReader *reader, BfError *error) {
  const BfTermKind *term;
  for (int k = 0; (term = bf_term_kind(k)); k++)
    if (term->family) BF_TRY(bf_family_settle_heads(reader->keys, term, error));
  return BF_OK;
}

BfStatus bf_read_layer(BfReader *reader, BfError *error) {
  BfKeys           *keys     = reader->keys;
  const BfKeyReader of_terms = bf_key_reader(reader);
  BfLayer          *layer    = &reader->problem->layer;
  int64_t           residual = 0;
  int               norm     = 0;
  BF_TRY(bf_key_number(keys, "step", &layer->step, error));
  BF_TRY(read_token(reader, error));
  BF_TRY(bf_key_integer(keys, "layer.residual", &residual, error));
  BF_TRY(bf_family_choose(keys, &bf_norm_family, &norm, error));
  layer->residual = (double)residual;
  layer->norm     = bf_norms[norm];
  BF_TRY(bf_layer_read_terms(layer, &of_terms, error));
  BF_TRY(settle_heads(reader, error));
  return bf_read_heads(reader, error);
}
