/* Free numbers of heads into the entries of A and V, eight heads in lanes, and back. */
#include "heads/share.h"

void bf_heads_expand(BfHeads *x, const BfHeadLaw *law, int t, int64_t b) {
  const int     d = x->problem->layer.dim, entries = 2 * d * d, q = law->free;
  const int64_t first = (int64_t)t * law->count + b * BF_LANES;
  double *const to[]  = {x->A, x->V};
  for (int l = 0; l < BF_LANES; l++) {
    const bool there = b * BF_LANES + l < law->count;
    x->weight[l]     = there ? law->weight[first + l] : 0;
    for (int e = 0; e < entries; e++) {
      const double value                          = !there             ? 0
                                                    : x->number[e] < 0 ? x->factor[e]
                                                                       : x->factor[e] * law->theta[(first + l) * q + x->number[e]];
      to[e / (d * d)][e % (d * d) * BF_LANES + l] = value;
    }
  }
}

void bf_heads_collect(const BfHeads *x, const double *by, int64_t stride, double *by_theta) {
  const int entries = 2 * x->problem->layer.dim * x->problem->layer.dim;
  for (int k = 0; k < x->free_A + x->free_V; k++) by_theta[k] = 0;
  for (int e = 0; e < entries; e++)
    if (x->number[e] >= 0) by_theta[x->number[e]] += x->factor[e] * by[e * stride];
}
