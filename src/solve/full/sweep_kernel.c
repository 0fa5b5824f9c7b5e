#include "layer/kernels.h"
#include "layer/lanes.h"
#include "solve/full/sweep_kernel.h"

typedef struct {
  int64_t block, first, mids; /* of the block */
  int64_t lane0, lanes;       /* of the tile */
  int64_t vectors, stride;    /* of a row */
} Tile;

BF_INLINE Tile tile_of(const BfPlan *plan, int64_t block, int64_t lane0, int64_t lane1) {
  Tile e    = {.block = block, .first = block * plan->block_mids, .lane0 = lane0, .lanes = lane1 - lane0, .stride = plan->tile};
  e.mids    = plan->mids - e.first < plan->block_mids ? plan->mids - e.first : plan->block_mids;
  e.vectors = (e.lanes + BF_LANES - 1) / BF_LANES;
  return e;
}

static void start(const Tile *e, BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++) {
    BfLane    *best = (BfLane *)(work->best + m * e->stride);
    BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * e->stride);
    for (int64_t v = 0; v < e->vectors; v++) {
      best[v] = lane_set(__builtin_inf());
      id[v]   = (BfLaneInt){0};
    }
  }
}

/* c + V, permuted, for each distinct successor of the block's mids. Entries behind the last lane repeat it. */
static void permute(const BfPlan *plan, const Tile *e, int64_t a, const double *V, double *rows) {
  const int32_t *lane_next = plan->lane_next[a] + e->lane0;
  const int32_t *image     = plan->image + a * plan->mids + e->first;
  const int32_t  images    = plan->images[a * plan->blocks + e->block];
  const double   c         = plan->stage[a];
  for (int32_t i = 0; i < images; i++) {
    const double *from = V + image[i] * plan->lanes;
    double       *to   = rows + i * e->stride;
    for (int64_t l = 0; l < e->lanes; l++) to[l] = c + from[lane_next[l]];
    for (int64_t l = e->lanes; l < e->vectors * BF_LANES; l++) to[l] = to[e->lanes - 1];
  }
}

/* The minimum over a chunk of actions, for all mids of the block. size: doubles between the rows of two actions. */
BF_INLINE void minimize(const int64_t vectors, const BfPlan *plan, const Tile *e, int64_t a0, int64_t size, BfSweepWork *work) {
  const uint16_t *slot = plan->slot + (a0 / BF_CHUNK * plan->mids + e->first) * BF_CHUNK;
  const int64_t   last = plan->actives - 1;
  const double   *rows[BF_CHUNK]; /* the last chunk repeats its first action */
  for (int c = 0; c < BF_CHUNK; c++) rows[c] = work->rows + (a0 + c <= last ? c : 0) * size;
  for (int64_t m = 0; m < e->mids; m++, slot += BF_CHUNK) {
    const BfLane *row[BF_CHUNK];
    for (int c = 0; c < BF_CHUNK; c++) row[c] = (const BfLane *)(rows[c] + slot[c] * e->stride);
    BfLane    *best = (BfLane *)(work->best + m * e->stride);
    BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * e->stride);
    for (int64_t v = 0; v < vectors; v++) {
      BfLane least = row[0][v];
      for (int c = 1; c < BF_CHUNK; c++) least = lane_min(row[c][v], least);
      lane_keep_less(least, a0, &best[v], &id[v]);
    }
  }
}

/* Values, and the smallest action that attains each: the first within the chunk that was less than all before it. */
static void finish(const BfPlan *plan, const Tile *e, const int64_t *base, const double *V, double *value, int32_t *policy,
                   const BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++)
    for (int64_t l = 0; l < e->lanes; l++) {
      const double best = work->best[m * e->stride + l];
      int64_t      a    = work->chunk[m * e->stride + l];
      while (plan->stage[a] + V[base[a] + bf_plan_mid(plan, a, e->first, m) * plan->lanes + plan->lane_next[a][e->lane0 + l]] != best)
        a++;
      value[m * plan->lanes + e->lane0 + l]  = best;
      policy[m * plan->lanes + e->lane0 + l] = plan->number[a];
    }
}

void BF_KERNEL(bf_sweep_block)(const BfPlan *plan, const int64_t *base, const double *V, int64_t block, int64_t lane0,
                               int64_t lane1, double *value, int32_t *policy, BfSweepWork *work) {
  const Tile    e    = tile_of(plan, block, lane0, lane1);
  const int64_t size = plan->block_mids * plan->tile;
  start(&e, work);
  for (int64_t a0 = 0; a0 < plan->actives; a0 += BF_CHUNK) {
    for (int64_t c = 0; c < BF_CHUNK && a0 + c < plan->actives; c++)
      permute(plan, &e, a0 + c, V + base[a0 + c], work->rows + c * size);
    if (e.vectors == 4) minimize(4, plan, &e, a0, size, work);
    else minimize(e.vectors, plan, &e, a0, size, work);
  }
  finish(plan, &e, base, V, value, policy, work);
}

