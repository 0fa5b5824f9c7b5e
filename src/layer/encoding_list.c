/* e_p as given, a row a position. */
#include "layer/encoding.h"

static const char KEY[] = "data.position_encoding";

enum { MOST_ROWS = 1000001 };

static BfStatus read(const BfKeyReader *keys, int positions, BfLayer *layer, double *amplitude, BfError *error) {
  int64_t count = 0;
  (void)amplitude;
  BF_TRY(keys->numbers(keys, KEY, &count, &layer->encoding, error));
  const int64_t rows = count / layer->dim;
  if (count % layer->dim || rows < positions)
    return keys->fail(keys, KEY, error, "wants %lld numbers (positions 0 .. %d, %d each) or more, got %lld",
                      (long long)positions * layer->dim, positions - 1, layer->dim, (long long)count);
  if (rows > MOST_ROWS) return keys->fail(keys, KEY, error, "is too long");
  layer->positions = (int)rows;
  return BF_OK;
}

const BfEncoding bf_encoding_list = {
    .base = {.name = "a list of numbers", .meaning = "d a position, for all positions of both tables"},
    .word = "list",
    .read = read};
