/* The feed-forward part on tokens, each lane with parameters of its own; compiled once for each instruction set. */
#include "kernel/kernels.h"
#include "kernel/lanes.h"
#include "layer/activation.h"

/* v += W2 sigma(W1 z + b1) + b2 of a token. */
BF_INLINE void token(const int d, const BfTermCall *call, const BfLoose *z, BfLoose *v) {
  const BfLane *W1 = (const BfLane *)bf_term_matrix(call, 0), *b1 = (const BfLane *)bf_term_matrix(call, 1);
  const BfLane *W2 = (const BfLane *)bf_term_matrix(call, 2), *b2 = (const BfLane *)bf_term_matrix(call, 3);
  BfLane       *hidden = (BfLane *)call->work;
  const int     width  = call->layer->width;
  for (int i = 0; i < width; i++) {
    BfLane sum = W1[i * d] * z[0];
    for (int a = 1; a < d; a++) sum += W1[i * d + a] * z[a];
    hidden[i] = sum + b1[i];
  }
  bf_activate(call->layer->activation, (double *)hidden, width);
  for (int a = 0; a < d; a++) {
    BfLane sum = W2[a * width] * hidden[0];
    for (int i = 1; i < width; i++) sum += W2[a * width + i] * hidden[i];
    v[a] += sum + b2[a];
  }
}

BF_INLINE void tokens(const int d, const BfTermCall *call, BfLoose *v) {
  for (int i = 0; i < call->rows; i++) token(d, call, (const BfLoose *)call->z + i * d, v + i * d);
}

void BF_KERNEL(bf_feedforward)(const BfTermCall *call, double *v) {
  switch (call->layer->dim) {
  case 1:
    tokens(1, call, (BfLoose *)v);
    break;
  case 2:
    tokens(2, call, (BfLoose *)v);
    break;
  case 3:
    tokens(3, call, (BfLoose *)v);
    break;
  default:
    tokens(call->layer->dim, call, (BfLoose *)v);
  }
}
