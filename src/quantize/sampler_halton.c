/* U_k: points of low discrepancy, [H60], rotated. All in integers, multiples of 2^-53 as bf_uniform's: a radical
 * inverse is an exact fraction, cut there once, and a rotation loses nothing. */
#include "quantize/controls.h"

__extension__ typedef unsigned __int128 Wide;

#define ONE (UINT64_C(1) << 53)

/* The first `count` primes. */
static void first_primes(int count, int64_t prime[]) {
  int found = 0;
  for (int64_t n = 2; found < count; n++) {
    int i = 0;
    while (i < found && prime[i] * prime[i] <= n && n % prime[i]) i++;
    if (i == found || prime[i] * prime[i] > n) prime[found++] = n;
  }
}

/* floor(2^53 phi(n)), phi(n) = sum_i digit_i / base^(i+1) over the digits of n from the last: an integer over
 * base^digits, which is base or at most base n < 2^62. */
static uint64_t radical_inverse(uint64_t n, uint64_t base) {
  uint64_t reversed = 0, power = 1;
  for (; n; n /= base) {
    reversed = reversed * base + n % base;
    power *= base;
  }
  return (uint64_t)((Wide)reversed * ONE / power);
}

BfStatus bf_controls_halton_part(int q, const double lower[], const double upper[], int64_t first, int64_t count,
                                 uint64_t seed, double u[], BfError *error) {
  const int rotate = seed != 0;
  int64_t  *prime;
  BF_TRY(BF_NEW(&prime, q, error));
  first_primes(q, prime);
  for (int j = 0; j < q; j++) {
    const uint64_t shift = rotate ? bf_splitmix64(&seed) >> 11 : 0;
    for (int64_t k = 0; k < count; k++) {
      const uint64_t x = (radical_inverse((uint64_t)(first + k) + 1, (uint64_t)prime[j]) + shift) % ONE;
      u[k * q + j]     = bf_controls_place(lower[j], upper[j], (double)x * 0x1p-53);
    }
  }
  bf_free(prime);
  return BF_OK;
}

BfStatus bf_controls_halton(int q, const double lower[], const double upper[], int64_t count, uint64_t seed, double **u,
                            BfError *error) {
  double *control = NULL;
  BF_TRY(bf_controls_check(q, lower, upper, error));
  BF_TRY(bf_controls_check_count(count, error));
  BF_TRY(BF_NEW(&control, count * q, error));
  BfStatus status = bf_controls_halton_part(q, lower, upper, 0, count, seed, control, error);
  if (status == BF_OK) *u = control;
  else bf_free(control);
  return status;
}

static BfStatus make(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, double **u, BfError *error) {
  uint64_t seed;
  BF_TRY(bf_controls_read_count(keys, box, count, &seed, error));
  return bf_controls_halton(box->q, box->lower, box->upper, *count, seed, u, error);
}

static BfStatus lay(const BfControlPart *part, double u[], BfError *error) {
  return bf_controls_halton_part(part->q, part->lower, part->upper, part->first, part->count, part->seed, u, error);
}

static const BfKey keys_of[] = {BF_KEY_COUNT, BF_KEY_SEED, {0}};

const BfSampler bf_sampler_halton = {.base = {.name = "halton", .keys = keys_of}, .make = make, .lay = lay};
