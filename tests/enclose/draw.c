#include "draw.h"

static uint64_t state;

void seed(uint64_t s) { state = s; }

static uint64_t bits(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z          = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z          = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

double uniform(void) { return (double)(bits() >> 11) * 0x1p-53; }
double both_sides(void) { return 2 * uniform() - 1; }
int    among(int n) { return (int)(bits() % (uint64_t)n); }
