/* One layer of the full sweep against the same sweep over an explicit table: int32 successor and double cost for every
 * (measure, action), 12 bytes a pair, as a general solver of deterministic MDPs keeps it. One core. Argument:
 * PROBLEM.yaml.
 *
 * The explicit table of all measures would not fit in any memory here: the baseline sweeps 128 stretches of measures,
 * evenly spread, against the whole of V. Both loops are timed on a middle layer and on the last; a Q-value is one
 * evaluated (measure, action) pair, so that actions which bellformer drops as duplicates count for neither side. */
#include <petscsys.h>

#include "clock.h"
#include "solve/full/solver.h"

enum { STRETCHES = 128, STRETCH = 1024 };

typedef struct {
  BfFull         *x;
  const BfShared *next;
  int64_t         states; /* of the baseline */
  int32_t        *successor;
  double         *cost, *value;
  int32_t        *policy;
} Explicit;

static int64_t state_of(const Explicit *e, int64_t row) {
  return row / STRETCH * (e->x->space.measures / STRETCHES) + row % STRETCH;
}

static BfStatus explicit_create(BfFull *x, Explicit *e, BfError *error) {
  const int64_t A = x->plan.walk.actives, each = x->space.measures / STRETCHES;
  *e = (Explicit){.x = x, .states = each < STRETCH ? 0 : (int64_t)STRETCHES * STRETCH};
  BF_TRY(BF_NEW(&e->successor, e->states * A, error));
  BF_TRY(BF_NEW(&e->cost, e->states * A, error));
  BF_TRY(BF_NEW(&e->value, e->states, error));
  BF_TRY(BF_NEW(&e->policy, e->states, error));
  for (int64_t row = 0; row < e->states; row++)
    for (int64_t a = 0; a < A; a++) {
      e->successor[row * A + a] = (int32_t)bf_full_next(x, state_of(e, row), x->plan.walk.number[a]);
      e->cost[row * A + a]      = x->plan.walk.stage[a];
    }
  return BF_OK;
}

/* Seconds of one sweep of the baseline. */
static double explicit_sweep(Explicit *e, const double *V) {
  const int64_t A     = e->x->plan.walk.actives;
  const double  begin = bf_seconds();
  for (int64_t row = 0; row < e->states; row++) {
    const int32_t *successor = e->successor + row * A;
    const double  *cost      = e->cost + row * A;
    double         best      = INFINITY;
    int32_t        which     = 0;
    for (int64_t a = 0; a < A; a++) {
      const double q = cost[a] + V[successor[a]];
      if (q < best) {
        best  = q;
        which = (int32_t)a;
      }
    }
    e->value[row]  = best;
    e->policy[row] = e->x->plan.walk.number[which];
  }
  return bf_seconds() - begin;
}

static void explicit_clear(Explicit *e) {
  bf_free(e->successor);
  bf_free(e->cost);
  bf_free(e->value);
  bf_free(e->policy);
}

static double sweep(BfFull *x, int last) {
  const double begin = bf_seconds();
  BfError      error = {0};
  bf_sweep_layer(&x->sweep, last ? &x->terminal : NULL, &x->V[0], &x->V[1], x->policy[0], 0, NULL, &error);
  return bf_seconds() - begin;
}

/* Values and policies of the baseline's measures that differ. */
static int64_t differences(const Explicit *e) {
  const double *V     = e->x->V[1].base;
  int64_t       count = 0;
  for (int64_t row = 0; row < e->states; row++) {
    const int64_t i = state_of(e, row);
    count += V[i] != e->value[row] || bf_sweep_policy(&e->x->sweep, e->x->policy[0], i) != e->policy[row];
  }
  return count;
}

static void report_layer(const Explicit *e, const char *name, double ours, double theirs, double wanted, double bound,
                         const char *why) {
  const BfFull *x          = e->x;
  const double  q          = ours / ((double)x->space.measures * (double)x->plan.walk.actives) * 1e9;
  const double  explicit_q = theirs / ((double)e->states * (double)x->plan.walk.actives) * 1e9;
  printf("%s: %.3f ns a Q-value; explicit table %.3f ns; %lld of %lld measures differ\n", name, q, explicit_q,
         (long long)differences(e), (long long)e->states);
  verdict("times as fast as the explicit table", explicit_q / q, wanted, 1);
  verdict("ns a Q-value", q, 0.3, 0);
  printf("  %s: %.3f ns, the loop is at %.0f %% of that speed\n", why, bound, 100 * bound / q);
}

