/* The law that heads start from, a line a head: layer, head, weight, free numbers, all as hexadecimal.
 *
 *     print_law [PROBLEM.yaml HEADS FILE] ...      HEADS: padding included; FILE: what -init names, - for none
 *
 * Behind each law, or in its place, a line "status N TEXT". */
#include "heads/check.h"
#include "heads/initial.h"
#include "heads/share.h"
#include <petscsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const BfHeadLaw *law) {
  for (int64_t i = 0; i < law->layers * law->count; i++) {
    printf("%lld %lld %a", (long long)(i / law->count), (long long)(i % law->count), law->weight[i]);
    for (int j = 0; j < law->free; j++) printf(" %a", law->theta[i * law->free + j]);
    putchar('\n');
  }
}

static BfStatus make(BfRun *run, char **argument, BfError *error) {
  static const BfSections sections = {"heads", 0, BF_SECTION_HEADS};
  BfProblem              *problem  = NULL;
  BfHeads                *heads    = NULL;
  BfHeadLaw               law = {0}, whole = {0};
  BfStatus                status;
  BF_GOTO(bf_problem_read(MPI_COMM_WORLD, argument[0], &sections, NULL, &problem, error));
  BF_GOTO(bf_heads_check(problem, error));
  BF_GOTO(bf_heads_create(run, problem, &problem->train, atoll(argument[1]), 0, &heads, error));
  BF_GOTO(bf_together(run->world, bf_heads_law_create(heads, &law, error), error));
  BF_GOTO(bf_heads_initial(run, problem, strcmp(argument[2], "-") ? argument[2] : NULL, &law, error));
  BF_GOTO(bf_heads_law_whole(heads, &law, &whole, error));
  if (run->rank == 0) print(&whole);
done:
  bf_heads_law_clear(&law);
  bf_heads_law_clear(&whole);
  bf_heads_destroy(&heads);
  bf_problem_destroy(&problem);
  return status;
}

int main(int argc, char **argv) {
  BfRun  *run   = NULL;
  BfError error = {0};
  MPI_Init(&argc, &argv);
  PetscInitialize(NULL, NULL, NULL, NULL);
  if (bf_run_create(MPI_COMM_WORLD, 0, &run, &error) != BF_OK) return 1;
  for (int i = 1; i + 2 < argc; i += 3) {
    BfError        here   = {0};
    const BfStatus status = make(run, argv + i, &here);
    if (run->rank == 0) printf("status %d %s\n", status, here.text);
  }
  bf_run_destroy(&run);
  PetscFinalize();
  MPI_Finalize();
  return 0;
}
