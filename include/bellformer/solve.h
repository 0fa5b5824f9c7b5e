/* The dynamic program: README, The model; V_T = g, V_t(i) = min over k of [c(u_k) + V_{t+1}(T(i, k))]. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/estimate.h"
#include "bellformer/model.h"
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/store.h"
#include <stdbool.h>

BF_API_BEGIN

/* What a solve reads of a problem: `action` and `quantize`, without which it is nothing. */
extern const BfSections bf_solve_sections;

/* The open loops of least quantized cost that differ. Of those that lead through the same quantized measures, from mu_0
 * to mu_T, the cheapest alone counts. Cheaper: of less cost, then of the smaller first action, then of less cost of
 * what follows it, then of the smaller second action, and so on; the least readout comes last. So the first is the
 * answer of the solve, and the list is the same in both spaces, on any number of ranks. */
typedef struct {
  int64_t  wanted;  /* B, at most BF_MOST_BEST; given */
  int64_t  count;   /* that were found: B, or as many as there are */
  int      layers;  /* T */
  int32_t *action;  /* [count][T]; owned, as all are */
  int64_t *readout; /* [count] the one that follows the last layer */
  double  *cost;    /* [count] c(u_0) + (c(u_1) + (... + g)), non-decreasing */
} BfBest;
enum { BF_MOST_BEST = 10000 };
void bf_best_clear(BfBest *best); /* what was found; `wanted` stays */

typedef struct {
  bool    store_value;  /* write /value */
  bool    store_policy; /* write /policy */
  bool    untabled;     /* no transition tables: of one context alone. The same bits */
  int     stability;    /* K atom moves; 0: no stability study */
  int     sync;         /* how V of a layer comes to all nodes, a number of bf_sync_name; no bit depends on it */
  BfBest *best;         /* in: wanted; out: all else, to be cleared also after a failure. NULL: not looked for */
} BfFullOptions;

/* Whether policies are kept in /policy alone, each written as it comes: where there are no tables, and nothing asks for
 * those of many measures at the end. Of a solve that writes a result. */
bool bf_full_rows(const BfFullOptions *options);

/* Ways in which nodes exchange V, of which the first is the default; NULL behind the last. */
const char *bf_sync_name(int i);

/* How good a beam's answer is. */
typedef struct {
  int64_t beam;       /* B of the last run */
  double lower_bound; /* of V_0(mu_0) over every measure: never above it, as it is computed; -INFINITY: none is known */
  int64_t dropped;    /* pairs (measure, action) that the last run did not follow */
  bool    optimal;    /* nothing that was not followed can be better */
} BfBeamAnswer;

typedef struct {
  BfBest       *best;      /* as above; not with a beam */
  int64_t       beam;      /* B: so many measures of a layer are kept; 0: all */
  int           doublings; /* D: B doubles so many times, or until the answer is optimal */
  int64_t       tables;    /* numbers in the tables of contexts alone, at most */
  BfBeamAnswer *answer;    /* out, of a beam; NULL: not told */
  /* Whether to write /layers, once V_0 at mu_0 is known; NULL: yes. */
  bool (*is_kept)(const void *context, double value);
  const void *context;
} BfReachableOptions;

/* Both solvers go on from what `checkpoint` (which may be NULL) holds, save to it, and return BF_STOPPED where it
 * told them to stop; then what they have done is in the checkpoint, and `model` and `store` are to be given up. */

/* Solve in the full space, over every measure of P_m(X_n), and write /grid, /value, /policy, /stability to `store`
 * (which may be NULL). Collective. Values and policies are the same bits on any number of ranks and nodes. Memory a
 * node: two copies of V, the tables (4 bytes an entry, sum over shapes of M_s K, unless there are none), and the ranks'
 * policies (4 bytes T M in all; those of one layer where bf_full_rows). */
BfStatus bf_solve_full(BfRun *run, const BfProblem *problem, const BfFullOptions *options, BfStore *store,
                       BfCheckpoint *checkpoint, BfModel *model, BfError *error);

/* Solve over the measures that are reachable from mu_0 and write /layers/NNNN to `store` (which may be NULL).
 * Collective; the same open loop and value, bit for bit, as the full space, on any number of ranks. With a beam the
 * best of what was kept. options may be NULL. */
