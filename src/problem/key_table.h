/* Every key that a problem can have, those of all kinds with them: what messages, the key reference (share/doc/keys.md)
 * and the choices between kinds (family.h) go by. A look-up of a key that is not here is refused, so that the table
 * cannot go stale. Pure. */
#pragma once
#include "bellformer/kind.h"
#include "bellformer/layer.h"
#include "overrides.h"

/* A walk over all keys, {0} at first: those of no kind, then those of the families' kinds and of terms. A key that
 * several kinds describe comes as often; NULL behind the last. */
typedef struct {
  int64_t general, family, chosen, kind, key, term;
} BfKeyWalk;

const BfKey *bf_key_next(BfKeyWalk *walk);
/* The row of a name, "control.A.form"; NULL: there is none. */
const BfKey *bf_key_row(const char *name);

#define BF_RANGE 64
bool bf_key_has_range(const BfKey *key);
bool bf_key_allows(const BfKey *key, double value);
/* "1 to 64", "at least 0", "above 0", "" where any number will do. */
void bf_key_range(const BfKey *key, char text[BF_RANGE]);
/* What the reference tells of a key; of one that chooses a kind also what the kinds tell of themselves. */
void bf_key_meaning(const BfKey *key, size_t size, char text[]);

/* A piece of a matrix, both ends counted, from 0. */
typedef struct {
  int row[2], column[2];
} BfPiece;

/* What a key says, and of which matrix. */
typedef struct {
  const BfKey *row;
  char         matrix[BF_MATRIX_NAME]; /* "A_0"; "" where the key is of none */
  BfPiece      piece;                  /* of an exception; "row_3" goes over all columns, to INT_MAX */
} BfKeyName;

/* The key that is spelt as an option without its dash, "control_A_0_row_3_to_4_levels". Returns 0 for an unknown one.
 */
int bf_key_name(const char *option, BfKeyName *out);
/* The same key as a file has it, "control.A_0.row_3_to_4.levels"; `key` is room for it, which is not always needed. */
const char *bf_key_dotted(const BfKeyName *name, const char *option, char key[BF_OPTION_LENGTH]);
/* The section that a key speaks to (BfSections), 0 where every command reads it. */
unsigned bf_key_section(const BfKey *row);
