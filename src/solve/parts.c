#include "solve/parts.h"
#include "bellformer/splitmix64.h"

#include <string.h>

static int64_t blocks(int64_t count) { return (count + BF_LANES - 1) / BF_LANES; }

/* Whether so many distinct ones of so many actions are few enough. */
static bool pays(int64_t distinct, int64_t actions) { return 2 * blocks(distinct) <= blocks(actions); }

/* ---- which are the same ----------------------------------------------------------------------------------------- */

/* Entry e of an action's part. */
static const double *entry_of(const BfActionParameters *actions, const BfActionPart *part, int64_t k, int e) {
  return actions->parameters + k / BF_LANES * actions->size + (part->at + e) * (int64_t)BF_LANES + k % BF_LANES;
}

static uint64_t hash(const BfActionParameters *actions, const BfActionPart *part, int64_t k) {
  uint64_t h = 0;
  for (int e = 0; e < part->entries; e++) {
    uint64_t bits;
    memcpy(&bits, entry_of(actions, part, k, e), sizeof bits);
    h ^= bits;
    h = bf_splitmix64(&h);
  }
  return h;
}

static bool same(const BfActionParameters *actions, const BfActionPart *part, int64_t k, int64_t other) {
  for (int e = 0; e < part->entries; e++)
    if (memcmp(entry_of(actions, part, k, e), entry_of(actions, part, other, e), sizeof(double))) return false;
  return true;
}

/* Numbers the distinct ones in the order in which they come; table: [slots] of open addressing, action + 1 of the first
 * that has one. Stops where they are too many. */
static void number(const BfActionParameters *actions, int64_t K, BfActionPart *part, int32_t *table, int64_t slots) {
  for (int64_t k = 0; k < K && pays(part->count, K); k++) {
    int64_t at = (int64_t)(hash(actions, part, k) & (uint64_t)(slots - 1));
    while (table[at] && !same(actions, part, k, table[at] - 1)) at = (at + 1) & (slots - 1);
    if (!table[at]) table[at] = (int32_t)k + 1;
    part->of[k] = table[at] == k + 1 ? (int32_t)part->count++ : part->of[table[at] - 1];
  }
}

static BfStatus find(BfActionParts *x, BfActionPart *part, BfError *error) {
  const int64_t K     = x->problem->actions;
  int64_t       slots = 16;
  int32_t      *table;
  while (slots < 2 * K) slots *= 2;
  BF_TRY(BF_NEW(&part->of, K, error));
  BF_TRY(BF_NEW(&table, slots, error));
  number(x->actions, K, part, table, slots);
  bf_free(table);
  return BF_OK;
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

static void clear_part(BfActionPart *part) {
  bf_free(part->of);
  bf_free(part->place);
  bf_free(part->kept);
  bf_free(part->entry);
  bf_free(part->value);
  bf_free(part->gathered);
  *part = (BfActionPart){0};
}

static int64_t most_slots(const BfProblem *problem) {
  int64_t most = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++)
    if (problem->context[s].slots > most) most = problem->context[s].slots;
  return most;
}

static BfStatus make_room(const BfProblem *problem, int64_t bytes, BfActionPart *part, BfError *error) {
  const int64_t slots = most_slots(problem), block = slots * part->each * BF_LANES,
                fits = bytes / (block * (int64_t)sizeof(double)) * BF_LANES, all = blocks(part->count) * BF_LANES;
  part->room = fits < BF_LANES ? BF_LANES : fits < all ? fits : all;
  BF_TRY(BF_NEW(&part->place, part->count, error));
  BF_TRY(BF_NEW(&part->kept, part->room, error));
  BF_TRY(BF_NEW(&part->entry, part->room * part->entries, error));
  BF_TRY(BF_NEW(&part->value, part->room / BF_LANES * block, error));
  BF_TRY(BF_NEW(&part->gathered, block, error));
  for (int64_t i = 0; i < part->count; i++) part->place[i] = -1;
  return BF_OK;
}

/* Looks for what actions share in one more part, and gives it up where they do not. */
static BfStatus add(BfActionParts *x, int64_t bytes, const BfActionPart *of, BfError *error) {
  BfActionPart *part = &x->part[x->count++];
  *part              = *of;
  BF_TRY(find(x, part, error));
  if (pays(part->count, x->problem->actions)) return make_room(x->problem, bytes, part, error);
  clear_part(part);
  x->count--;
  return BF_OK;
}

BfStatus bf_action_parts_create(const BfProblem *problem, const BfActionParameters *actions, int64_t bytes,
                                BfActionParts *all, BfError *error) {
  const BfLayer *layer = &problem->layer;
  const int      d = layer->dim, inner = bf_layer_inner(layer);
  *all = (BfActionParts){.problem = problem, .actions = actions};
  BF_TRY(BF_NEW(&all->part, layer->heads + 1, error));
  BF_TRY(BF_NEW(&all->mean, layer->heads + 1, error));
  for (int h = 0; h < layer->heads; h++)
    BF_TRY(add(all, bytes, &(BfActionPart){.head = h, .at = bf_attention_A(layer, h), .entries = d * d, .each = d},
               error));
  if (inner < 0) return BF_OK;
  return add(all, bytes,
             &(BfActionPart){.head = -1, .at = inner, .entries = layer->width * (d + 1), .each = layer->width}, error);
}

