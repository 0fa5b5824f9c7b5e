/* The samplers, and what they share. */
#include "quantize/sampler.h"
#include "quantize/controls.h"

#include <math.h>
#include <string.h>

#define ADDRESS(kind) &bf_sampler_##kind,
static const BfSampler *const samplers[] = {BF_SAMPLERS(ADDRESS)};

const BfSampler *bf_sampler(int kind) {
  return kind >= 0 && kind < (int)(sizeof samplers / sizeof *samplers) ? samplers[kind] : NULL;
}

const BfSampler *bf_sampler_named(const char *name) {
  for (int k = 0; bf_sampler(k); k++)
    if (!strcmp(bf_sampler(k)->base.name, name)) return bf_sampler(k);
  return NULL;
}

static const BfKind *kind_of(int k) {
  const BfSampler *sampler = bf_sampler(k);
  return sampler ? &sampler->base : NULL;
}

static const BfKey kind_key          = {"action.kind", "word", "grid", "how the set is chosen, see below"};
const BfFamily     bf_sampler_family = {&kind_key, false, false, kind_of};

BfStatus bf_controls_check(int q, const double lower[], const double upper[], BfError *error) {
  if (q < 0) return bf_fail(error, BF_BAD_INPUT, "control: the count of free numbers must be at least 0, got %d", q);
  for (int j = 0; j < q; j++) {
    /* Room for the products of a grid's levels, too. */
    if (!(fabs(lower[j]) < 1e290 && fabs(upper[j]) < 1e290))
      return bf_fail(error, BF_BAD_INPUT, "control number %d: range must be finite and within 1e290, got [%g, %g]", j,
                     lower[j], upper[j]);
    if (lower[j] > upper[j])
      return bf_fail(error, BF_BAD_INPUT, "control number %d: range must not decrease, got [%g, %g]", j, lower[j],
                     upper[j]);
  }
  return BF_OK;
}

BfStatus bf_controls_check_count(int64_t count, BfError *error) {
  if (count >= 1 && count < BF_ACTIONS_LIMIT) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "action.count must be in 1 .. 2^31 - 1, got %lld", (long long)count);
}

BfStatus bf_controls_fit(const BfKeyReader *keys, const char *key, const BfControlBox *box, double count,
                         BfError *error) {
  const double bytes = count * box->bytes;
  if (count >= (double)BF_ACTIONS_LIMIT)
    return keys->fail(keys, key, error, "gives %.4g controls, at most 2147483647 are possible", count);
  if (bytes > box->room)
    return keys->fail(keys, key, error, "gives %.4g controls: %.3g GiB a rank, %.3g GiB are free", count,
                      bytes / 0x1p30, box->room / 0x1p30);
  return BF_OK;
}

BfStatus bf_controls_read_count(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, uint64_t *seed,
                                BfError *error) {
  int64_t number = 0;
  BF_TRY(keys->integer(keys, "action.count", count, error));
  BF_TRY(keys->integer(keys, "action.seed", &number, error));
  *seed = (uint64_t)number;
  return bf_controls_fit(keys, "action.count", box, (double)*count, error);
}
