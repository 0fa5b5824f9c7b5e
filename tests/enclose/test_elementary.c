/* Enclosures of exp, log, the sigmoid and Phi: each holds the value in long double, which is off by 2^-11 of a
 * double's rounding or less, and is as narrow as promised. */
#include "bellformer/enclose.h"
#include "draw.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct {
  const char *name;
  BfEnclosed (*enclose)(double x);
  long double (*f)(long double x);
  double reach, absolute, relative; /* of x; promised widths */
  int    positive;                  /* x = 2^(reach y) */
} Case;

static long double normal(long double x) { return erfcl(-x * sqrtl(0.5L)) / 2; }
static long double sigmoid(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

static const Case cases[] = {{"exp", bf_enclose_exp, expl, 700, 0, 0x1p-48, 0},
                             {"log", bf_enclose_log, logl, 1020, 0, 0x1p-48, 1},
                             {"sigmoid", bf_enclose_sigmoid, sigmoid, 700, 0, 0x1p-47, 0},
                             {"Phi", bf_enclose_normal, normal, 12, 0x1p-43, 0, 0}};
enum { CASES = sizeof cases / sizeof *cases, POINTS = 500000 };

static double point(const Case *c, int i) {
  const double y = both_sides(), scale = i % 3 == 0 ? 1 : i % 3 == 1 ? 0x1p-6 : pow(2, -50 * uniform());
  if (!c->positive) return c->reach * scale * y;
  return i % 2 ? exp2(c->reach * y) : 1 + scale * y;
}

int main(int argc, char **argv) {
  const int points = argc > 1 ? POINTS / 20 : POINTS;
  (void)argv;
  int failed = 0;
  printf("1..%d\n", 2 * CASES);
  for (int k = 0; k < CASES; k++) {
    const Case *c       = &cases[k];
    int64_t     outside = 0, wide = 0;
    seed(7);
    for (int i = 0; i < points; i++) {
      const double      x = point(c, i);
      const BfEnclosed  e = c->enclose(x);
      const long double f = c->f(x), width = (long double)e.up - e.down, off = 0x1p-62L * fabsl(f);
      outside += !(e.down <= f + off && f - off <= e.up);
      wide += width > c->absolute + c->relative * fabsl(f);
    }
    printf("%sok %d - %s: %" PRId64 " of %d values are outside\n", outside ? "not " : "", 2 * k + 1, c->name, outside,
           points);
    printf("%sok %d - %s: as narrow as promised but for %" PRId64 "\n", wide ? "not " : "", 2 * k + 2, c->name, wide);
    failed |= outside || wide;
  }
  return failed;
}
