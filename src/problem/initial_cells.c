/* The quantized law that a solve starts from. */
#include "bellformer/problem.h"

#include <stdlib.h>

static int compare_cells(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Sorted cells as distinct ones and how often each is there; returns how many are distinct. */
static int64_t count_equal(int64_t tokens, const int64_t sorted[], int64_t distinct[], int64_t law[]) {
  int64_t n = 0;
  for (int64_t k = 0; k < tokens; k++) {
    if (!k || sorted[k] != sorted[k - 1]) {
      distinct[n] = sorted[k];
      law[n++]    = 0;
    }
    law[n - 1]++;
  }
  return n;
}

/* The type of m atoms nearest to the law of a tag's tokens, [R11]. An empty cell is never rounded up before one that
 * is not empty, so that the distinct cells are all that matter. */
static BfStatus round_law(int64_t tokens, const int64_t sorted[], int64_t m, int64_t cell[], BfError *error) {
  int64_t *work = NULL;
  BfStatus status;
  BF_TRY(BF_NEW(&work, 3 * tokens, error));
  int64_t *distinct = work, *law = work + tokens, *counts = work + 2 * tokens;
  int64_t  n = count_equal(tokens, sorted, distinct, law);
  BF_GOTO(bf_type_nearest_integer(n, law, m, counts, error));
  for (int64_t k = 0; k < n; k++)
    for (int64_t atom = 0; atom < counts[k]; atom++) *cell++ = distinct[k];
done:
  bf_free(work);
  return status;
}

BfStatus bf_problem_initial_cells(const BfProblem *problem, int64_t cell[], BfError *error) {
  const BfData *data = &problem->train;
  int64_t      *sorted;
  BfStatus      status = BF_OK;
  BF_TRY(BF_NEW(&sorted, data->tokens, error));
  for (int64_t g = 0; g < data->tags; g++) {
    int64_t first = data->tag_first[g], tokens = data->tag_first[g + 1] - first;
    int64_t atoms = problem->atoms ? problem->atoms : tokens;
    for (int64_t k = 0; k < tokens; k++)
      sorted[k] = bf_cells_nearest(problem->cells, data->z + (first + k) * data->dim);
    qsort(sorted, (size_t)tokens, sizeof *sorted, compare_cells);
    if (atoms == tokens)
      for (int64_t k = 0; k < tokens; k++) cell[k] = sorted[k];
    else BF_GOTO(round_law(tokens, sorted, atoms, cell, error));
    cell += atoms;
  }
done:
  bf_free(sorted);
  return status;
}
