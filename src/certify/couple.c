/* Couplings of logits in the lower form: lower.h. */
#include "certify/lower.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

static const double stiffness = 0.25, slackness = 1. / 64; /* measured, as those of bf_couple_weigh */

void bf_couple_count(BfLower *x, int l, double width, double radius) {
  x->stiff[l] = stiffness * x->scale / (width * radius);
  x->slack[l] = slackness * radius;
}

/* With the bits that a record has of it; 0 where a float has none. */
static double sixteen_bits(double x) {
  float    near = (float)x;
  uint32_t bits;
  memcpy(&bits, &near, sizeof bits);
  bits &= UINT32_C(0xffff0000);
  memcpy(&near, &bits, sizeof bits);
  return isfinite(near) ? near : 0;
}

double bf_couple_cost(BfLower *x) {
  double value = 0;
  for (int l = 0; l < x->count - x->of->features; l++) {
    const int    f = x->of->features + l;
    const double y = fabs(x->x0[f]) - x->slack[l], far = copysign(fmax(y, 0), x->x0[f]);
    x->g[f] = sixteen_bits(x->stiff[l] * far);
    value += 0.5 * x->g[f] * far;
  }
  return value;
}

void bf_couple_put(BfLower *x) {
  for (int l = 0; l < x->count - x->of->features; l++) {
    const float g = (float)x->g[x->of->features + l];
    uint32_t    bits;
    memcpy(&bits, &g, sizeof bits);
    x->point[x->n + 2 * l]     = (int8_t)(bits >> 16);
    x->point[x->n + 2 * l + 1] = (int8_t)(bits >> 24);
  }
}

void bf_couple_weigh(BfLower *x) {
  static const double coupled = 0.5, blunt = 1. / 8;
  for (int f = x->of->features; f < x->count; f++) {
    const double *r = x->r + (int64_t)f * x->n, *b = x->b + (int64_t)f * x->n, slope = coupled * fabs(x->first[f]);
    for (int k = 0; k < x->n; k++) x->rest[k] += slope * (r[k] + (k < x->of->free.n ? blunt * fabs(b[k]) : 0));
  }
}
