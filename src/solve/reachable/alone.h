/* Contexts alone. Contexts interact only through the control that they share: let each choose its own, and what they
 * pay together is no more. With shares w_s >= 0 of the stage cost, sum 1,
 *     V^(s)_T(mu_s) = min over r of g_s^r(mu_s),   V^(s)_t(mu_s) = min over k of [w_s c(u_k) + V^(s)_{t+1}(T_s(mu_s,
 * k))], sum over s of V^(s)_t(mu_s) <= V_t(mu). w_s is the share of s in what the terminal cost is averaged over.
 *
 * The tables are exact: of all measures that a context reaches alone. Where these are too many, or tokens are not
 * quantized, a context has no table, and what bounds it is its share of the least stage costs, and that no kind of cost
 * which says so is below 0. */
#pragma once
#include "bellformer/run.h"
#include "solve/parts.h"
#include "solve/reachable/measures.h"

/* Contexts of one shape have the same transitions. */
typedef struct {
  BfMeasures   measures; /* of one context of the shape, whichever */
  BfMeasureSet set;      /* of all that its contexts reach alone, in the order of their depth */
  int64_t     *first;    /* [T + 2] of each depth; the last: how many there are */
  BfShared    *row;      /* [T] of each depth's: successors' numbers, int32 [measures of that depth][K] */
} BfShape;

typedef struct {
  int      shape;   /* -1: no table */
  int64_t  initial; /* number of its part of mu_0 */
  BfShared value;   /* double [T + 1][count]: V^(s)_t of the measures of depth <= t */
  BfShared cost;    /* double [readouts][count]: g_s^r */
} BfAloneContext;

typedef struct {
  const BfProblem *problem;
  int              shapes;
  BfShape         *shape;
  BfAloneContext  *context;  /* [contexts] */
  unsigned char   *string;   /* room for one of any shape */
  bool             all;      /* every context has a table */
  double           lower;    /* bound of V_0(mu_0) by all contexts, as it was summed up */
  double           negative; /* what terms below 0 may amount to in any sum of a path */
  double           most;     /* that no path costs more than, as long as all have tables */
} BfAlone;

/* Numbers of 4 bytes that a measure takes of its shape's tables, of so many contexts: its K successors; for each
 * context a value a depth and a cost a readout, of two each; and in the set, which every rank holds, its bytes, twice
 * while that grows. The same count on any number of ranks: it decides what has a table. */
static inline double bf_alone_numbers(const BfProblem *problem, double contexts, double bytes) {
  return (double)problem->actions + 2 * contexts * (problem->horizon + 1 + (double)problem->cost.readouts) + bytes / 2 +
         8;
}

/* Tables of at most `numbers` numbers in all, once a node but for the sets; the node's ranks share the work. parts and
 * scratch are the caller's. Collective; clear it also after a failure. */
BfStatus bf_alone_create(BfRun *run, BfActionParts *parts, BfScratch *scratch, int64_t numbers, BfAlone *alone,
                         BfError *error);
void     bf_alone_clear(BfAlone *alone);

/* Number of context s's part of a measure, which it reaches alone. */
int64_t bf_alone_number(const BfAlone *alone, const BfMeasures *measures, const unsigned char *measure, int64_t s);
/* [K] numbers of its successors; of a depth below T. */
static inline const int32_t *bf_alone_row(const BfAlone *alone, int64_t s, int64_t number) {
  const BfShape *shape = &alone->shape[alone->context[s].shape];
  int            t     = 0;
  while (number >= shape->first[t + 1]) t++;
  return (const int32_t *)shape->row[t].base + (number - shape->first[t]) * alone->problem->actions;
}
/* [count] V^(s)_t, and g_s^r. */
static inline const double *bf_alone_value(const BfAlone *alone, int64_t s, int t) {
  const BfAloneContext *c = &alone->context[s];
  return (const double *)c->value.base + (int64_t)t * alone->shape[c->shape].set.count;
}
static inline const double *bf_alone_cost(const BfAlone *alone, int64_t s, int64_t r) {
  const BfAloneContext *c = &alone->context[s];
  return (const double *)c->cost.base + r * alone->shape[c->shape].set.count;
}
/* A sum of stage costs and bounds, and of the terms of a path that it bounds, may be rounded up to it: less that. */
double bf_alone_safe(const BfAlone *alone, double sum);
/* Of two paths to a measure whose keys differ by more, the one of the larger key costs more, as it is computed,
 * whatever follows. INFINITY where some context has no table: nothing is known. */
double bf_alone_tolerance(const BfAlone *alone);
