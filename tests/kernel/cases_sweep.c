/* Cases of a sweep's groups. As defined: the least Q-value, and the smallest action that attains it. */
#include "conformance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  BfWalk      walk;
  int64_t     outers;
  int32_t    *mid; /* [actives][mids] successors, from which slots and images are made */
  int64_t    *base;
  double     *V, *least;
  BfLastTerms last;
  BfSweepWork work;
  double     *value, *action; /* [mids][lanes] */
  int32_t    *policy;
} Sweep;

/* Many equal ones, some far apart, some of no difference but the sign of zero. */
static double value_of(uint64_t *seed) {
  const int which = below(seed, 20);
  return which ? 0.25 * below(seed, 9) : below(seed, 2) ? within(seed, -1, 1) * 1e300 : -0.0;
}

/* The block's distinct successors, increasing, and which of them each mid goes to. */
static void find_images(BfWalk *w, int64_t a, int64_t b, const int32_t *mid) {
  const int64_t first = b * w->block_mids, last = first + w->block_mids < w->mids ? first + w->block_mids : w->mids;
  int32_t       count = 0;
  for (int32_t x = 0; x < w->mids; x++) {
    int used = 0;
    for (int64_t m = first; m < last; m++) {
      if (mid[a * w->mids + m] != x) continue;
      used                                                            = 1;
      w->slot[(a / BF_CHUNK * w->mids + m) * BF_CHUNK + a % BF_CHUNK] = (uint16_t)count;
    }
    if (used) w->image[a * w->mids + first + count++] = x;
  }
  w->images[a * w->blocks + b] = count;
}

static void make_walk(Memory *m, uint64_t *seed, int large, Sweep *x) {
  BfWalk *w               = &x->walk;
  w->mids                 = large ? 100 : 1 + below(seed, 20);
  w->lanes                = large ? 128 : 1 + below(seed, 150);
  w->actives              = large ? 100 : 1 + below(seed, 25);
  w->block_mids           = 1 + below(seed, (int)w->mids);
  w->blocks               = (w->mids + w->block_mids - 1) / w->block_mids;
  w->tile                 = BF_LANES * (1 + below(seed, 16));
  w->stage                = TAKE(m, double, w->actives);
  int32_t      *numbers   = TAKE(m, int32_t, w->actives);
  int32_t      *lane_next = TAKE(m, int32_t, w->actives * w->lanes);
  const int64_t chunks    = (w->actives + BF_CHUNK - 1) / BF_CHUNK;
  w->number               = numbers;
  w->lane_next            = TAKE(m, const int32_t *, w->actives);
  w->slot                 = TAKE(m, uint16_t, chunks * w->mids * BF_CHUNK);
  w->image                = TAKE(m, int32_t, w->actives * w->mids);
  w->images               = TAKE(m, int32_t, w->actives * w->blocks);
  x->mid                  = TAKE(m, int32_t, w->actives * w->mids);
  const int distinct      = 1 + below(seed, (int)w->mids);
  for (int64_t a = 0; a < w->actives; a++) {
    w->stage[a]     = 0.25 * below(seed, 3);
    numbers[a]      = (int32_t)(a ? numbers[a - 1] + 1 + below(seed, 3) : below(seed, 3));
    w->lane_next[a] = lane_next + a * w->lanes;
    for (int64_t l = 0; l < w->lanes; l++) lane_next[a * w->lanes + l] = below(seed, (int)w->lanes);
    for (int64_t i = 0; i < w->mids; i++) x->mid[a * w->mids + i] = below(seed, distinct);
    for (int64_t b = 0; b < w->blocks; b++) find_images(w, a, b, x->mid);
  }
  for (int64_t a = w->actives; a < chunks * BF_CHUNK; a++) /* the last chunk repeats its first action */
    for (int64_t i = 0; i < w->mids; i++) {
      uint16_t *slot     = w->slot + (a / BF_CHUNK * w->mids + i) * BF_CHUNK;
      slot[a % BF_CHUNK] = slot[0];
    }
}

static Sweep *make_sweep(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Sweep  *x = TAKE(m, Sweep, 1);
  BfWalk *w = &x->walk;
  make_walk(m, seed, large, x);
  x->work.rows  = TAKE(m, double, bf_sweep_rows(w));
  x->work.best  = TAKE(m, double, w->block_mids * w->tile);
  x->work.chunk = TAKE(m, int64_t, w->block_mids * w->tile);
  x->policy     = TAKE(m, int32_t, w->mids * w->lanes);
  x->value      = output(m, outputs, w->mids * w->lanes);
  x->action     = output(m, outputs, w->mids * w->lanes);
  return x;
}

