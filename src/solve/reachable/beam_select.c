/* The B least of all ranks' measures: by counts of digits, most significant first, so that nobody gathers anything. */
#include "solve/reachable/beam.h"
#include <math.h>
#include <stdlib.h>

enum { DIGITS = 8, VALUES = 256 };

/* In the order of the numbers; -0 is 0. */
static uint64_t ordered(double key) {
  const double x = key + 0.0;
  uint64_t     bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The want-th least, 1 ..., of `value` over all ranks' entries that are `in`; *want becomes how many of those equal to
 * it are among the least. Collective. */
static uint64_t find_least(const BfRun *run, const uint64_t value[], const unsigned char in[], int64_t count,
                           int64_t *want) {
  uint64_t found = 0;
  for (int digit = DIGITS - 1; digit >= 0; digit--) {
    int64_t        times[VALUES] = {0};
    const int      shift         = 8 * digit;
    const uint64_t above         = digit == DIGITS - 1 ? 0 : ~UINT64_C(0) << (shift + 8);
    for (int64_t i = 0; i < count; i++)
      if (in[i] && (value[i] & above) == found) times[value[i] >> shift & (VALUES - 1)]++;
    MPI_Allreduce(MPI_IN_PLACE, times, VALUES, MPI_INT64_T, MPI_SUM, run->world);
    uint64_t here = 0;
    while (here < VALUES - 1 && times[here] < *want) *want -= times[here++];
    found |= here << shift;
  }
  return found;
}

static int by_bytes(const void *a, const void *b, void *set) {
  const BfMeasureSet *x     = set;
  const int64_t       bytes = x->measures->bytes;
  return memcmp(x->measure + *(const int64_t *)a * bytes, x->measure + *(const int64_t *)b * bytes, (size_t)bytes);
}

/* Of equal keys and hashes, which one rank owns, the `want` of least bytes. */
static BfStatus choose_equal(const BfMeasureSet *set, const unsigned char in[], uint64_t hash, int64_t want,
                             unsigned char keep[], BfError *error) {
  int64_t *equal, count = 0;
  BF_TRY(BF_NEW(&equal, set->count, error));
  for (int64_t i = 0; i < set->count; i++)
    if (in[i] && set->hash[i] == hash) equal[count++] = i;
  qsort_r(equal, (size_t)count, sizeof *equal, by_bytes, (void *)(uintptr_t)set);
  for (int64_t i = 0; i < count && i < want; i++) keep[equal[i]] = 1;
  bf_free(equal);
  return BF_OK;
}

static BfStatus make_room(int64_t count, uint64_t **value, unsigned char **in, BfError *error) {
  BF_TRY(BF_NEW(value, count, error));
  return BF_NEW(in, count, error);
}

BfStatus bf_beam_select(const BfRun *run, const BfMeasureSet *set, const double key[], int64_t want,
                        unsigned char keep[], double *most, BfError *error) {
  const int64_t  count = set->count;
  uint64_t      *value = NULL;
  unsigned char *in    = NULL;
  BfStatus       status;
  BF_GOTO(bf_together(run->world, make_room(count, &value, &in, error), error));
  for (int64_t i = 0; i < count; i++) {
    value[i] = ordered(key[i]);
    in[i]    = 1;
  }
  const uint64_t last = find_least(run, value, in, count, &want);
  double         mine = -INFINITY;
  for (int64_t i = 0; i < count; i++) {
    keep[i] = value[i] < last;
    in[i]   = value[i] == last;
    if (in[i]) mine = key[i];
  }
  MPI_Allreduce(&mine, most, 1, MPI_DOUBLE, MPI_MAX, run->world);
  const uint64_t hash = find_least(run, set->hash, in, count, &want);
  for (int64_t i = 0; i < count; i++) keep[i] |= in[i] && set->hash[i] < hash;
  status = bf_together(run->world, choose_equal(set, in, hash, want, keep, error), error);
done:
  bf_free(value);
  bf_free(in);
  return status;
}
