/* The first variation of the risk, G_t(theta) = sum_i <p_{t+1,i}, V m_i(A)> + (lambda/2) |theta|^2 of a head theta =
 * (A, V) at the tokens z_t: a head of small weight w there changes R by w G_t. A law is stationary where, at every
 * depth, int G_t dnu_t = min G_t. [FBHP26].
 *
 * F is linear in V: with M(A) = sum_i p_i m_i(A)^T the best V is explicit in its free numbers v_k, c_k = sum of the
 * entries of M that v_k fills times their factors: the minimum of c_k v_k + (lambda/2) v_k^2 over its range, or, where
 * heads are free and lambda > 0, over all numbers. So the search is over A alone, within its ranges. */
#pragma once
#include "heads/heads.h"
#include <math.h>

/* The v of [lower, upper] that makes c v + (lambda/2) v^2 least. */
static inline double bf_best_number(double c, double lambda, double lower, double upper) {
  if (lambda > 0) return fmin(fmax(-c / lambda, lower), upper);
  return c > 0 ? lower : c < 0 ? upper : fmin(fmax(0, lower), upper);
}

/* A layer's. Borrowed arrays, of all sequences. */
typedef struct {
  const BfHeads *x;
  const double  *z, *p; /* [N][d] z_t, p_{t+1}, in the order of the data */
  bool           boxed; /* V within its range also where lambda > 0 */
} BfVariation;

typedef struct {
  double  value;
  double *theta; /* [q] where G is least among what was seen; owned by the caller */
} BfVariationLeast;

/* The least of G_t by search: from points of a Halton set of A's box and from `count` heads of the caller, [count][q],
 * the best descend along dG/dA, V following. No bound: a number that G_t takes, hence above its least value. A fixed
 * number of evaluations, each of a head on all sequences. Local. */
BfStatus bf_variation_search(const BfVariation *variation, int64_t count, const double *heads, BfVariationLeast *out,
                             BfError *error);

/* sum_h alpha_{t,h} values[t][h] at every layer, values [T][count] of the rank's share, mean [T]: of 1 the sum of the
 * weights. Collective. */
BfStatus bf_heads_mean(const BfHeads *x, const BfHeadLaw *law, const double *values, double *mean, BfError *error);

/* About how many heads that evaluates, with derivatives, where the caller has `count`. */
double bf_variation_heads(int64_t count);

typedef struct {
  double  stationarity; /* max_t (int G_t dnu_t - min G_t) */
  int     layer;        /* that has it */
  double *mean, *least; /* [T] int G_t dnu_t, min G_t; owned */
  double *theta;        /* [T][q] where; owned */
} BfStationarity;

/* Of a law, at which `value` (variation, tokens and adjoint among it) was evaluated. Layers are dealt to ranks. Clear
 * it also after a failure. Collective. */
BfStatus bf_stationarity(BfHeads *x, const BfHeadLaw *law, const BfHeadsValue *value, bool boxed, BfStationarity *out,
                         BfError *error);
void     bf_stationarity_clear(BfStationarity *stationarity);
/* Evaluations of a head that it costs a layer, of a law of `heads`. Local. */
double bf_stationarity_heads(int64_t heads);
