/* U_k: uniform draws, as [ASY26] takes them. */
#include "quantize/controls.h"

static void fill(int q, const double lower[], const double upper[], int64_t count, uint64_t seed, double u[]) {
  for (int64_t k = 0; k < count; k++)
    for (int j = 0; j < q; j++) u[k * q + j] = bf_controls_place(lower[j], upper[j], bf_uniform(&seed));
}

BfStatus bf_controls_sample(int q, const double lower[], const double upper[], int64_t count, uint64_t seed, double **u,
                            BfError *error) {
  double *control;
  BF_TRY(bf_controls_check(q, lower, upper, error));
  BF_TRY(bf_controls_check_count(count, error));
  BF_TRY(BF_NEW(&control, count * q, error));
  fill(q, lower, upper, count, seed, control);
  *u = control;
  return BF_OK;
}

static BfStatus make(const BfKeyReader *keys, const BfControlBox *box, int64_t *count, double **u, BfError *error) {
  uint64_t seed;
  BF_TRY(bf_controls_read_count(keys, box, count, &seed, error));
  return bf_controls_sample(box->q, box->lower, box->upper, *count, seed, u, error);
}

static BfStatus lay(const BfControlPart *part, double u[], BfError *error) {
  uint64_t seed = part->seed;
  (void)error;
  bf_splitmix64_skip(&seed, (uint64_t)part->first * (uint64_t)part->q);
  fill(part->q, part->lower, part->upper, part->count, seed, u);
  return BF_OK;
}

static const BfKey keys_of[] = {BF_KEY_COUNT, BF_KEY_SEED, {0}};

const BfSampler bf_sampler_sample = {.base = {.name = "sample", .keys = keys_of}, .make = make, .lay = lay};
