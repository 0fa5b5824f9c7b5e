/* What a trained model's evaluation and a gradient of the flow cost: at most one optimal transport a sequence. Linked
 * with --wrap, so that solves are counted. Argument: asy26-toy.yaml. */
#include <petscsys.h>
#include <stdio.h>

#include "bellformer/flow.h"
#include "bellformer/solve.h"

static int64_t solves;

BfStatus __real_bf_transport_plan(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                                  double *cost, int64_t *plan, BfError *error);
BfStatus __wrap_bf_transport_plan(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                                  double *cost, int64_t *plan, BfError *error) {
  solves++;
  return __real_bf_transport_plan(n, supply, m, demand, ground, cost, plan, error);
}

BfStatus __real_bf_transport(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                             double *cost, BfError *error);
BfStatus __wrap_bf_transport(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                             double *cost, BfError *error) {
  solves++;
  return __real_bf_transport(n, supply, m, demand, ground, cost, error);
}

static int  number, failed;
static void expect(const char *what, int64_t least, int64_t most) {
  const int ok = solves >= least && solves <= most;
  failed |= !ok;
  printf("%s %d - %s: %lld transports, %lld to %lld wanted\n", ok ? "ok" : "not ok", ++number, what, (long long)solves,
         (long long)least, (long long)most);
  solves = 0;
}

/* Positions weigh nothing, so that tokens swap in most sequences. */
static BfStatus check(BfRun *run, BfProblem *problem, BfError *error) {
  const BfFlowOptions options  = {.scheme = bf_scheme("rk4"), .steps = 2, .tolerance = 1e-6, .memory = 1e9};
  const int64_t       numbers  = problem->horizon * (int64_t)problem->layer.free;
  BfRollout           rollout  = {0};
  BfFlow             *flow     = NULL;
  BfFlowValue         value    = {0};
  double             *gradient = NULL;
  BfStatus            status;
  BF_GOTO(BF_NEW(&gradient, numbers, error));
  BF_GOTO(bf_rollout(problem, &problem->train, &(BfModel){.control = problem->action}, &rollout, error));
  expect("rollout", problem->train.contexts / 2, problem->train.contexts);
  BF_GOTO(bf_flow_create(run, problem, &problem->train, &options, &flow, error));
  value.gradient = gradient;
  BF_GOTO(bf_flow_evaluate(flow, problem->action, &value, error));
  expect("gradient of the flow", problem->train.contexts / 2, problem->train.contexts);
done:
  bf_flow_destroy(&flow);
  bf_rollout_clear(&rollout);
  bf_free(gradient);
  return status;
}

int main(int argc, char **argv) {
  BfError     error   = {0};
  BfRun      *run     = NULL;
  BfProblem  *problem = NULL;
  BfOptions  *options = NULL;
  const char *path    = argv[1];
  if (argc < 2 || PetscInitialize(&argc, &argv, NULL, NULL)) return 2;
  printf("1..2\n");
  BfStatus status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK) status = bf_options_create(&options, &error);
  if (status == BF_OK) status = bf_options_add(options, "cost_terminal", "wasserstein", &error);
  if (status == BF_OK) status = bf_options_add(options, "cost_position_weight", "0", &error);
  if (status == BF_OK) status = bf_problem_read(PETSC_COMM_WORLD, path, &bf_solve_sections, options, &problem, &error);
  if (status == BF_OK) status = check(run, problem, &error);
  if (status != BF_OK) printf("Bail out! %s\n", error.text);
  bf_problem_destroy(&problem);
  bf_options_destroy(&options);
  bf_run_destroy(&run);
  PetscFinalize();
  return failed || status != BF_OK;
}
