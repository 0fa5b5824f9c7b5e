/* Sets of measures: what is inserted is found under its number, also where an empty set was sorted and made findable
 * again. Argument: xor.yaml. */
#include "bellformer/solve.h"
#include "solve/reachable/measures.h"
#include <stdio.h>

enum { MANY = 1000 };

static void number_to(const BfMeasures *measures, int64_t value, unsigned char *measure) {
  memset(measure, 0, (size_t)measures->bytes);
  for (int64_t slot = 0; slot < 3; slot++) bf_measures_pack(measures, measure, slot, value >> (8 * slot) & 255);
}

/* MANY measures into the set, from number `first` on; all are found. */
static bool holds(BfMeasureSet *set, int64_t first, BfError *error) {
  unsigned char measure[set->measures->bytes];
  int64_t       number;
  bool          good = true;
  for (int64_t i = 0; i < MANY; i++) {
    number_to(set->measures, first + i, measure);
    good = good && bf_measure_set_insert(set, measure, &number, error) == BF_OK && number == first + i &&
           set->count <= set->room && set->count < set->slots;
    if (!good) return false;
  }
  for (int64_t i = 0; i < first + MANY; i++) {
    number_to(set->measures, i, measure);
    good = good && bf_measure_set_find(set, measure) == i;
  }
  number_to(set->measures, first + MANY, measure);
  return good && bf_measure_set_find(set, measure) < 0;
}

static BfStatus check(const BfProblem *problem, BfError *error) {
  BfMeasures   measures;
  BfMeasureSet set      = {0};
  int64_t     *position = NULL;
  BfStatus     status;
  BF_GOTO(bf_measures_create(problem, &measures, error));
  BF_GOTO(bf_measure_set_create(&measures, &set, error));
  BF_GOTO(bf_measure_set_sort(&set, &position, error));
  BF_GOTO(bf_measure_set_index(&set, error));
  printf("%s 1 - an empty set that was sorted\n", holds(&set, 0, error) ? "ok" : "not ok");
  printf("%s 2 - more\n", holds(&set, MANY, error) ? "ok" : "not ok");
done:
  bf_free(position);
  bf_measure_set_clear(&set);
  bf_measures_clear(&measures);
  return status;
}

int main(int argc, char **argv) {
  BfError    error   = {0};
  BfProblem *problem = NULL;
  MPI_Init(&argc, &argv);
  printf("1..2\n");
  BfStatus status = bf_problem_read(MPI_COMM_WORLD, argv[1], &bf_solve_sections, NULL, &problem, &error);
  if (status == BF_OK) status = check(problem, &error);
  if (status != BF_OK) printf("Bail out! %s\n", error.text);
  bf_problem_destroy(&problem);
  MPI_Finalize();
  return status != BF_OK;
}
