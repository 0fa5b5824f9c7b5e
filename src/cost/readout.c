/* Logits and log-softmax in lanes.
 *
 * A class may be one of a million, so logits are computed again in each pass rather than stored: a pass over them costs
 * dim products a class, the softmax an exponential. */
#include "readout.h"

#include <math.h>

/* Keeps differences of logits finite; what is no number stays so. */
static inline double bounded(double x) {
  const double big   = 1e307;
  const double below = x > big ? big : x;
  return below < -big ? -big : below;
}

/* (R r + b)[c]. Each product is bounded, since infinities of both signs have no sum. */
static inline void logit(const BfCost *cost, int64_t readout, int c, const double *r, double out[BF_LANES]) {
  const int64_t row = readout * cost->classes + c;
  const double *R   = cost->matrix + row * cost->dim;
  const double  b   = cost->bias ? cost->bias[row] : 0;
  for (int l = 0; l < BF_LANES; l++) out[l] = 0;
  for (int a = 0; a < cost->dim; a++)
    for (int l = 0; l < BF_LANES; l++) out[l] += bounded(R[a] * r[a * BF_LANES + l]);
  for (int l = 0; l < BF_LANES; l++) out[l] = bounded(out[l] + b);
}

static void largest(const BfCost *cost, int64_t readout, const double *r, double max[BF_LANES], int label[BF_LANES]) {
  double x[BF_LANES];
  logit(cost, readout, 0, r, max);
  for (int l = 0; l < BF_LANES; l++) label[l] = 0;
  for (int c = 1; c < cost->classes; c++) {
    logit(cost, readout, c, r, x);
    for (int l = 0; l < BF_LANES; l++) {
      label[l] = x[l] > max[l] ? c : label[l];
      max[l]   = x[l] > max[l] ? x[l] : max[l];
    }
  }
}

void bf_readout_label(const BfCost *cost, int64_t readout, const double *r, int label[BF_LANES]) {
  double max[BF_LANES];
  largest(cost, readout, r, max, label);
}

/* max - x_label + log(1 + sum over c other than one of largest logit of exp(x_c - max)): the largest term is split off,
 * so that a loss far below 1e-16 keeps its digits. */
void bf_readout_loss(const BfCost *cost, int64_t readout, const double *r, int label, double loss[BF_LANES]) {
  double max[BF_LANES], x[BF_LANES], others[BF_LANES] = {0};
  int    top[BF_LANES];
  largest(cost, readout, r, max, top);
  for (int c = 0; c < cost->classes; c++) {
    logit(cost, readout, c, r, x);
    for (int l = 0; l < BF_LANES; l++) others[l] += c == top[l] ? 0 : exp(x[l] - max[l]);
  }
  logit(cost, readout, label, r, x);
  for (int l = 0; l < BF_LANES; l++) loss[l] = (max[l] - x[l]) + log1p(others[l]);
}

void bf_readout_gradient(const BfCost *cost, int64_t readout, const double *r, int label, double *gradient) {
  double max[BF_LANES], x[BF_LANES], sum[BF_LANES] = {0}, others[BF_LANES] = {0};
  int    top[BF_LANES];
  largest(cost, readout, r, max, top);
  for (int c = 0; c < cost->classes; c++) {
    logit(cost, readout, c, r, x);
    for (int l = 0; l < BF_LANES; l++) {
      const double e = exp(x[l] - max[l]);
      sum[l] += e;
      others[l] += c == label ? 0 : e;
    }
  }
  for (int k = 0; k < cost->dim * BF_LANES; k++) gradient[k] = 0;
  for (int c = 0; c < cost->classes; c++) {
    const double *R = cost->matrix + (readout * cost->classes + c) * cost->dim;
    logit(cost, readout, c, r, x);
    for (int a = 0; a < cost->dim; a++)
      for (int l = 0; l < BF_LANES; l++)
        gradient[a * BF_LANES + l] += R[a] * (c == label ? -others[l] : exp(x[l] - max[l])) / sum[l];
  }
}
