/* Laws that heads are drawn from: a family of kinds, heads.init.kind. A new one: a row in head_init.c. Pure. */
#pragma once
#include "bellformer/problem.h"

struct BfHeadInit {
  BfKind base;
  /* The free number that a draw u in (0, 1) gives, in the range [lower, upper], with the deviation of its matrix: the
   * quantile function of the law. The same bits on every machine. */
  double (*number)(double deviation, double lower, double upper, double u);
  bool deviates; /* whether it takes deviations */
};

extern const BfFamily bf_head_init_family;
const BfHeadInit     *bf_head_init(int k); /* its number in the family; NULL behind the last */

/* x with Phi(x) = u, u in (0, 1): M. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988), to about 1e-16
 * of itself; of +, -, *, / and square roots alone, its logarithm too, so that no mathematical library has a say. */
double bf_normal_quantile(double u);
