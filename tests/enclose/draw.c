#include "draw.h"
#include "bellformer/splitmix64.h"

static uint64_t state;

void seed(uint64_t s) { state = s; }

static uint64_t bits(void) { return bf_splitmix64(&state); }

double uniform(void) { return bf_uniform(&state); }
double both_sides(void) { return 2 * uniform() - 1; }
int    among(int n) { return (int)(bits() % (uint64_t)n); }
