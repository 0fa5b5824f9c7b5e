/* heads.*: the heads that are averaged, and what they are drawn from. */
#include "head_init.h"
#include "reader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool bf_uses_heads(const BfReader *reader) { return reader->sections->uses & BF_SECTION_HEADS; }

static bool are_alike(const BfReader *reader) { return bf_uses_heads(reader) && reader->problem->heads.count; }

int bf_next_matrix(const BfReader *reader, int k) {
  const int of_heads = 2 * reader->problem->layer.heads;
  return are_alike(reader) && k >= 1 && k < of_heads ? of_heads : k + 1;
}

static BfStatus read_init(BfReader *reader, BfHeadStart *heads, BfError *error) {
  int kind = 0;
  BF_TRY(bf_family_choose(reader->keys, &bf_head_init_family, &kind, error));
  heads->init = bf_head_init(kind);
  if (!heads->init->deviates) return BF_OK;
  BF_TRY(bf_key_number(reader->keys, "heads.init.A", &heads->deviation[0], error));
  return bf_key_number(reader->keys, "heads.init.V", &heads->deviation[1], error);
}

/* Keys of single heads are of heads that differ. */
static BfStatus refuse_single(const BfReader *reader, BfError *error) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(reader->keys, &at));) {
    const char *name = given->name.matrix;
    if (!strncmp(name, "A_", 2) || !strncmp(name, "V_", 2))
      return bf_keys_refuse(reader->keys, given, error, "where heads.count is given: all heads are alike");
  }
  return BF_OK;
}

/* What a head takes in the lists of a layer. */
static BfStatus check_room(const BfReader *reader, BfError *error) {
  const BfProblem *problem = reader->problem;
  const double     d = problem->layer.dim, H = (double)(problem->heads.count + problem->heads.room);
  const double     numbers = 2 * (d * d + 16); /* and a few of other terms, which the trainer refuses */
  const double     bytes   = H * (2 * sizeof(BfMatrix) + numbers * (2 * sizeof(double) + 2 * sizeof(int)));
  if (H * numbers > INT_MAX)
    return bf_key_fail(reader->keys, "heads.count", error, "must be at most %.0f with %d x %d matrices, got %.0f",
                       floor(INT_MAX / numbers), problem->layer.dim, problem->layer.dim, H);
  if (bytes <= reader->memory) return BF_OK;
  return bf_key_fail(reader->keys, "heads.count", error, "gives %.0f heads: %.3g GiB a rank, %.3g GiB are free", H,
                     bytes / 0x1p30, reader->memory / 0x1p30);
}

BfStatus bf_read_heads(BfReader *reader, BfError *error) {
  static const char *const words[] = {"false", "true", NULL};
  BfProblem               *problem = reader->problem;
  BfHeadStart             *heads   = &problem->heads;
  int                      same    = 0;
  if (!problem->layer.heads) return BF_OK;
  if (bf_keys_given(reader->keys, "heads.count"))
    BF_TRY(bf_key_integer(reader->keys, "heads.count", &heads->count, error));
  BF_TRY(bf_key_integer(reader->keys, "heads.room", &heads->room, error));
  if (bf_uses_heads(reader) && heads->room && !heads->count) heads->count = problem->layer.heads;
  BF_TRY(read_init(reader, heads, error));
  BF_TRY(bf_key_choice(reader->keys, "heads.same", words, &same, error));
  BF_TRY(bf_key_integer(reader->keys, "heads.seed", &heads->seed, error));
  heads->same = same;
  if (!are_alike(reader)) return BF_OK;
  BF_TRY(refuse_single(reader, error));
  BF_TRY(check_room(reader, error));
  problem->layer.heads = (int)(heads->count + heads->room);
  return BF_OK;
}
