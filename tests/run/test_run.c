/* Ranks, nodes, shared memory, agreement on errors. Argument: -node_size. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../ranks.h"
#include "bellformer/run.h"
#include "run/phases.h"
#include "run/queue.h"

/* Ranks are dealt to nodes in order; workers count them node by node. */
static void nodes(Tap *tap, const BfRun *run, int node_size) {
  const int R = node_size ? node_size : run->size, nodes = (run->size + R - 1) / R, index = run->rank / R;
  check(tap, run->nodes == nodes && run->node_index == index, "nodes of node_size ranks");
  check(tap, run->node_rank == run->rank % R, "rank in the node");
  check(tap, run->node_size == (index < nodes - 1 ? R : run->size - index * R), "the last node takes what is left");
  check(tap, (run->leaders != MPI_COMM_NULL) == (run->node_rank == 0), "one leader a node");
  int *seen = calloc((size_t)run->size, sizeof *seen), every = 1;
  MPI_Allgather(&run->worker, 1, MPI_INT, seen, 1, MPI_INT, MPI_COMM_WORLD);
  for (int w = 0; w < run->size; w++) {
    int found = 0;
    for (int r = 0; r < run->size; r++) found += seen[r] == w;
    every &= found == 1;
  }
  free(seen);
  check(tap, every && run->worker == run->node_first + run->node_rank, "workers are numbered node by node, each once");
}

/* What one rank of a node writes, the others of that node read; other nodes have their own. */
static void shared(Tap *tap, const BfRun *run) {
  BfShared memory = {0};
  BfError  error  = {0};
  check(tap, bf_shared_create(run, 8 * 1000, "test", &memory, &error) == BF_OK, "shared memory");
  check(tap, (uintptr_t)memory.base % 64 == 0 && memory.bytes == 8000, "64-byte aligned");
  double *x = memory.base;
  for (int i = run->node_rank; i < 1000; i += run->node_size) x[i] = i + 1000 * run->node_index;
  bf_shared_sync(run, &memory);
  int same = 1;
  for (int i = 0; i < 1000; i++) same &= x[i] == i + 1000 * run->node_index;
  check(tap, same, "all ranks of a node see what each wrote");
  bf_shared_destroy(&memory);
  check(tap, !memory.base, "destroyed");
  bf_shared_destroy(&memory);
  const BfStatus status = bf_shared_create(run, INT64_MAX / 4, "value function", &memory, &error);
  check(tap, status == BF_BAD_INPUT && strstr(error.text, "value function") && strstr(error.text, "GB"),
        "more than the node has is refused, on all ranks, by name");
}

/* Whoever fails, all ranks get the lowest one's error. */
static void agreement(Tap *tap, const BfRun *run) {
  BfError error = {0};
  check(tap, bf_agree(run->world, &error) == BF_OK && error.status == BF_OK, "nobody fails");
  for (int first = 0; first < run->size; first++) {
    char expected[64];
    error = (BfError){0};
    if (run->rank >= first) bf_fail(&error, run->rank % 2 ? BF_FAILURE : BF_BAD_INPUT, "rank %d failed", run->rank);
    const BfStatus status = bf_agree(run->world, &error);
    snprintf(expected, sizeof expected, "rank %d failed", first);
    check(tap,
          status == (first % 2 ? BF_FAILURE : BF_BAD_INPUT) && error.status == status && !strcmp(error.text, expected),
          "the lowest failing rank's error, everywhere");
  }
  error = (BfError){0};
  if (run->rank == 0) bf_fail(&error, BF_FAILURE, "alone");
  check(tap, bf_agree(MPI_COMM_SELF, &error) == (run->rank ? BF_OK : BF_FAILURE) && !error.known,
        "one rank's agreement with itself has told nobody");
  check(tap,
        bf_agree(run->world, &error) == BF_FAILURE && !strcmp(error.text, "alone") && error.known == (run->size > 1),
        "the others hear of it in the next");
}

