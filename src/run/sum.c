/* Sums that do not depend on how their terms are dealt to ranks: in whole numbers. */
#include "bellformer/run.h"
#include "run/limits.h"
#include <math.h>

static void reduce(MPI_Comm comm, void *data, int64_t n, MPI_Datatype type, MPI_Op op) {
  const int64_t piece = bf_limits()->reduced;
  char         *at    = data;
  for (int64_t i = 0; i < n; i += piece)
    MPI_Allreduce(MPI_IN_PLACE, at + 8 * i, (int)(n - i < piece ? n - i : piece), type, op, comm);
}

/* A term below 2^e in size is hi 2^-k + lo 2^-(k + bits), k = bits - e, with whole |hi|, |lo| <= 2^bits. */
static void add_term(double x, int exponent, int bits, int64_t part[2]) {
  const double scaled = ldexp(x, bits - exponent), hi = trunc(scaled);
  part[0] += (int64_t)hi;
  part[1] += llrint(ldexp(scaled - hi, bits));
}

BfStatus bf_exact_sum(MPI_Comm comm, int64_t rows, int64_t n, const double *values, double *sum, BfError *error) {
  int64_t *part = NULL, all = rows;
  int      bits = 62;
  BfStatus status;
  BF_GOTO(bf_together(comm, BF_NEW(&part, 2 * n, error), error));
  for (int64_t i = 0; i < n; i++) {
    sum[i] = 0;
    for (int64_t r = 0; r < rows; r++) {
      const double size = fabs(values[r * n + i]);
      if (!(size <= sum[i])) sum[i] = isfinite(size) ? size : INFINITY;
    }
  }
  reduce(comm, sum, n, MPI_DOUBLE, MPI_MAX);
  reduce(comm, &all, 1, MPI_INT64_T, MPI_SUM);
  while (all >> (62 - bits)) bits--;
  for (int64_t i = 0; i < n; i++) {
    int exponent;
    if (!isfinite(sum[i])) continue;
    frexp(sum[i], &exponent);
    for (int64_t r = 0; r < rows; r++) add_term(values[r * n + i], exponent, bits, part + 2 * i);
  }
  reduce(comm, part, 2 * n, MPI_INT64_T, MPI_SUM);
  for (int64_t i = 0; i < n; i++) {
    int exponent;
    if (!isfinite(sum[i])) continue;
    frexp(sum[i], &exponent);
    sum[i] = ldexp((double)part[2 * i] + ldexp((double)part[2 * i + 1], -bits), exponent - bits);
  }
done:
  bf_free(part);
  return status;
}

void bf_sum_disjoint(MPI_Comm comm, int64_t n, double *data) { reduce(comm, data, n, MPI_DOUBLE, MPI_SUM); }
