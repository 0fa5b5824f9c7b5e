/* Every kernel in every instruction set that this machine runs against the generic one, and the generic ones against
 * what they gave on x86-64 (reference.txt).
 *   test_conformance REFERENCE     TAP
 *   test_conformance --write       a new REFERENCE on standard output
 *   test_conformance --time        times of the generic kernels in those of every other instruction set */
#include "conformance.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bellformer/quantize.h"

static const Family *const families[] = {&exp_family,        &activation_family, &norm_family,    &layer_family,
                                         &layer_libm_family, &known_family,      &alone_family,   &table_family,
                                         &pairs_family,      &sweep_family,      &last_family,    &take_family,
                                         &velocity_family,   &transposed_family, &softmax_family, &squares_family};
enum { FAMILIES = sizeof families / sizeof *families };
/* A kernel without a case of its own must not slip in: exp, three of layers, three of costs, five of tables, three of
 * sweeps, two of velocities; four of the feed-forward part, which the layer's and the velocities' cases call; four of
 * many heads (test_heads.c); and seven of images (tests/solve/test_images.c). */
_Static_assert(sizeof(BfKernels) == 33 * sizeof(void *), "a kernel without a case in tests/kernel");

/* ---- what cases share ------------------------------------------------------------------------------------------- */

void keep(Memory *m, void *pointer) {
  if (m->count == m->room) m->held = realloc(m->held, sizeof *m->held * (size_t)(m->room = 2 * m->room + 16));
  if (!m->held || !pointer) {
    printf("Bail out! no memory\n");
    exit(1);
  }
  m->held[m->count++] = pointer;
}

void *take(Memory *m, int64_t count, size_t size) {
  BfError error   = {0};
  void   *pointer = bf_calloc(count, size, &error);
  keep(m, pointer);
  return pointer;
}

void release(Memory *m) {
  for (int64_t i = 0; i < m->count; i++) bf_free(m->held[i]);
  free(m->held);
  *m = (Memory){0};
}

int    below(uint64_t *seed, int bound) { return (int)(bf_splitmix64(seed) % (uint64_t)bound); }
double within(uint64_t *seed, double low, double high) { return low + (high - low) * bf_uniform(seed); }
void   fill_random(uint64_t *seed, int64_t count, double scale, double x[]) {
    for (int64_t i = 0; i < count; i++) x[i] = scale * (2 * bf_uniform(seed) - 1);
}