static void errors(Tap *tap) {
  BfError error = {0};
  bf_fail(&error, BF_BAD_INPUT, "first %d", 1);
  bf_fail(&error, BF_FAILURE, "second");
  bf_error_prefix(&error, "%s", "file");
  check(tap, error.status == BF_BAD_INPUT && !strcmp(error.text, "file: first 1"),
        "the first cause is kept, and prefixed");
  error = (BfError){0};
  check(tap, !bf_calloc(INT64_MAX, 16, &error) && error.status == BF_FAILURE,
        "an allocation that overflows is refused");
  error         = (BfError){0};
  double *zeros = bf_calloc(1000, sizeof *zeros, &error), sum = 0;
  for (int i = 0; i < 1000; i++) sum += zeros[i] != 0;
  check(tap, (uintptr_t)zeros % 64 == 0 && sum == 0, "aligned zeros");
  bf_free(zeros);
  bf_free(NULL);
}

static void clocks(Tap *tap, BfRun *run) {
  const double before = bf_seconds();
  bf_phase_begin(run, BF_PHASE_SWEEP);
  bf_count_values(run, 5);
  nanosleep(&(struct timespec){0, 50000000}, NULL);
  bf_phase_end(run, BF_PHASE_SWEEP);
  const double after = bf_seconds(), swept = run->phases->seconds[BF_PHASE_SWEEP];
  check(tap, after - before >= 0.05 && after - before < 30, "a second is a second");
  check(tap, swept >= 0.05 && swept <= after - before, "a phase has its time");
  check(tap, bf_run_values(run) == 5.0 * run->size, "Q-values of all ranks");
  const int64_t least = bf_least_memory_free(run->world);
  check(tap, least > 0 && least < INT64_MAX >> 10 && bf_peak_memory() > 0, "memory");
  check(tap, bf_disk_free("/tmp/any") > 0 && bf_disk_free("/no/such/folder/any") == INT64_MAX, "disk");
  int machine; /* all ranks of a test are on one machine, whatever node_size says */
  MPI_Comm_size(run->world, &machine);
  check(tap, bf_most_node_ranks(run->world) == machine, "ranks of a node");
}

/* Terms of very different sizes, dealt to ranks in turns: the sum has the bits that it has on one rank, and those of
 * the exact sum. */
static void sums(Tap *tap, const BfRun *run) {
  enum { TERMS = 101, COLUMNS = 3 };
  double *mine = calloc(TERMS * COLUMNS, sizeof *mine), *all = calloc(TERMS * COLUMNS, sizeof *all), sum[COLUMNS],
         alone[COLUMNS];
  int64_t rows  = 0;
  BfError error = {0};
  for (int i = 0; i < TERMS; i++) {
    const double term[COLUMNS] = {(i % 2 ? -1 : 1) * ldexp(1 + i / 128.0, i % 40),
                                  i == 7   ? 0x1p90
                                  : i == 8 ? -0x1p90
                                           : i,
                                  1e300};
    memcpy(all + COLUMNS * i, term, sizeof term);
    if (i % run->size == run->rank) memcpy(mine + COLUMNS * rows++, term, sizeof term);
  }
  check(tap, bf_exact_sum(run->world, rows, COLUMNS, mine, sum, &error) == BF_OK, "sum over ranks");
  bf_exact_sum(MPI_COMM_SELF, TERMS, COLUMNS, all, alone, &error);
  check(tap, !memcmp(sum, alone, sizeof sum), "the same bits on any number of ranks");
  check(tap, sum[1] == TERMS * (TERMS - 1) / 2 - 15, "what cancels leaves the rest");
  check(tap, fabs(sum[2] / (TERMS * 1e300) - 1) < 1e-15, "near the end of what a double holds");
  mine[0] = run->rank == run->size - 1 ? INFINITY : mine[0];
  bf_exact_sum(run->world, rows, COLUMNS, mine, sum, &error);
  check(tap, isinf(sum[0]) && isfinite(sum[1]), "infinite where a term is");
  bf_exact_sum(run->world, 0, COLUMNS, mine, sum, &error);
  check(tap, sum[0] == 0 && sum[2] == 0, "nothing adds up to 0");
  free(mine);
  free(all);
}

