/* The Q-values of one group of measures. The two hot loops of the full space; compiled once for each instruction set.
 */
#pragma once
#include "solve/full/plan.h"

/* Work for a group: doubles, 64-byte aligned. */
typedef struct {
  double  *rows;  /* [BF_CHUNK][block_mids][tile] permuted rows of V; in the last layer its terms: mids, then lanes */
  double  *best;  /* [block_mids][tile] */
  int64_t *chunk; /* [block_mids][tile] first action of the chunk that attains it */
  int64_t  kept;  /* Q-values that were formed; the others were pruned. Never reset */
} BfSweepWork;

/* The terms of the last layer where g is a sum over contexts: no gather is needed. */
typedef struct {
  const double        *outer; /* [actives] sum of g_s over the successor's outer contexts, in their order */
  const double *const *mid;   /* [mid contexts] g_s */
  const double        *lane;  /* [actives][padded lanes] g_s of the lane context's successors */
  int64_t              padded;
} BfLastTerms;

/* min over active actions of c + V(base + mid' * lanes + lane'), and the smallest k that attains it, for the mids of
 * `block` and lanes lane0 .. lane1-1 (at most a tile). value and policy point at the block's first mid, lane 0.
 *
 * For every action of a chunk, one row of V is permuted for each distinct successor of the block's mids (a gather: one
 * load of an index and one of V an entry), and every mid that goes there takes the minimum with it: one load and one
 * minimum an eight Q-values. Which action won is found at the end, within the chunk that won. The second part is bound
 * by L2 bandwidth (a cache line an eight Q-values), the first, where V exceeds the caches, by memory: rows of V are
 * short and far apart, some 10 GB a second a core, divided by the mids that share a row.
 *
 * least[outers * mids]: the minimum of each row of V. An action is left out of both parts for a mid where c + least is
 * no less than the largest minimum so far of the mid's lanes: exact, as c + V rounds monotonically and later actions
 * replace none that are equal. */
typedef void BfSweepBlock(const BfPlan *plan, const int64_t *base, const double *V, const double *least, int64_t block,
                          int64_t lane0, int64_t lane1, double *value, int32_t *policy, BfSweepWork *work);
/* The same for the last layer, c + ((outer + mid') + lane'): two additions and a minimum, bound by arithmetic. */
typedef void BfSweepLast(const BfPlan *plan, const BfLastTerms *terms, int64_t block, int64_t lane0, int64_t lane1,
                         double *value, int32_t *policy, BfSweepWork *work);

extern BfSweepBlock bf_sweep_block_generic, bf_sweep_block_avx2, bf_sweep_block_avx512;
extern BfSweepLast  bf_sweep_last_generic, bf_sweep_last_avx2, bf_sweep_last_avx512;
