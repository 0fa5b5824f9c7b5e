#include "solve/full/plan.h"

#include <stdlib.h>

/* A tile of a block's values (16 bytes a measure) and the permuted rows behind it (8 bytes an entry, BF_CHUNK actions)
 * share an L2 of a megabyte; wide tiles read a row of V but once. Mids of two contexts together share more rows than
 * those of one do, at 6 bytes a mid and action a rank. */
enum { LEAST_LANES = 64, LEAST_MIDS = 32, TILE = 128, GROUPS_A_RANK = 8 };
static const int64_t MOST_MID_BYTES = 32 << 20;

/* Take contexts from `end` backwards until their measures reach `least`; all that is left if they never do. */
static int64_t group_from(const BfFullSpace *space, int64_t end, int64_t least, int64_t *size) {
  *size = 1;
  while (end > 0 && *size < least) *size *= space->context[--end].measures;
  return end;
}

/* Take more contexts while the block of mids is not full and what is kept of them stays small. */
static int64_t extend(const BfFullSpace *space, int64_t begin, int64_t actives, int64_t *size) {
  while (begin > 0 && *size < BF_MOST_BLOCK_MIDS) {
    const int64_t more = space->context[begin - 1].measures;
    if ((double)*size * (double)more * (double)actives * 6 > (double)MOST_MID_BYTES) break;
    *size *= more;
    begin--;
  }
  return begin;
}

/* Successors of the joint measures of contexts from .. to-1 under action k. */
static void join(const BfFullSpace *space, const BfTables *tables, int64_t from, int64_t to, int64_t size, int64_t k,
                 int32_t row[]) {
  int64_t stride = size;
  for (int64_t i = 0; i < size; i++) row[i] = 0;
  for (int64_t s = from; s < to; s++) {
    const BfContextSpace *x    = &space->context[s];
    const int32_t        *next = tables->next[x->shape] + k * x->measures;
    stride /= x->measures;
    for (int64_t i = 0; i < size; i++) row[i] += (int32_t)(stride * next[i / stride % x->measures]);
  }
}

static BfStatus join_lanes(BfPlan *plan, BfError *error) {
  const int64_t from = plan->lane_context, to = plan->space->contexts;
  BF_TRY(BF_NEW(&plan->walk.lane_next, plan->walk.actives, error));
  if (!plan->tables->shapes) return BF_OK;
  if (to - from > 1) BF_TRY(BF_NEW(&plan->lane_memory, plan->walk.actives * plan->walk.lanes, error));
  for (int64_t a = 0; a < plan->walk.actives; a++) {
    const BfContextSpace *x = &plan->space->context[from];
    plan->walk.lane_next[a] = plan->tables->next[x->shape] + plan->walk.number[a] * x->measures;
    if (!plan->lane_memory) continue;
    join(plan->space, plan->tables, from, to, plan->walk.lanes, plan->walk.number[a],
         plan->lane_memory + a * plan->walk.lanes);
    plan->walk.lane_next[a] = plan->lane_memory + a * plan->walk.lanes;
  }
  return BF_OK;
}

static int by_number(const void *x, const void *y) {
  const int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;
  return (a > b) - (a < b);
}

/* The distinct successors within a block of mids under one action, increasing, as they lie in memory: each needs one
 * permuted row. seen[mids] is zero before and after. */
static void find_images(BfPlan *plan, int64_t a, int64_t b, const int32_t next[], int32_t seen[]) {
  const int64_t first = b * plan->walk.block_mids;
  const int64_t last =
      first + plan->walk.block_mids < plan->walk.mids ? first + plan->walk.block_mids : plan->walk.mids;
  int32_t *image = plan->walk.image + a * plan->walk.mids + first, count = 0;
  for (int64_t m = first; m < last; m++) {
    if (!seen[next[m]]) image[count++] = next[m];
    seen[next[m]] = 1;
  }
  qsort(image, (size_t)count, sizeof *image, by_number);
  for (int32_t i = 0; i < count; i++) seen[image[i]] = i;
  for (int64_t m = first; m < last; m++)
    plan->walk.slot[(a / BF_CHUNK * plan->walk.mids + m) * BF_CHUNK + a % BF_CHUNK] = (uint16_t)seen[next[m]];
  plan->walk.images[a * plan->walk.blocks + b] = count;
  for (int32_t i = 0; i < count; i++) seen[image[i]] = 0;
}

static BfStatus join_mids(BfPlan *plan, BfError *error) {
  int32_t *seen = NULL, *next = NULL;
  BfStatus status;
  BF_GOTO(BF_NEW(&plan->walk.slot, plan->chunks * BF_CHUNK * plan->walk.mids, error));
  BF_GOTO(BF_NEW(&plan->walk.image, plan->walk.actives * plan->walk.mids, error));
  BF_GOTO(BF_NEW(&plan->walk.images, plan->walk.actives * plan->walk.blocks, error));
  BF_GOTO(BF_NEW(&seen, plan->walk.mids, error));
  BF_GOTO(BF_NEW(&next, plan->walk.mids, error));
  for (int64_t a = 0; a < plan->walk.actives; a++) {
    join(plan->space, plan->tables, plan->mid_context, plan->lane_context, plan->walk.mids, plan->walk.number[a], next);
    for (int64_t b = 0; b < plan->walk.blocks; b++) find_images(plan, a, b, next, seen);
  }
  for (int64_t a = plan->walk.actives; a < plan->chunks * BF_CHUNK; a++)
    for (int64_t m = 0; m < plan->walk.mids; m++) {
      uint16_t *slot     = plan->walk.slot + (a / BF_CHUNK * plan->walk.mids + m) * BF_CHUNK;
      slot[a % BF_CHUNK] = slot[0];
    }
done:
  bf_free(seen);
  bf_free(next);
  return status;
}

