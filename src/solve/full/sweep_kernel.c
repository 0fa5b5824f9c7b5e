#include "solve/full/sweep_kernel.h"
#include "layer/kernels.h"
#include "layer/lanes.h"

typedef struct {
  int64_t block, first, mids; /* of the block */
  int64_t lane0, lanes;       /* of the tile */
  int64_t vectors, stride;    /* of a row */
} Tile;

BF_INLINE Tile tile_of(const BfPlan *plan, int64_t block, int64_t lane0, int64_t lane1) {
  Tile e = {
      .block = block, .first = block * plan->block_mids, .lane0 = lane0, .lanes = lane1 - lane0, .stride = plan->tile};
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

/* Which rows of a chunk are worth anything. An action whose row nowhere falls below a mid's largest minimum so far
 * cannot win there, for later actions do not replace equal ones. */
typedef struct {
  double  most[BF_MOST_BLOCK_MIDS]; /* of a mid's best */
  uint8_t mask[BF_MOST_BLOCK_MIDS]; /* bit c: action a0 + c may win at this mid */
  uint8_t used[BF_CHUNK]
              [BF_MOST_BLOCK_MIDS + 1]; /* whether any mid needs this successor's row; the last entry is waste */
} Bounds;

static void bound(const BfPlan *plan, const Tile *e, int64_t a0, const int64_t *base, const double *least, Bounds *x) {
  const uint16_t *slot = plan->slot + (a0 / BF_CHUNK * plan->mids + e->first) * BF_CHUNK;
  double          low[BF_CHUNK][BF_MOST_BLOCK_MIDS];
  memset(x->used, 0, sizeof x->used);
  for (int c = 0; c < BF_CHUNK; c++) {
    const int      in    = a0 + c < plan->actives;
    const int64_t  a     = in ? a0 + c : a0; /* the last chunk repeats its first action: once is enough */
    const int32_t *image = plan->image + a * plan->mids + e->first;
    const double  *from  = least + base[a] / plan->lanes;
    for (int32_t i = 0; i < plan->images[a * plan->blocks + e->block]; i++)
      low[c][i] = in ? plan->stage[a] + from[image[i]] : __builtin_inf();
  }
  for (int64_t m = 0; m < e->mids; m++, slot += BF_CHUNK) {
    unsigned mask = 0;
    for (int c = 0; c < BF_CHUNK; c++) {
      const unsigned may = low[c][slot[c]] < x->most[m];
      mask |= may << c;
      x->used[c][may ? slot[c] : BF_MOST_BLOCK_MIDS] = 1; /* a store alone: neighbours mostly share the successor */
    }
    x->mask[m] = (uint8_t)mask;
  }
}

enum { ROWS = 8 }; /* permuted together: what they are read from and written to fits L1 */

/* c + V, permuted, for the used ones of the distinct successors of the block's mids. Entries behind the last lane
 * repeat it. */
static void permute(const BfPlan *plan, const Tile *e, int64_t a, const uint8_t used[], const double *V, double *rows) {
  const int32_t *lane_next = plan->lane_next[a] + e->lane0;
  const int32_t *image     = plan->image + a * plan->mids + e->first;
  const int32_t  images    = plan->images[a * plan->blocks + e->block];
  const BfLane   c         = lane_set(plan->stage[a]);
  for (int32_t i = 0; i < images;) {
    const double *from[ROWS];
    BfLane       *to[ROWS];
    int           count = 0;
    for (; i < images && count < ROWS; i++) {
      from[count] = V + image[i] * plan->lanes;
      to[count]   = (BfLane *)(rows + i * e->stride);
      count += used[i];
    }
    for (int64_t v = 0; v < e->vectors; v++) {
      int64_t n[BF_LANES];
      for (int l = 0; l < BF_LANES; l++)
        n[l] = lane_next[v * BF_LANES + l < e->lanes ? v * BF_LANES + l : e->lanes - 1];
      for (int r = 0; r < count; r++) {
        const double *x = from[r];
        to[r][v]        = c + (BfLane){x[n[0]], x[n[1]], x[n[2]], x[n[3]], x[n[4]], x[n[5]], x[n[6]], x[n[7]]};
      }
    }
  }
}

/* The minimum over `count` rows of a chunk, for one mid; returns the largest that it holds then. */
BF_INLINE double minimize_rows(const int count, const BfLane *const row[], int64_t vectors, int64_t a0, BfLane *best,
                               BfLaneInt *id) {
  BfLane most = lane_set(-__builtin_inf());
  for (int64_t v = 0; v < vectors; v++) {
    BfLane least = row[0][v];
    for (int c = 1; c < count; c++) least = lane_min(row[c][v], least);
    lane_keep_less(least, a0, &best[v], &id[v]);
    most = lane_max(best[v], most);
  }
  double all = most[0];
  for (int l = 1; l < BF_LANES; l++) all = most[l] > all ? most[l] : all;
  return all;
}

/* The minimum over a chunk of actions, for all mids of the block. size: doubles between the rows of two actions. */
static void minimize(const BfPlan *plan, const Tile *e, int64_t a0, int64_t size, Bounds *x, BfSweepWork *work) {
  const uint16_t *slot = plan->slot + (a0 / BF_CHUNK * plan->mids + e->first) * BF_CHUNK;
  for (int64_t m = 0; m < e->mids; m++, slot += BF_CHUNK) {
    const BfLane *row[BF_CHUNK];
    int           count = 0;
    for (unsigned mask = x->mask[m]; mask; mask &= mask - 1) {
      const int c  = __builtin_ctz(mask);
      row[count++] = (const BfLane *)(work->rows + c * size + slot[c] * e->stride);
    }
    if (!count) continue;
    work->kept += count * e->lanes;
    for (int c = count; c < BF_CHUNK; c++) row[c] = row[0];
    BfLane    *best = (BfLane *)(work->best + m * e->stride);
    BfLaneInt *id   = (BfLaneInt *)(work->chunk + m * e->stride);
    x->most[m]      = count > 4   ? minimize_rows(8, row, e->vectors, a0, best, id)
                      : count > 2 ? minimize_rows(4, row, e->vectors, a0, best, id)
                                  : minimize_rows(2, row, e->vectors, a0, best, id);
  }
}

/* Values, and the smallest action that attains each: the first within the chunk that was less than all before it. */
static void finish(const BfPlan *plan, const Tile *e, const int64_t *base, const double *V, double *value,
                   int32_t *policy, const BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++)
    for (int64_t l = 0; l < e->lanes; l++) {
      const double best = work->best[m * e->stride + l];
      int64_t      a    = work->chunk[m * e->stride + l];
      while (plan->stage[a] +
                 V[base[a] + bf_plan_mid(plan, a, e->first, m) * plan->lanes + plan->lane_next[a][e->lane0 + l]] !=
             best)
        a++;
      value[m * plan->lanes + e->lane0 + l]  = best;
      policy[m * plan->lanes + e->lane0 + l] = plan->number[a];
    }
}

