#include "check/numbering.h"
#include "run/hash.h"
#include <string.h>

/* Open addressing; at most half of the places are taken. */
struct BfNumbering {
  int64_t  numbers, places;
  int64_t *place; /* [places] a number + 1; 0: empty */
  int64_t *first; /* [numbers + 1] where its words begin */
  int64_t  numbers_room;
  int64_t *word, words_room; /* of all numbers, one behind the other */
};

BfStatus bf_numbering_create(BfNumbering **out, BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  (*out)->places       = 1 << 10;
  (*out)->numbers_room = 1 << 9;
  (*out)->words_room   = 1 << 12;
  if (BF_NEW(&(*out)->place, (*out)->places, error) == BF_OK &&
      BF_NEW(&(*out)->first, (*out)->numbers_room + 1, error) == BF_OK &&
      BF_NEW(&(*out)->word, (*out)->words_room, error) == BF_OK)
    return BF_OK;
  bf_numbering_destroy(out);
  return error->status;
}

void bf_numbering_destroy(BfNumbering **numbering) {
  if (!*numbering) return;
  bf_free((*numbering)->place);
  bf_free((*numbering)->first);
  bf_free((*numbering)->word);
  bf_free(*numbering);
  *numbering = NULL;
}

static BfStatus grow(int64_t **array, int64_t have, int64_t want, int64_t *room, BfError *error) {
  int64_t *more, size = *room;
  if (want <= size) return BF_OK;
  while (size < want) size *= 2;
  BF_TRY(BF_NEW(&more, size + 1, error));
  memcpy(more, *array, sizeof *more * (size_t)have);
  bf_free(*array);
  *array = more;
  *room  = size;
  return BF_OK;
}

static size_t bytes(int64_t count) { return sizeof(int64_t) * (size_t)count; }

/* Its place, or the empty one where it belongs. */
static int64_t find(const BfNumbering *x, int64_t count, const int64_t word[]) {
  int64_t at = (int64_t)(bf_hash(BF_HASH_NONE, word, bytes(count)) % (uint64_t)x->places);
  for (;; at = (at + 1) % x->places) {
    const int64_t number = x->place[at] - 1;
    if (number < 0) return at;
    const int64_t first = x->first[number];
    if (x->first[number + 1] - first == count && !memcmp(x->word + first, word, bytes(count))) return at;
  }
}

static BfStatus rehash(BfNumbering *x, BfError *error) {
  if (2 * (x->numbers + 1) <= x->places) return BF_OK;
  int64_t *place;
  BF_TRY(BF_NEW(&place, 2 * x->places, error));
  bf_free(x->place);
  x->place = place;
  x->places *= 2;
  for (int64_t i = 0; i < x->numbers; i++)
    x->place[find(x, x->first[i + 1] - x->first[i], x->word + x->first[i])] = i + 1;
  return BF_OK;
}

static BfStatus add(BfNumbering *x, int64_t count, const int64_t word[], BfError *error) {
  const int64_t used = x->first[x->numbers];
  BF_TRY(rehash(x, error));
  BF_TRY(grow(&x->first, x->numbers + 1, x->numbers + 2, &x->numbers_room, error));
  BF_TRY(grow(&x->word, used, used + count, &x->words_room, error));
  memcpy(x->word + used, word, bytes(count));
  x->place[find(x, count, word)] = ++x->numbers;
  x->first[x->numbers]           = used + count;
  return BF_OK;
}

int64_t bf_number_of(BfNumbering *numbering, int64_t count, const int64_t word[], BfError *error) {
  const int64_t number = numbering->place[find(numbering, count, word)] - 1;
  if (number >= 0) return number;
  return add(numbering, count, word, error) == BF_OK ? numbering->numbers - 1 : -1;
}
