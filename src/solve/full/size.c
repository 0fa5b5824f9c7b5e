#include "bellformer/solve.h"
#include "solve/full/space.h"
#include <math.h>

BfStatus bf_full_size(const BfRun *run, const BfProblem *problem, BfFullSize *size, BfError *error) {
  BfFullSpace space;
  BfError     unused = {0};
  *size              = (BfFullSize){.measures = -1, .tables = -1};
  if (bf_full_space_create(problem, &space, &unused) != BF_OK)
    return unused.status == BF_BAD_INPUT ? BF_OK : bf_fail(error, unused.status, "%s", unused.text);
  const double T = problem->horizon, M = (double)space.measures, K = (double)problem->actions;
  double       tables = 0, terminal = 0;
  for (int i = 0; i < space.shapes; i++) tables += (double)space.context[space.shape[i]].measures * K;
  for (int64_t s = 0; s < space.contexts; s++) terminal += (double)space.context[s].measures;
  size->measures     = space.measures;
  size->shapes       = space.shapes;
  size->tables       = tables < 0x1p62 ? (int64_t)tables : -1;
  size->value_bytes  = 8 * (T + 1) * M;
  size->policy_bytes = 4 * T * M;
  size->node_bytes   = 16 * M + 4 * tables + 8 * terminal * (double)problem->cost.readouts + 4 * T * M / run->nodes;
  size->q_values     = T * M * K;
  bf_full_space_clear(&space);
  return BF_OK;
}
