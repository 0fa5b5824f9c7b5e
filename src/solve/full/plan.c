#include "solve/full/plan.h"

enum { LEAST_LANES = 64, LEAST_MIDS = 32, MOST_BLOCK_MIDS = 128 };

/* Take contexts from `end` backwards until their measures reach `least`; all that is left if they never do. */
static int64_t group_from(const BfFullSpace *space, int64_t end, int64_t least, int64_t *size) {
  *size = 1;
  while (end > 0 && *size < least) *size *= space->context[--end].measures;
  return end;
}

/* Successors under active action a of the joint measures of contexts from .. to-1, one row an action. */
static BfStatus merge(const BfFullSpace *space, const BfTables *tables, int64_t from, int64_t to, int64_t size,
                      const int32_t ***rows, int32_t **memory, BfError *error) {
  BF_TRY(BF_NEW(rows, tables->actives, error));
  const int single = to - from == 1;
  if (!single) BF_TRY(BF_NEW(memory, tables->actives * size, error));
  for (int64_t a = 0; a < tables->actives; a++) {
    const int64_t k = tables->active[a];
    if (single) {
      const BfContextSpace *x = &space->context[from];
      (*rows)[a]              = tables->next[x->shape] + k * x->measures;
      continue;
    }
    int32_t *row = *memory + a * size;
    (*rows)[a]   = row;
    int64_t stride = size;
    for (int64_t s = from; s < to; s++) {
      const BfContextSpace *x    = &space->context[s];
      const int32_t        *next = tables->next[x->shape] + k * x->measures;
      stride /= x->measures;
      for (int64_t i = 0; i < size; i++) row[i] += (int32_t)(stride * next[i / stride % x->measures]);
    }
  }
  return BF_OK;
}

/* The distinct successors within every block of mids: each needs one permuted row. */
static BfStatus find_images(BfPlan *plan, BfError *error) {
  int32_t *seen; /* [mids] 1 + slot in the current block of that successor */
  BF_TRY(BF_NEW(&plan->slot, plan->actives * plan->mids, error));
  BF_TRY(BF_NEW(&plan->image, plan->actives * plan->mids, error));
  BF_TRY(BF_NEW(&plan->images, plan->actives * plan->blocks, error));
  BF_TRY(BF_NEW(&seen, plan->mids, error));
  for (int64_t a = 0; a < plan->actives; a++)
    for (int64_t b = 0; b < plan->blocks; b++) {
      const int64_t first = b * plan->block_mids;
      const int64_t last  = first + plan->block_mids < plan->mids ? first + plan->block_mids : plan->mids;
      int32_t      *image = plan->image + a * plan->mids + first, count = 0;
      for (int64_t m = first; m < last; m++) {
        const int32_t next = plan->mid_next[a][m];
        if (!seen[next]) {
          image[count] = next;
          seen[next]   = ++count;
        }
        plan->slot[a * plan->mids + m] = seen[next] - 1;
      }
      plan->images[a * plan->blocks + b] = count;
      for (int32_t i = 0; i < count; i++) seen[image[i]] = 0;
    }
  bf_free(seen);
  return BF_OK;
}

static BfStatus build(const BfFullSpace *space, const BfTables *tables, const BfActions *actions, BfPlan *plan,
                      BfError *error) {
  plan->lane_context = group_from(space, space->contexts, LEAST_LANES, &plan->lanes);
  plan->mid_context  = group_from(space, plan->lane_context, LEAST_MIDS, &plan->mids);
  plan->outers       = space->measures / plan->lanes / plan->mids;
  plan->block_mids   = plan->mids < MOST_BLOCK_MIDS ? plan->mids : MOST_BLOCK_MIDS;
  plan->blocks       = (plan->mids + plan->block_mids - 1) / plan->block_mids;
  plan->groups_outer = plan->mids > 1 ? plan->blocks : (plan->lanes + BF_LANE_BLOCK - 1) / BF_LANE_BLOCK;
  plan->groups       = plan->outers * plan->groups_outer;
  if (plan->lanes > INT32_MAX || plan->mids > INT32_MAX)
    return bf_fail(error, BF_BAD_INPUT, "a context has more than 2^31 measures: use -space reachable");
  BF_TRY(merge(space, tables, plan->lane_context, space->contexts, plan->lanes, &plan->lane_next, &plan->lane_memory, error));
  BF_TRY(merge(space, tables, plan->mid_context, plan->lane_context, plan->mids, &plan->mid_next, &plan->mid_memory, error));
  BF_TRY(find_images(plan, error));
  BF_TRY(BF_NEW(&plan->stage, plan->actives, error));
  for (int64_t a = 0; a < plan->actives; a++) plan->stage[a] = actions->stage[tables->active[a]];
  return BF_OK;
}

BfStatus bf_plan_create(const BfFullSpace *space, const BfTables *tables, const BfActions *actions, BfPlan *plan,
                        BfError *error) {
  *plan                 = (BfPlan){.space = space, .actives = tables->actives, .number = tables->active};
  const BfStatus status = build(space, tables, actions, plan, error);
  if (status != BF_OK) bf_plan_clear(plan);
  return status;
}

void bf_plan_clear(BfPlan *plan) {
  bf_free(plan->stage);
  bf_free(plan->lane_next);
  bf_free(plan->mid_next);
  bf_free(plan->lane_memory);
  bf_free(plan->mid_memory);
  bf_free(plan->slot);
  bf_free(plan->image);
  bf_free(plan->images);
  *plan = (BfPlan){0};
}

int64_t bf_plan_start(const BfPlan *plan, int64_t group) {
  const int64_t outer = group / plan->groups_outer, in = group % plan->groups_outer;
  const int64_t each = plan->mids > 1 ? plan->block_mids * plan->lanes : BF_LANE_BLOCK;
  return outer * plan->mids * plan->lanes + in * each;
}

void bf_plan_base(const BfPlan *plan, const BfTables *tables, int64_t outer, int64_t base[]) {
  for (int64_t a = 0; a < plan->actives; a++) base[a] = 0;
  int64_t rest = plan->outers;
  for (int64_t s = 0; s < plan->mid_context; s++) {
    const BfContextSpace *x    = &plan->space->context[s];
    const int32_t        *next = tables->next[x->shape];
    rest /= x->measures;
    const int64_t j = outer / rest % x->measures;
    for (int64_t a = 0; a < plan->actives; a++) base[a] += x->stride * next[plan->number[a] * x->measures + j];
  }
}