/* Each number goes to one rank, and each rank sees its own grow. */
static void queue(Tap *tap, const BfRun *run) {
  enum { ITEMS = 500 };
  int     taken[ITEMS] = {0}, grows = 1;
  BfQueue line;
  BfError error = {0};
  check(tap, bf_queue_create(run->world, 3, &line, &error) == BF_OK, "a queue");
  for (int64_t before = -1, i; (i = bf_queue_take(&line, 1)) < ITEMS; before = i) {
    grows &= i > before;
    taken[i]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, taken, ITEMS, MPI_INT, MPI_SUM, run->world);
  int once = 1;
  for (int i = 0; i < ITEMS; i++) once &= taken[i] == 1;
  check(tap, once && grows, "every number is dealt once, the smaller first");
  bf_queue_destroy(&line);
  bf_queue_destroy(&line);
  check(tap, line.window == MPI_WIN_NULL, "destroyed");
}

/* The last rank alone is refused its window. */
static bool refuses;
int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *window) {
  int rank, ranks;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  const int code = PMPI_Win_allocate_shared(size, unit, info, comm, base, window);
  return refuses && rank == ranks - 1 ? MPI_ERR_NO_MEM : code;
}

static void refused_queue(Tap *tap, const BfRun *run) {
  BfQueue line;
  BfError error = {0};
  refuses       = true;
  check(tap, bf_queue_create(run->world, 1, &line, &error) == BF_FAILURE, "one rank gets no window for a queue");
  refuses = false;
  bf_queue_destroy(&line);
  check(tap, line.window == MPI_WIN_NULL, "and all destroy it");
}

/* glibc's, in both of its names; without memory at times. */
static bool poor;
int         vasprintf(char **text, const char *format, va_list arguments) {
          va_list again;
          va_copy(again, arguments);
          const int length = poor ? -1 : vsnprintf(NULL, 0, format, again);
          va_end(again);
          *text = length < 0 ? NULL : malloc((size_t)length + 1);
          return *text ? vsnprintf(*text, (size_t)length + 1, format, arguments) : -1;
}
int __vasprintf_chk(char **text, int flag, const char *format, va_list arguments);
int __vasprintf_chk(char **text, int flag, const char *format, va_list arguments) {
  (void)flag;
  return vasprintf(text, format, arguments);
}

static void hear(void *context, const char *text) { snprintf(context, 64, "%s", text); }

static void warning_without_memory(Tap *tap, BfRun *run) {
  char          heard[64] = "";
  const BfOwner owner     = {.warned = hear, .context = heard};
  run->owner              = &owner;
  poor                    = true;
  bf_warn(run, "of %d bytes there are none", 64);
  poor       = false;
  run->owner = NULL;
  check(tap, run->rank || !strcmp(heard, "of 64 bytes there are none"), "a warning without memory is told");
}

int main(int argc, char **argv) {
  const int node_size = argc > 1 ? atoi(argv[1]) : 0;
  Tap       tap       = {0, 0};
  BfRun    *run       = NULL;
  BfError   error     = {0};
  MPI_Init(&argc, &argv);
  check(&tap, bf_run_create(MPI_COMM_WORLD, node_size, &run, &error) == BF_OK, "run");
  nodes(&tap, run, node_size);
  shared(&tap, run);
  agreement(&tap, run);
  errors(&tap);
  clocks(&tap, run);
  sums(&tap, run);
  queue(&tap, run);
  refused_queue(&tap, run);
  warning_without_memory(&tap, run);
  bf_run_destroy(&run);
  check(&tap, !run, "destroyed");
  return finish_tap(&tap);
}
