/* The feed-forward part on tokens, each lane with parameters of its own; compiled once for each instruction set. */
#include "kernel/activation.h"
#include "kernel/kernels.h"
#include "kernel/lanes.h"

/* v += W2 sigma(W1 z + b1) + b2 of a token. */
BF_INLINE void token(const int d, const BfFeedforwardPoints *x, const BfLoose *z, BfLoose *v) {
  const int     width = x->width;
  const BfLane *W1 = (const BfLane *)x->parameters, *b1 = W1 + width * d, *W2 = b1 + width, *b2 = W2 + d * width;
  BfLane       *hidden = (BfLane *)x->work;
  for (int i = 0; i < width; i++) {
    BfLane sum = W1[i * d] * z[0];
    for (int a = 1; a < d; a++) sum += W1[i * d + a] * z[a];
    hidden[i] = sum + b1[i];
  }
  bf_activate(x->sigma, (double *)hidden, width);
  for (int a = 0; a < d; a++) {
    BfLane sum = W2[a * width] * hidden[0];
    for (int i = 1; i < width; i++) sum += W2[a * width + i] * hidden[i];
    v[a] += sum + b2[a];
  }
}

BF_INLINE void tokens(const int d, const BfFeedforwardPoints *x, BfLoose *v) {
  for (int i = 0; i < x->rows; i++) token(d, x, (const BfLoose *)x->z + i * d, v + i * d);
}

void BF_KERNEL(bf_feedforward)(const BfFeedforwardPoints *x, double *v) {
  switch (x->dim) {
  case 1:
    tokens(1, x, (BfLoose *)v);
    break;
  case 2:
    tokens(2, x, (BfLoose *)v);
    break;
  case 3:
    tokens(3, x, (BfLoose *)v);
    break;
  default:
    tokens(x->dim, x, (BfLoose *)v);
  }
}
