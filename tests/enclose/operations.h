/* Every operation on affine forms, against what it computes of points that the forms hold. */
#pragma once
#include <stdint.h>

enum { OPERATIONS = 18 };

/* How many of `cases` forms by chance operation k encloses wrongly, 8 points each; at most `most` are counted. */
int64_t     operation_misses(int k, int64_t cases, int64_t most);
const char *operation_name(int k);
