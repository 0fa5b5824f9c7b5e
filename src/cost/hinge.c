/* For each context the multiclass hinge of K. Crammer and Y. Singer (JMLR 2, 2001): max(0, max over j != y of (1 + s_j)
 * - s_y) of its label y, s = R r_s + b, with r_s pooled. Subgradient by r: R_j - R_y for the smallest j that attains
 * the maximum where the loss is above 0, else 0. Of one class the inner maximum is over nothing: loss 0. */
#include "cost_kind.h"
#include "pooling.h"
#include "readout.h"
#include "readout_kind.h"

#include <math.h>

/* max over j != label of (1 + s_j) - s_label, -infinity of one class; and the j, the label itself where there is none.
 */
static void margins(const BfCost *cost, int64_t readout, const double *r, int label, double margin[BF_LANES],
                    int rival[BF_LANES]) {
  double x[BF_LANES];
  for (int l = 0; l < BF_LANES; l++) {
    margin[l] = -INFINITY;
    rival[l]  = label;
  }
  for (int c = 0; c < cost->classes; c++) {
    if (c == label) continue;
    bf_lane_logits(cost, readout, c, r, x);
    for (int l = 0; l < BF_LANES; l++) {
      if (rival[l] != label && !(x[l] > margin[l])) continue;
      margin[l] = x[l];
      rival[l]  = c;
    }
  }
  bf_lane_logits(cost, readout, label, r, x);
  for (int l = 0; l < BF_LANES; l++) margin[l] = (1 + margin[l]) - x[l];
}

/* 1 where the loss is above 0, 0 where it is 0; no number where it is none. */
static double slope(double margin) { return margin > 0 ? 1 : margin <= 0 ? 0 : margin; }

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  const int     label = context->label[0];
  const double *R     = cost->matrix + readout * cost->classes * cost->dim;
  double        r[cost->dim * BF_LANES], by_r[cost->dim * BF_LANES], margin[BF_LANES];
  int           rival[BF_LANES];
  (void)lanes; /* whole vectors of products cost no more */
  (void)error;
  bf_pooled_represent(cost, context, z, r);
  margins(cost, readout, r, label, margin, rival);
  for (int l = 0; l < BF_LANES; l++) loss[l] = margin[l] <= 0 ? 0 : margin[l];
  for (int a = 0; gradient && a < cost->dim; a++)
    for (int l = 0; l < BF_LANES; l++)
      by_r[a * BF_LANES + l] =
          slope(margin[l]) * (R[(int64_t)rival[l] * cost->dim + a] - R[(int64_t)label * cost->dim + a]);
  if (gradient) bf_pooled_spread(cost, context, by_r, gradient);
  return BF_OK;
}

static void by_readout(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double weight,
                       double by[]) {
  const int label = context->label[0];
  double    r[cost->dim * BF_LANES], margin[BF_LANES];
  int       rival[BF_LANES];
  bf_pooled_represent(cost, context, z, r);
  margins(cost, readout, r, label, margin, rival);
  bf_readout_add(cost, rival[0], weight * slope(margin[0]), r, by);
  bf_readout_add(cost, label, -weight * slope(margin[0]), r, by);
}

static double plain_logit(const BfCost *cost, int64_t row, const double r[]) {
  double x = 0;
  for (int a = 0; a < cost->dim; a++) x += cost->matrix[row * cost->dim + a] * r[a];
  return x + cost->bias[row];
}

static BfStatus derivative(const BfCost *cost, int64_t readout, const double r[], int label, double weight,
                           double out[], BfError *error) {
  const int64_t own   = readout * cost->classes + label;
  int64_t       rival = -1;
  double        most  = 0;
  (void)error;
  for (int64_t row = readout * cost->classes; row < (readout + 1) * cost->classes; row++) {
    const double x = row == own ? 0 : plain_logit(cost, row, r);
    if (row == own || (rival >= 0 && x <= most)) continue;
    rival = row;
    most  = x;
  }
  const bool inside = rival >= 0 && 1 + most > plain_logit(cost, own, r);
  for (int a = 0; a < cost->dim; a++)
    out[a] = inside ? weight * (cost->matrix[rival * cost->dim + a] - cost->matrix[own * cost->dim + a]) : 0;
  return BF_OK;
}

static BfStatus adjoint(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                        BfError *error) {
  return bf_pooled_adjoint(cost, readout, context, z, p, derivative, error);
}

/* phi(x) = W max(0, 1 + max x) >= g (1 + x_c) for 0 <= g <= W: W is within 2^-53 of 1 / contexts. */
static double support(const BfCost *cost, const BfContext *context, const double x0[], double g[]) {
  const int count = cost->classes - 1;
  int       most  = 0;
  (void)context;
  for (int c = 0; c < count; c++) {
    g[c] = 0;
    if (x0[c] > x0[most]) most = c;
  }
  if (!count || !(1 + x0[most] > 0)) return 0;
  return g[most] = 1 / cost->contexts * (1 - 0x1p-52);
}

static double upper(const BfCost *cost, const BfContext *context, const double low[], const double high[]) {
  double most = -1;
  (void)context;
  (void)low; /* phi rises with every feature */
  for (int c = 0; c < cost->classes - 1; c++) most = high[c] <= most ? most : high[c];
  return 1 / cost->contexts * (1 + most) * (1 + 0x1p-50);
}

const BfCostKind bf_cost_hinge = {
    BF_POOLED_KIND("hinge"),  .evaluate = evaluate, .adjoint = adjoint, .formula = "subgradient",
    .by_readout = by_readout, .support = support,   .upper = upper};
