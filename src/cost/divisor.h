/* What turns masses that are fractions into integers. */
#pragma once
#include <stdint.h>

/* The greatest common divisor of a > 0 and b >= 0. */
static inline int64_t bf_greatest_divisor(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a                  = b;
    b                  = rest;
  }
  return a;
}
