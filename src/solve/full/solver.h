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
  BfShared           V[2];    /* V_t in V[t % 2] */
  int32_t          **policy;  /* [T][sweep.owned] */
  int64_t            initial; /* index of mu_0 */
} BfFull;

/* Space, tables, plan and empty values of a problem. Collective; clear it also after a failure. */
BfStatus bf_full_create(BfRun *run, const BfProblem *problem, BfCheckpoint *checkpoint, BfFull *x, BfError *error);
void     bf_full_clear(BfFull *x); /* safe on a zeroed struct */
/* policy_t(i). Collective: the rank that computed it tells the others. */
int32_t bf_full_policy(const BfFull *x, int t, int64_t i);
/* T(i, k). */
int64_t bf_full_next(const BfFull *x, int64_t i, int32_t k);