static BfStatus find_digits(BfPlan *plan, BfError *error) {
  BF_TRY(BF_NEW(&plan->digit, (plan->lane_context - plan->mid_context) * plan->walk.mids, error));
  int64_t stride = plan->walk.mids;
  for (int64_t s = plan->mid_context; s < plan->lane_context; s++) {
    int32_t *digit = plan->digit + (s - plan->mid_context) * plan->walk.mids;
    stride /= plan->space->context[s].measures;
    for (int64_t m = 0; m < plan->walk.mids; m++) digit[m] = (int32_t)(m / stride % plan->space->context[s].measures);
  }
  return BF_OK;
}

/* A block of mids ends with its last context where that is not too large for one. Where such blocks are too few for the
 * ranks, smaller ones share fewer rows but leave no rank idle. */
static void cut_blocks(BfPlan *plan, int ranks) {
  const int64_t last =
      plan->lane_context > plan->mid_context ? plan->space->context[plan->lane_context - 1].measures : 1;
  const int64_t whole   = last <= BF_MOST_BLOCK_MIDS ? BF_MOST_BLOCK_MIDS / last * last : BF_MOST_BLOCK_MIDS;
  const int64_t lanes   = (plan->walk.lanes + BF_LANES - 1) / BF_LANES * BF_LANES;
  const int64_t tile    = plan->walk.mids > 1 ? TILE : BF_LANE_BLOCK;
  plan->walk.block_mids = plan->walk.mids < whole ? plan->walk.mids : whole;
  while (plan->walk.block_mids > 1 &&
         plan->outers * ((plan->walk.mids + plan->walk.block_mids - 1) / plan->walk.block_mids) < GROUPS_A_RANK * ranks)
    plan->walk.block_mids = (plan->walk.block_mids + 1) / 2;
  plan->walk.blocks  = (plan->walk.mids + plan->walk.block_mids - 1) / plan->walk.block_mids;
  plan->walk.tile    = lanes < tile ? lanes : tile;
  plan->groups_outer = plan->walk.mids > 1 ? plan->walk.blocks : (plan->walk.lanes + BF_LANE_BLOCK - 1) / BF_LANE_BLOCK;
  plan->groups       = plan->outers * plan->groups_outer;
}

static BfStatus build(const BfActionParameters *actions, int ranks, BfPlan *plan, BfError *error) {
  const BfFullSpace *space = plan->space;
  plan->lane_context       = group_from(space, space->contexts, LEAST_LANES, &plan->walk.lanes);
  plan->mid_context        = group_from(space, plan->lane_context, LEAST_MIDS, &plan->walk.mids);
  plan->mid_context        = extend(space, plan->mid_context, plan->walk.actives, &plan->walk.mids);
  plan->outers             = space->measures / plan->walk.lanes / plan->walk.mids;
  plan->chunks             = (plan->walk.actives + BF_CHUNK - 1) / BF_CHUNK;
  cut_blocks(plan, ranks);
  BF_TRY(join_lanes(plan, error));
  BF_TRY(join_mids(plan, error));
  BF_TRY(find_digits(plan, error));
  BF_TRY(BF_NEW(&plan->walk.stage, plan->walk.actives, error));
  for (int64_t a = 0; a < plan->walk.actives; a++) plan->walk.stage[a] = actions->stage[plan->walk.number[a]];
  return BF_OK;
}

BfStatus bf_plan_create(const BfFullSpace *space, const BfTables *tables, const BfActionParameters *actions, int ranks,
                        BfPlan *plan, BfError *error) {
  *plan = (BfPlan){.space = space, .tables = tables, .walk = {.actives = tables->actives, .number = tables->active}};
  const BfStatus status = build(actions, ranks, plan, error);
  if (status != BF_OK) bf_plan_clear(plan);
  return status;
}

void bf_plan_clear(BfPlan *plan) {
  bf_free(plan->walk.stage);
  bf_free(plan->walk.lane_next);
  bf_free(plan->lane_memory);
  bf_free(plan->walk.slot);
  bf_free(plan->walk.image);
  bf_free(plan->walk.images);
  bf_free(plan->digit);
  *plan = (BfPlan){0};
}

int64_t bf_plan_start(const BfPlan *plan, int64_t group) {
  const int64_t outer = group / plan->groups_outer, in = group % plan->groups_outer;
  const int64_t each = plan->walk.mids > 1 ? plan->walk.block_mids * plan->walk.lanes : BF_LANE_BLOCK;
  return outer * plan->walk.mids * plan->walk.lanes + in * each;
}

void bf_plan_base(const BfPlan *plan, int64_t outer, int64_t base[]) {
  for (int64_t a = 0; a < plan->walk.actives; a++) base[a] = 0;
  int64_t rest = plan->outers;
  for (int64_t s = 0; s < plan->mid_context; s++) {
    const BfContextSpace *x    = &plan->space->context[s];
    const int32_t        *next = plan->tables->next[x->shape];
    rest /= x->measures;
    const int64_t j = outer / rest % x->measures;
    for (int64_t a = 0; a < plan->walk.actives; a++)
      base[a] += x->stride * next[plan->walk.number[a] * x->measures + j];
  }
}
