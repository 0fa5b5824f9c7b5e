/* Which kernels this machine runs. */
#include "layer/kernels.h"

BfInstructionSet bf_instruction_set_index(void) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return BF_AVX512;
  return __builtin_cpu_supports("avx2") ? BF_AVX2 : BF_GENERIC;
}

const char *bf_instruction_set(void) {
  static const char *const name[] = {"generic", "avx2", "avx512"};
  return name[bf_instruction_set_index()];
}

void bf_layer_apply(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                    double *next, double *work) {
  static BfLayerApply *const kernel[] = {bf_layer_apply_generic, bf_layer_apply_avx2, bf_layer_apply_avx512};
  kernel[bf_instruction_set_index()](layer, context, parameters, z, next, work);
}

int64_t bf_layer_work(const BfLayer *layer, const BfContext *context) {
  const int64_t lanes = 3 * (int64_t)context->slots * layer->dim + context->slots + context->tags + layer->width;
  return lanes * BF_LANES;
}

int64_t bf_velocity_work(const BfLayer *layer, const BfBlock *block) {
  const int64_t row = (int64_t)block->rows * layer->dim, key = (int64_t)block->tokens * layer->dim;
  return BF_LANES * (3 * row + 8 * (int64_t)block->tokens + 4 * key + 3 * (int64_t)layer->width + layer->parameters);
}

void bf_velocity(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta, const double *z,
                 double *f, double *work) {
  static BfVelocity *const kernel[] = {bf_velocity_generic, bf_velocity_avx2, bf_velocity_avx512};
  kernel[bf_instruction_set_index()](layer, block, parameters, zeta, z, f, work);
}

void bf_velocity_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                            const double *z, const double *lambda, double *by_z, double *by_parameters, double *work) {
  static BfVelocityTransposed *const kernel[] = {bf_velocity_transposed_generic, bf_velocity_transposed_avx2,
                                                 bf_velocity_transposed_avx512};
  kernel[bf_instruction_set_index()](layer, block, parameters, zeta, z, lambda, by_z, by_parameters, work);
}
