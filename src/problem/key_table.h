/* Every key that a problem can have: what messages, the key reference (share/doc/keys.md) and the choices between kinds
 * (kind.h) go by. A look-up of a key that is not here is refused, so that the table cannot go stale. Pure. */
#pragma once
#include "options.h"

/* One key. A stands for every matrix, row_I_column_J for every exception to a matrix's range and levels. */
typedef struct {
  const char *name;     /* "layer.beta" */
  const char *type;     /* for the reference */
  const char *fallback; /* what holds where it is not given, as a value of the key or in words; NULL: required */
} BfKeyRow;

extern const BfKeyRow bf_key_rows[]; /* ends with a row without a name */

/* A piece of a matrix, both ends counted, from 0. */
typedef struct {
  int row[2], column[2];
} BfPiece;

#define BF_MATRIX_NAME 16

/* What a key says, and of which matrix. */
typedef struct {
  const BfKeyRow *row;
  char            matrix[BF_MATRIX_NAME]; /* "A_0"; "" where the key is of none */
  BfPiece         piece;                  /* of an exception; "row_3" goes over all columns, to INT_MAX */
} BfKeyName;

/* The key that is spelt as an option without its dash, "control_A_0_row_3_to_4_levels". Returns 0 for an unknown one.
 */
int bf_key_name(const char *option, BfKeyName *out);
