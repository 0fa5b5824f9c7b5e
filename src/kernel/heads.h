/* Attention of many heads on one sequence, eight heads in lanes: forward, adjoint, tangent. Pure.
 *
 * Of head h with A, V and token i, s_i = z_i + e_i:
 *     m_i = sum_j P_ij z_j,   P_i. = softmax over the j that i sees of beta <s_i, A s_j>
 * Heads stand abreast, so that d, masks and lengths need no padding; what a lane holds depends on its own head alone.
 */
#pragma once
#include "bellformer/kernel.h"
#include <stdint.h>

enum { BF_HEADS_ROWS = 4 }; /* of queries that go through the keys together */

/* A sequence: its tokens in the order of their positions. Borrowed arrays. */
typedef struct {
  int           dim;    /* d */
  int           tokens; /* n */
  double        beta;
  const int    *sees; /* [n] token i sees the tokens 0 .. sees[i] - 1, at least one */
  const double *z;    /* [n][d] as values */
  const double *s;    /* [n][d] as queries and keys: z + e; z itself where there is no encoding */
} BfHeadTokens;

/* Eight heads. Lanes behind the last head have A = V = 0 and weight 0. Borrowed arrays, 64-byte aligned. */
typedef struct {
  const double *A, *V;  /* [d * d][BF_LANES] row-major */
  const double *weight; /* [BF_LANES] alpha_h */
} BfHeadLanes;

/* Where the adjoint goes; all are added to. */
typedef struct {
  double *by_A, *by_V; /* [d * d][BF_LANES] of F_h = sum_i <p_i, V_h m_i>, without the weight */
  double *by_z;        /* [n][d][BF_LANES] of sum_h alpha_h F_h by the tokens, as values, queries and keys */
} BfHeadAdjoint;

/* A direction in which the heads and the tokens move. */
typedef struct {
  const double *A, *V; /* [d * d][BF_LANES]; NULL: they rest */
  const double *z;     /* [n][d]; NULL: they rest */
} BfHeadTangent;

/* Doubles, 64-byte aligned, that `work` of all of them is to hold. */
static inline int64_t bf_heads_work(int dim, int tokens) {
  return (int64_t)tokens * (2 * BF_HEADS_ROWS + dim) * BF_LANES;
}
/* All arrays in lanes are 64-byte aligned. Finite for any finite arguments whose products beta A s and sums over tokens
 * are: where logits may be large, their maximum over the tokens that are seen is subtracted. What is no number stays
 * none. */
/* mean [n][d][BF_LANES] = m_i of every head. */
typedef void BfHeadsMeans(const BfHeadTokens *x, const double *A, double *mean, double *work);
/* out [n][d][BF_LANES] += alpha_h V_h m_i. A logit: d multiply-adds, a maximum, an exponential, d + 1 additions. */
typedef void BfHeadsForward(const BfHeadTokens *x, const BfHeadLanes *heads, double *out, double *work);
/* p [n][d], the cotangent of what forward adds to every token. A logit: 4 d multiply-adds and an exponential, the
 * softmax being computed anew. */
typedef void BfHeadsAdjoint(const BfHeadTokens *x, const BfHeadLanes *heads, const double *p, const BfHeadAdjoint *to,
                            double *work);
/* out [n][d][BF_LANES] += alpha_h d(V_h m_i) along the direction. */
typedef void BfHeadsTangent(const BfHeadTokens *x, const BfHeadLanes *heads, const BfHeadTangent *along, double *out,
                            double *work);