double *output(Memory *m, Outputs *outputs, int64_t size) {
  double *out                     = TAKE(m, double, size);
  outputs->out[outputs->count]    = out;
  outputs->size[outputs->count++] = size;
  return out;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

typedef struct {
  Memory  memory;
  Outputs outputs;
  void   *x;
} Instance;

static void make(const Family *family, int number, int large, Instance *i) {
  uint64_t seed = 1000003 * (uint64_t)number + (uint64_t)family->name[0] + 17 * (uint64_t)strlen(family->name);
  *i            = (Instance){0};
  i->x          = family->make(&i->memory, &seed, large, &i->outputs);
}

/* Two that are no numbers are alike whatever their bits. */
static uint64_t bits(double x) {
  uint64_t b;
  memcpy(&b, &x, sizeof b);
  return isnan(x) ? 0x7ff8000000000000u : b;
}

static double largest(int64_t count, const double x[]) {
  double most = 0;
  for (int64_t i = 0; i < count; i++) most = isfinite(x[i]) && fabs(x[i]) > most ? fabs(x[i]) : most;
  return most;
}

static int64_t differences(Promise promise, int64_t count, const double a[], const double b[]) {
  const double tolerance = 1e-13 * largest(count, a);
  int64_t      sum       = 0;
  for (int64_t i = 0; i < count; i++)
    sum += bits(a[i]) != bits(b[i]) && (promise != CLOSE || !(fabs(a[i] - b[i]) <= tolerance));
  return sum;
}

typedef struct {
  int64_t numbers, wrong;
  int     first; /* case in which something was wrong */
} Count;

static Count compare(const Family *family, const BfKernels *kernels) {
  Count count = {0, 0, -1};
  for (int n = 0; n < family->cases; n++) {
    Instance plain, other;
    make(family, n, 0, &plain);
    make(family, n, 0, &other);
    family->run(plain.x, bf_kernels_compiled(0));
    family->run(other.x, kernels);
    for (int o = 0; o < plain.outputs.count; o++) {
      const int64_t size = plain.outputs.size[o];
      count.numbers += size;
      count.wrong += differences(family->promise, size, plain.outputs.out[o], other.outputs.out[o]);
    }
    if (count.wrong && count.first < 0) count.first = n;
    release(&plain.memory);
    release(&other.memory);
  }
  return count;
}

static Count against_definition(const Family *family) {
  Count count = {0, 0, -1};
  for (int n = 0; n < family->cases; n++) {
    Instance i;
    make(family, n, 0, &i);
    family->run(i.x, bf_kernels_compiled(0));
    for (int o = 0; o < i.outputs.count; o++) count.numbers += i.outputs.size[o];
    count.wrong += family->wrong(i.x, &i.outputs);
    if (count.wrong && count.first < 0) count.first = n;
    release(&i.memory);
  }
  return count;
}

/* ---- another architecture --------------------------------------------------------------------------------------- */

/* All that the generic kernels of a family give: a hash of the bits, and a sum with random weights in [-1, 1] beside
 * the sum of what was added. */
typedef struct {
  uint64_t hash;
  double   sum, size;
} Digest;

static Digest digest(const Family *family) {
  Digest   d    = {1469598103934665603u, 0, 0};
  uint64_t seed = 1;
  for (int n = 0; n < family->cases; n++) {
    Instance i;
    make(family, n, 0, &i);
    family->run(i.x, bf_kernels_compiled(0));
    for (int o = 0; o < i.outputs.count; o++) {
      const double scale = largest(i.outputs.size[o], i.outputs.out[o]); /* so that every case counts alike */
      for (int64_t k = 0; k < i.outputs.size[o]; k++) {
        const double x = i.outputs.out[o][k], part = within(&seed, -1, 1) * (scale > 0 ? x / scale : 0);
        d.hash = (d.hash ^ bits(x)) * 1099511628211u;
        if (!isfinite(part)) continue;
        d.sum += part;
        d.size += fabs(part);
      }
    }
    release(&i.memory);
  }
  return d;
}

static int write_reference(void) {
  for (int f = 0; f < FAMILIES; f++) {
    const Digest d = digest(families[f]);
    printf("%s %016" PRIx64 " %a %a\n", families[f]->name, d.hash, d.sum, d.size);
  }
  return 0;
}

/* Whether the family's line in the file says what was found here. */
static int is_as_referred(const Family *family, const char *path) {
  const Digest d = digest(family), none = {0, 0, 0};
  Digest       was  = none;
  FILE        *file = fopen(path, "r");
  char         name[64];
  while (file && fscanf(file, "%63s %" SCNx64 " %la %la", name, &was.hash, &was.sum, &was.size) == 4)
    if (!strcmp(name, family->name)) break;
    else was = none;
  if (file) fclose(file);
  printf("# %s: sums differ by %.2g of what was added\n", family->name, fabs(d.sum - was.sum) / was.size);
  return family->promise == EVERYWHERE ? d.hash == was.hash : fabs(d.sum - was.sum) <= 1e-13 * was.size;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of a run, over a hundredth of a second. */
static double time_once(const Family *family, void *x, const BfKernels *kernels) {
  const double begin = now();
  int          runs  = 0;
  for (; now() - begin < 0.01; runs++) family->run(x, kernels);
  return (now() - begin) / runs;
}

static int runs_here(const BfKernels *kernels) {
  return kernels == bf_kernels_compiled(0) || bf_machine_runs(kernels->name);
}

/* Turn by turn, so that all see the same machine; the least of at least half a second. */
static int write_times(void) {
  for (int f = 0; f < FAMILIES; f++) {
    double   least[8];
    Instance i;
    make(families[f], 0, 1, &i);
    for (int k = 0; k < 8; k++) least[k] = DBL_MAX;
    for (int turn = 0; turn < 20; turn++)
      for (int k = 0; bf_kernels_compiled(k); k++)
        if (runs_here(bf_kernels_compiled(k)))
          least[k] = fmin(least[k], time_once(families[f], i.x, bf_kernels_compiled(k)));
    printf("%-32s generic %8.3g us", families[f]->name, 1e6 * least[0]);
    for (int k = 1; bf_kernels_compiled(k); k++)
      if (runs_here(bf_kernels_compiled(k)))
        printf("   %s %.2f times as fast", bf_kernels_compiled(k)->name, least[0] / least[k]);
    printf("\n");
    release(&i.memory);
  }
  return 0;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static int number, failed;

static void say(int ok, const char *name, const char *what) {
  failed |= !ok;
  printf("%s %d - %s: %s\n", ok ? "ok" : "not ok", ++number, name, what);
}

static void say_count(Count c, const char *name, const char *what) {
  char text[200];
  if (c.wrong)
    snprintf(text, sizeof text, "%s: %" PRId64 " of %" PRId64 " numbers, from case %d on, are not", what, c.wrong,
             c.numbers, c.first);
  else snprintf(text, sizeof text, "%s (%" PRId64 " numbers)", what, c.numbers);
  say(c.numbers > 0 && !c.wrong, name, text);
}

static void test_family(const Family *family, const char *reference) {
  char what[100];
  for (int k = 1; bf_kernels_compiled(k); k++) {
    const BfKernels *kernels = bf_kernels_compiled(k);
    if (!runs_here(kernels)) {
      printf("ok %d - %s: %s # SKIP this machine lacks the instructions\n", ++number, family->name, kernels->name);
      continue;
    }
    snprintf(what, sizeof what, "%s as generic, %s", kernels->name,
             family->promise == CLOSE ? "to 1e-13" : "bit for bit");
    say_count(compare(family, kernels), family->name, what);
  }
  if (family->wrong) say_count(against_definition(family), family->name, "generic as defined, bit for bit");
  say(is_as_referred(family, reference), family->name,
      family->promise == EVERYWHERE ? "generic as on x86-64, bit for bit" : "generic as on x86-64, to 1e-13");
}

int main(int argc, char **argv) {
  int kernels = 0, definitions = 0;
  if (argc < 2) return 2;
  if (!strcmp(argv[1], "--write")) return write_reference();
  if (!strcmp(argv[1], "--time")) return write_times();
  while (bf_kernels_compiled(kernels)) kernels++;
  for (int f = 0; f < FAMILIES; f++) definitions += families[f]->wrong != NULL;
  printf("1..%d\n", FAMILIES * kernels + definitions);
  for (int f = 0; f < FAMILIES; f++) test_family(families[f], argv[1]);
  return failed;
}
