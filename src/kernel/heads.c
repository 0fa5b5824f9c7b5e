/* Attention of many heads on one sequence, compiled once for each instruction set. Heads in lanes: tokens are numbers
 * that all lanes share, and what a lane holds depends on its own head alone, bit for bit.
 *
 * Of query i: a_i = beta A^T s_i, weights e_ij = 2^(log2(e) <a_i, s_j>), m_i = sum_j e_ij z_j / sum_j e_ij. Backwards,
 * with p_i the cotangent of V m_i: c_i = V^T p_i / sum_j e_ij,   dl_ij = e_ij (<c_i, z_j> - <c_i, m_i>), in which
 * sum_k P_ik dP_ik is known from the mean,   g_i = beta sum_j dl_ij s_j:
 *     by A += s_i g_i^T,   by V += p_i m_i^T,   by z_i += A g_i,   by z_j += dl_ij a_i + e_ij c_i
 *
 * Logits that a bound shows to be small need no maximum to be subtracted. In a lane where it does not, the maximum is
 * subtracted; its neighbours, which take the same path then, subtract 0. */
#include "kernel/heads.h"
#include "kernel/kernels.h"
#include "kernel/lanes.h"

#include <math.h>

enum { ROWS = BF_HEADS_ROWS };
static const double LOG2E = 0x1.71547652b82fep0;
static const double SMALL = 400; /* of logits times log2(e): 2^+-400 times a token, and sums of such, are in range */

/* What a call does in one register of lanes. */
typedef struct {
  const BfHeadTokens *x;
  const BfLane       *A;
  int                 part;
  int                 careful; /* some lane is large */
  BfPartInt           large;   /* lanes whose logits are not shown to be small */
  BfPart             *e;       /* [tokens][rows] weights of some queries */
  BfPart             *dl;      /* [tokens][rows] cotangents of their logits */
  BfPart             *by_key;  /* [tokens][d] */
} HeadsPart;

/* largest[a]: of |s_ja|. */
BF_INLINE void heads_largest(const int d, const BfHeadTokens *x, double *largest) {
  for (int a = 0; a < d; a++) largest[a] = 0;
  for (int j = 0; j < x->tokens; j++)
    for (int a = 0; a < d; a++) largest[a] = fmax(largest[a], fabs(x->s[j * d + a]));
}

BF_INLINE HeadsPart heads_part(const int d, const BfHeadTokens *x, const double *A, const double *largest, int part,
                               double *work) {
  HeadsPart w     = {.x = x, .A = (const BfLane *)A, .part = part};
  BfPart    bound = part_set(0.0);
  w.e             = (BfPart *)work;
  w.dl            = w.e + (int64_t)x->tokens * ROWS;
  w.by_key        = w.dl + (int64_t)x->tokens * ROWS;
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      const BfPart entry = part_of(&w.A[a * d + b], part);
      bound += part_max(entry, -entry) * part_set(largest[a] * largest[b]);
    }
  w.large = ~(BfPartInt)(bound * part_set(fabs(x->beta) * LOG2E) <= part_set(SMALL)); /* so is what is no number */
  for (int l = 0; l < BF_PART; l++) w.careful |= w.large[l] != 0;
  return w;
}

/* a_i = scale A^T s_i of `rows` queries from i. */
BF_INLINE void heads_queries(const int d, const int rows, int i, double scale, const HeadsPart *w, BfPart *a) {
  for (int r = 0; r < rows; r++) {
    const double *s = w->x->s + (int64_t)(i + r) * d;
    for (int b = 0; b < d; b++) {
      BfPart sum = part_of(&w->A[b], w->part) * part_set(s[0]);
      for (int c = 1; c < d; c++) sum += part_of(&w->A[c * d + b], w->part) * part_set(s[c]);
      a[r * d + b] = sum * part_set(scale);
    }
  }
}

/* <x, key>; multiply-adds from the start, which leaves no choice of what is fused. */
BF_INLINE BfPart heads_dot(const int d, BfPart from, const BfPart *x, const double *key) {
  for (int a = 0; a < d; a++) from += x[a] * part_set(key[a]);
  return from;
}

