/* What ranks that work together wait for: limits of the formulas, and hashes by throwing them. */
#include "../ranks.h"
#include "bellformer/estimate.h"
#include "bellformer/splitmix64.h"
#include <math.h>
#include <stdlib.h>

static const BfMachine network = {.latency = 1e-6, .bandwidth = 1e9, .within = 1e-7};

static BfMachine of(int ranks, int node_ranks) {
  BfMachine m = network;
  bf_machine_set(&m, ranks, node_ranks);
  return m;
}

static int near(double a, double b, double part) { return fabs(a - b) <= part * fabs(b); }

static void reductions(Tap *tap) {
  const BfMachine one = of(1, 1), node = of(64, 64), two = of(2, 1), many = of(10000, 64);
  check(tap, many.nodes == 157 && many.node_ranks == 64 && of(3, 64).node_ranks == 3, "nodes of a machine");
  check(tap, bf_reduction_of_nodes(&one, 1e9) == 0 && bf_reduction_of_nodes(&node, 1e9) == 0,
        "one node waits for none");
  check(tap, near(bf_reduction_of_nodes(&two, 8), 1e-6, 0.02), "few bytes between two nodes: one message");
  check(tap, near(bf_reduction_of_nodes(&two, 1e9), 1, 1e-3), "many bytes between two nodes: each sends all once");
  check(tap, near(bf_reduction_of_nodes(&many, 1e9), 2 * 156.0 / 157, 1e-3), "between many: nearly twice");
  check(tap, near(bf_reduction_of_nodes(&many, 8), 8e-6, 0.02), "few bytes: 2^8 > 157 doublings");
  check(tap, near(bf_reduction_of_ranks(&many, 10000, 8), 8e-6 + 6e-7, 0.05), "within nodes, then between them");
  check(tap, bf_reduction_of_ranks(&many, 1, 1e9) == 0 && bf_exchange_of_ranks(&one, 1e9) == 0,
        "one rank waits for none");
  check(tap, near(bf_exchange_of_ranks(&two, 1e9), 0.5 + 0.25, 0.01), "two nodes exchange one half");
}

/* The mean of the fullest of `ranks` boxes in which `items` were thrown. */
static double thrown(int items, int ranks, uint64_t *state) {
  enum { TURNS = 200 };
  int   *box = calloc((size_t)ranks, sizeof *box);
  double sum = 0;
  for (int turn = 0; turn < TURNS; turn++) {
    int most = 0;
    for (int r = 0; r < ranks; r++) box[r] = 0;
    for (int i = 0; i < items; i++) {
      int *b = &box[(int)(bf_uniform(state) * ranks)];
      most   = ++*b > most ? *b : most;
    }
    sum += most;
  }
  free(box);
  return sum / TURNS;
}

static void shares(Tap *tap) {
  uint64_t state = 1;
  int      right = 1;
  check(tap, bf_most_dealt(10, 3) == 4 && bf_most_dealt(2, 5) == 1 && bf_most_hashed(7, 1) == 7,
        "dealt evenly; to one");
  for (int ranks = 2; ranks <= 128; ranks *= 4)
    for (int items = 100; items <= 10000; items *= 10)
      right &= near(bf_most_hashed(items, ranks), thrown(items, ranks, &state), 0.1);
  check(tap, right, "dealt by a hash: as thrown, within a tenth");
}

int main(int argc, char **argv) {
  Tap       tap   = {0, 0};
  BfRun    *run   = NULL;
  BfError   error = {0};
  BfMachine own;
  MPI_Init(&argc, &argv);
  reductions(&tap);
  shares(&tap);
  bf_run_create(MPI_COMM_WORLD, 1, &run, &error);
  bf_machine_of_run(run, &own);
  check(&tap, own.ranks == run->size && own.nodes == run->size && own.node_ranks == 1, "of a run");
  check(&tap, own.latency > 0 && own.latency < 1 && own.bandwidth > 1e3, "measured between its nodes");
  bf_run_destroy(&run);
  return finish_tap(&tap);
}
