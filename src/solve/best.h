/* The B open loops of least quantized cost that differ (BfBest, solve.h), in a graph of measures: what both spaces
 * share. Each space tells the successors of a measure and their values; the paths are found from the best one on, by
 * what each next one costs more, so that only measures on them are ever expanded: at most B a layer. */
#pragma once
#include "bellformer/solve.h"

/* The successors of a measure of layer t under some actions, in increasing order of these. */
typedef struct {
  int64_t  count;
  int32_t *action; /* [K] */
  int64_t *next;  /* [K] the successor's number in layer t + 1; of the last layer's any numbers, equal for equal ones */
  double  *value; /* [K] V_{t+1} there; INFINITY: not a way to go */
  int64_t *readout; /* [K] of the last layer's: the one that attains it; 0 elsewhere */
} BfSuccessors;

typedef struct {
  BfRun           *run;
  const BfProblem *problem;
  const double    *stage;   /* [K] c(u_k) */
  int64_t          initial; /* the number of mu_0 */
  void            *space;
  /* Fill `out`, which has room for K. Actions whose successor has another that costs no more and a smaller number may
   * be left out. Collective. */
  BfStatus (*expand)(void *space, int t, int64_t measure, BfSuccessors *out, BfError *error);
} BfGraph;

/* Fill best from best->wanted. Collective: all ranks find the same. Memory: at most T B measures, of each its at most B
 * best successors. */
BfStatus bf_best_find(const BfGraph *graph, BfBest *best, BfError *error);

/* /rollout/best, where anything was looked for. */
BfStatus bf_best_write(const BfProblem *problem, const BfBest *best, BfStore *store, BfError *error);
/* A line each on standard output, of the first ones. */
void bf_best_report(const BfRun *run, const BfProblem *problem, const BfBest *best);
