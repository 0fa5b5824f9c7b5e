/* The cross entropy's affine minorant. With zeta = R r + b and any probabilities pi,
 *     log sum_c exp zeta_c - zeta_y >= sum_{c != y} pi_c (zeta_c - zeta_y) + H(pi),   H(pi) = - sum_c pi_c log pi_c,
 * with equality where pi = softmax(zeta): the conjugate of log-sum-exp. pi_c, c != y, are the doubles computed here,
 * which need not be the softmax of anything; pi_y = 1 - their sum, exactly.
 *
 * Rounding: every sum has at most C + d + 8 terms and every logarithm an error of one unit; `unit` is above that many
 * units in the last place, and multiplies the sum of the sizes of all terms. */
#include "readout.h"
#include <float.h>
#include <math.h>

static double entropy_term(double x) { return x > 0 ? -x * log(x) : 0; }

/* pi_c of c != label, times the scale; returns the sum. */
static double probabilities(const BfCost *cost, const double logit[], int label, double scale, double pi[]) {
  double most = logit[label], sum = 0, others = 0;
  for (int c = 0; c < cost->classes; c++) most = fmax(most, logit[c]);
  for (int c = 0; c < cost->classes; c++) sum += pi[c] = exp(logit[c] - most);
  for (int c = 0; c < cost->classes; c++) {
    pi[c] = c == label ? 0 : scale * pi[c] / sum;
    others += pi[c];
  }
  return others;
}

BfStatus bf_readout_minorant(const BfCost *cost, int64_t readout, const BfMinorantAt *where, int label, double weight,
                             double *constant, double r_out[], BfError *error) {
  const int     C = cost->classes, d = cost->dim;
  const double *R = cost->matrix + readout * C * d, *b = cost->bias + readout * C, unit = (C + d + 8) * 4 * DBL_EPSILON;
  double       *logit, sum = 0, size = 0, slope = 0, most = 0;
  BF_TRY(BF_NEW(&logit, 2 * (int64_t)C, error));
  double *pi = logit + C;
  bf_logits(cost, readout, where->at, logit);
  double others = probabilities(cost, logit, label, where->scale, pi);
  if (1 - others < 4 * unit) { /* so that pi_y is not below 0 */
    for (int c = 0; c < C; c++) pi[c] *= 1 - 8 * unit;
    others *= 1 - 8 * unit;
  }
  for (int a = 0; a < d; a++) {
    r_out[a] = 0;
    most     = fmax(most, fabs(where->from[a]));
  }
  for (int c = 0; c < C; c++) {
    double difference = b[c] - b[label], sizes = fabs(b[c]) + fabs(b[label]), row = 0;
    for (int a = 0; a < d; a++) {
      const double here = R[c * d + a] - R[label * d + a], both = fabs(R[c * d + a]) + fabs(R[label * d + a]);
      difference += here * where->from[a];
      sizes += both * fabs(where->from[a]);
      row += both;
      r_out[a] += weight * pi[c] * here;
    }
    sum += pi[c] * difference + entropy_term(pi[c]);
    size += pi[c] * sizes + fabs(entropy_term(pi[c]));
    slope += pi[c] * row;
  }
  /* -x log x is concave: least at an end of what pi_y may be. */
  const double low = entropy_term(1 - others - unit), high = entropy_term(1 - others + unit);
  sum += fmin(low, high);
  size += fmax(fabs(low), fabs(high));
  *constant = weight * (sum - unit * size) - weight * unit * slope * (most + where->reach);
  bf_free(logit);
  return BF_OK;
}
