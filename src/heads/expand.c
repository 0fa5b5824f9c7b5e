/* Free numbers of heads into the entries of A and V, eight heads in lanes, and back. */
#include "heads/share.h"

/* An entry of `heads` heads, theta [heads][q]; 0 in the lanes behind them. */
static void expand_entry(const BfHeads *x, int e, int heads, const double *theta, int q, double to[BF_LANES]) {
  for (int l = 0; l < heads; l++) to[l] = bf_heads_entry(x, e, theta + l * q);
  for (int l = heads; l < BF_LANES; l++) to[l] = 0;
}

/* Done three times an evaluation, by every rank that has these heads: a dozen ns a head, which short sequences see. */
void bf_heads_expand(BfHeads *x, const BfHeadLaw *law, int t, int64_t b) {
  const int     d = x->problem->layer.dim, square = d * d, q = law->free;
  const int64_t left = law->count - b * BF_LANES, first = (int64_t)t * law->count + b * BF_LANES;
  const int     heads = left < BF_LANES ? (int)left : BF_LANES;
  const double *theta = law->theta + first * q;
  for (int l = 0; l < BF_LANES; l++) x->weight[l] = l < heads ? law->weight[first + l] : 0;
  for (int e = 0; e < square; e++) expand_entry(x, e, heads, theta, q, x->A + e * BF_LANES);
  for (int e = 0; e < square; e++) expand_entry(x, square + e, heads, theta, q, x->V + e * BF_LANES);
}

void bf_heads_collect(const BfHeads *x, const double *by, int64_t stride, double *by_theta) {
  const int entries = 2 * x->problem->layer.dim * x->problem->layer.dim;
  for (int k = 0; k < x->free_A + x->free_V; k++) by_theta[k] = 0;
  for (int e = 0; e < entries; e++)
    if (x->number[e] >= 0) by_theta[x->number[e]] += x->factor[e] * by[e * stride];
}