/* ---- the last layer --------------------------------------------------------------------------------------------- */

/* Left to right over the outer and mid contexts, for every mid of the block. */
static void sum_before(const BfPlan *plan, const BfLastTerms *t, const Tile *e, int64_t a, double *before) {
  for (int64_t m = 0; m < e->mids; m++) before[m] = t->outer[a];
  for (int64_t s = plan->mid_context; s < plan->lane_context; s++) {
    const BfContextSpace *x     = &plan->space->context[s];
    const int32_t        *next  = plan->tables->next[x->shape] + plan->number[a] * x->measures;
    const int32_t        *digit = plan->digit + (s - plan->mid_context) * plan->mids + e->first;
    const double         *g     = t->mid[s - plan->mid_context];
    for (int64_t m = 0; m < e->mids; m++) before[m] += g[next[digit[m]]];
  }
}

BF_INLINE void minimize_last(const int64_t vectors, const BfPlan *plan, const BfLastTerms *t, const Tile *e, int64_t a0,
                             BfSweepWork *work) {
  const BfLane *lane[BF_CHUNK];
  BfLane        stage[BF_CHUNK];
  for (int c = 0; c < BF_CHUNK; c++) {
    const int64_t a = a0 + c < plan->actives ? a0 + c : a0;
    lane[c]         = (const BfLane *)(t->lane + a * t->padded + e->lane0);
    stage[c]        = lane_set(plan->stage[a]);
  }
  for (int64_t m = 0; m < e->mids; m++) {
    BfLane before[BF_CHUNK];
    for (int c = 0; c < BF_CHUNK; c++)
      before[c] = lane_set(work->rows[(a0 + c < plan->actives ? c : 0) * plan->block_mids + m]);
    BfLane    *best = (BfLane *)(work->best + m * e->stride);
    BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * e->stride);
    for (int64_t v = 0; v < vectors; v++) {
      BfLane least = stage[0] + (before[0] + lane[0][v]);
      for (int c = 1; c < BF_CHUNK; c++) least = lane_min(stage[c] + (before[c] + lane[c][v]), least);
      lane_keep_less(least, a0, &best[v], &id[v]);
    }
  }
}

static double before_lane(const BfPlan *plan, const BfLastTerms *t, int64_t a, int64_t mid) {
  double sum = t->outer[a];
  for (int64_t s = plan->mid_context; s < plan->lane_context; s++) {
    const BfContextSpace *x    = &plan->space->context[s];
    const int32_t        *next = plan->tables->next[x->shape] + plan->number[a] * x->measures;
    sum += t->mid[s - plan->mid_context][next[plan->digit[(s - plan->mid_context) * plan->mids + mid]]];
  }
  return sum;
}

static void finish_last(const BfPlan *plan, const BfLastTerms *t, const Tile *e, double *value, int32_t *policy,
                        const BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++)
    for (int64_t l = 0; l < e->lanes; l++) {
      const double best = work->best[m * e->stride + l];
      int64_t      a    = work->chunk[m * e->stride + l];
      while (plan->stage[a] + (before_lane(plan, t, a, e->first + m) + t->lane[a * t->padded + e->lane0 + l]) != best) a++;
      value[m * plan->lanes + e->lane0 + l]  = best;
      policy[m * plan->lanes + e->lane0 + l] = plan->number[a];
    }
}

void BF_KERNEL(bf_sweep_last)(const BfPlan *plan, const BfLastTerms *t, int64_t block, int64_t lane0, int64_t lane1,
                              double *value, int32_t *policy, BfSweepWork *work) {
  const Tile e = tile_of(plan, block, lane0, lane1);
  start(&e, work);
  for (int64_t a0 = 0; a0 < plan->actives; a0 += BF_CHUNK) {
    for (int64_t c = 0; c < BF_CHUNK && a0 + c < plan->actives; c++)
      sum_before(plan, t, &e, a0 + c, work->rows + c * plan->block_mids);
    if (e.vectors == 4) minimize_last(4, plan, t, &e, a0, work);
    else minimize_last(e.vectors, plan, t, &e, a0, work);
  }
  finish_last(plan, t, &e, value, policy, work);
}
