/* A processor for which only the generic kernels are compiled. */
#include "kernel/kernels.h"

int bf_machine_runs(const char *name) {
  (void)name;
  return 0;
}
