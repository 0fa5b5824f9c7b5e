#include "layer/kernels.h"
#include "layer/lanes.h"
#include "solve/full/sweep_kernel.h"

enum { VECTORS = BF_LANE_BLOCK / BF_LANES };

typedef struct {
  int64_t first, mids;  /* of the block */
  int64_t lane0, lanes; /* of the block of lanes */
  int64_t vectors;
} Extent;

BF_INLINE Extent extent(const BfPlan *plan, int64_t block, int64_t lane0, int64_t lane1) {
  Extent e = {.first = block * plan->block_mids, .lane0 = lane0, .lanes = lane1 - lane0};
  e.mids    = plan->mids - e.first < plan->block_mids ? plan->mids - e.first : plan->block_mids;
  e.vectors = (e.lanes + BF_LANES - 1) / BF_LANES;
  return e;
}

BF_INLINE void start(const Extent *e, BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++) {
    BfLane    *best = (BfLane *)(work->best + m * BF_LANE_BLOCK);
    BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * BF_LANE_BLOCK);
    for (int64_t v = 0; v < e->vectors; v++) {
      best[v] = lane_set(__builtin_inf());
      id[v]   = (BfLaneInt){0};
    }
  }
}

/* c + V, permuted, for each distinct successor of the block's mids. Entries behind the last lane repeat it. */
BF_INLINE void permute(const BfPlan *plan, const Extent *e, int64_t a, int64_t base, const double *V, int64_t block,
                       double *rows) {
  const int32_t *lane_next = plan->lane_next[a] + e->lane0;
  const int32_t *image     = plan->image + a * plan->mids + e->first;
  const int32_t  images    = plan->images[a * plan->blocks + block];
  const double   c         = plan->stage[a];
  for (int32_t i = 0; i < images; i++) {
    const double *from = V + base + image[i] * plan->lanes;
    double       *to   = rows + i * BF_LANE_BLOCK;
    for (int64_t l = 0; l < e->lanes; l++) to[l] = c + from[lane_next[l]];
    for (int64_t l = e->lanes; l < e->vectors * BF_LANES; l++) to[l] = to[e->lanes - 1];
  }
}

void BF_KERNEL(bf_sweep_block)(const BfPlan *plan, const int64_t *base, const double *V, int64_t block, int64_t lane0,
                               int64_t lane1, double *value, int32_t *policy, BfSweepWork *work) {
  const Extent  e       = extent(plan, block, lane0, lane1);
  const int64_t actives = plan->actives, size = plan->block_mids * BF_LANE_BLOCK;
  start(&e, work);
  for (int64_t a0 = 0; a0 < actives; a0 += BF_CHUNK) {
    const int64_t count = actives - a0 < BF_CHUNK ? actives - a0 : BF_CHUNK;
    for (int64_t c = 0; c < count; c++) permute(plan, &e, a0 + c, base[a0 + c], V, block, work->rows + c * size);
    for (int64_t m = 0; m < e.mids; m++) {
      const BfLane *row[BF_CHUNK]; /* a last, short chunk repeats its first action */
      for (int64_t c = 0; c < BF_CHUNK; c++) {
        const int64_t in = c < count ? c : 0;
        row[c] = (BfLane *)(work->rows + in * size + plan->slot[(a0 + in) * plan->mids + e.first + m] * BF_LANE_BLOCK);
      }
      BfLane    *best = (BfLane *)(work->best + m * BF_LANE_BLOCK);
      BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * BF_LANE_BLOCK);
      for (int64_t v = 0; v < e.vectors; v++) {
        BfLane least = row[0][v];
        for (int c = 1; c < BF_CHUNK; c++) least = lane_min(row[c][v], least);
        lane_keep_less(least, a0, &best[v], &id[v]);
      }
    }
  }
  for (int64_t m = 0; m < e.mids; m++)
    for (int64_t l = 0; l < e.lanes; l++) {
      const double best = work->best[m * BF_LANE_BLOCK + l];
      int64_t      a    = work->chunk[m * BF_LANE_BLOCK + l];
      while (plan->stage[a] + V[base[a] + plan->mid_next[a][e.first + m] * plan->lanes + plan->lane_next[a][lane0 + l]] != best)
        a++;
      value[m * plan->lanes + lane0 + l]  = best;
      policy[m * plan->lanes + lane0 + l] = plan->number[a];
    }
}

/* outer + mid' for every mid of the block. */
BF_INLINE void last_prefix(const BfPlan *plan, const BfLastTerms *t, const Extent *e, int64_t a, double *prefix) {
  for (int64_t m = 0; m < e->mids; m++)
    prefix[m] = t->mid ? t->outer[a] + t->mid[plan->mid_next[a][e->first + m]] : t->outer[a];
}

void BF_KERNEL(bf_sweep_last)(const BfPlan *plan, const BfLastTerms *t, int64_t block, int64_t lane0, int64_t lane1,
                              double *value, int32_t *policy, BfSweepWork *work) {
  const Extent  e       = extent(plan, block, lane0, lane1);
  const int64_t actives = plan->actives;
  double       *prefix  = work->rows; /* [actives rounded up to chunks][block_mids], here [BF_CHUNK][block_mids] */
  start(&e, work);
  for (int64_t a0 = 0; a0 < actives; a0 += BF_CHUNK) {
    const int64_t count = actives - a0 < BF_CHUNK ? actives - a0 : BF_CHUNK;
    const BfLane *lane[BF_CHUNK];
    BfLane        stage[BF_CHUNK];
    for (int64_t c = 0; c < BF_CHUNK; c++) {
      const int64_t a = a0 + (c < count ? c : 0);
      last_prefix(plan, t, &e, a, prefix + c * plan->block_mids);
      lane[c]  = (BfLane *)(t->lane + a * t->padded + lane0);
      stage[c] = lane_set(plan->stage[a]);
    }
    for (int64_t m = 0; m < e.mids; m++) {
      BfLane before[BF_CHUNK];
      for (int c = 0; c < BF_CHUNK; c++) before[c] = lane_set(prefix[c * plan->block_mids + m]);
      BfLane    *best = (BfLane *)(work->best + m * BF_LANE_BLOCK);
      BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * BF_LANE_BLOCK);
      for (int64_t v = 0; v < e.vectors; v++) {
        BfLane least = stage[0] + (before[0] + lane[0][v]);
        for (int c = 1; c < BF_CHUNK; c++) least = lane_min(stage[c] + (before[c] + lane[c][v]), least);
        lane_keep_less(least, a0, &best[v], &id[v]);
      }
    }
  }
  for (int64_t m = 0; m < e.mids; m++)
    for (int64_t l = 0; l < e.lanes; l++) {
      const double best = work->best[m * BF_LANE_BLOCK + l];
      int64_t      a    = work->chunk[m * BF_LANE_BLOCK + l];
      for (;; a++) {
        const double p = t->mid ? t->outer[a] + t->mid[plan->mid_next[a][e.first + m]] : t->outer[a];
        if (plan->stage[a] + (p + t->lane[a * t->padded + lane0 + l]) == best) break;
      }
      value[m * plan->lanes + lane0 + l]  = best;
      policy[m * plan->lanes + lane0 + l] = plan->number[a];
    }
}
