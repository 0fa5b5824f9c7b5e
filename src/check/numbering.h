/* Numbers for quantities, such that equal numbers are equal quantities: the same function of the same quantities gets
 * the same number. Exact: what a number stands for is kept and compared, not only hashed. Local. */
#pragma once
#include "bellformer/error.h"

typedef struct BfNumbering BfNumbering;

BfStatus bf_numbering_create(BfNumbering **out, BfError *error);
void     bf_numbering_destroy(BfNumbering **numbering);
/* The number of what is described by word[count], 0, 1, 2 ... in the order in which they are first asked for; -1 and
 * *error where there is no memory. */
int64_t bf_number_of(BfNumbering *numbering, int64_t count, const int64_t word[], BfError *error);
