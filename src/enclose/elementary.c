/* exp, log, the sigmoid and Phi: each approximation y(x) of f(x) comes with an enclosure, whose width is proved
 * beside it. u = 2^-53; operations are rounded to nearest, and not fused. */
#include "bellformer/enclose.h"

#include <float.h>
#include <math.h>
#include <string.h>

static BfEnclosed around(double y, double error) {
  /* y -+ error, each one operation, whose own rounding is at most u (|y| + error): covered by the last term. */
  const double wide = error + 0x1p-52 * (fabs(y) + error);
  return (BfEnclosed){y - wide, y + wide};
}

/* ---- exp --------------------------------------------------------------------------------------------------------
 *
 * x = k log 2 + r. LOG2_HIGH has 21 trailing zero bits, so that k LOG2_HIGH is exact for |k| < 2^11 > 700 / log 2 + 1.
 * k is within 1/2 + 2^-40 of x / log 2, so |r| <= 0.3466. Errors of the computed r: that of x - k LOG2_HIGH, at most
 * u |x - k LOG2_HIGH| <= u 0.347; of k LOG2_LOW, u 2^11 2^-33; of their difference, u 0.3467; of LOG2_HIGH + LOG2_LOW
 * for log 2, less than 2^-86, times 2^11. Together |dr| <= 0.7 u, a factor within 1 -+ 0.71 u of e^r.
 *
 * e^r by its series to degree 13, as E(r^2) + r O(r^2). Remainder: 0.3466^14 / 14! e^0.3466 <= 5.9e-18 <= 0.054 u,
 * relative to e^r >= 0.707 at most 0.08 u. Rounding: 1 sees two additions; r / 1! two and a product; r^i / i! for i >=
 * 2 at most i + 3 products and additions, i / 2 times the error u of r^2, and u of 1/i!: sizes times roundings come to
 * u (2 + 3 0.3466 + 7 0.0601 + 9 0.0070 + 11 0.0007 + ..) <= 3.6 u, relative to 0.707 at most 5.1 u. In all 5.9 u <
 * 2^-50, 7.5 u in what follows; scaling by 2^k is exact for normal results. The nearest whole number is what is left of
 * a sum with 1.5 2^52, whose last bit is 1. */
static const double LOG2_HIGH = 0x1.62e42feep-1, LOG2_LOW = 0x1.a39ef35793c76p-33;

