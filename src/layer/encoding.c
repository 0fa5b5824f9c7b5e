/* The positional encodings, and `none`. */
#include "layer/encoding.h"

const BfEncoding bf_encoding_none = {.base = {.name = "none", .meaning = "0"}, .word = "none"};

#define ADDRESS(kind) &bf_encoding_##kind,
static const BfEncoding *const encodings[] = {BF_ENCODINGS(ADDRESS) NULL};

const BfEncoding *bf_encoding_at(int k) { return encodings[k]; }

static const BfKind *kind_at(int k) { return encodings[k] ? &encodings[k]->base : NULL; }
static const BfKey   key = {"data.position_encoding", "word or numbers", "none", "e_p, added to queries and keys"};
const BfFamily       bf_encoding_family = {&key, false, true, kind_at};

BfStatus bf_encoding_extend(const BfEncoding *kind, double amplitude, int positions, BfLayer *layer, BfError *error) {
  if (!kind->row || amplitude == 0 || positions <= layer->positions) return BF_OK;
  bf_free(layer->encoding);
  BF_TRY(BF_NEW(&layer->encoding, (int64_t)positions * layer->dim, error));
  layer->positions = positions;
  for (int p = 0; p < positions; p++) kind->row(amplitude, layer->dim, p, layer->encoding + (int64_t)p * layer->dim);
  return BF_OK;
}
