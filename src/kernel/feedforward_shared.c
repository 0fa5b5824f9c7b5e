/* The feed-forward part on tokens and its transposed products, all lanes with the same parameters, multiply-adds fused
 * where the machine can; compiled once for each instruction set. */
#include "kernel/activation.h"
#include "kernel/kernels.h"
#include "kernel/lanes.h"

/* h = W1 z + b1 of a token. */
BF_INLINE void hidden(const int d, const BfFeedforwardPoints *x, const BfLoose *z, BfLane *h) {
  const double *W1 = x->parameters, *b1 = W1 + x->width * d;
  for (int k = 0; k < x->width; k++) {
    h[k] = lane_set(b1[k]);
    for (int a = 0; a < d; a++) h[k] += lane_set(W1[k * d + a]) * z[a];
  }
}

/* v += W2 sigma(h) + b2 of all tokens. */
BF_INLINE void tokens(const int d, const BfFeedforwardPoints *x, BfLoose *v) {
  const int     width = x->width;
  const double *W2 = x->parameters + width * (d + 1), *b2 = W2 + d * width;
  BfLane       *h = (BfLane *)x->work;
  for (int i = 0; i < x->rows; i++) {
    hidden(d, x, (const BfLoose *)x->z + i * d, h);
    bf_activate(x->sigma, (double *)h, width);
    for (int a = 0; a < d; a++) {
      BfLane sum = lane_set(b2[a]);
      for (int k = 0; k < width; k++) sum += lane_set(W2[a * width + k]) * h[k];
      v[i * d + a] += sum;
    }
  }
}

BF_INLINE void token_transposed(const int d, const BfFeedforwardPoints *x, const BfLoose *z, const BfLoose *lambda,
                                BfLoose *by_z, BfLane *by_parameters) {
  const int     width = x->width;
  const double *W1 = x->parameters, *W2 = W1 + width * (d + 1);
  BfLane       *by_W1 = by_parameters, *by_b1 = by_W1 + width * d, *by_W2 = by_b1 + width, *by_b2 = by_W2 + d * width;
  BfLane       *h = (BfLane *)x->work, *slope = h + width, *by_h = slope + width;
  hidden(d, x, z, h);
  bf_activate_slope(x->sigma, (const double *)h, (double *)slope, width);
  bf_activate(x->sigma, (double *)h, width);
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

BF_INLINE void tokens_transposed(const int d, const BfFeedforwardPoints *x, const BfLoose *lambda, BfLoose *by_z,
                                 BfLane *by_parameters) {
  for (int i = 0; i < x->rows; i++)
    token_transposed(d, x, (const BfLoose *)x->z + i * d, lambda + i * d, by_z + i * d, by_parameters);
}

/* The cases of d that are compiled apart; without vectors of four doubles or more nothing is gained by it. */
#if defined(__AVX2__) && !defined(BF_FEW_CASES)
#define CASES(name, ...)                                                                                               \
  switch (x->dim) {                                                                                                    \
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
    name(x->dim, __VA_ARGS__);                                                                                         \
  }
#else
#define CASES(name, ...) name(x->dim, __VA_ARGS__)
#endif

void BF_KERNEL(bf_feedforward_shared)(const BfFeedforwardPoints *x, double *v) { CASES(tokens, x, (BfLoose *)v); }

void BF_KERNEL(bf_feedforward_transposed)(const BfFeedforwardPoints *x, const double *lambda, double *by_z,
                                          double *by_parameters) {
  CASES(tokens_transposed, x, (const BfLoose *)lambda, (BfLoose *)by_z, (BfLane *)by_parameters);
}
