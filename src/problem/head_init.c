#include "head_init.h"

/* ---- the normal law --------------------------------------------------------------------------------------------- */

/* log x by m 2^e with m in [sqrt(1/2), sqrt(2)): log m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.172, whose series
 * has fallen below a rounding error at s^21. */
static double logarithm(double x) {
  int    exponent;
  double m = frexp(x, &exponent);
  if (m < M_SQRT1_2) {
    m *= 2;
    exponent--;
  }
  const double s = (m - 1) / (m + 1), square = s * s;
  double       sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * M_LN2 + 2 * s * sum;
}

/* A ratio of polynomials of degree 7, highest powers first. */
static double ratio(const double above[8], const double below[8], double r) {
  double numerator = above[0], denominator = below[0];
  for (int k = 1; k < 8; k++) {
    numerator   = numerator * r + above[k];
    denominator = denominator * r + below[k];
  }
  return numerator / denominator;
}

static double middle(double r) {
  static const double above[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                                 4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                                 1.3314166789178437745e+2, 3.3871328727963666080e+0};
  static const double below[] = {
      5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
      5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1};
  return ratio(above, below, r);
}

static double near_tail(double r) {
  static const double above[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                                 1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                 4.63033784615654529590e+0, 1.42343711074968357734e+0};
  static const double below[] = {
      1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
      6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1};
  return ratio(above, below, r);
}

static double far_tail(double r) {
  static const double above[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                 2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                 5.46378491116411436990e+0, 6.65790464350110377720e+0};
  static const double below[] = {
      2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
      1.48753612908506148525e-2,  1.36929880922735805310e-1, 5.99832206555887937690e-1, 1};
  return ratio(above, below, r);
}

double bf_normal_quantile(double u) {
  const double q = u - 0.5;
  if (fabs(q) <= 0.425) return q * middle(0.180625 - q * q);
  const double r = sqrt(-logarithm(q < 0 ? u : 1 - u)), x = r <= 5 ? near_tail(r - 1.6) : far_tail(r - 5);
  return q < 0 ? -x : x;
}

/* ---- the laws --------------------------------------------------------------------------------------------------- */

static double normal(double deviation, double lower, double upper, double u) {
  (void)lower;
  (void)upper;
  return deviation * bf_normal_quantile(u);
}

static double uniform(double deviation, double lower, double upper, double u) {
  (void)deviation;
  return lower + (upper - lower) * u;
}

static const BfKey deviations[] = {
    {"heads.init.A", "number", "2", "deviation of the free numbers of A", .least = 0, .most = INFINITY},
    {"heads.init.V", "number", "0", "deviation of those of V; 0: they start at 0", .least = 0, .most = INFINITY},
    {.name = NULL}};

static const BfHeadInit laws[] = {{{"normal", deviations, "independent, of mean 0"}, normal, true},
                                  {{"uniform", NULL, "in their ranges"}, uniform, false}};
enum { LAWS = sizeof laws / sizeof *laws };

const BfHeadInit *bf_head_init(int k) { return k < LAWS ? &laws[k] : NULL; }

static const BfKind *kind_at(int k) { return k < LAWS ? &laws[k].base : NULL; }
static const BfKey   key = {"heads.init.kind", "word", "normal", "the law that the free numbers are drawn from"};
const BfFamily       bf_head_init_family = {.key = &key, .kind = kind_at};