/* ---- a middle layer --------------------------------------------------------------------------------------------- */

static void *make_block(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Sweep        *x    = make_sweep(m, seed, large, outputs);
  const BfWalk *w    = &x->walk;
  const int64_t rows = (x->outers = 1 + below(seed, 3)) * w->mids;
  x->base            = TAKE(m, int64_t, w->actives);
  x->V               = TAKE(m, double, rows * w->lanes);
  x->least           = TAKE(m, double, rows);
  for (int64_t a = 0; a < w->actives; a++) x->base[a] = below(seed, (int)x->outers) * w->mids * w->lanes;
  for (int64_t r = 0; r < rows; r++) {
    x->least[r] = INFINITY;
    for (int64_t l = 0; l < w->lanes; l++) {
      x->V[r * w->lanes + l] = large ? within(seed, 0, 1) : value_of(seed);
      x->least[r]            = fmin(x->least[r], x->V[r * w->lanes + l]);
    }
  }
  return x;
}

/* All tiles of all blocks. */
static void run_tiles(Sweep *s, const BfKernels *kernels, int last) {
  const BfWalk *w = &s->walk;
  for (int64_t b = 0; b < w->blocks; b++) {
    double  *value  = s->value + b * w->block_mids * w->lanes;
    int32_t *policy = s->policy + b * w->block_mids * w->lanes;
    for (int64_t lane0 = 0; lane0 < w->lanes; lane0 += w->tile) {
      const BfTile tile = {b, lane0, lane0 + w->tile < w->lanes ? lane0 + w->tile : w->lanes};
      if (last) kernels->sweep_last(w, &s->last, &tile, value, policy, &s->work);
      else kernels->sweep_block(w, s->base, s->V, s->least, &tile, value, policy, &s->work);
    }
  }
  for (int64_t i = 0; i < w->mids * w->lanes; i++) s->action[i] = s->policy[i];
}

static void run_block(void *x, const BfKernels *kernels) { run_tiles(x, kernels, 0); }

/* c + V of the successor. */
static double middle_value(const Sweep *s, int64_t a, int64_t mid, int64_t lane) {
  const BfWalk *w = &s->walk;
  return w->stage[a] + s->V[s->base[a] + s->mid[a * w->mids + mid] * w->lanes + w->lane_next[a][lane]];
}

/* c + ((outer + mids, in their order) + lane). */
static double last_value(const Sweep *s, int64_t a, int64_t mid, int64_t lane) {
  const BfWalk *w   = &s->walk;
  double        sum = s->last.outer[a];
  for (int64_t c = 0; c < s->last.contexts; c++) {
    const BfLastMid *x = &s->last.mid[c];
    sum += x->g[x->next[w->number[a] * x->measures + x->digit[mid]]];
  }
  return w->stage[a] + (sum + s->last.lane[a * s->last.padded + lane]);
}

static int64_t wrong_minima(const Sweep *s, const Outputs *outputs,
                            double (*q)(const Sweep *s, int64_t a, int64_t mid, int64_t lane)) {
  const BfWalk *w     = &s->walk;
  int64_t       wrong = 0;
  for (int64_t i = 0; i < w->mids * w->lanes; i++) {
    double  best  = INFINITY;
    int32_t which = 0;
    for (int64_t a = 0; a < w->actives; a++) {
      const double x = q(s, a, i / w->lanes, i % w->lanes);
      if (x < best) {
        best  = x;
        which = w->number[a];
      }
    }
    wrong += outputs->out[0][i] != best || outputs->out[1][i] != which;
  }
  return wrong;
}

static int64_t wrong_block(void *x, const Outputs *outputs) { return wrong_minima(x, outputs, middle_value); }

const Family sweep_family = {"sweep_block", EVERYWHERE, 200, make_block, run_block, wrong_block};

/* ---- the last layer --------------------------------------------------------------------------------------------- */

