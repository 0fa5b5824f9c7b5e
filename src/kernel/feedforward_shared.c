/* The feed-forward part on tokens and its transposed products, all lanes with the same parameters, multiply-adds fused
 * where the machine can; compiled once for each instruction set. */
#include "kernel/kernels.h"
#include "kernel/lanes.h"
#include "layer/activation.h"

/* h = W1 z + b1 of a token. */
BF_INLINE void hidden(const int d, const BfTermCall *call, const BfLoose *z, BfLane *h) {
  const double *W1 = bf_term_matrix(call, 0), *b1 = bf_term_matrix(call, 1);
  for (int k = 0; k < call->layer->width; k++) {
    h[k] = lane_set(b1[k]);
    for (int a = 0; a < d; a++) h[k] += lane_set(W1[k * d + a]) * z[a];
  }
}

/* v += W2 sigma(h) + b2 of all tokens. */
BF_INLINE void tokens(const int d, const BfTermCall *call, BfLoose *v) {
  const double *W2 = bf_term_matrix(call, 2), *b2 = bf_term_matrix(call, 3);
  const int     width = call->layer->width;
  BfLane       *h     = (BfLane *)call->work;
  for (int i = 0; i < call->rows; i++) {
    hidden(d, call, (const BfLoose *)call->z + i * d, h);
    bf_activate(call->layer->activation, (double *)h, width);
    for (int a = 0; a < d; a++) {
      BfLane sum = lane_set(b2[a]);
      for (int k = 0; k < width; k++) sum += lane_set(W2[a * width + k]) * h[k];
      v[i * d + a] += sum;
    }
  }
}

BF_INLINE void token_transposed(const int d, const BfTermCall *call, const BfLoose *z, const BfLoose *lambda,
                                BfLoose *by_z, BfLane *by_parameters) {
  const BfMatrix *m  = call->term->matrix;
  const double   *W1 = bf_term_matrix(call, 0), *W2 = bf_term_matrix(call, 2);
  const int       width = call->layer->width;
  BfLane         *by_W1 = by_parameters + m[0].at, *by_b1 = by_parameters + m[1].at, *by_W2 = by_parameters + m[2].at,
         *by_b2 = by_parameters + m[3].at, *h = (BfLane *)call->work, *slope = h + width, *by_h = slope + width;
  hidden(d, call, z, h);
  bf_activate_slope(call->layer->activation, (const double *)h, (double *)slope, width);
  bf_activate(call->layer->activation, (double *)h, width);
  for (int k = 0; k < width; k++) by_h[k] = lane_set(0.0);
  for (int a = 0; a < d; a++) {
    by_b2[a] += lambda[a];
    for (int k = 0; k < width; k++) {
      by_W2[a * width + k] += lambda[a] * h[k];
      by_h[k] += lane_set(W2[a * width + k]) * lambda[a];
    }
  }
  for (int k = 0; k < width; k++) {
    by_h[k] *= slope[k];
    by_b1[k] += by_h[k];
    for (int a = 0; a < d; a++) {
      by_W1[k * d + a] += by_h[k] * z[a];
      by_z[a] += lane_set(W1[k * d + a]) * by_h[k];
    }
  }
}

BF_INLINE void tokens_transposed(const int d, const BfTermCall *call, const BfLoose *lambda, BfLoose *by_z,
                                 BfLane *by_parameters) {
  for (int i = 0; i < call->rows; i++)
    token_transposed(d, call, (const BfLoose *)call->z + i * d, lambda + i * d, by_z + i * d, by_parameters);
}

/* The cases of d that are compiled apart; without vectors of four doubles or more nothing is gained by it. */
#if defined(__AVX2__) && !defined(BF_FEW_CASES)
#define CASES(name, ...)                                                                                               \
  switch (call->layer->dim) {                                                                                          \
  case 1:                                                                                                              \
    name(1, __VA_ARGS__);                                                                                              \
    break;                                                                                                             \
  case 2:                                                                                                              \
    name(2, __VA_ARGS__);                                                                                              \
    break;                                                                                                             \
  case 3:                                                                                                              \
    name(3, __VA_ARGS__);                                                                                              \
    break;                                                                                                             \
  default:                                                                                                             \
    name(call->layer->dim, __VA_ARGS__);                                                                               \
  }
#else
#define CASES(name, ...) name(call->layer->dim, __VA_ARGS__)
#endif

void BF_KERNEL(bf_feedforward_shared)(const BfTermCall *call, double *v) { CASES(tokens, call, (BfLoose *)v); }

void BF_KERNEL(bf_feedforward_transposed)(const BfTermCall *call, const double *lambda, double *by_z,
                                          double *by_parameters) {
  CASES(tokens_transposed, call, (const BfLoose *)lambda, (BfLoose *)by_z, (BfLane *)by_parameters);
}
