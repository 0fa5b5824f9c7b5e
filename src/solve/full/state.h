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
} BfFullState;

/* Space, tables, plan and empty values of a problem. Collective; clear it also after a failure. */
BfStatus bf_full_state_create(BfRun *run, const BfProblem *problem, BfCheckpoint *checkpoint, BfFullState *x,
                              BfError *error);
void     bf_full_state_clear(BfFullState *x); /* safe on a zeroed struct */
/* policy_t(i). Collective: the rank that computed it tells the others. */
int32_t bf_full_policy(const BfFullState *x, int t, int64_t i);
/* T(i, k). */
int64_t bf_full_next(const BfFullState *x, int64_t i, int32_t k);
