/* Risk and gradient of the law that heads start from, timed: "forward F s, gradient G s, risk R, norm N"; F without,
 * G with the adjoint. Under any number of ranks.
 *   time_law PROBLEM.yaml PARTS TURNS     PARTS of the heads that ranks share; the least of TURNS */
#include <petscsys.h>

#include "clock.h"
#include "heads/initial.h"
#include "heads/share.h"

/* Seconds of an evaluation, of the slowest rank. */
static BfStatus evaluate(BfRun *run, BfHeads *heads, const BfHeadLaw *law, BfHeadsValue *value, double *seconds,
                         BfError *error) {
  MPI_Barrier(run->world);
  const double begin = bf_seconds();
  BF_TRY(bf_heads_evaluate(heads, law, value, error));
  double here = bf_seconds() - begin;
  MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_DOUBLE, MPI_MAX, run->world);
  *seconds = fmin(*seconds, here);
  return BF_OK;
}

static BfStatus time_law(BfRun *run, char **argument, BfError *error) {
  static const BfSections sections = {"heads", 0, BF_SECTION_HEADS};
  BfProblem              *problem  = NULL;
  BfHeads                *heads    = NULL;
  BfHeadLaw               law      = {0};
  BfHeadsValue            value = {0}, risk = {0};
  double                  forward = INFINITY, gradient = INFINITY;
  BfStatus                status;
  BF_GOTO(bf_problem_read(run->world, argument[1], &sections, NULL, &problem, error));
  BF_GOTO(bf_heads_create(run, problem, &problem->train, problem->layer.heads, atoi(argument[2]), &heads, error));
  BF_GOTO(bf_together(run->world, bf_heads_law_create(heads, &law, error), error));
  BF_GOTO(bf_heads_initial(run, problem, NULL, &law, error));
  BF_GOTO(bf_together(run->world, BF_NEW(&value.velocity, law.layers * law.count * law.free, error), error));
  for (int turn = 0; turn < atoi(argument[3]); turn++) {
    BF_GOTO(evaluate(run, heads, &law, &risk, &forward, error));
    BF_GOTO(evaluate(run, heads, &law, &value, &gradient, error));
  }
  if (run->rank == 0)
    printf("forward %.6g s, gradient %.6g s, risk %.17g, norm %.17g\n", forward, gradient, value.risk,
           value.gradient_norm);
done:
  bf_free(value.velocity);
  bf_heads_law_clear(&law);
  bf_heads_destroy(&heads);
  bf_problem_destroy(&problem);
  return status;
}

int main(int argc, char **argv) {
  BfError error = {0};
  BfRun  *run   = NULL;
  if (argc < 4) return 2;
  if (PetscInitialize(NULL, NULL, NULL, NULL)) return 1;
  BfStatus status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK) run->quiet = true;
  if (status == BF_OK) status = time_law(run, argv, &error);
  if (status != BF_OK) fprintf(stderr, "%s\n", error.text);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(status);
}
