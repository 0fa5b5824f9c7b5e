/* Attention of some queries of a sequence, heads in lanes: what the kernels of many heads share. Included only by files
 * that are compiled once for each instruction set. `d` and `rows` are passed as constants, so that loops unroll. */
#pragma once
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
    for (int a = 0; a < d; a++) {
      const double size = fabs(x->s[(int64_t)j * d + a]);
      largest[a]        = size > largest[a] ? size : largest[a];
    }
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

/* dot [rows] += <x_r, key>, abreast: one would wait for its own multiply-adds. These are multiply-adds from the start,
 * which leaves no choice of what is fused. */
BF_INLINE void heads_dots(const int d, const int rows, const BfPart *x, const double *key, BfPart *dot) {
  for (int a = 0; a < d; a++)
    for (int r = 0; r < rows; r++) dot[r] += x[r * d + a] * part_set(key[a]);
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
      const BfPart t     = part_min(most, part_max(-most, w->e[j * rows + r])) - shift;
      const BfPart power = part_exp2(part_max(lowest, t));
      w->e[j * rows + r] = (BfPart)((BfPartInt)power & ~(BfPartInt)(t < lowest));
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
  for (int j = 0; j < n; j++) {
    BfPart t[ROWS];
    for (int r = 0; r < rows; r++) t[r] = part_set(0.0);
    heads_dots(d, rows, a, w->x->s + (int64_t)j * d, t);
    for (int r = 0; r < rows; r++) e[j * rows + r] = w->careful ? t[r] : part_exp2(t[r]);
  }
  if (w->careful) heads_careful(rows, i, n, w);
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

/* The cases of d that are compiled apart. */
#ifndef BF_FEW_CASES
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
