/* The type nearest to a law, [R11] algorithm 1, in integers.
 *
 * With masses w_i, S = sum_i w_i: k_i = floor(m w_i / S + 1/2), errors e_i = S k_i - m w_i in (-S/2, S/2], and
 * D = sum_i k_i - m = sum_i e_i / S. Where D > 0 the D entries of largest e_i lose one, where D < 0 the -D of smallest
 * e_i gain one. Since |e_i| <= S/2, at least 2 |D| entries have an error of D's sign: only those are candidates, and
 * one with e_i > 0 has k_i > 0, so that no count becomes negative. Masses in floating point are first brought to
 * integers: then all this holds exactly, and m w_i / S knows true ties from rounding. */
#include "bellformer/quantize.h"

#include <math.h>

__extension__ typedef unsigned __int128 Wide;
__extension__ typedef __int128          SignedWide;

/* Masses as integers: whole[i], or floor(real[i] 2^shift). */
typedef struct {
  const int64_t *whole;
  const double  *real;
  int            shift;
  int64_t        n;
  int64_t        support; /* entries that are not 0 */
  Wide           sum;     /* S; m S and m S + S/2 stay below 2^127 */
} Masses;

typedef struct {
  SignedWide error; /* e_i, later times the sign of D */
  int64_t    index;
} Candidate;

static inline Wide mass(const Masses *masses, int64_t i) {
  if (masses->whole) return (Wide)masses->whole[i];
  return masses->real[i] > 0 ? (Wide)ldexp(masses->real[i], masses->shift) : 0;
}

/* Whether `a` is to be changed before `b`: its rounding went farther, or as far and its index is lower. */
static inline int before(const Candidate *a, const Candidate *b) {
  return a->error != b->error ? a->error > b->error : a->index < b->index;
}

static void sift_down(Candidate heap[], int64_t size, int64_t at) {
  const Candidate moving = heap[at];
  for (int64_t child; (child = 2 * at + 1) < size; at = child) {
    if (child + 1 < size && before(&heap[child + 1], &heap[child])) child++;
    if (!before(&heap[child], &moving)) break;
    heap[at] = heap[child];
  }
  heap[at] = moving;
}

/* Add `change` to the counts of the `times` first candidates. A heap, as seldom all of them must be sorted. */
static void change_first(Candidate heap[], int64_t size, int64_t times, int change, int64_t counts[]) {
  for (int64_t at = size / 2 - 1; at >= 0; at--) sift_down(heap, size, at);
  for (; times > 0; times--) {
    counts[heap[0].index] += change;
    heap[0] = heap[--size];
    if (size > 0) sift_down(heap, size, 0);
  }
}

/* Round every entry, collect the errors that are not 0, return D. */
static int64_t round_all(const Masses *masses, int64_t m, int64_t counts[], Candidate candidate[],
                         int64_t *candidates) {
  int64_t surplus = -m;
  *candidates     = 0;
  for (int64_t i = 0; i < masses->n; i++) {
    Wide w    = mass(masses, i);
    counts[i] = 0;
    if (!w) continue;
    Wide product = (Wide)m * w, quotient = product / masses->sum, rest = product - quotient * masses->sum;
    int  up   = rest >= masses->sum - rest;
    counts[i] = (int64_t)quotient + up;
    surplus += counts[i];
    if (rest) candidate[(*candidates)++] = (Candidate){up ? (SignedWide)(masses->sum - rest) : -(SignedWide)rest, i};
  }
  return surplus;
}

static void nearest(const Masses *masses, int64_t m, int64_t counts[], Candidate candidate[]) {
  int64_t candidates, kept = 0, surplus = round_all(masses, m, counts, candidate, &candidates);
  if (!surplus) return;
  const int sign = surplus > 0 ? 1 : -1;
  for (int64_t i = 0; i < candidates; i++)
    if (sign * candidate[i].error > 0) candidate[kept++] = (Candidate){sign * candidate[i].error, candidate[i].index};
  change_first(candidate, kept, sign * surplus, -sign, counts);
}

/* Small laws, of which a table needs millions, do without an allocation. */
static BfStatus nearest_in_memory(const Masses *masses, int64_t m, int64_t counts[], BfError *error) {
  Candidate few[64], *candidate = few;
  if (masses->support > (int64_t)(sizeof few / sizeof *few)) BF_TRY(BF_NEW(&candidate, masses->support, error));
  nearest(masses, m, counts, candidate);
  if (candidate != few) bf_free(candidate);
  return BF_OK;
}

