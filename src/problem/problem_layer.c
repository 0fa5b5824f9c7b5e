/* step, token.*, layer.* */
#include "reader.h"
#include "run/text.h"

#include <stdio.h>
#include <string.h>

static BfStatus read_token(BfReader *reader, BfError *error) {
  BfLayer *layer      = &reader->problem->layer;
  int64_t  dim        = 0;
  double  *bound      = NULL;
  int      projection = 0;
  BF_TRY(bf_key_integer(reader->keys, "token.dim", BF_REQUIRED, 1, BF_MOST_DIM, &dim, error));
  layer->dim = (int)dim;
  BF_TRY(bf_read_numbers(reader, "token.lower", BF_REQUIRED, dim, "one a component", &bound, error));
  layer->lower = bound;
  BF_TRY(bf_read_numbers(reader, "token.upper", BF_REQUIRED, dim, "one a component", &bound, error));
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
  BF_TRY(bf_family_choose(reader->keys, &bf_family_projection, &projection, error));
  layer->projection = bf_projections[projection];
  return BF_OK;
}

static BfStatus read_feedforward(BfReader *reader, BfError *error) {
  BfLayer    *layer = &reader->problem->layer;
  const char *name  = "none";
  char        quote[BF_QUOTE];
  int64_t     width = 0;
  BF_TRY(bf_key_text(reader->keys, "layer.feedforward", BF_OPTIONAL, &name, error));
  const int none    = !strcmp(name, "none");
  layer->activation = none ? NULL : bf_activation(name);
  if (!none && !layer->activation)
    return bf_key_fail(reader->keys, "layer.feedforward", error, "must be none, %s, got '%s'%s", bf_activation_names(),
                       bf_text_quote(name, quote), bf_text_hint(name));
  BF_TRY(bf_family_settle(reader->keys, &bf_family_feedforward, name, error));
  if (none) return BF_OK;
  BF_TRY(bf_key_integer(reader->keys, "layer.width", BF_REQUIRED, 1, 65536, &width, error));
  layer->width = (int)width;
  return BF_OK;
}

/* Heads, and with none of them what has no use; and which maps of single heads have one. */
static BfStatus read_heads(BfReader *reader, BfError *error) {
  BfKeys     *keys  = reader->keys;
  int64_t     heads = 1, of_file = 1;
  char        text[32];
  const char *file_text = bf_keys_in_file(keys, "layer.heads");
  BF_TRY(bf_key_integer(keys, "layer.heads", BF_OPTIONAL, 0, 10000, &heads, error));
  if (!heads && !reader->problem->layer.activation)
    return bf_key_fail(keys, "layer.heads", error, "must be at least 1 where layer.feedforward is none, got 0");
  reader->problem->layer.heads = (int)heads;
  snprintf(text, sizeof text, "%d", (int)heads);
  if (file_text && (bf_text_integer(file_text, &of_file) || of_file < 0 || of_file > 10000)) of_file = heads;
  BF_TRY(bf_family_settle(keys, &bf_family_heads, text, error));
  return bf_family_settle_heads(keys, (int)heads, (int)of_file, error);
}

BfStatus bf_read_layer(BfReader *reader, BfError *error) {
  static const char *const masks[]  = {"full", "causal", NULL};
  BfKeys                  *keys     = reader->keys;
  BfLayer                 *layer    = &reader->problem->layer;
  int64_t                  residual = 1;
  int                      mask = 0, norm = 0;
  layer->beta = 1;
  BF_TRY(bf_key_number(keys, "step", BF_REQUIRED, &layer->step, error));
  if (!(layer->step > 0)) return bf_key_fail(keys, "step", error, "must be greater than 0, got %g", layer->step);
  BF_TRY(read_token(reader, error));
  BF_TRY(bf_key_integer(keys, "layer.residual", BF_OPTIONAL, 0, 1, &residual, error));
  BF_TRY(bf_family_choose(keys, &bf_family_norm, &norm, error));
  BF_TRY(read_feedforward(reader, error));
  BF_TRY(read_heads(reader, error));
  BF_TRY(bf_key_number(keys, "layer.beta", BF_OPTIONAL, &layer->beta, error));
  BF_TRY(bf_key_choice(keys, "layer.mask", BF_OPTIONAL, masks, &mask, error));
  layer->residual = (double)residual;
  layer->norm     = bf_norms[norm];
  layer->mask     = mask == 1 ? BF_MASK_CAUSAL : BF_MASK_FULL;
  return BF_OK;
}
