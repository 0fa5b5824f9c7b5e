#include "solve/transition.h"
#include "bellformer/solve.h"

#include <math.h>

const BfSections bf_solve_sections = {"solve", BF_SECTION_ACTION | BF_SECTION_QUANTIZE,
                                      BF_SECTION_ACTION | BF_SECTION_QUANTIZE};

BfStatus bf_action_parameters_create(const BfProblem *problem, BfActionParameters *actions, BfError *error) {
  const BfLayer *layer = &problem->layer;
  *actions             = (BfActionParameters){.blocks = (problem->actions + BF_LANES - 1) / BF_LANES,
                                              .size   = (int64_t)layer->parameters * BF_LANES};
  if (!problem->actions) return bf_fail(error, BF_BAD_INPUT, "the problem has no actions to choose from");
  BF_TRY(BF_NEW(&actions->parameters, actions->blocks * actions->size, error));
  BF_TRY(BF_NEW(&actions->stage, problem->actions, error));
  for (int64_t k = 0; k < actions->blocks * BF_LANES; k++) {
    const double *u = problem->action + (k < problem->actions ? k : problem->actions - 1) * layer->free;
    bf_layer_expand(layer, u, actions->parameters + k / BF_LANES * actions->size + k % BF_LANES, BF_LANES);
    if (k >= problem->actions) continue;
    actions->stage[k] = bf_stage_cost(&problem->cost, layer->free, u);
    if (!isfinite(actions->stage[k]))
      return bf_fail(
          error, BF_BAD_INPUT,
          "action %lld: its stage cost is beyond the largest number: cost.weight_decay or ranges are too large",
          (long long)k);
  }
  return BF_OK;
}

void bf_action_parameters_clear(BfActionParameters *actions) {
  bf_free(actions->parameters);
  bf_free(actions->stage);
  *actions = (BfActionParameters){0};
}

BfStatus bf_finite_cost(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                        double g[BF_LANES], BfError *error) {
  BF_TRY(bf_terminal_cost(cost, readout, context, lanes, z, g, error));
  for (int l = 0; l < lanes; l++)
    if (!isfinite(g[l]))
      return bf_fail(error, BF_BAD_INPUT,
                     "sequence %lld: its %s is beyond the largest number: targets, readout or box are too large",
                     (long long)context->sequence, cost->kind->base.name);
  return BF_OK;
}

BfStatus bf_scratch_create(const BfProblem *problem, BfScratch *scratch, BfError *error) {
  int64_t slots = 0, tags = 0, work = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    const int64_t w = bf_layer_work(&problem->layer, &problem->context[s]);
    if (problem->context[s].slots > slots) slots = problem->context[s].slots;
    if (problem->context[s].tags > tags) tags = problem->context[s].tags;
    if (w > work) work = w;
  }
  const int     d       = problem->layer.dim;
  const int64_t corners = slots * problem->transition->centres(d);
  *scratch              = (BfScratch){0};
  BF_TRY(BF_NEW(&scratch->z, slots * d * BF_LANES, error));
  BF_TRY(BF_NEW(&scratch->next, slots * d * BF_LANES, error));
  BF_TRY(BF_NEW(&scratch->work, work, error));
  BF_TRY(BF_NEW(&scratch->cell, slots, error));
  BF_TRY(BF_NEW(&scratch->first, tags + 1, error));
  BF_TRY(BF_NEW(&scratch->times, slots, error));
  BF_TRY(BF_NEW(&scratch->room.corner, corners, error));
  BF_TRY(BF_NEW(&scratch->room.weight, corners, error));
  return BF_NEW(&scratch->room.counts, corners, error);
}

void bf_scratch_clear(BfScratch *scratch) {
  bf_free(scratch->z);
  bf_free(scratch->next);
  bf_free(scratch->work);
  bf_free(scratch->cell);
  bf_free(scratch->first);
  bf_free(scratch->times);
  bf_free(scratch->room.corner);
  bf_free(scratch->room.weight);
  bf_free(scratch->room.counts);
  *scratch = (BfScratch){0};
}

void bf_scratch_load(const BfProblem *problem, const BfContext *context, const int64_t cell[], BfScratch *scratch,
                     BfContext *law) {
  const int d    = problem->layer.dim;
  int       runs = 0;
  double    point[d];
  for (int g = 0; g < context->tags; g++) {
    scratch->first[g] = runs;
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      if (i > context->first[g] && cell[i] == cell[i - 1]) {
        scratch->times[runs - 1]++;
        continue;
      }
      bf_cells_point(problem->cells, cell[i], point);
      for (int a = 0; a < d; a++)
        for (int l = 0; l < BF_LANES; l++) scratch->z[(runs * d + a) * BF_LANES + l] = point[a];
      scratch->times[runs++] = 1;
    }
  }
  scratch->first[context->tags] = runs;
  *law                          = *context;
  law->slots                    = runs;
  law->first                    = scratch->first;
  law->times                    = scratch->times;
}

BfStatus bf_successor_cells(const BfProblem *problem, const BfContext *law, const double *next, int lane,
                            BfScratch *scratch, int64_t cell[], BfError *error) {
  const int d = problem->layer.dim;
  for (int g = 0; g < law->tags; g++) {
    const int      first = law->first[g], count = law->first[g + 1] - first;
    const BfImages images = {.z      = next + (int64_t)first * d * BF_LANES + lane,
                             .stride = BF_LANES,
                             .times  = law->times ? law->times + first : NULL};
    BF_TRY(problem->transition->law(problem->cells, &images, count, &scratch->room, cell, error));
    for (int i = 0; i < count; i++) cell += images.times ? images.times[i] : 1;
  }
  return BF_OK;
}