void BF_KERNEL(bf_sweep_block)(const BfPlan *plan, const int64_t *base, const double *V, const double *least,
                               int64_t block, int64_t lane0, int64_t lane1, double *value, int32_t *policy,
                               BfSweepWork *work) {
  const Tile    e    = tile_of(plan, block, lane0, lane1);
  const int64_t size = plan->block_mids * plan->tile;
  Bounds        x;
  start(&e, work);
  for (int64_t m = 0; m < e.mids; m++) x.most[m] = __builtin_inf();
  for (int64_t a0 = 0; a0 < plan->actives; a0 += BF_CHUNK) {
    bound(plan, &e, a0, base, least, &x);
    for (int64_t c = 0; c < BF_CHUNK && a0 + c < plan->actives; c++)
      permute(plan, &e, a0 + c, x.used[c], V + base[a0 + c], work->rows + c * size);
    minimize(plan, &e, a0, size, &x, work);
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

/* The chunk's lane terms, vector after vector, so that one pointer finds them all. */
static void pack_lanes(const BfPlan *plan, const BfLastTerms *t, const Tile *e, int64_t a0, BfLane *pack) {
  for (int c = 0; c < BF_CHUNK; c++) {
    const BfLane *from = (const BfLane *)(t->lane + (a0 + c < plan->actives ? a0 + c : a0) * t->padded + e->lane0);
    for (int64_t v = 0; v < e->vectors; v++) pack[v * BF_CHUNK + c] = from[v];
  }
}

/* The minimum over a chunk of actions for `count` mids, 1 or 2, which share the loads of the lane terms. */
BF_INLINE void minimize_last_mids(const int count, const Tile *e, int64_t a0, const BfLane stage[],
                                  const double *const before[], int64_t m, const BfLane *pack, BfSweepWork *work) {
  BfLane sum[2][BF_CHUNK];
  for (int i = 0; i < count; i++)
    for (int c = 0; c < BF_CHUNK; c++) sum[i][c] = lane_set(before[c][m + i]);
  for (int64_t v = 0; v < e->vectors; v++, pack += BF_CHUNK) {
    BfLane least[2];
    for (int i = 0; i < count; i++) least[i] = stage[0] + (sum[i][0] + pack[0]);
    for (int c = 1; c < BF_CHUNK; c++)
      for (int i = 0; i < count; i++) least[i] = lane_min(stage[c] + (sum[i][c] + pack[c]), least[i]);
    for (int i = 0; i < count; i++)
      lane_keep_less(least[i], a0, (BfLane *)(work->best + (m + i) * e->stride) + v,
                     (BfLaneInt *)(work->chunk + (m + i) * e->stride) + v);
  }
}

static void minimize_last(const BfPlan *plan, const BfLastTerms *t, const Tile *e, int64_t a0, BfSweepWork *work) {
  BfLane       *pack = (BfLane *)(work->rows + BF_CHUNK * plan->block_mids), stage[BF_CHUNK];
  const double *before[BF_CHUNK];
  pack_lanes(plan, t, e, a0, pack);
  for (int c = 0; c < BF_CHUNK; c++) {
    const int in = a0 + c < plan->actives ? c : 0;
    stage[c]     = lane_set(plan->stage[a0 + in]);
    before[c]    = work->rows + in * plan->block_mids;
  }
  int64_t m = 0;
  for (; m + 1 < e->mids; m += 2) minimize_last_mids(2, e, a0, stage, before, m, pack, work);
  if (m < e->mids) minimize_last_mids(1, e, a0, stage, before, m, pack, work);
}

/* The terms before the lane of one mid, for the actions of a chunk. */
static void sum_before_mid(const BfPlan *plan, const BfLastTerms *t, int64_t a0, int64_t mid, double before[BF_CHUNK]) {
  for (int64_t a = a0; a < a0 + BF_CHUNK && a < plan->actives; a++) {
    before[a - a0] = t->outer[a];
    for (int64_t s = plan->mid_context; s < plan->lane_context; s++) {
      const BfContextSpace *x    = &plan->space->context[s];
      const int32_t        *next = plan->tables->next[x->shape] + plan->number[a] * x->measures;
      before[a - a0] += t->mid[s - plan->mid_context][next[plan->digit[(s - plan->mid_context) * plan->mids + mid]]];
    }
  }
}

static void finish_last(const BfPlan *plan, const BfLastTerms *t, const Tile *e, double *value, int32_t *policy,
                        const BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++) {
    double  before[BF_CHUNK];
    int64_t held = -1; /* the chunk of `before`: neighbours mostly share it */
    for (int64_t l = 0; l < e->lanes; l++) {
      const double  best = work->best[m * e->stride + l];
      const int64_t a0   = work->chunk[m * e->stride + l];
      int64_t       a    = a0;
      if (a0 != held) sum_before_mid(plan, t, held = a0, e->first + m, before);
      while (plan->stage[a] + (before[a - a0] + t->lane[a * t->padded + e->lane0 + l]) != best) a++;
      value[m * plan->lanes + e->lane0 + l]  = best;
      policy[m * plan->lanes + e->lane0 + l] = plan->number[a];
    }
  }
}

void BF_KERNEL(bf_sweep_last)(const BfPlan *plan, const BfLastTerms *t, int64_t block, int64_t lane0, int64_t lane1,
                              double *value, int32_t *policy, BfSweepWork *work) {
  const Tile e = tile_of(plan, block, lane0, lane1);
  start(&e, work);
  for (int64_t a0 = 0; a0 < plan->actives; a0 += BF_CHUNK) {
    for (int64_t c = 0; c < BF_CHUNK && a0 + c < plan->actives; c++)
      sum_before(plan, t, &e, a0 + c, work->rows + c * plan->block_mids);
    minimize_last(plan, t, &e, a0, work);
  }
  finish_last(plan, t, &e, value, policy, work);
}
