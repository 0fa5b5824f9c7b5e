/* Attention of many heads on one sequence, compiled once for each instruction set. Heads in lanes: tokens are numbers
 * that all lanes share, and what a lane holds depends on its own head alone, bit for bit.
 *
 * Of query i: a_i = beta A^T s_i, weights e_ij = 2^(log2(e) <a_i, s_j>), m_i = sum_j e_ij z_j / sum_j e_ij. Backwards,
 * with p_i the cotangent of V m_i: c_i = V^T p_i / sum_j e_ij,   dl_ij = e_ij (<c_i, z_j> - <c_i, m_i>), in which
 * sum_k P_ik dP_ik is known from the mean,   g_i = beta sum_j dl_ij s_j:
 *     by A += s_i g_i^T,   by V += p_i m_i^T,   by z_i += A g_i,   by z_j += dl_ij a_i + e_ij c_i
 *
 * Logits that a bound shows to be small need no maximum to be subtracted. In a lane where it does not, the maximum is
 * subtracted; its neighbours, which take the same path then, subtract 0.
 *
 * All loops are bound by the units that multiply, two a cycle: a weight takes 14 + d multiplications, a mean d, its
 * adjoint 4 d + 1, most of them fused with an addition. With d = 2 and four lanes a register (AVX2, Zen 2) that is 9
 * cycles forward and 13.5 for the adjoint; 13.3 and 19.7 were measured on 120 tokens. On 4 tokens, 19.5 and 32.9: there
 * it is what every query does once, of d^2 multiplications each, a division and the ends of short loops. */
#include "kernel/heads_attend.h"

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* out = m_i; with heads += alpha V m_i. */
BF_INLINE void forward_rows(const int d, const int rows, int i, const HeadsPart *w, const BfHeadLanes *heads,
                            BfLane *out) {
  BfPart inverse[ROWS], mean[ROWS * BF_MOST_DIM];
  heads_means(d, rows, i, w, inverse, mean);
  for (int r = 0; r < rows; r++)
    for (int a = 0; a < d; a++) {
      BfLane *to = out + (int64_t)(i + r) * d + a;
      if (!heads) {
        part_put(to, w->part, mean[r * d + a]);
        continue;
      }
      const BfLane *V   = (const BfLane *)heads->V + a * d;
      BfPart        sum = part_of(&V[0], w->part) * mean[r * d];
      for (int b = 1; b < d; b++) sum += part_of(&V[b], w->part) * mean[r * d + b];
      part_put(to, w->part, part_of(to, w->part) + part_of((const BfLane *)heads->weight, w->part) * sum);
    }
}

BF_INLINE void forward(const int d, const BfHeadTokens *x, const double *A, const BfHeadLanes *heads, double *out,
                       double *work) {
  double largest[BF_MOST_DIM];
  heads_largest(d, x, largest);
  for (int p = 0; p < BF_PARTS; p++) {
    const HeadsPart w = heads_part(d, x, A, largest, p, work);
    int             i = 0;
    for (; i + ROWS <= x->tokens; i += ROWS) forward_rows(d, ROWS, i, &w, heads, (BfLane *)out);
    for (; i + 2 <= x->tokens; i += 2) forward_rows(d, 2, i, &w, heads, (BfLane *)out);
    for (; i < x->tokens; i++) forward_rows(d, 1, i, &w, heads, (BfLane *)out);
  }
}

/* ---- adjoint ----------------------------------------------------------------------------------------------------- */

/* by[a][b] += sum over rows of x_ra y_rb. */
BF_INLINE void add_products(const int d, const int rows, int part, const double *x, const BfPart *y, double *by) {
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      BfLane *to  = (BfLane *)by + a * d + b;
      BfPart  sum = part_of(to, part);
      for (int r = 0; r < rows; r++) sum += part_set(x[r * d + a]) * y[r * d + b];
      part_put(to, part, sum);
    }
}

/* Of some queries: [rows][d], and own [rows] = <c_i, m_i>. */
typedef struct {
  BfPart mean[ROWS * BF_MOST_DIM], a[ROWS * BF_MOST_DIM], c[ROWS * BF_MOST_DIM], g[ROWS * BF_MOST_DIM], own[ROWS];
} AdjointRows;

/* dl_ij of key j. */
BF_INLINE void adjoint_logits(const int d, const int rows, int j, const HeadsPart *w, const AdjointRows *q,
                              BfPart *dl) {
  BfPart dot[ROWS];
  for (int r = 0; r < rows; r++) dot[r] = -q->own[r];
  heads_dots(d, rows, q->c, w->x->z + (int64_t)j * d, dot);
  for (int r = 0; r < rows; r++) dl[r] = w->e[j * rows + r] * dot[r];
}

/* Components k .. k + count - 1 of g and of what the queries add to by_key. `whole`: these are all, and dl is computed
 * here; else it stands in w->dl. */
