/* Every operation on affine forms by chance: of points that its arguments hold, the result holds what it computes. */
#include "draw.h"
#include "operations.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv) {
  (void)argv;
  const int64_t cases  = argc > 1 ? 1000 : 20000;
  int           failed = 0;
  printf("1..%d\n", OPERATIONS);
  for (int k = 0; k < OPERATIONS; k++) {
    seed((uint64_t)k);
    const int64_t misses = operation_misses(k, cases, cases);
    printf("%sok %d - %s encloses: %" PRId64 " of %" PRId64 " forms not\n", misses ? "not " : "", k + 1,
           operation_name(k), misses, cases);
    failed |= misses > 0;
  }
  return failed;
}