/* The logits in e replaced by weights, where some may be large. */
static void heads_careful(const int rows, int i, int n, const HeadsPart *w) {
  const BfPart most = part_set(1e300), lowest = part_set(-1020.0);
  for (int r = 0; r < rows; r++) {
    BfPart max = -most;
    for (int j = 0; j < w->x->sees[i + r]; j++) max = part_max(part_min(w->e[j * rows + r], most), max);
    const BfPart shift = (BfPart)((BfPartInt)max & w->large);
    for (int j = 0; j < n; j++) {
      /* What is no number stays so: the second operand where they cannot be compared. */
      const BfPart    t     = part_min(most, part_max(-most, w->e[j * rows + r])) - shift;
      const BfPart    power = part_exp2(part_max(lowest, t));
      const BfPartInt keep = ~(BfPartInt)(t < lowest), none = t != t;
      w->e[j * rows + r] = (BfPart)(((BfPartInt)power & keep) | none);
    }
  }
}

/* Weights of `rows` queries from i, a [rows][d] times log2(e), into e [n][rows]; 0 for what a query does not see.
 * Returns n. */
BF_INLINE int heads_weights(const int d, const int rows, int i, const BfPart *a, const HeadsPart *w) {
  const int *sees = w->x->sees + i;
  BfPart    *e    = w->e;
  int        n    = sees[0];
  for (int r = 1; r < rows; r++) n = sees[r] > n ? sees[r] : n;
  if (!w->careful) {
    for (int j = 0; j < n; j++)
      for (int r = 0; r < rows; r++)
        e[j * rows + r] = part_exp2(heads_dot(d, part_set(0.0), a + r * d, w->x->s + (int64_t)j * d));
  } else {
    for (int j = 0; j < n; j++)
      for (int r = 0; r < rows; r++) e[j * rows + r] = heads_dot(d, part_set(0.0), a + r * d, w->x->s + (int64_t)j * d);
    heads_careful(rows, i, n, w);
  }
  for (int r = 0; r < rows; r++)
    for (int j = sees[r]; j < n; j++) e[j * rows + r] = part_set(0.0);
  return n;
}

/* Components c .. c + count - 1 of sum_j e_ij z_j; with c = 0 also sum_j e_ij. */
BF_INLINE void heads_sums(const int d, const int rows, const int count, int c, int n, const HeadsPart *w, BfPart *den,
                          BfPart *mean) {
  BfPart all[ROWS], sum[ROWS][4];
  for (int r = 0; r < rows; r++) {
    all[r] = part_set(0.0);
    for (int b = 0; b < count; b++) sum[r][b] = part_set(0.0);
  }
  for (int j = 0; j < n; j++)
    for (int r = 0; r < rows; r++) {
      const BfPart  e = w->e[j * rows + r];
      const double *z = w->x->z + (int64_t)j * d + c;
      for (int b = 0; b < count; b++) sum[r][b] += e * part_set(z[b]);
      if (c == 0) all[r] += e;
    }
  for (int r = 0; r < rows; r++) {
    if (c == 0) den[r] += all[r];
    for (int b = 0; b < count; b++) mean[r * d + c + b] = sum[r][b];
  }
}

/* The means m_i of `rows` queries from i, and 1 / sum_j e_ij, with the weights left in e. Returns how many are seen. */
BF_INLINE int heads_means(const int d, const int rows, int i, const HeadsPart *w, BfPart *inverse, BfPart *mean) {
  BfPart a[ROWS * BF_MOST_DIM];
  heads_queries(d, rows, i, w->x->beta * LOG2E, w, a);
  const int n = heads_weights(d, rows, i, a, w), rest = d % 4;
  int       c = 0;
  for (int r = 0; r < rows; r++) inverse[r] = part_set(0.0);
  for (; c + 4 <= d; c += 4) heads_sums(d, rows, 4, c, n, w, inverse, mean);
  if (rest == 1) heads_sums(d, rows, 1, c, n, w, inverse, mean);
  if (rest == 2) heads_sums(d, rows, 2, c, n, w, inverse, mean);
  if (rest == 3) heads_sums(d, rows, 3, c, n, w, inverse, mean);
  for (int r = 0; r < rows; r++) {
    inverse[r] = part_set(1.0) / inverse[r];
    for (int b = 0; b < d; b++) mean[r * d + b] *= inverse[r];
  }
  return n;
}

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

/* Of some queries, [rows][d] each; c_i is divided by sum_j e_ij. */
typedef struct {
  BfPart mean[ROWS * BF_MOST_DIM], a[ROWS * BF_MOST_DIM], c[ROWS * BF_MOST_DIM], g[ROWS * BF_MOST_DIM];
} AdjointRows;

