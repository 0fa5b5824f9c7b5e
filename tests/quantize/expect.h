/* What the tests of the quantizers share. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those before it. */
#include <cmocka.h>

#include "bellformer/quantize.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

/* The call was refused as bad input with exactly this line; the error is then ready for the next call. */
static inline void expect_refused(BfStatus status, BfError *error, const char *line) {
  assert_int_equal(status, BF_BAD_INPUT);
  assert_int_equal(error->status, BF_BAD_INPUT);
  assert_string_equal(error->text, line);
  *error = (BfError){0};
}

/* A number in 0 .. bound - 1. */
static inline int64_t draw_below(uint64_t *state, int64_t bound) {
  return (int64_t)(bf_splitmix64(state) % (uint64_t)bound);
}
