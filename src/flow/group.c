/* Sequences into blocks of eight lanes, blocks into groups: the same on any number of ranks, which then share the
 * groups. */
#include "flow/flow.h"
#include <stdlib.h>
#include <string.h>

/* Doubles of a group's state: enough that a step of TS costs little beside its evaluation, few enough to stay in L2. */
enum { GROUP_SIZE = 4096 };

/* ---- sequences of one shape ------------------------------------------------------------------------------------- */

typedef struct {
  const BfContext *context;
  int64_t          s;
} Entry;

static int compare_shape(const BfContext *a, const BfContext *b) {
  if (a->slots != b->slots) return a->slots < b->slots ? -1 : 1;
  for (int g = 0, h = 0, i = 0; i < a->slots; i++) {
    while (a->first[g + 1] <= i) g++;
    while (b->first[h + 1] <= i) h++;
    if (a->position[g] != b->position[h]) return a->position[g] < b->position[h] ? -1 : 1;
  }
  return 0;
}

static int compare(const void *x, const void *y) {
  const Entry *a = x, *b = y;
  const int    shape = compare_shape(a->context, b->context);
  return shape ? shape : a->s < b->s ? -1 : a->s > b->s;
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

static BfStatus fill_block(const BfFlow *flow, const Entry entry[], int contexts, BfLayout layout, BfFlowBlock *b,
                           BfError *error) {
  const BfData    *data = flow->data;
  const BfContext *c    = entry[0].context;
  const int        n = c->slots, rows = layout == BF_LANES_OF_TOKENS ? (n + BF_LANES - 1) / BF_LANES : n;
  BF_TRY(BF_NEW(&b->position, (int64_t)rows * BF_LANES, error));
  BF_TRY(BF_NEW(&b->token, (int64_t)rows * BF_LANES, error));
  BF_TRY(BF_NEW(&b->real, (int64_t)rows * BF_LANES, error));
  b->contexts = contexts;
  for (int l = 0; l < contexts; l++) b->context[l] = entry[l].s;
  int64_t tags[BF_LANES] = {0}; /* of each lane's sequence, up to now: slots run upwards */
  for (int i = 0; i < rows; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const int     at = i * BF_LANES + l, lane = layout == BF_LANES_OF_TOKENS || l >= contexts ? 0 : l;
      const int     slot = layout == BF_LANES_OF_TOKENS ? (at < n ? at : 0) : i;
      const int64_t s = entry[lane].s, first = data->context_first[s];
      int64_t       tag = slot ? tags[lane] : first;
      while (data->tag_first[tag + 1] - data->tag_first[first] <= slot) tag++;
      tags[lane]      = tag;
      b->token[at]    = data->tag_first[first] + slot;
      b->position[at] = data->position[tag];
      b->real[at]     = layout == BF_LANES_OF_TOKENS ? at < n : l < contexts;
    }
  b->block = (BfBlock){rows, n, layout, b->position};
  return BF_OK;
}

/* A row and key cost the same in both layouts: eight sequences abreast, or one of them eight tokens at a time. */
static BfLayout layout_of(int contexts, int tokens) {
  return 2 * contexts * ((tokens + BF_LANES - 1) / BF_LANES) <= tokens ? BF_LANES_OF_TOKENS : BF_LANES_OF_SEQUENCES;
}

static int blocks_of(int64_t count, int tokens) {
  const int rest = (int)(count % BF_LANES);
  return (int)(count / BF_LANES) + (rest ? (layout_of(rest, tokens) == BF_LANES_OF_TOKENS ? rest : 1) : 0);
}

static BfStatus fill_blocks(BfFlow *flow, const Entry entry[], int64_t count, BfFlowBlock *b, BfError *error) {
  const int tokens = entry[0].context->slots;
  for (int64_t at = 0; at < count;) {
    const int      left   = (int)(count - at < BF_LANES ? count - at : BF_LANES);
    const BfLayout layout = layout_of(left, tokens);
    const int      take   = layout == BF_LANES_OF_TOKENS ? 1 : left;
    BF_TRY(fill_block(flow, entry + at, take, layout, b++, error));
    at += take;
  }
  return BF_OK;
}

static BfStatus make_blocks(BfFlow *flow, BfError *error) {
  const int64_t S     = flow->data->contexts;
  Entry        *entry = NULL;
  BfStatus      status;
  int64_t       begin, blocks = 0;
  BF_GOTO(BF_NEW(&entry, S, error));
  for (int64_t s = 0; s < S; s++) entry[s] = (Entry){&flow->context[s], s};
  qsort(entry, (size_t)S, sizeof *entry, compare);
  for (int pass = 0; pass < 2; pass++) {
    if (pass) BF_GOTO(BF_NEW(&flow->block, flow->blocks = blocks, error));
    blocks = 0;
    for (begin = 0; begin < S;) {
      int64_t end = begin + 1;
      while (end < S && !compare_shape(entry[begin].context, entry[end].context)) end++;
      if (pass) BF_GOTO(fill_blocks(flow, entry + begin, end - begin, flow->block + blocks, error));
      blocks += blocks_of(end - begin, entry[begin].context->slots);
      begin = end;
    }
  }
done:
  bf_free(entry);
  return status;
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static int64_t block_size(const BfFlow *flow, const BfFlowBlock *b) {
  return (int64_t)b->block.rows * flow->problem->layer.dim * BF_LANES;
}

BfStatus bf_flow_group(BfFlow *flow, BfError *error) {
  BF_TRY(make_blocks(flow, error));
  BF_TRY(BF_NEW(&flow->group, flow->blocks, error));
  for (int64_t b = 0, g = 0; b < flow->blocks; g++) {
    BfFlowGroup group = {.block = &flow->block[b]};
    while (b < flow->blocks && (!group.blocks || group.size + block_size(flow, &flow->block[b]) <= GROUP_SIZE)) {
      flow->block[b].offset = group.size;
      group.size += block_size(flow, &flow->block[b++]);
      group.blocks++;
    }
    if (g % flow->run->size == flow->run->rank) flow->group[flow->groups++] = group;
    flow->all_groups = g + 1;
  }
  return BF_OK;
}

void bf_flow_ungroup(BfFlow *flow) {
  for (int64_t b = 0; flow->block && b < flow->blocks; b++) {
    bf_free(flow->block[b].position);
    bf_free(flow->block[b].token);
    bf_free(flow->block[b].real);
  }
  bf_free(flow->block);
  bf_free(flow->group);
}
