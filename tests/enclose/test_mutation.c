/* Every remainder counts: with any one of them dropped, and with any one that is not there for rounding alone halved,
 * the check of operations finds points outside. The sources of enclose/ are compiled again for that (mutation.h). */
#include "draw.h"
#include "mutation.h"
#include "operations.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 64, CASES = 3200 };
static struct {
  const char *name;
  int         rounding;
  double      factor;
} site[MOST];
static int sites;

double *mutation_factor(const char *name, int rounding) {
  int i = 0;
  while (i < sites && strcmp(site[i].name, name) != 0) i++;
  if (i == sites && sites < MOST - 1) {
    site[i].name         = name;
    site[i].rounding     = rounding;
    site[sites++].factor = 1;
  }
  return &site[i].factor;
}

/* The operation that shows it, or -1. Most are shown soon by one of them. */
static int shown(int64_t most) {
  for (int64_t cases = 50; cases <= most; cases *= 8)
    for (int k = 0; k < OPERATIONS; k++) {
      seed((uint64_t)k + 100);
      if (operation_misses(k, cases, 1)) return k;
    }
  return -1;
}

static bool try_factor(int i, double factor, int number) {
  site[i].factor = factor;
  const int k    = shown(64 * CASES);
  site[i].factor = 1;
  printf("%sok %d - %g of the remainder '%s'%s%s\n", k < 0 ? "not " : "", number, factor, site[i].name,
         k < 0 ? " is as good" : " is missed by ", k < 0 ? "" : operation_name(k));
  return k >= 0;
}

int main(void) {
  const bool sound  = shown(CASES) < 0;
  int        number = 1, failed = !sound;
  printf("%sok 1 - nothing is missed as it is; %d remainders\n", sound ? "" : "not ", sites);
  for (int i = 0; i < sites; i++)
    for (int k = 0; k < (site[i].rounding ? 1 : 2); k++) failed |= !try_factor(i, 0.5 * k, ++number);
  printf("1..%d\n", number);
  return failed;
}