static double exp_near(double x) {
  static const double inverse[] = {
      1,          1,           0.5,          1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  const double k = (x * 0x1.71547652b82fep0 + 0x1.8p52) - 0x1.8p52, r = (x - k * LOG2_HIGH) - k * LOG2_LOW;
  const double q    = r * r;
  double       even = inverse[12], odd = inverse[13], power;
  for (int i = 10; i >= 0; i -= 2) {
    even = inverse[i] + q * even;
    odd  = inverse[i + 1] + q * odd;
  }
  const int64_t bits = ((int64_t)k + 1023) << 52; /* 2^k */
  memcpy(&power, &bits, sizeof power);
  return (even + r * odd) * power;
}

BfEnclosed bf_enclose_exp(double x) {
  if (x < -700) return (BfEnclosed){0, x < -745 ? 0x1p-1022 : 0x1p-1009};
  if (!(x <= 700)) return (BfEnclosed){DBL_MAX, INFINITY};
  const double y = exp_near(x);
  return around(y, 0x1p-50 * y);
}

/* ---- log --------------------------------------------------------------------------------------------------------
 *
 * x = 2^k m, m in [sqrt 1/2, sqrt 2); s = (m - 1) / (m + 1), |s| <= 0.1716; log m = 2 s P(s^2), P(q) = sum q^i / (2i +
 * 1). m - 1 is exact (Sterbenz), m + 1 and the quotient are each within a factor 1 -+ u: s within 1 -+ 2.01 u, q within
 * 1 -+ 5.1 u. P to q^10: the rest is at most 0.0295^11 / 23 / 0.97 <= 0.006 u. P' <= 0.35, so q's error gives
 * 0.35 0.0295 5.1 u <= 0.06 u; its even part and q times its odd part are summed, the 1 sees two additions, all else is
 * at most 0.0101 of few roundings: 2.1 u. 2 s P within 1 -+ (2.01 + 2.2 + 1.01) u.
 *
 * y = k LOG2_HIGH + (k LOG2_LOW + log m), the first product exact as |k| < 2^11. k = 0: within 1 -+ 5.3 u. Else |log x|
 * >= 0.3465, and the errors 5.3 u 0.3466 of log m, 2^-33 2^11 u of the second product, u 0.347 of the inner sum, u |y|
 * of the outer one, and 2^-75 of log 2 itself come to at most 7.4 u |log x|. So within 2^-50 |log x|. */
BfEnclosed bf_enclose_log(double x) {
  static const double inverse[] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                                   1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  int64_t             bits;
  double              m;
  memcpy(&bits, &x, sizeof bits);
  int k = (int)(bits >> 52) - 1022; /* m in [1/2, 1) */
  bits  = (bits & 0xfffffffffffff) | (int64_t)1022 << 52;
  memcpy(&m, &bits, sizeof m);
  const int low = m < 0x1.6a09e667f3bcdp-1; /* without a branch, which nobody can predict */
  m *= 1 + low;
  k -= low;
  const double s = (m - 1) / (m + 1), q = s * s, q2 = q * q;
  double       even = inverse[10], odd = inverse[9];
  for (int i = 8; i > 0; i -= 2) {
    even = inverse[i] + q2 * even;
    odd  = inverse[i - 1] + q2 * odd;
  }
  const double p = (1 + q2 * even) + q * odd, y = k * LOG2_HIGH + (k * LOG2_LOW + 2 * s * p);
  return around(y, 0x1p-50 * fabs(y));
}

/* ---- 1 / (1 + e^-x) ---------------------------------------------------------------------------------------------
 *
 * With t = e^-|x| within 7.5 u t: t / (1 + t) has derivative 1 / (1 + t)^2, so is within 7.5 u of itself, or 1 / (1 +
 * t) within 7.5 u t / (1 + t) <= 3.8 u of itself; sum and quotient 2 u more: 9.6 u < 2^-49. */
BfEnclosed bf_enclose_sigmoid(double x) {
  if (!(fabs(x) <= 700)) return x < 0 ? (BfEnclosed){0, 0x1p-1009} : (BfEnclosed){1 - 0x1p-53, 1};
  const double t = exp_near(-fabs(x)), y = (x < 0 ? t : 1) / (1 + t);
  BfEnclosed   e = around(y, 0x1p-49 * y);
  if (e.up > 1) e.up = 1;
  return e;
}

/* ---- Phi --------------------------------------------------------------------------------------------------------
 *
 * Phi(x) = 1/2 + phi(x) S, S = sum_n x^{2n+1} / (2n+1)!!, all terms of one sign: a_0 = x, a_n = a_{n-1} x^2 / (2n + 1).
 * x^2 is within 1 -+ u, and each a_n within 1 -+ 3.01 n u; a sum of n + 1 terms of one sign within n u more. Once x^2 /
 * (2n + 3) <= 1/2 what is left out is at most a_n. phi: the argument x^2/2 is off by at most u x^2/2 <= 41 u for |x| <=
 * 9, a factor within 1 -+ 41.1 u; exp 7.5 u; 1/sqrt(2 pi) and the products 4 u. In all (4.02 n + 54) u, relative to phi
 * S <= 1/2; and the sum with 1/2 u. Beyond 9: Phi(-9) < 2^-62. */
BfEnclosed bf_enclose_normal(double x) {
  const double a = fabs(x), q = a * a;
  if (!(a <= 9)) return x < 0 ? (BfEnclosed){0, 0x1p-62} : (BfEnclosed){1 - 0x1p-53, 1};
  double sum = a, term = a;
  int    n = 0;
  while (q > 0.5 * (2 * n + 3) || term > 0x1p-60 * sum) {
    n++;
    term = term * q / (2 * n + 1);
    sum += term;
  }
  const double phi = 0x1.9884533d43651p-2 * exp_near(-0.5 * q), half = copysign(phi * sum, x);
  BfEnclosed   e = around(0.5 + half, (4.1 * n + 60) * 0x1p-53 * fabs(half) + 2 * phi * term + 0x1p-53);
  if (e.down < 0) e.down = 0;
  if (e.up > 1) e.up = 1;
  return e;
}
