/* Timing of loops, and what the machine can do at most: both within one run, so that only their ratios are told. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bellformer/run.h"

/* Bytes a second of reading rows of `row` bytes at random places of `bytes` bytes: what a gather of short rows can
 * have. One number a line is read, and or-ed: a sum of doubles would wait for its additions, not for the memory. */
static inline double read_bandwidth(size_t bytes, size_t row) {
  const size_t rows = bytes / row, each = row / sizeof(uint64_t), line = 64 / sizeof(uint64_t);
  uint64_t    *x = aligned_alloc(64, (bytes + 63) / 64 * 64), bits = 0;
  double       best = 0;
  memset(x, 0, (bytes + 63) / 64 * 64);
  for (int repeat = 0; repeat < 3; repeat++) {
    const double begin = bf_seconds();
    uint64_t     state = 88172645463325252u;
    size_t       read  = 0;
    while (bf_seconds() - begin < 0.1)
      for (int r = 0; r < 4096; r++) {
        state              = state * 6364136223846793005u + 1442695040888963407u;
        const uint64_t *at = x + ((state >> 32) * rows >> 32) * each;
        for (size_t i = 0; i < each; i += line) bits |= at[i];
        read += row;
      }
    best = fmax(best, (double)read / (bf_seconds() - begin));
  }
  free(x);
  return bits == 0 ? best : 0; /* so that it must be read */
}

static int missed; /* targets, so far */

/* A program's exit code: missed targets count only where BELLFORMER_STRICT=1 asks for it. */
static inline int verdicts_exit(int status) {
  const char *strict = getenv("BELLFORMER_STRICT");
  return status ? status : missed && strict && *strict && strcmp(strict, "0") != 0;
}

static inline void verdict(const char *what, double got, double wanted, int at_least) {
  const int met = at_least ? got >= wanted : got <= wanted;
  missed += !met;
  printf("  %-58s %8.3g   wanted %s %.3g: %s\n", what, got, at_least ? "at least" : "at most", wanted,
         met ? "met" : "MISSED");
}
