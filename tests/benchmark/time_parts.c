/* Costs of the data's successors in the reachable space: where actions share parts of a layer against each action by
 * itself, and where the time goes. One core. Arguments: PROBLEM.yaml; how many times as fast is wanted, or, less than
 * 0, how many times a layer may take what its exponentials alone take; keys and values. The bits are compared. */
#include <petscsys.h>

#include "clock.h"
#include "kernel/kernels.h"
#include "solve/reachable/layers.h"

/* What is timed, on all contexts of the data under all actions. */
typedef BfStatus Work(BfReachable *x, double *out, BfError *error);

static BfStatus costs(BfReachable *x, double *out, BfError *error) {
  return bf_reachable_cost(x, x->layer[0].measure, 0, x->actions.blocks, out, error);
}

static BfStatus layers(BfReachable *x, double *out, BfError *error) {
  (void)out;
  (void)error;
  for (int64_t s = 0; s < x->problem->train.contexts; s++) {
    BfContext law;
    bf_measures_load(&x->measures, x->layer[0].measure, s, &x->scratch, &law);
    for (int64_t b = 0; b < x->actions.blocks; b++)
      bf_layer_apply(&x->problem->layer, &law, x->actions.parameters + b * x->actions.size, x->scratch.z,
                     x->scratch.next, x->scratch.work);
  }
  return BF_OK;
}

static BfStatus means(BfReachable *x, double *out, BfError *error) {
  const BfLayer *layer = &x->problem->layer;
  (void)out;
  (void)error;
  for (int64_t s = 0; s < x->problem->train.contexts; s++) {
    BfContext law;
    bf_measures_load(&x->measures, x->layer[0].measure, s, &x->scratch, &law);
    for (int64_t b = 0; b < x->actions.blocks; b++)
      for (int h = 0; h < layer->heads; h++)
        bf_layer_means(layer, &law, x->actions.parameters + b * x->actions.size + bf_attention_A(layer, h) * BF_LANES,
                       x->scratch.z, x->scratch.next, x->scratch.work);
  }
  return BF_OK;
}

/* As many exponentials as there are pairs of slots. */
static BfStatus exponentials(BfReachable *x, double *out, BfError *error) {
  (void)out;
  (void)error;
  for (int64_t s = 0; s < x->problem->train.contexts; s++) {
    const int slots = x->problem->context[s].slots;
    for (int i = 0; i < slots * BF_LANES; i++) x->scratch.next[i] = -1 - i % 7;
    for (int64_t b = 0; b < x->actions.blocks * slots * x->problem->layer.heads; b++)
      x->problem->layer.kernels->exp_lanes(slots, x->scratch.next);
  }
  return BF_OK;
}

/* Nanoseconds a (context, action): the least of three times a fifth of a second. */
static BfStatus time_of(Work *work, BfReachable *x, double *out, double *ns, BfError *error) {
  *ns = INFINITY;
  for (int turn = 0; turn < 3; turn++) {
    const double begin = bf_seconds();
    int          calls = 0;
    for (; !calls || bf_seconds() - begin < 0.2; calls++) BF_TRY(work(x, out, error));
    const double pairs = (double)x->problem->actions * (double)x->problem->train.contexts;
    *ns                = fmin(*ns, (bf_seconds() - begin) / calls / pairs * 1e9);
  }
  return BF_OK;
}

static BfStatus measure(BfReachable *x, double *out, double *plain, int64_t totals, double wanted, BfError *error) {
  const int parts = x->parts.count;
  BfSlots  *read  = x->read;
  double    shared, alone, layer, mean, exps;
  BF_TRY(time_of(costs, x, out, &shared, error));
  x->parts.count        = 0;    /* each action by itself, */
  x->read               = NULL; /* and at all tokens */
  const BfStatus status = time_of(costs, x, plain, &alone, error);
  x->parts.count        = parts;
  x->read               = read;
  BF_TRY(status);
  BF_TRY(time_of(layers, x, plain, &layer, error));
  BF_TRY(time_of(means, x, plain, &mean, error));
  BF_TRY(time_of(exponentials, x, plain, &exps, error));
  printf("%s: %lld actions, which share", x->problem->name, (long long)x->problem->actions);
  for (int p = 0; p < parts; p++)
    printf("%s %lld %s", p ? "," : "", (long long)x->parts.part[p].count, x->parts.part[p].head < 0 ? "W1, b1" : "A");
  printf("%s; %s kernels, one core; bits %s\n", parts ? "" : " nothing", bf_kernels_name(x->problem->layer.kernels),
         memcmp(out, plain, sizeof *out * (size_t)totals) ? "DIFFER" : "the same");
  printf("ns a (sequence, action): %.3g; each by itself %.3g, of which layers %.3g, of which attention %.3g; as many "
         "exponentials alone %.3g\n",
         shared, alone, layer, mean, exps);
  if (wanted > 0) verdict("times as fast as each action by itself", alone / shared, wanted, 1);
  else verdict("a layer in times of as many exponentials alone", layer / exps, -wanted, 0);
  return memcmp(out, plain, sizeof *out * (size_t)totals)
             ? bf_fail(error, BF_FAILURE, "costs differ from those of each action by itself")
             : BF_OK;
}

static BfStatus benchmark(BfRun *run, const BfProblem *problem, double wanted, BfError *error) {
  const int64_t totals = problem->cost.readouts * ((problem->actions + BF_LANES - 1) / BF_LANES * BF_LANES);
  double       *out = NULL, *plain = NULL;
  BfReachable   x;
  BfStatus      status;
  BF_GOTO(bf_reachable_start(run, problem, NULL, NULL, &x, error));
  BF_GOTO(BF_NEW(&out, totals, error));
  BF_GOTO(BF_NEW(&plain, totals, error));
  status = measure(&x, out, plain, totals, wanted, error);
done:
  bf_free(out);
  bf_free(plain);
  bf_reachable_clear(&x);
  return status;
}

int main(int argc, char **argv) {
  BfError     error   = {0};
  BfRun      *run     = NULL;
  BfOptions  *options = NULL;
  BfProblem  *problem = NULL;
  const char *path    = argv[1];
  const int   given   = argc;
  if (argc < 3) return 2;
  const double wanted = atof(argv[2]);
  if (PetscInitialize(&(int){1}, &argv, NULL, NULL)) return 1;
  BfStatus status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK) run->quiet = true;
  if (status == BF_OK) status = bf_options_create(&options, &error);
  for (int i = 3; i + 1 < given && status == BF_OK; i += 2)
    status = bf_options_add(options, argv[i], argv[i + 1], &error);
  if (status == BF_OK) status = bf_problem_read(PETSC_COMM_WORLD, path, &bf_solve_sections, options, &problem, &error);
  if (status == BF_OK) status = benchmark(run, problem, wanted, &error);
  if (status != BF_OK) fprintf(stderr, "%s\n", error.text);
  bf_problem_destroy(&problem);
  bf_options_destroy(&options);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(status);
}
