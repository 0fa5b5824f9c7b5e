/* The processor rounds upwards while a function runs. */
#pragma once
#include "bellformer/error.h"

/* Calls work(context, error) with sums, products, quotients and roots of doubles rounded upwards, and restores what was
 * set. BF_FAILURE where the machine, or the compiler's code, does not: that is tried first. Local. */
BfStatus bf_rounding_upwards(BfStatus (*work)(void *context, BfError *error), void *context, BfError *error);