void bf_action_parts_clear(BfActionParts *all) {
  for (int p = 0; p < all->count; p++) clear_part(&all->part[p]);
  bf_free(all->part);
  bf_free(all->mean);
  *all = (BfActionParts){0};
}

/* ---- a range of actions ----------------------------------------------------------------------------------------- */

static void forget(BfActionPart *part) {
  for (int64_t i = 0; i < part->used; i++) part->place[part->kept[i]] = -1;
  part->used = 0;
}

/* Keeps those of a range's actions, up to its end or the first block that does not fit: returns where. */
static int64_t keep(BfActionPart *part, int64_t from, int64_t to) {
  for (int64_t k = from; k < to; k++) {
    if (part->place[part->of[k]] >= 0) continue;
    if (part->used == part->room) return k / BF_LANES * BF_LANES;
    part->kept[part->used]   = part->of[k];
    part->place[part->of[k]] = (int32_t)part->used++;
  }
  return to;
}

/* The numbers of those that are kept, in lanes; the last block repeats the last one. */
static void load(const BfActionParameters *actions, BfActionPart *part, int64_t from, int64_t to) {
  for (int64_t k = from; k < to; k++) {
    const int64_t i = part->place[part->of[k]];
    for (int e = 0; e < part->entries; e++)
      part->entry[(i / BF_LANES * part->entries + e) * BF_LANES + i % BF_LANES] = *entry_of(actions, part, k, e);
  }
  for (int64_t i = part->used; i % BF_LANES; i++)
    for (int e = 0; e < part->entries; e++) {
      double *lanes       = &part->entry[(i / BF_LANES * part->entries + e) * BF_LANES];
      lanes[i % BF_LANES] = lanes[(part->used - 1) % BF_LANES];
    }
}

int64_t bf_action_parts_range(BfActionParts *all, int64_t from, int64_t to) {
  if (from == all->from && to == all->to) return all->end;
  int64_t end = to, was;
  do { /* until no part is kept that lies behind the end */
    was = end;
    for (int p = 0; p < all->count; p++) {
      forget(&all->part[p]);
      end = keep(&all->part[p], from, end);
    }
  } while (end < was);
  for (int p = 0; p < all->count; p++)
    if (pays(all->part[p].used, end - from)) load(all->actions, &all->part[p], from, end);
    else forget(&all->part[p]);
  all->from       = from;
  all->to         = to;
  return all->end = end;
}

/* ---- on a law --------------------------------------------------------------------------------------------------- */

void bf_action_parts_evaluate(BfActionParts *all, const BfContext *law, BfScratch *scratch) {
  const BfLayer *layer = &all->problem->layer;
  const int64_t  asked = bf_asked_to(law) - bf_asked_from(law);
  for (int p = 0; p < all->count; p++) {
    BfActionPart *part = &all->part[p];
    for (int64_t b = 0; b < blocks(part->used); b++)
      (part->head < 0 ? bf_layer_hidden : bf_layer_means)(layer, law, part->entry + b * part->entries * BF_LANES,
                                                          scratch->z, part->value + b * asked * part->each * BF_LANES,
                                                          scratch->work);
    part->lane[0] = -1;
  }
}

/* What a block's actions have of a part, lane by lane: as it is kept, or copied together where the block before had
 * something else. */
static const double *gather(const BfActionParts *all, BfActionPart *part, int64_t k, int asked) {
  const int64_t K = all->problem->actions, block = (int64_t)asked * part->each * BF_LANES;
  const double *from[BF_LANES];
  int32_t       lane[BF_LANES];
  bool          kept = true, one = true;
  for (int l = 0; l < BF_LANES; l++) {
    lane[l] = part->place[part->of[k + l < K ? k + l : K - 1]];
    from[l] = part->value + lane[l] / BF_LANES * block + lane[l] % BF_LANES;
    kept    = kept && lane[l] == lane[0] + l && lane[0] % BF_LANES == 0;
    one     = one && lane[l] == lane[0];
  }
  if (kept) return from[0];
  if (!memcmp(lane, part->lane, sizeof lane)) return part->gathered;
  memcpy(part->lane, lane, sizeof lane);
  for (int64_t i = 0; one && i < block; i += BF_LANES)
    for (int l = 0; l < BF_LANES; l++) part->gathered[i + l] = from[0][i];
  for (int64_t i = 0; !one && i < block; i += BF_LANES)
    for (int l = 0; l < BF_LANES; l++) part->gathered[i + l] = from[l][i];
  return part->gathered;
}

void bf_action_parts_apply(BfActionParts *all, int64_t k, const BfContext *law, BfScratch *scratch) {
  const BfActionParameters *actions = all->actions;
  BfKnownParts              known   = {.mean = all->mean};
  for (int h = 0; h < all->problem->layer.heads; h++) all->mean[h] = NULL;
  for (int p = 0; p < all->count; p++) {
    BfActionPart *part = &all->part[p];
    if (!part->used) continue;
    *(part->head < 0 ? &known.hidden : &all->mean[part->head]) =
        gather(all, part, k, bf_asked_to(law) - bf_asked_from(law));
  }
  bf_layer_apply_known(&all->problem->layer, law, &known, actions->parameters + k / BF_LANES * actions->size,
                       scratch->z, scratch->next, scratch->work);
}
