/* Where a box is halved. */
#include "certify/lower.h"
#include <math.h>
#include <string.h>

double bf_lower_middle(const BfLower *x, int k, const double lower[], const double upper[]) {
  return k < x->of->free.n ? 0.5 * lower[k] + 0.5 * upper[k] : (float)x->centre[k];
}

/* Of a logit a float has to be there, near enough to its middle. */
static bool can_be_halved(const BfLower *x, int k) {
  return k < x->of->free.n || fabs((float)x->centre[k] - x->centre[k]) < 0.5 * x->width[k];
}

/* The number that is widest compared to its range. */
static int widest(const BfLower *x) {
  int    most = 0;
  double best = -1;
  for (int k = 0; k < x->of->free.n; k++) {
    const double part = x->width[k] / (x->of->upper[k] - x->of->lower[k]);
    if (part > best) {
      best = part;
      most = k;
    }
  }
  return most;
}

/* What features' remainders take from the bound, number by number. */
static void weigh_features(BfLower *x) {
  for (int f = 0; f < x->of->features; f++) {
    const double *r = x->r + (int64_t)f * x->n, slope = sqrt(fabs(x->first[f] * x->g[f]));
    for (int k = 0; k < x->n; k++) x->rest[k] += slope * r[k];
  }
}

int bf_lower_branch(BfLower *x) {
  int    most = 0;
  double best = -1;
  memset(x->rest, 0, sizeof(double) * (size_t)x->n);
  weigh_features(x);
  bf_couple_weigh(x);
  for (int k = 0; k < x->n; k++)
    if (x->rest[k] > best && can_be_halved(x, k)) {
      best = x->rest[k];
      most = k;
    }
  return best > x->error ? most : widest(x); /* else of rounding, which no split makes less */
}
