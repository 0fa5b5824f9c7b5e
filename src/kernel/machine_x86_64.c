/* What the instruction sets of src/meson.build ask of an x86-64 processor. */
#include "kernel/kernels.h"

#include <string.h>

#define HAS(feature) (__builtin_cpu_supports(feature) != 0)

int bf_machine_runs(const char *name) {
  const int v3 = HAS("avx2") && HAS("fma") && HAS("bmi") && HAS("bmi2");
  if (!strcmp(name, "avx2")) return v3;
  return v3 && HAS("avx512f") && HAS("avx512bw") && HAS("avx512cd") && HAS("avx512dq") && HAS("avx512vl");
}
