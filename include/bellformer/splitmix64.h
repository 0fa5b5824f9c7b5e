/* The generator behind everything that is drawn, and behind keys of sums. Pure. */
#pragma once
#include "bellformer/api.h"
#include <stdint.h>

BF_API_BEGIN

/* splitmix64: advance *state, return the next 64 bits; and the draw (r >> 11) 2^-53 in [0, 1). */
uint64_t bf_splitmix64(uint64_t *state);
double   bf_uniform(uint64_t *state);
/* Leave out so many draws. */
void bf_splitmix64_skip(uint64_t *state, uint64_t count);

BF_API_END
