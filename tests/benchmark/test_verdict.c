/* One verdict: test_verdict GOT WANTED. */
#include "clock.h"

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  verdict("test", atof(argv[1]), atof(argv[2]), 1);
  return verdicts_exit(read_bandwidth(1 << 16, 64) > 0 ? 0 : 3);
}