BF_INLINE void adjoint_keys(const int d, const int rows, const int whole, const int count, int k, int n,
                            const HeadsPart *w, AdjointRows *q) {
  BfPart sum[ROWS][3], dl[ROWS];
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < count; b++) sum[r][b] = part_set(0.0);
  for (int j = 0; j < n; j++) {
    const double *s   = w->x->s + (int64_t)j * d + k;
    BfPart       *key = w->by_key + (int64_t)j * d + k;
    if (whole) adjoint_logits(d, rows, j, w, q, dl);
    for (int b = 0; b < count; b++) {
      BfPart by = key[b];
      for (int r = 0; r < rows; r++) {
        if (!whole) dl[r] = w->dl[j * rows + r];
        sum[r][b] += dl[r] * part_set(s[b]);
        by += dl[r] * q->a[r * d + k + b];
        by += w->e[j * rows + r] * q->c[r * d + k + b];
      }
      key[b] = by;
    }
  }
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < count; b++) q->g[r * d + k + b] = sum[r][b] * part_set(w->x->beta);
}

BF_INLINE void adjoint_rows(const int d, const int rows, int i, const HeadsPart *w, const BfHeadLanes *heads,
                            const double *p, const BfHeadAdjoint *to) {
  AdjointRows   q;
  BfPart        inverse[ROWS];
  const BfLane *V      = (const BfLane *)heads->V;
  const BfPart  weight = part_of((const BfLane *)heads->weight, w->part);
  const int     n      = heads_means(d, rows, i, w, inverse, q.mean);
  add_products(d, rows, w->part, p + (int64_t)i * d, q.mean, to->by_V);
  for (int r = 0; r < rows; r++) {
    q.own[r] = part_set(0.0);
    for (int b = 0; b < d; b++) {
      BfPart sum = part_set(0.0);
      for (int k = 0; k < d; k++) sum += part_of(&V[k * d + b], w->part) * part_set(p[(int64_t)(i + r) * d + k]);
      q.c[r * d + b] = sum * inverse[r];
      q.own[r] += q.c[r * d + b] * q.mean[r * d + b];
    }
  }
  heads_queries(d, rows, i, w->x->beta, w, q.a);
  if (d <= 3) adjoint_keys(d, rows, 1, d, 0, n, w, &q);
  else {
    int k = 0;
    for (int j = 0; j < n; j++) adjoint_logits(d, rows, j, w, &q, w->dl + j * rows);
    for (; k + 2 <= d; k += 2) adjoint_keys(d, rows, 0, 2, k, n, w, &q);
    if (d % 2) adjoint_keys(d, rows, 0, 1, k, n, w, &q);
  }
  add_products(d, rows, w->part, w->x->s + (int64_t)i * d, q.g, to->by_A);
  for (int r = 0; r < rows; r++)
    for (int k = 0; k < d; k++) {
      BfLane *by  = (BfLane *)to->by_z + (int64_t)(i + r) * d + k;
      BfPart  sum = part_set(0.0);
      for (int l = 0; l < d; l++) sum += part_of(&w->A[k * d + l], w->part) * q.g[r * d + l];
      part_put(by, w->part, part_of(by, w->part) + weight * sum);
    }
}

BF_INLINE void adjoint(const int d, const BfHeadTokens *x, const BfHeadLanes *heads, const double *p,
                       const BfHeadAdjoint *to, double *work) {
  double largest[BF_MOST_DIM];
  heads_largest(d, x, largest);
  for (int part = 0; part < BF_PARTS; part++) {
    const HeadsPart w      = heads_part(d, x, heads->A, largest, part, work);
    const BfPart    weight = part_of((const BfLane *)heads->weight, part);
    int             i      = 0;
    for (int64_t k = 0; k < (int64_t)x->tokens * d; k++) w.by_key[k] = part_set(0.0);
    for (; i + ROWS <= x->tokens; i += ROWS) adjoint_rows(d, ROWS, i, &w, heads, p, to);
    for (; i + 2 <= x->tokens; i += 2) adjoint_rows(d, 2, i, &w, heads, p, to);
    for (; i < x->tokens; i++) adjoint_rows(d, 1, i, &w, heads, p, to);
    for (int64_t k = 0; k < (int64_t)x->tokens * d; k++) {
      BfLane *by = (BfLane *)to->by_z + k;
      part_put(by, part, part_of(by, part) + weight * w.by_key[k]);
    }
  }
}

/* ---- the kernels ------------------------------------------------------------------------------------------------- */

/* One copy for both: what it costs to compile. */
static __attribute__((noinline)) void forward_cases(const BfHeadTokens *x, const double *A, const BfHeadLanes *heads,
                                                    double *out, double *work) {
  HEADS_CASES(forward, A, heads, out, work);
}

void BF_KERNEL(bf_heads_means)(const BfHeadTokens *x, const double *A, double *mean, double *work) {
  forward_cases(x, A, NULL, mean, work);
}

void BF_KERNEL(bf_heads_forward)(const BfHeadTokens *x, const BfHeadLanes *heads, double *out, double *work) {
  forward_cases(x, heads->A, heads, out, work);
}

void BF_KERNEL(bf_heads_adjoint)(const BfHeadTokens *x, const BfHeadLanes *heads, const double *p,
                                 const BfHeadAdjoint *to, double *work) {
  HEADS_CASES(adjoint, heads, p, to, work);
}