static BfStatus check_sizes(int64_t n, int64_t m, BfError *error) {
  if (n < 1) return bf_fail(error, BF_BAD_INPUT, "a law must have at least 1 cell, got %lld", (long long)n);
  if (m < 1) return bf_fail(error, BF_BAD_INPUT, "a type must have at least 1 atom, got %lld", (long long)m);
  return BF_OK;
}

/* A shift that brings the sum to b bits, or b + 1 by the rounding of the sum itself, where m S needs 126 at most: for
 * m < 2^20 the sum has 105 bits, so that a mass above 2^-51 S loses none of its 53. */
static int shift_for(double sum, int64_t m) {
  int exponent, bits = 61 + __builtin_clzll((unsigned long long)m);
  frexp(sum, &exponent);
  return bits - exponent;
}

/* ---- small laws in floating point -------------------------------------------------------------------------------- */

enum { FEW_CELLS = 64, FEW_ATOMS = 4096 };

/* x_i = m w_i / S is off by less than m (n + 3) 2^-53 < 4096 * 67 * 2^-53 < 2^-34: the sum of n masses, a quotient and
 * a product round. Where no x_i comes this near to a half, every rounding is certain; where the last error that is
 * changed and the first that is not are twice as far apart, so is the choice. All else is left to the integers. */
static const double UNCERTAIN = 0x1p-34;

/* Change the counts of the `times` entries of largest error[]; returns 0 where it is not certain which these are. */
static int change_largest(int n, double error[], int times, int change, int64_t counts[]) {
  double last = INFINITY;
  for (; times > 0; times--) {
    int at = 0;
    for (int i = 1; i < n; i++)
      if (error[i] > error[at]) at = i;
    last = error[at];
    counts[at] += change;
    error[at] = -INFINITY;
  }
  for (int i = 0; i < n; i++)
    if (error[i] > last - 2 * UNCERTAIN) return 0;
  return 1;
}

/* Returns 0 where floating point does not decide. */
static int nearest_if_certain(int n, const double law[], double sum, int m, int64_t counts[]) {
  double error[FEW_CELLS];
  int    surplus = -m;
  for (int i = 0; i < n; i++) {
    const double x = law[i] / sum * (double)m;
    const int    k = (int)(x + 0.5);
    error[i]       = (double)k - x;
    if (fabs(fabs(error[i]) - 0.5) < UNCERTAIN) return 0;
    counts[i] = k;
    surplus += k;
  }
  if (!surplus) return 1;
  for (int i = 0; i < n && surplus < 0; i++) error[i] = -error[i];
  return change_largest(n, error, surplus > 0 ? surplus : -surplus, surplus > 0 ? -1 : 1, counts);
}

BfStatus bf_type_nearest(int64_t n, const double law[], int64_t m, int64_t counts[], BfError *error) {
  BF_TRY(check_sizes(n, m, error));
  Masses masses = {.real = law, .n = n};
  double sum    = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!(law[i] >= 0) || isinf(law[i]))
      return bf_fail(error, BF_BAD_INPUT, "a law's masses must be finite and at least 0, mass %lld is %g", (long long)i,
                     law[i]);
    sum += law[i];
    masses.support += law[i] > 0;
  }
  if (!(sum > 0) || isinf(sum))
    return bf_fail(error, BF_BAD_INPUT, "the sum of a law's masses must be positive and finite, got %g", sum);
  if (n <= FEW_CELLS && m <= FEW_ATOMS && nearest_if_certain((int)n, law, sum, (int)m, counts)) return BF_OK;
  masses.shift = shift_for(sum, m);
  for (int64_t i = 0; i < n; i++) masses.sum += mass(&masses, i);
  return nearest_in_memory(&masses, m, counts, error);
}

BfStatus bf_type_nearest_integer(int64_t n, const int64_t law[], int64_t m, int64_t counts[], BfError *error) {
  BF_TRY(check_sizes(n, m, error));
  Masses masses = {.whole = law, .n = n};
  for (int64_t i = 0; i < n; i++) {
    if (law[i] < 0)
      return bf_fail(error, BF_BAD_INPUT, "a law's masses must be at least 0, mass %lld is %lld", (long long)i,
                     (long long)law[i]);
    masses.sum += (Wide)law[i];
    masses.support += law[i] > 0;
  }
  if (masses.sum < 1 || masses.sum > INT64_MAX)
    return bf_fail(error, BF_BAD_INPUT, "the sum of a law's masses must be in 1 .. 2^63 - 1, got %s",
                   masses.sum ? "more" : "0");
  return nearest_in_memory(&masses, m, counts, error);
}