BfStatus bf_solve_reachable(BfRun *run, const BfProblem *problem, const BfReachableOptions *options, BfStore *store,
                            BfCheckpoint *checkpoint, BfModel *model, BfError *error);

/* ---- sizes and work, before anything runs -----------------------------------------------------------------------
 *
 * Work, in terms (estimate.h), is known from the problem's sizes alone: the same number on every machine, and on any
 * number of ranks. */

typedef struct {
  int64_t measures;                              /* M; -1 beyond 2^63, or where tokens are not quantized */
  int64_t tables;                                /* entries of the tables of all shapes; -1 as above */
  int64_t shapes;                                /* different context shapes */
  double  value_bytes;                           /* of the file: (T + 1) M doubles */
  double  policy_bytes;                          /* T M int32 */
  bool    untabled;                              /* without tables: these are of a layer, each found as it is used */
  double  tables_bytes, V_bytes, policies_bytes; /* memory a node with this many ranks on it: tables and costs; two
                                                    layers of V; the ranks' policies */
  double held_bytes;                             /* of a measure, all nodes together: policies, and rows that a
                                                    checkpoint takes from the file */
  double node_bytes;                             /* tables, V, policies */
  double q_values;                               /* T M K; less where actions are the same in every table */
  double costs;                                  /* terminal costs: sum over contexts of M_s, times readouts */
  double table_terms, sweep_terms, cost_terms;   /* work: of an entry of a table on average, a Q-value (without tables
                                                    with the entry), a cost; */
  double work;                                   /* of the whole solve */
} BfFullSize;
/* options: NULL for those of a zeroed struct. */
BfStatus bf_full_size(const BfRun *run, const BfProblem *problem, const BfFullOptions *options, BfFullSize *size,
                      BfError *error);
/* About the memory of one node alone with so many cells, atoms a tag at most, and actions, solved as `size` is. */
double bf_full_bytes(const BfProblem *problem, const BfFullSize *size, double cells, int atoms, double actions);

typedef struct {
  double  most;          /* measures of a layer at most: M, or B; INFINITY where tokens are not quantized */
  double  beam;          /* B of the last run; 0: every measure is kept */
  double  runs;          /* of a beam that doubles: the work of all its runs, in that of the last */
  double  tables;        /* numbers in the tables of contexts alone, a node, at most, of 4 bytes */
  double  all_tables;    /* the same if there were no bound, and no two contexts shared one */
  double  actions;       /* K */
  int     horizon;       /* T */
  int64_t measure_bytes; /* a measure */
  double  expanded;      /* successors of the layers before the last, at most, of all runs */
  double  costed;        /* of the last */
  double  terms;         /* work of a successor */
  double  work;          /* at most, of the whole solve */
} BfReachableSize;
BfStatus bf_reachable_size(const BfProblem *problem, const BfReachableOptions *options, BfReachableSize *size,
                           BfError *error);
/* Measures of layer t at most: min(K^t, M, B). */
double bf_reachable_most(const BfReachableSize *size, int t);
/* Memory of layer t while its successors are found and merged, of `measures` measures with `next` distinct successors,
 * all ranks together; of the last layer (next is not read) while it is costed. What stays of it afterwards. */
double bf_reachable_layer_bytes(const BfReachableSize *size, int t, double measures, double next);
double bf_reachable_kept_bytes(const BfReachableSize *size, int t, double measures);

/* Memory of the whole solve at its peak, all ranks together, if every layer has as many measures as it may. */
double bf_reachable_peak_bytes(const BfReachableSize *size);

/* ---- time, before anything runs -------------------------------------------------------------------------------- */

/* Seconds of a Q-value on a core, of one context: with tables, once their entry is there; of an entry; without. Of more
 * contexts 0. */
typedef struct {
  double tabled, entry, untabled;
} BfValueSeconds;

/* A solve in the full space, in the reachable space (at most: what merges is not known), without what surrounds it; on
 * the run's own ranks (machine: NULL) or on others. All collective. */
BfStatus bf_full_estimate(BfRun *run, const BfProblem *problem, const BfFullOptions *options, const BfMachine *machine,
                          BfEstimate *estimate, BfValueSeconds *value, BfError *error);
BfStatus bf_reachable_estimate(BfRun *run, const BfProblem *problem, const BfReachableOptions *options,
                               const BfMachine *machine, BfEstimate *estimate, BfError *error);

BF_API_END