/* Rows of V permuted, for each mid that takes a minimum with one. */
static double rows_a_mid(const BfPlan *plan) {
  double rows = 0;
  for (int64_t i = 0; i < plan->walk.actives * plan->walk.blocks; i++) rows += plan->walk.images[i];
  return rows / ((double)plan->walk.actives * (double)plan->walk.mids);
}

static void report_memory(const BfFull *x) {
  const double M = (double)x->space.measures, K = (double)x->problem->actions, T = x->problem->horizon;
  double       bytes = 16 * M + 4 * T * M + 6.0 * (double)x->plan.walk.mids * (double)x->plan.walk.actives;
  for (int i = 0; i < x->tables.shapes; i++) bytes += 4.0 * (double)x->space.context[x->space.shape[i]].measures * K;
  printf("memory: tables, two V, policies of %g layers, plan: %.3g bytes; the explicit table has 12 a pair\n", T,
         bytes);
  verdict("bytes a (measure, action) pair", bytes / (M * K), 1, 0);
}

static BfStatus benchmark(BfFull *x, BfError *error) {
  const BfPlan *plan = &x->plan;
  Explicit      e;
  double        ours[2] = {INFINITY, INFINITY}, theirs = INFINITY;
  BF_TRY(explicit_create(x, &e, error));
  bf_terminal_tables_fill(&x->terminal, &x->space, 0, x->space.measures, x->V[0].base);
  printf("%s: M = %lld, K = %lld of which %lld can win; %s kernels, one core\n", x->problem->name,
         (long long)x->space.measures, (long long)x->problem->actions, (long long)plan->walk.actives,
         bf_kernels_name(x->problem->layer.kernels));
  for (int repeat = 0; repeat < 2; repeat++)
    for (int last = 0; last < 2; last++) {
      for (int i = 0; i < 3; i++) theirs = fmin(theirs, explicit_sweep(&e, x->V[0].base));
      ours[last] = fmin(ours[last], sweep(x, last));
    }
  const double memory = read_bandwidth((size_t)x->V[0].bytes, (size_t)plan->walk.lanes * sizeof(double));
  const double cache = read_bandwidth(512 << 10, (size_t)plan->walk.lanes * sizeof(double)), rows = rows_a_mid(plan);
  report_memory(x);
  printf("machine: rows of %lld numbers at random from V %.3g GB/s, from L2 %.3g GB/s\n", (long long)plan->walk.lanes,
         memory * 1e-9, cache * 1e-9);
  char why[200];
  snprintf(why, sizeof why, "were all %.2f permuted rows a mid from memory, and one read from L2, where not pruned",
           rows);
  x->sweep.work.kept = 0;
  sweep(x, 0);
  const double kept = (double)x->sweep.work.kept / ((double)x->space.measures * (double)plan->walk.actives);
  report_layer(&e, "middle layer", ours[0], theirs, 3, 8e9 * kept * (rows / memory + 1 / cache), why);
  printf("  pruned: %.0f %% of the Q-values, which are counted above; the explicit table prunes none\n",
         100 * (1 - kept));
  sweep(x, 1);
  report_layer(&e, "last layer", ours[1], theirs, 6, 8e9 / cache,
               "one read from L2; two additions and a minimum should hide in it");
  explicit_clear(&e);
  return BF_OK;
}

int main(int argc, char **argv) {
  BfError     error   = {0};
  BfRun      *run     = NULL;
  BfProblem  *problem = NULL;
  BfFull      x       = {0};
  const char *path    = argv[1];
  if (argc < 2) return 2;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  BfStatus status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK) run->quiet = true;
  if (status == BF_OK) status = bf_problem_read(PETSC_COMM_WORLD, path, &bf_solve_sections, NULL, &problem, &error);
  if (status == BF_OK) status = bf_full_create(run, problem, &(BfFullOptions){0}, NULL, &x, &error);
  if (status == BF_OK) status = benchmark(&x, &error);
  if (status != BF_OK) fprintf(stderr, "%s\n", error.text);
  bf_full_clear(&x);
  bf_problem_destroy(&problem);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(status);
}
