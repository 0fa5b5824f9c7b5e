/* PETSc's stages (-log_view), named as our phases. */
#pragma once
#include "bellformer/run.h"

typedef struct {
  int number[BF_PHASES]; /* of PETSc's */
} BfStages;

/* From now on a phase of the run is a stage of PETSc's, without what phases within it take, which are stages of their
 * own; stages lives as long as the run. Once a process, PETSc initialized; local. */
BfStatus bf_stages_follow(BfRun *run, BfStages *stages, BfError *error);
