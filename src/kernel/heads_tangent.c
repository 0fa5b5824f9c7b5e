/* How what many heads add to tokens moves along a direction, compiled once for each instruction set. */
#include "kernel/heads_attend.h"

/* d m_i and m_i of query i along the direction: with dl_ij the tangent of a logit,
 * dm_i = sum_j P_ij ((dl_ij - sum_k P_ik dl_ik) z_j + dz_j). */
BF_INLINE void tangent_mean(const int d, int i, const HeadsPart *w, const BfHeadTangent *along, BfPart *mean,
                            BfPart *by) {
  BfPart        a[BF_MOST_DIM], da[BF_MOST_DIM], inverse, all = part_set(0.0);
  const BfLane *dA = (const BfLane *)along->A;
  const double *s = w->x->s + (int64_t)i * d, *dz = along->z;
  const int     n = heads_means(d, 1, i, w, &inverse, mean);
  for (int b = 0; b < d; b++) {
    BfPart sum = part_set(0.0), move = part_set(0.0);
    for (int k = 0; k < d; k++) {
      const BfPart entry = part_of(&w->A[k * d + b], w->part);
      sum += entry * part_set(s[k]);
      if (dA) move += part_of(&dA[k * d + b], w->part) * part_set(s[k]);
      if (dz) move += entry * part_set(dz[(int64_t)i * d + k]);
    }
    a[b]  = sum * part_set(w->x->beta);
    da[b] = move * part_set(w->x->beta);
    by[b] = part_set(0.0);
  }
  for (int j = 0; j < n; j++) {
    BfPart dl = part_set(0.0);
    heads_dots(d, 1, da, w->x->s + (int64_t)j * d, &dl);
    if (dz) heads_dots(d, 1, a, dz + (int64_t)j * d, &dl);
    w->dl[j] = dl;
    all += w->e[j] * dl;
  }
  all *= inverse;
  for (int j = 0; j < n; j++) {
    const BfPart dl = w->dl[j] - all;
    for (int b = 0; b < d; b++) {
      BfPart move = dl * part_set(w->x->z[(int64_t)j * d + b]);
      if (dz) move += part_set(dz[(int64_t)j * d + b]);
      by[b] += w->e[j] * move;
    }
  }
  for (int b = 0; b < d; b++) by[b] *= inverse;
}

BF_INLINE void tangent(const int d, const BfHeadTokens *x, const BfHeadLanes *heads, const BfHeadTangent *along,
                       double *out, double *work) {
  double        largest[BF_MOST_DIM];
  BfPart        mean[BF_MOST_DIM], by[BF_MOST_DIM];
  const BfLane *V = (const BfLane *)heads->V, *dV = (const BfLane *)along->V;
  heads_largest(d, x, largest);
  for (int p = 0; p < BF_PARTS; p++) {
    const HeadsPart w      = heads_part(d, x, heads->A, largest, p, work);
    const BfPart    weight = part_of((const BfLane *)heads->weight, p);
    for (int i = 0; i < x->tokens; i++) {
      tangent_mean(d, i, &w, along, mean, by);
      for (int a = 0; a < d; a++) {
        BfLane *to  = (BfLane *)out + (int64_t)i * d + a;
        BfPart  sum = part_set(0.0);
        for (int b = 0; b < d; b++) {
          sum += part_of(&V[a * d + b], p) * by[b];
          if (dV) sum += part_of(&dV[a * d + b], p) * mean[b];
        }
        part_put(to, p, part_of(to, p) + weight * sum);
      }
    }
  }
}

void BF_KERNEL(bf_heads_tangent)(const BfHeadTokens *x, const BfHeadLanes *heads, const BfHeadTangent *along,
                                 double *out, double *work) {
  HEADS_CASES(tangent, heads, along, out, work);
}
