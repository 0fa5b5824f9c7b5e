/* step, token.*, layer.* */
#include "reader.h"
#include "text.h"

#include <string.h>

static BfStatus read_bound(BfReader *reader, const char *key, const double **out, BfError *error) {
  double *bound = NULL;
  int64_t count = 0;
  int     dim   = reader->problem->layer.dim;
  BF_TRY(bf_key_numbers(reader->keys, key, BF_REQUIRED, &count, &bound, error));
  *out = bound;
  if (count != dim)
    return bf_key_fail(reader->keys, key, error, "wants %d number%s, one a component, got %lld", dim,
                       dim == 1 ? "" : "s", (long long)count);
  return BF_OK;
}

static BfStatus read_token(BfReader *reader, BfError *error) {
  static const char *const projections[] = {"clip", "sphere", NULL};
  BfLayer                 *layer         = &reader->problem->layer;
  int64_t                  dim           = 0;
  int                      projection    = BF_PROJECT_CLIP;
  BF_TRY(bf_key_integer(reader->keys, "token.dim", BF_REQUIRED, 1, BF_MOST_DIM, &dim, error));
  layer->dim = (int)dim;
  BF_TRY(read_bound(reader, "token.lower", &layer->lower, error));
  BF_TRY(read_bound(reader, "token.upper", &layer->upper, error));
  for (int j = 0; j < layer->dim; j++) {
    if (!(layer->lower[j] < layer->upper[j]))
      return bf_key_fail(reader->keys, "token.lower", error, "must be below token.upper, got %g and %g in component %d",
                         layer->lower[j], layer->upper[j], j);
    if (!(layer->lower[j] >= -BF_FARTHEST && layer->upper[j] <= BF_FARTHEST))
      return bf_key_fail(reader->keys, "token.lower", error,
                         "and token.upper must be within %g, got %g and %g in component %d", BF_FARTHEST,
                         layer->lower[j], layer->upper[j], j);
  }
  BF_TRY(bf_key_choice(reader->keys, "token.projection", BF_OPTIONAL, projections, &projection, error));
  layer->projection = projection == 1 ? BF_PROJECT_SPHERE : BF_PROJECT_CLIP;
  return BF_OK;
}

static BfStatus read_feedforward(BfReader *reader, BfError *error) {
  BfLayer    *layer = &reader->problem->layer;
  const char *name  = "none";
  char        quote[BF_QUOTE];
  int64_t     width = 0;
  BF_TRY(bf_key_text(reader->keys, "layer.feedforward", BF_OPTIONAL, &name, error));
  if (!strcmp(name, "none")) return bf_refuse_key(reader, "layer.width", "layer.feedforward is none", error);
  layer->activation = bf_activation(name);
  if (!layer->activation)
    return bf_key_fail(reader->keys, "layer.feedforward", error, "must be none, %s, got '%s'", bf_activation_names(),
                       bf_text_quote(name, quote));
  BF_TRY(bf_key_integer(reader->keys, "layer.width", BF_REQUIRED, 1, 65536, &width, error));
  layer->width = (int)width;
  return BF_OK;
}

BfStatus bf_read_layer(BfReader *reader, BfError *error) {
  static const char *const masks[]  = {"full", "causal", NULL};
  BfKeys                  *keys     = reader->keys;
  BfLayer                 *layer    = &reader->problem->layer;
  int64_t                  residual = 1, heads = 1;
  int                      mask = 0;
  layer->beta                   = 1;
  BF_TRY(bf_key_number(keys, "step", BF_REQUIRED, &layer->step, error));
  if (!(layer->step > 0)) return bf_key_fail(keys, "step", error, "must be greater than 0, got %g", layer->step);
  BF_TRY(read_token(reader, error));
  BF_TRY(bf_key_integer(keys, "layer.residual", BF_OPTIONAL, 0, 1, &residual, error));
  BF_TRY(bf_key_integer(keys, "layer.heads", BF_OPTIONAL, 0, 10000, &heads, error));
  BF_TRY(bf_key_number(keys, "layer.beta", BF_OPTIONAL, &layer->beta, error));
  BF_TRY(bf_key_choice(keys, "layer.mask", BF_OPTIONAL, masks, &mask, error));
  layer->residual = (double)residual;
  layer->heads    = (int)heads;
  layer->mask     = mask == 1 ? BF_MASK_CAUSAL : BF_MASK_FULL;
  BF_TRY(read_feedforward(reader, error));
  if (!layer->heads && !layer->activation)
    return bf_key_fail(keys, "layer.heads", error, "must be at least 1 where layer.feedforward is none, got 0");
  return BF_OK;
}
