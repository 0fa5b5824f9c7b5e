/* What info tells of a command. */
#pragma once
#include "flow/settings.h"
#include "solve/space.h"
#include "train/session.h"

enum { BF_INFO_SOLVE, BF_INFO_FLOW };

typedef struct {
  int                command; /* BF_INFO_...; -1: by the options */
  BfSolveSettings    solve;
  BfFlowSettings     flow;
  BfFlowOptions      depth; /* of flow */
  BfSessionOptions   start;
  BfRun             *run;
  const BfArguments *arguments;
  const BfProblem   *problem;
  int64_t            program; /* bytes of memory of a rank before anything is measured */
} BfInfo;

/* Measure and print. Collective. */
BfStatus bf_info_solve(BfInfo *info, BfError *error);
BfStatus bf_info_flow(BfInfo *info, BfError *error);
