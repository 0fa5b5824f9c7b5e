/* Tables by a whole layer for every measure. */
#include "solve/full/table.h"

BfStatus bf_table_successors(const BfTableShare *share, int64_t j, int64_t block0, int64_t block1, BfError *error) {
  const BfFullSpace        *space   = share->space;
  const BfActionParameters *actions = share->actions;
  const BfProblem          *problem = space->problem;
  const int64_t             radix   = space->context[share->s].radix[problem->context[share->s].tags - 1];
  BfScratch                *scratch = share->scratch;
  BfContext                 law;
  bf_full_unrank(space, share->s, j, scratch->cell);
  bf_scratch_load(problem, &problem->context[share->s], scratch->cell, scratch, &law);
  for (int64_t b = block0; b < block1; b++) {
    bf_layer_apply(&problem->layer, &law, actions->parameters + b * actions->size, scratch->z, scratch->next,
                   scratch->work);
    for (int l = 0; l < bf_action_parameters_in_block(problem, b); l++) {
      BF_TRY(bf_successor_cells(problem, &law, scratch->next, l, scratch, scratch->cell, error));
      bf_table_put(share, b * BF_LANES + l, j / radix, j % radix, bf_full_rank(space, share->s, scratch->cell));
    }
  }
  return BF_OK;
}

static void divide(const BfTableShare *share, int64_t all, int64_t range[2]) {
  range[0] = all * share->worker / share->workers;
  range[1] = all * (share->worker + 1) / share->workers;
}

BfTableRegion bf_table_region(const BfTableShare *share) {
  const int     tags   = share->space->problem->context[share->s].tags;
  const int64_t types  = share->space->context[share->s].radix[tags - 1],
                leads  = share->space->context[share->s].measures / types;
  BfTableRegion region = {{0, leads}, {0, types}};
  if (tags == 1 || (leads < types && !share->rows)) divide(share, types, region.type);
  else divide(share, leads, region.lead);
  return region;
}

void bf_table_told(const BfTableShare *share, double entries) {
  if (share->run) bf_work_done(share->run, BF_PHASE_TABLES, entries * share->workers);
}

BfStatus bf_table_region_directly(const BfTableShare *share, const BfTableRegion *region, int64_t block0,
                                  int64_t block1, BfError *error) {
  const int64_t radix = share->space->context[share->s].radix[share->space->problem->context[share->s].tags - 1];
  for (int64_t lead = region->lead[0]; lead < region->lead[1]; lead++)
    for (int64_t type = region->type[0]; type < region->type[1]; type++)
      BF_TRY(bf_table_successors(share, lead * radix + type, block0, block1, error));
  return BF_OK;
}

/* For grids too fine for tables over pairs of cells, and the reference that these are tested against. */
BfStatus bf_table_fill_directly(const BfTableShare *share, int64_t block0, int64_t block1, BfError *error) {
  const int64_t M = share->space->context[share->s].measures, end = M * (share->worker + 1) / share->workers;
  const int64_t K = share->space->problem->actions, last = block1 * BF_LANES < K ? block1 * BF_LANES : K;
  for (int64_t j = M * share->worker / share->workers; j < end; j++) {
    BF_TRY(bf_table_successors(share, j, block0, block1, error));
    bf_table_told(share, (double)(last - block0 * BF_LANES));
  }
  return BF_OK;
}
