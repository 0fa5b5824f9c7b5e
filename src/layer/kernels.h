/* Kernels exist once for each instruction set: a kernel file is compiled several times with -DBF_ISA=name, and
 * BF_KERNEL puts that name behind its functions. dispatch.c chooses at run time. */
#pragma once
#include "bellformer/layer.h"

#define BF_PASTE_(a, b) a##_##b
#define BF_PASTE(a, b) BF_PASTE_(a, b)
#define BF_KERNEL(name) BF_PASTE(name, BF_ISA)

/* Index of the machine's instruction set in a table of kernels {generic, avx2, avx512}. */
typedef enum { BF_GENERIC, BF_AVX2, BF_AVX512 } BfInstructionSet;
BfInstructionSet bf_instruction_set_index(void);

/* sigma on x[count][BF_LANES], in place. */
void bf_activate(const BfActivation *activation, double *x, int count);

/* slope[i] = sigma'(x[i]), [count][BF_LANES]. */
void bf_activate_slope(const BfActivation *activation, const double *x, double *slope, int count);

typedef void BfLayerApply(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                          double *next, double *work);
extern BfLayerApply bf_layer_apply_generic, bf_layer_apply_avx2, bf_layer_apply_avx512;

typedef void      BfVelocity(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                             const double *z, double *f, double *work);
extern BfVelocity bf_velocity_generic, bf_velocity_avx2, bf_velocity_avx512;

typedef void BfVelocityTransposed(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                                  const double *z, const double *lambda, double *by_z, double *by_parameters,
                                  double *work);
extern BfVelocityTransposed bf_velocity_transposed_generic, bf_velocity_transposed_avx2, bf_velocity_transposed_avx512;
