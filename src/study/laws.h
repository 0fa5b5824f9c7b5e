/* How far apart two lists of laws are: of particles, say, at every depth. Pure. */
#pragma once
#include "bellformer/error.h"

/* Points of equal weight. */
typedef struct {
  int64_t       points, numbers;
  const double *x; /* [points][numbers], borrowed */
} BfLaw;
typedef struct {
  int64_t       layers, points, numbers;
  const double *x; /* [layers][points][numbers], borrowed */
} BfLaws;

/* Layer t of n holds from depth t/n to (t + 1)/n; sqrt of the integral over depth of
 *   energy     2 E|X - Y| - E|X - X'| - E|Y - Y'|, the squared energy distance: n^2 q flops a layer;
 *   otherwise  the mean over 64 fixed directions of W2^2 of the laws' projections, the squared sliced distance.
 * NaN where they are not of equally many numbers, where one is empty, and on failure. Local. */
double bf_laws_apart(const BfLaws *a, const BfLaws *b, bool energy, BfError *error);
