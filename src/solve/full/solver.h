/* All that a solve in the full space holds. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/solve.h"
#include "solve/full/sweep.h"

typedef struct {
  BfRun             *run;
  BfCheckpoint      *checkpoint; /* borrowed; NULL: none */
  const BfProblem   *problem;
  BfFullSpace        space;
  BfActionParameters actions;
  BfTerminalTables   terminal;
  BfTables           tables;
  BfPlan             plan;
  BfSweep            sweep;
  BfUntabled         untabled; /* where there are no tables */
  BfShared           V[2];     /* V_t in V[t % 2] */
  int32_t          **policy;   /* [T][sweep.owned], */
  BfStore           *rows;     /* or all one, where the layers' are in its /policy alone; else NULL. Borrowed */
  int64_t            initial;  /* index of mu_0 */
  double             terms;    /* work of a Q-value */
} BfFull;

/* Space, tables (or none), plan and empty values of a problem, in a BfFull that is zero but for `rows`. Collective;
 * clear it also after a failure. */
BfStatus bf_full_create(BfRun *run, const BfProblem *problem, const BfFullOptions *options, BfCheckpoint *checkpoint,
                        BfFull *x, BfError *error);
void     bf_full_clear(BfFull *x); /* safe on a zeroed struct */
/* policy_t(i). Collective: the rank that computed it tells the others; or from x->rows. */
BfStatus bf_full_policy(const BfFull *x, int t, int64_t i, int32_t *k, BfError *error);
/* T(i, k); without tables of a pair whose Q-value the sweeps have found, so that it is a number. */
int64_t bf_full_next(const BfFull *x, int64_t i, int32_t k);
