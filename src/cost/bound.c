/* Enclosures that costs of logits share; log-sum-exp by its conjugate. u = 2^-53. */
#include "cost/bound.h"

#include <math.h>

void bf_bound_logits(const BfCostBound *call, const BfAffine *r, int label, BfAffine *work, BfAffine *feature) {
  const BfFormSpace *space = call->space;
  const int          d     = call->cost->dim;
  for (int c = 0; c < call->cost->classes; c++) {
    if (c == label) continue;
    BfAffine *x = bf_affine_at(space, feature, c - (c > label));
    bf_affine_begin(space, x);
    for (int a = 0; a < d; a++) {
      bf_affine_sub(space, bf_affine_at(space, call->matrix, (int64_t)c * d + a),
                    bf_affine_at(space, call->matrix, (int64_t)label * d + a), work);
      bf_affine_plus_product(space, 1, work, bf_affine_at(space, r, a), x);
    }
    bf_affine_sub(space, bf_affine_at(space, call->bias, c), bf_affine_at(space, call->bias, label), work);
    bf_affine_plus(space, 1, work, x);
    bf_affine_end(space, x);
  }
}

/* -t log t from below, where t is off by 2 u of itself: as the slope is -(log t + 1), by 2 u t (|log t| + 1), and
 * roundings by no more than that again; and by `off` at most t / 2 more. */
static double entropy(double t, double off, double *size) {
  const double L = bf_enclose_log(t).up, sizes = fabs(L) + 2;
  *size += t * sizes;
  return -t * L - (off + 0x1p-50 * t) * sizes;
}

/* For t_c >= 0, t_0 = 1 - sum t_c >= 0:   log(1 + sum exp x_c) >= sum t_c x_c + H(t),   H(t) = - sum t_c log t_c - t_0
 * log t_0, with equality at the softmax. g_c = W t_c are the doubles here, whatever they are: t_c = g_c / W is within 2
 * u of what g_c is made of; t_0 within (count + 4) u, which is at most an eighth of it, as all t_c are made smaller
 * before. */
double bf_log_sum_support(int count, double w, const double x0[], double g[]) {
  const double off = 0x1p-53 * (count + 4), shrink = 16 * off < 0x1p-44 ? 1 - 0x1p-44 : 1 - 16 * off;
  double       most = 0, sum = 1, own = 1, entropies = 0, size = 0;
  for (int c = 0; c < count; c++)
    if (x0[c] > most) most = x0[c];
  most = most < 1e300 ? most : 1e300;
  if (most > 0) sum = exp(-most);
  for (int c = 0; c < count; c++) {
    g[c] = x0[c] < 1e300 ? exp(x0[c] - most) : 1; /* of what is no number, too */
    sum += g[c];
  }
  const double scale = shrink / sum;
  for (int c = 0; c < count; c++) {
    const double t = g[c] * scale;
    g[c]           = w * t;
    if (!(g[c] > 1e-290)) {
      g[c] = 0;
      continue;
    }
    own -= t;
    entropies += entropy(t, 0, &size);
  }
  entropies += entropy(own, off, &size);
  entropies -= off * size;
  return w * entropies - 0x1p-51 * w * size;
}

/* W (m + log(exp(-m) + sum exp(x_c - m))), m the largest of x and 0: a sum of at least 1, off by (count + 1) u of
 * itself.
 */
double bf_log_sum_upper(int count, double w, const double upper[]) {
  double most = 0, sum;
  for (int c = 0; c < count; c++) most = upper[c] <= most ? most : upper[c];
  if (!(most < 1e300)) return INFINITY;
  sum = bf_enclose_exp(-most).up;
  for (int c = 0; c < count; c++) {
    const double x = upper[c] - most;
    sum += bf_enclose_exp(x * (1 - 0x1p-52)).up; /* x <= 0 is off by u of itself */
  }
  sum *= 1 + 0x1p-52 * (count + 2);
  if (!(sum < INFINITY)) return INFINITY; /* a feature that is no number */
  return w * (most + bf_enclose_log(sum).up) * (1 + 0x1p-50);
}
