#include "bellformer/splitmix64.h"

#define GAMMA UINT64_C(0x9e3779b97f4a7c15)

uint64_t bf_splitmix64(uint64_t *state) {
  uint64_t z = *state += GAMMA;
  z          = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z          = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void bf_splitmix64_skip(uint64_t *state, uint64_t count) { *state += count * GAMMA; }

double bf_uniform(uint64_t *state) { return (double)(bf_splitmix64(state) >> 11) * 0x1p-53; }
