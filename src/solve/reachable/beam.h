/* The beam: of a layer's measures the B with the least key are kept,
 *     key(mu) = cost so far + rest(mu),   cost so far = the least sum of stage costs over the kept paths to mu,
 *     rest(mu) = sum over contexts with a table of V^(s)_t(mu_s) + min over r of the sum over the others of
 * g_s^r(mu_s). Where every context has a table, a key is a lower bound of what any path through mu costs, and the least
 * key that was dropped one of all that the beam has not seen; else V_0's bound by the contexts alone is. Keys of equal
 * measures differ by the cost so far alone. Ties are broken by hash and bytes: the same B on any number of ranks.
 *
 * A pair (measure, action) whose key lies above the B+1 least of the measures so far is dropped before its successor is
 * made or sent. Once any is, a pair whose key lies above that of its successor by more than rounding is forgotten too:
 * a cheaper path leads there. What is kept does not depend on when that was noticed: in the end an edge stays where its
 * own key is not above the least key that was dropped, nor above its successor's, and its successor was kept. */
#pragma once
#include "solve/reachable/alone.h"
#include "solve/reachable/layers.h"
#include <math.h>

struct BfBeam {
  BfAlone alone;
  int64_t first;    /* B of the first run */
  int64_t width;    /* B of this one */
  int64_t doubling; /* its number */
  double  limit;    /* of the layer under way, as it was saved: keys above it are dropped */
  double  least;    /* key that was dropped in any layer; INFINITY: nothing was */
  int64_t dropped;  /* pairs (measure, action) that are no edges, of all ranks */
  double  bound;    /* that all runs so far leave */
  BfModel best;     /* of the runs before; no layers: there is none */
};
/* The i-th run of the beam, i >= 0, from its beginning. */
static inline void bf_beam_begin(BfBeam *beam, int64_t doubling) {
  beam->doubling = doubling;
  beam->width    = beam->first << doubling;
  beam->least    = INFINITY;
  beam->dropped  = 0;
}

/* rest [K] of a measure of layer t; successors [K][bytes], where some context has no table, else untouched. */
BfStatus bf_beam_rest(BfReachable *x, int t, const unsigned char *measure, double rest[], unsigned char *successors,
                      BfError *error);
/* The successor of a measure under action k, where all contexts have tables; row [contexts] by bf_beam_rows. */
void bf_beam_rows(const BfReachable *x, const unsigned char *measure, const int32_t *row[]);
void bf_beam_successor(const BfReachable *x, const int32_t *const row[], int64_t k, unsigned char *successor);
/* As bf_reachable_cost, of all actions, by the tables, which all contexts have. */
void bf_beam_cost(const BfReachable *x, const unsigned char *measure, double *total);

/* ---- the B least ------------------------------------------------------------------------------------------------- */

/* keep[i], i < count, of this rank's measures: whether it is among the `want` least of all ranks, which have more than
 * `want`, in the order of (key, hash, bytes). *most: the largest key that is kept. Keys are no NaN. Collective. */
BfStatus bf_beam_select(const BfRun *run, const BfMeasureSet *set, const double key[], int64_t want,
                        unsigned char keep[], double *most, BfError *error);

/* ---- a layer ----------------------------------------------------------------------------------------------------- */

/* Layer t+1 from layer t: the B least, their cost so far, and the edges that lead to them. Memory a rank: a round of
 * successors, twice its share of B measures, and an edge of each that was below the key of its time. Collective. */
BfStatus bf_beam_forward(BfReachable *x, int t, BfError *error);
