/* Sums whose bits do not depend on the order of their terms, for the inner loops: each term is split into a multiple of
 * a coarse quantum, a multiple of a fine one, and a rest that is dropped. Multiples add up without rounding, in double
 * precision and by MPI_SUM alike. (Pre-rounded summation: Demmel and Nguyen, Parallel Reproducible Summation, 2015.)
 *
 * With |sum of sizes of all terms| <= bound = 2^e: coarse multiples of 2^(e-44), fine ones of 2^(e-84); what is dropped
 * is below 2^(e-85) a term. Up to 2^14 terms. */
#pragma once
#include "bellformer/run.h"
#include <math.h>

typedef struct {
  double coarse, fine; /* 1.5 * 2^52 quanta: adding and taking it away rounds to a multiple */
} BfQuanta;

/* Of sums bounded by `bound` >= 0; not finite where that is not, and then so are the sums. */
static inline BfQuanta bf_quanta(double bound) {
  int exponent;
  if (!(bound <= 0x1p900)) return (BfQuanta){NAN, NAN};
  frexp(bound < 0x1p-900 ? 0x1p-900 : bound, &exponent);
  return (BfQuanta){ldexp(1.5, 52 + exponent - 44), ldexp(1.5, 52 + exponent - 84)};
}

/* part[0] + part[stride] += x. */
static inline void bf_quanta_add(BfQuanta q, double x, double part[], int64_t stride) {
  const double coarse = (x + q.coarse) - q.coarse, rest = x - coarse;
  part[0] += coarse;
  part[stride] += (rest + q.fine) - q.fine;
}
