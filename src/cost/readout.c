/* Logits and log-softmax in lanes, by the kernels. A class may be one of a million: what is kept of all logits is a
 * label and a sum. */
#include "readout.h"
#include "lanes.h"

#include <math.h>

static BfFlatReadout flat(const BfCost *cost, int64_t readout) {
  return (BfFlatReadout){.classes = cost->classes,
                         .dim     = cost->dim,
                         .matrix  = cost->matrix + readout * cost->classes * cost->dim,
                         .bias    = cost->bias ? cost->bias + readout * cost->classes : NULL};
}

/* (R r + b)[c]. */
static void logit(const BfCost *cost, int64_t readout, int c, const double *r, double out[BF_LANES]) {
  const BfFlatReadout one = flat(cost, readout);
  bf_cost_kernels(cost)->logit(&one, c, r, out);
}

void bf_lane_logits(const BfCost *cost, int64_t readout, int label, const double *r, double out[BF_LANES]) {
  logit(cost, readout, label, r, out);
}

static void largest(const BfCost *cost, int64_t readout, const double *r, double max[BF_LANES], int label[BF_LANES]) {
  double x[BF_LANES];
  for (int c = 0; c < cost->classes; c++) {
    logit(cost, readout, c, r, x);
    for (int l = 0; l < BF_LANES; l++) {
      label[l] = !c || x[l] > max[l] ? c : label[l];
      max[l]   = !c || x[l] > max[l] ? x[l] : max[l];
    }
  }
}

void bf_readout_label(const BfCost *cost, int64_t readout, const double *r, int label[BF_LANES]) {
  double max[BF_LANES];
  largest(cost, readout, r, max, label);
}

int bf_logits(const BfCost *cost, int64_t readout, const double r[], double logits[]) {
  double lanes[cost->dim * BF_LANES], x[BF_LANES];
  int    label = 0;
  for (int k = 0; k < cost->dim * BF_LANES; k++) lanes[k] = r[k / BF_LANES];
  for (int c = 0; c < cost->classes; c++) {
    logit(cost, readout, c, lanes, x);
    logits[c] = x[0];
    if (x[0] > logits[label]) label = c;
  }
  return label;
}

static void add_gradient(const BfCost *cost, int64_t readout, const double *r, int lanes, int label,
                         const BfSoftmaxSums *sums, double *gradient) {
  double x[BF_LANES];
  for (int k = 0; k < cost->dim * BF_LANES; k++) gradient[k] = 0;
  for (int c = 0; c < cost->classes; c++) {
    const double *R = cost->matrix + (readout * cost->classes + c) * cost->dim;
    logit(cost, readout, c, r, x);
    for (int l = 0; l < lanes; l++) x[l] = c == label ? -sums->wrong[l] : exp(x[l] - sums->max[l]);
    for (int a = 0; a < cost->dim; a++)
      for (int l = 0; l < lanes; l++) gradient[a * BF_LANES + l] += R[a] * x[l] / sums->all[l];
  }
}

void bf_readout_loss(const BfCost *cost, int64_t readout, const double *r, int lanes, int label, double loss[BF_LANES],
                     double *gradient) {
  const BfFlatReadout one = flat(cost, readout);
  BfSoftmaxSums       sums;
  bf_cost_kernels(cost)->softmax(&one, r, label, &sums);
  for (int l = 0; l < lanes; l++) loss[l] = sums.loss[l];
  if (gradient) add_gradient(cost, readout, r, lanes, label, &sums, gradient);
}

void bf_readout_add(const BfCost *cost, int c, double by_logit, const double *r, double by[]) {
  for (int a = 0; a < cost->dim; a++) by[(int64_t)c * cost->dim + a] += by_logit * r[a * BF_LANES];
  by[(int64_t)cost->classes * cost->dim + c] += by_logit;
}

void bf_readout_by_numbers(const BfCost *cost, int64_t readout, const double *r, int label, double weight,
                           double by[]) {
  double max[BF_LANES], x[BF_LANES], all = 0, wrong = 0;
  int    top[BF_LANES];
  largest(cost, readout, r, max, top);
  for (int c = 0; c < cost->classes; c++) {
    logit(cost, readout, c, r, x);
    all += exp(x[0] - max[0]);
    wrong += c == label ? 0 : exp(x[0] - max[0]);
  }
  for (int c = 0; c < cost->classes; c++) {
    logit(cost, readout, c, r, x);
    bf_readout_add(cost, c, weight * (c == label ? -wrong : exp(x[0] - max[0])) / all, r, by);
  }
}

BfStatus bf_readout_residual(const BfCost *cost, int64_t readout, const double r[], int label, double weight,
                             double out[], BfError *error) {
  const int     C = cost->classes, d = cost->dim;
  const double *R = cost->matrix + readout * C * d, *b = cost->bias + readout * C;
  double       *x, most = -INFINITY, sum = 0;
  BF_TRY(BF_NEW(&x, C, error));
  for (int c = 0; c < C; c++) {
    x[c] = b[c];
    for (int a = 0; a < d; a++) x[c] += R[c * d + a] * r[a];
    most = fmax(most, x[c]);
  }
  for (int c = 0; c < C; c++) sum += exp(x[c] - most);
  for (int a = 0; a < d; a++) out[a] = 0;
  for (int c = 0; c < C; c++)
    for (int a = 0; a < d; a++) out[a] += weight * (exp(x[c] - most) / sum - (c == label)) * R[c * d + a];
  bf_free(x);
  return BF_OK;
}