static void *make_last(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Sweep        *x       = make_sweep(m, seed, large, outputs);
  const BfWalk *w       = &x->walk;
  const int64_t numbers = w->number[w->actives - 1] + 1, padded = (w->lanes + BF_LANES - 1) / BF_LANES * BF_LANES;
  double       *outer = TAKE(m, double, w->actives), *lane = TAKE(m, double, w->actives *padded);
  BfLastMid    *mid = TAKE(m, BfLastMid, 3);
  x->last           = (BfLastTerms){outer, below(seed, 4), mid, lane, padded};
  for (int64_t a = 0; a < w->actives; a++) outer[a] = value_of(seed);
  for (int64_t i = 0; i < w->actives * padded; i++) lane[i] = value_of(seed);
  for (BfLastMid *c = mid; c < mid + x->last.contexts; c++) {
    c->measures    = 1 + below(seed, 30);
    int32_t *next  = TAKE(m, int32_t, numbers * c->measures);
    int32_t *digit = TAKE(m, int32_t, w->mids);
    double  *g     = TAKE(m, double, c->measures);
    for (int64_t i = 0; i < numbers * c->measures; i++) next[i] = below(seed, (int)c->measures);
    for (int64_t i = 0; i < w->mids; i++) digit[i] = below(seed, (int)c->measures);
    for (int64_t i = 0; i < c->measures; i++) g[i] = within(seed, -1, 1);
    c->next  = next;
    c->digit = digit;
    c->g     = g;
  }
  return x;
}

static void run_last(void *x, const BfKernels *kernels) { run_tiles(x, kernels, 1); }

static int64_t wrong_last(void *x, const Outputs *outputs) { return wrong_minima(x, outputs, last_value); }

const Family last_family = {"sweep_last", EVERYWHERE, 200, make_last, run_last, wrong_last};

/* ---- without tables --------------------------------------------------------------------------------------------- */

typedef struct {
  BfTaken  taken;
  double  *V, *start; /* start[count]: minima before */
  int32_t *policy;
  double  *value, *action;
} Take;

static void *make_take(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Take         *x     = TAKE(m, Take, 1);
  const int64_t count = large ? 4096 : 1 + below(seed, 150), stride = count + below(seed, 9);
  const int     measures = 1 + below(seed, 500), actions = large ? BF_LANES : 1 + below(seed, BF_LANES);
  double       *stage = TAKE(m, double, actions);
  int32_t      *next  = TAKE(m, int32_t, actions * stride);
  x->V                = TAKE(m, double, measures);
  x->start            = TAKE(m, double, count);
  x->policy           = TAKE(m, int32_t, count);
  x->value            = output(m, outputs, count);
  x->action           = output(m, outputs, count);
  for (int a = 0; a < actions; a++) stage[a] = 0.25 * below(seed, 3);
  for (int64_t i = 0; i < actions * stride; i++) next[i] = below(seed, measures);
  const int radix = 1 + below(seed, 9);
  int32_t  *last  = radix > 4 ? TAKE(m, int32_t, actions * stride) : NULL;
  for (int64_t i = 0; i < actions * stride && last; i++) {
    last[i] = next[i] % radix;
    next[i] /= radix;
  }
  for (int i = 0; i < measures; i++) x->V[i] = value_of(seed);
  for (int64_t i = 0; i < count; i++) x->start[i] = below(seed, 2) ? INFINITY : value_of(seed) + 0.25;
  x->taken = (BfTaken){actions, below(seed, 100), stage, next, last, radix, stride, count};
  return x;
}

static void run_take(void *of, const BfKernels *kernels) {
  Take *x = of;
  for (int64_t i = 0; i < x->taken.count; i++) {
    x->value[i]  = x->start[i];
    x->policy[i] = -1;
  }
  kernels->sweep_take(&x->taken, x->V, x->value, x->policy);
  for (int64_t i = 0; i < x->taken.count; i++) x->action[i] = x->policy[i];
}

/* min(start, min over a of c + V(next)), and the first action that attains it. */
static int64_t wrong_take(void *of, const Outputs *outputs) {
  const Take *x     = of;
  int64_t     wrong = 0;
  for (int64_t i = 0; i < x->taken.count; i++) {
    double best = x->start[i];
    int    k    = -1;
    for (int a = x->taken.actions - 1; a >= 0; a--) {
      const int64_t at = a * x->taken.stride + i;
      const int64_t to = x->taken.last ? x->taken.next[at] * x->taken.radix + x->taken.last[at] : x->taken.next[at];
      const double  q  = x->taken.stage[a] + x->V[to];
      if (q < best || (q == best && k >= 0)) {
        best = q;
        k    = x->taken.first + a;
      }
    }
    wrong += outputs->out[0][i] != best || outputs->out[1][i] != k;
  }
  return wrong;
}

const Family take_family = {"sweep_take", EVERYWHERE, 200, make_take, run_take, wrong_take};
