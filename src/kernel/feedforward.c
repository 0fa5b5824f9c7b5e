/* The feed-forward part on tokens, each lane with parameters of its own; compiled once for each instruction set. */
#include "kernel/activation.h"
#include "kernel/kernels.h"
#include "kernel/lanes.h"

typedef BfPart BfLoosePart __attribute__((aligned(8)));

/* Part p of components a of tokens. */
BF_INLINE BfPart loose_of(const double *token, int a, int p) {
  return ((const BfLoosePart *)(token + a * BF_LANES))[p];
}

/* hidden = sigma(W1 z + b1) of a token: [width] in lanes. */
BF_INLINE void hide(const int d, const BfFeedforwardPoints *x, const double *z, BfLane *hidden) {
  const int     width = x->width, cuts = bf_activation_cuts(x->sigma);
  const BfLane *W1 = (const BfLane *)x->parameters, *b1 = W1 + width * d;
  for (int p = 0; p < BF_PARTS; p++) {
    BfPart token[BF_MOST_DIM];
    for (int a = 0; a < d; a++) token[a] = loose_of(z, a, p);
    for (int i = 0; i < width; i++) {
      BfPart sum = part_of(&W1[i * d], p) * token[0];
      for (int a = 1; a < d; a++) sum += part_of(&W1[i * d + a], p) * token[a];
      sum += part_of(&b1[i], p);
      part_put(&hidden[i], p, cuts ? part_max(sum, part_set(0.0)) : sum);
    }
  }
  if (!cuts) bf_activate(x->sigma, (double *)hidden, width);
}

/* v += W2 hidden + b2 of a token. */
BF_INLINE void show(const int d, const BfFeedforwardPoints *x, const BfLane *hidden, double *v) {
  const int     width = x->width;
  const BfLane *W2 = (const BfLane *)x->parameters + width * (d + 1), *b2 = W2 + d * width;
  for (int a = 0; a < d; a++)
    for (int p = 0; p < BF_PARTS; p++) {
      BfLoosePart *to  = (BfLoosePart *)(v + a * BF_LANES) + p;
      BfPart       sum = part_of(&W2[a * width], p) * part_of(&hidden[0], p);
      for (int i = 1; i < width; i++) sum += part_of(&W2[a * width + i], p) * part_of(&hidden[i], p);
      *to += sum + part_of(&b2[a], p);
    }
}

BF_INLINE void tokens(const int d, const BfFeedforwardPoints *x, double *v) {
  for (int64_t i = 0; i < x->rows; i++) {
    const BfLane *hidden = x->hidden ? (const BfLane *)x->hidden + i * x->width : (BfLane *)x->work;
    if (!x->hidden) hide(d, x, x->z + i * d * BF_LANES, (BfLane *)x->work);
    show(d, x, hidden, v + i * d * BF_LANES);
  }
}

void BF_KERNEL(bf_feedforward)(const BfFeedforwardPoints *x, double *v) {
  switch (x->dim) {
  case 1:
    tokens(1, x, v);
    break;
  case 2:
    tokens(2, x, v);
    break;
  case 3:
    tokens(3, x, v);
    break;
  default:
    tokens(x->dim, x, v);
  }
}

void BF_KERNEL(bf_feedforward_hidden)(const BfFeedforwardPoints *x, double *hidden) {
  for (int64_t i = 0; i < x->rows; i++) hide(x->dim, x, x->z + i * x->dim * BF_LANES, (BfLane *)hidden + i * x->width);
}