/* g = beta sum_j dl_ij s_j and what the queries add to by_key, components c .. c + count - 1. */
BF_INLINE void adjoint_keys(const int d, const int rows, const int count, int k, int n, const HeadsPart *w,
                            AdjointRows *q) {
  BfPart sum[ROWS][2];
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < count; b++) sum[r][b] = part_set(0.0);
  for (int j = 0; j < n; j++) {
    const double *s   = w->x->s + (int64_t)j * d + k;
    BfPart       *key = w->by_key + (int64_t)j * d + k;
    for (int b = 0; b < count; b++) {
      BfPart by = key[b];
      for (int r = 0; r < rows; r++) {
        const BfPart dl = w->dl[j * rows + r], e = w->e[j * rows + r];
        sum[r][b] += dl * part_set(s[b]);
        by += dl * q->a[r * d + k + b];
        by += e * q->c[r * d + k + b];
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
    BfPart own = part_set(0.0);
    for (int b = 0; b < d; b++) {
      BfPart sum = part_set(0.0);
      for (int k = 0; k < d; k++) sum += part_of(&V[k * d + b], w->part) * part_set(p[(int64_t)(i + r) * d + k]);
      q.c[r * d + b] = sum * inverse[r];
      own += q.c[r * d + b] * q.mean[r * d + b];
    }
    for (int j = 0; j < n; j++)
      w->dl[j * rows + r] = w->e[j * rows + r] * heads_dot(d, -own, q.c + r * d, w->x->z + (int64_t)j * d);
  }
  heads_queries(d, rows, i, w->x->beta, w, q.a);
  int b = 0;
  for (; b + 2 <= d; b += 2) adjoint_keys(d, rows, 2, b, n, w, &q);
  if (d % 2) adjoint_keys(d, rows, 1, b, n, w, &q);
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
    for (; i < x->tokens; i++) adjoint_rows(d, 1, i, &w, heads, p, to);
    for (int64_t k = 0; k < (int64_t)x->tokens * d; k++) {
      BfLane *by = (BfLane *)to->by_z + k;
      part_put(by, part, part_of(by, part) + weight * w.by_key[k]);
    }
  }
}

/* ---- tangent ----------------------------------------------------------------------------------------------------- */

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
    BfPart dl = heads_dot(d, part_set(0.0), da, w->x->s + (int64_t)j * d);
    if (dz) dl = heads_dot(d, dl, a, dz + (int64_t)j * d);
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

/* ---- the kernels --------------------------------------------------------------------------------------------------
 */

/* The cases of d that are compiled apart; without vectors of four doubles or more nothing is gained by it. */
#if defined(__AVX2__) && !defined(BF_FEW_CASES)
#define HEADS_CASES(name, ...)                                                                                         \
  switch (x->dim) {                                                                                                    \
  case 1:                                                                                                              \
    name(1, x, __VA_ARGS__);                                                                                           \
    break;                                                                                                             \
  case 2:                                                                                                              \
    name(2, x, __VA_ARGS__);                                                                                           \
    break;                                                                                                             \
  case 3:                                                                                                              \
    name(3, x, __VA_ARGS__);                                                                                           \
    break;                                                                                                             \
  default:                                                                                                             \
    name(x->dim, x, __VA_ARGS__);                                                                                      \
  }
#else
#define HEADS_CASES(name, ...) name(x->dim, x, __VA_ARGS__)
#endif

void BF_KERNEL(bf_heads_means)(const BfHeadTokens *x, const double *A, double *mean, double *work) {
  HEADS_CASES(forward, A, NULL, mean, work);
}

void BF_KERNEL(bf_heads_forward)(const BfHeadTokens *x, const BfHeadLanes *heads, double *out, double *work) {
  HEADS_CASES(forward, heads->A, heads, out, work);
}

void BF_KERNEL(bf_heads_adjoint)(const BfHeadTokens *x, const BfHeadLanes *heads, const double *p,
                                 const BfHeadAdjoint *to, double *work) {
  HEADS_CASES(adjoint, heads, p, to, work);
}

void BF_KERNEL(bf_heads_tangent)(const BfHeadTokens *x, const BfHeadLanes *heads, const BfHeadTangent *along,
                                 double *out, double *work) {
  HEADS_CASES(tangent, heads, along, out, work);
}
