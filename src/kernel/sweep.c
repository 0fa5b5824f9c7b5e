#include "kernel/sweep.h"
#include "kernel/kernels.h"
#include "kernel/lanes.h"

#include <string.h>

typedef struct {
  int64_t block, first, mids; /* of the block */
  int64_t lane0, lanes;       /* of the tile */
  int64_t vectors, stride;    /* of a row */
} Tile;

BF_INLINE Tile tile_of(const BfWalk *walk, const BfTile *tile) {
  Tile e    = {.block  = tile->block,
               .first  = tile->block * walk->block_mids,
               .lane0  = tile->lane0,
               .lanes  = tile->lane1 - tile->lane0,
               .stride = walk->tile};
  e.mids    = walk->mids - e.first < walk->block_mids ? walk->mids - e.first : walk->block_mids;
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

static void bound(const BfWalk *walk, const Tile *e, int64_t a0, const int64_t *base, const double *least, Bounds *x) {
  const uint16_t *slot = walk->slot + (a0 / BF_CHUNK * walk->mids + e->first) * BF_CHUNK;
  double          low[BF_CHUNK][BF_MOST_BLOCK_MIDS];
  memset(x->used, 0, sizeof x->used);
  for (int c = 0; c < BF_CHUNK; c++) {
    const int      in    = a0 + c < walk->actives;
    const int64_t  a     = in ? a0 + c : a0; /* the last chunk repeats its first action: once is enough */
    const int32_t *image = walk->image + a * walk->mids + e->first;
    const double  *from  = least + base[a] / walk->lanes;
    for (int32_t i = 0; i < walk->images[a * walk->blocks + e->block]; i++)
      low[c][i] = in ? walk->stage[a] + from[image[i]] : __builtin_inf();
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
static void permute(const BfWalk *walk, const Tile *e, int64_t a, const uint8_t used[], const double *V, double *rows) {
  const int32_t *lane_next = walk->lane_next[a] + e->lane0;
  const int32_t *image     = walk->image + a * walk->mids + e->first;
  const int32_t  images    = walk->images[a * walk->blocks + e->block];
  const BfLane   c         = lane_set(walk->stage[a]);
  for (int32_t i = 0; i < images;) {
    const double *from[ROWS];
    BfLane       *to[ROWS];
    int           count = 0;
    for (; i < images && count < ROWS; i++) {
      from[count] = V + image[i] * walk->lanes;
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

/* The minimum over `count` rows of a chunk, for one mid; returns the largest that it holds then. parts: of a row. */
BF_INLINE double minimize_rows(const int count, const BfPart *const row[], int64_t parts, int64_t a0, BfPart *best,
                               BfPartInt *id) {
  BfPart most = part_set(-__builtin_inf());
  for (int64_t v = 0; v < parts; v++) {
    BfPart least = row[0][v];
    for (int c = 1; c < count; c++) least = part_min(row[c][v], least);
    part_keep_less(least, a0, &best[v], &id[v]);
    most = part_max(best[v], most);
  }
  double all = most[0];
  for (int l = 1; l < BF_PART; l++) all = most[l] > all ? most[l] : all;
  return all;
}

/* The minimum over a chunk of actions, for all mids of the block. size: doubles between the rows of two actions. */
static void minimize(const BfWalk *walk, const Tile *e, int64_t a0, int64_t size, Bounds *x, BfSweepWork *work) {
  const uint16_t *slot = walk->slot + (a0 / BF_CHUNK * walk->mids + e->first) * BF_CHUNK;
  for (int64_t m = 0; m < e->mids; m++, slot += BF_CHUNK) {
    const BfPart *row[BF_CHUNK];
    int           count = 0;
    for (unsigned mask = x->mask[m]; mask; mask &= mask - 1) {
      const int c  = __builtin_ctz(mask);
      row[count++] = (const BfPart *)(work->rows + c * size + slot[c] * e->stride);
    }
    if (!count) continue;
    work->kept += count * e->lanes;
    for (int c = count; c < BF_CHUNK; c++) row[c] = row[0];
    BfPart       *best  = (BfPart *)(work->best + m * e->stride);
    BfPartInt    *id    = (BfPartInt *)(work->chunk + m * e->stride);
    const int64_t parts = e->vectors * BF_PARTS;
    x->most[m]          = count > 4   ? minimize_rows(8, row, parts, a0, best, id)
                          : count > 2 ? minimize_rows(4, row, parts, a0, best, id)
                                      : minimize_rows(2, row, parts, a0, best, id);
  }
}

/* Values, and the smallest action that attains each: the first within the chunk that was less than all before it. */
static void finish(const BfWalk *walk, const Tile *e, const int64_t *base, const double *V, double *value,
                   int32_t *policy, const BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++)
    for (int64_t l = 0; l < e->lanes; l++) {
      const double best = work->best[m * e->stride + l];
      int64_t      a    = work->chunk[m * e->stride + l];
      while (walk->stage[a] +
                 V[base[a] + bf_walk_mid(walk, a, e->first, m) * walk->lanes + walk->lane_next[a][e->lane0 + l]] !=
             best)
        a++;
      value[m * walk->lanes + e->lane0 + l]  = best;
      policy[m * walk->lanes + e->lane0 + l] = walk->number[a];
    }
}

void BF_KERNEL(bf_sweep_block)(const BfWalk *walk, const int64_t *base, const double *V, const double *least,
                               const BfTile *tile, double *value, int32_t *policy, BfSweepWork *work) {
  const Tile    e    = tile_of(walk, tile);
  const int64_t size = walk->block_mids * walk->tile;
  Bounds        x;
  start(&e, work);
  for (int64_t m = 0; m < e.mids; m++) x.most[m] = __builtin_inf();
  for (int64_t a0 = 0; a0 < walk->actives; a0 += BF_CHUNK) {
    bound(walk, &e, a0, base, least, &x);
    for (int64_t c = 0; c < BF_CHUNK && a0 + c < walk->actives; c++)
      permute(walk, &e, a0 + c, x.used[c], V + base[a0 + c], work->rows + c * size);
    minimize(walk, &e, a0, size, &x, work);
  }
  finish(walk, &e, base, V, value, policy, work);
}

/* ---- the last layer --------------------------------------------------------------------------------------------- */

/* Left to right over the outer and mid contexts, for every mid of the block. */
static void sum_before(const BfWalk *walk, const BfLastTerms *t, const Tile *e, int64_t a, double *before) {
  for (int64_t m = 0; m < e->mids; m++) before[m] = t->outer[a];
  for (const BfLastMid *s = t->mid; s < t->mid + t->contexts; s++) {
    const int32_t *next = s->next + walk->number[a] * s->measures, *digit = s->digit + e->first;
    for (int64_t m = 0; m < e->mids; m++) before[m] += s->g[next[digit[m]]];
  }
}

/* The chunk's lane terms, part after part, so that one pointer finds them all. */
static void pack_lanes(const BfWalk *walk, const BfLastTerms *t, const Tile *e, int64_t a0, BfPart *pack) {
  for (int c = 0; c < BF_CHUNK; c++) {
    const BfPart *from = (const BfPart *)(t->lane + (a0 + c < walk->actives ? a0 + c : a0) * t->padded + e->lane0);
    for (int64_t v = 0; v < e->vectors * BF_PARTS; v++) pack[v * BF_CHUNK + c] = from[v];
  }
}

/* The minimum over a chunk of actions for `count` mids, 1 or 2, which share the loads of the lane terms. */
BF_INLINE void minimize_last_mids(const int count, const Tile *e, int64_t a0, const BfPart stage[],
                                  const double *const before[], int64_t m, const BfPart *pack, BfSweepWork *work) {
  BfPart sum[2][BF_CHUNK];
  for (int i = 0; i < count; i++)
    for (int c = 0; c < BF_CHUNK; c++) sum[i][c] = part_set(before[c][m + i]);
  for (int64_t v = 0; v < e->vectors * BF_PARTS; v++, pack += BF_CHUNK) {
    BfPart least[2];
    for (int i = 0; i < count; i++) least[i] = stage[0] + (sum[i][0] + pack[0]);
    for (int c = 1; c < BF_CHUNK; c++)
      for (int i = 0; i < count; i++) least[i] = part_min(stage[c] + (sum[i][c] + pack[c]), least[i]);
    for (int i = 0; i < count; i++)
      part_keep_less(least[i], a0, (BfPart *)(work->best + (m + i) * e->stride) + v,
                     (BfPartInt *)(work->chunk + (m + i) * e->stride) + v);
  }
}

static void minimize_last(const BfWalk *walk, const BfLastTerms *t, const Tile *e, int64_t a0, BfSweepWork *work) {
  BfPart       *pack = (BfPart *)(work->rows + BF_CHUNK * walk->block_mids), stage[BF_CHUNK];
  const double *before[BF_CHUNK];
  pack_lanes(walk, t, e, a0, pack);
  for (int c = 0; c < BF_CHUNK; c++) {
    const int in = a0 + c < walk->actives ? c : 0;
    stage[c]     = part_set(walk->stage[a0 + in]);
    before[c]    = work->rows + in * walk->block_mids;
  }
  int64_t m = 0;
  for (; m + 1 < e->mids; m += 2) minimize_last_mids(2, e, a0, stage, before, m, pack, work);
  if (m < e->mids) minimize_last_mids(1, e, a0, stage, before, m, pack, work);
}

/* The terms before the lane of one mid, for the actions of a chunk. */
static void sum_before_mid(const BfWalk *walk, const BfLastTerms *t, int64_t a0, int64_t mid, double before[BF_CHUNK]) {
  for (int64_t a = a0; a < a0 + BF_CHUNK && a < walk->actives; a++) {
    before[a - a0] = t->outer[a];
    for (const BfLastMid *s = t->mid; s < t->mid + t->contexts; s++)
      before[a - a0] += s->g[s->next[walk->number[a] * s->measures + s->digit[mid]]];
  }
}

static void finish_last(const BfWalk *walk, const BfLastTerms *t, const Tile *e, double *value, int32_t *policy,
                        const BfSweepWork *work) {
  for (int64_t m = 0; m < e->mids; m++) {
    double  before[BF_CHUNK];
    int64_t held = -1; /* the chunk of `before`: neighbours mostly share it */
    for (int64_t l = 0; l < e->lanes; l++) {
      const double  best = work->best[m * e->stride + l];
      const int64_t a0   = work->chunk[m * e->stride + l];
      int64_t       a    = a0;
      if (a0 != held) sum_before_mid(walk, t, held = a0, e->first + m, before);
      while (walk->stage[a] + (before[a - a0] + t->lane[a * t->padded + e->lane0 + l]) != best) a++;
      value[m * walk->lanes + e->lane0 + l]  = best;
      policy[m * walk->lanes + e->lane0 + l] = walk->number[a];
    }
  }
}

void BF_KERNEL(bf_sweep_last)(const BfWalk *walk, const BfLastTerms *t, const BfTile *tile, double *value,
                              int32_t *policy, BfSweepWork *work) {
  const Tile e = tile_of(walk, tile);
  start(&e, work);
  for (int64_t a0 = 0; a0 < walk->actives; a0 += BF_CHUNK) {
    for (int64_t c = 0; c < BF_CHUNK && a0 + c < walk->actives; c++)
      sum_before(walk, t, &e, a0 + c, work->rows + c * walk->block_mids);
    minimize_last(walk, t, &e, a0, work);
  }
  finish_last(walk, t, &e, value, policy, work);
}

/* ---- without tables --------------------------------------------------------------------------------------------- */

enum { AHEAD = 32 }; /* measures between a load of V and the word to the caches that it comes */

BF_INLINE int64_t taken_at(const int parts, const BfTaken *t, int64_t at) {
  return parts == 1 ? t->next[at] : t->next[at] * t->radix + t->last[at];
}

BF_INLINE void take_part(const int parts, const BfTaken *t, const double *V, int64_t i, double *value,
                         int32_t *policy) {
  BfPart    best = {0}, x = {0};
  BfPartInt id    = {0};
  const int ahead = i + AHEAD + BF_PART <= t->count;
  memcpy(&best, value + i, sizeof best);
  for (int l = 0; l < BF_PART; l++) id[l] = policy[i + l];
  for (int a = 0; a < t->actions; a++) {
    const int64_t n = a * t->stride + i;
    for (int l = 0; l < BF_PART && ahead; l++) __builtin_prefetch(V + taken_at(parts, t, n + AHEAD + l));
    for (int l = 0; l < BF_PART; l++) x[l] = V[taken_at(parts, t, n + l)];
    part_keep_less(part_set(t->stage[a]) + x, t->first + a, &best, &id);
  }
  memcpy(value + i, &best, sizeof best);
  for (int l = 0; l < BF_PART; l++) policy[i + l] = (int32_t)id[l];
}

BF_INLINE void take(const int parts, const BfTaken *t, const double *V, double *value, int32_t *policy) {
  int64_t i = 0;
  for (; i + BF_PART <= t->count; i += BF_PART) take_part(parts, t, V, i, value, policy);
  for (; i < t->count; i++)
    for (int a = 0; a < t->actions; a++) {
      const double q = t->stage[a] + V[taken_at(parts, t, a * t->stride + i)];
      if (!(q < value[i])) continue;
      value[i]  = q;
      policy[i] = t->first + a;
    }
}

void BF_KERNEL(bf_sweep_take)(const BfTaken *t, const double *V, double *value, int32_t *policy) {
  if (t->last) take(2, t, V, value, policy);
  else take(1, t, V, value, policy);
}
