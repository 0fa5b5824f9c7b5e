/* The settings of `bellformer flow`, as its options give them. */
#pragma once
#include "bellformer/flow.h"
#include "train/options.h"

typedef struct {
  int     scheme; /* number of its name; -1: to be chosen */
  char   *init;
  int64_t steps; /* 0: the scheme's own */
  int64_t starts, seed;
  int64_t best;  /* minima that are told; 0: none */
  int64_t ranks; /* of a group that tries a start; 0: chosen */
  double  tolerance, mebibytes;
  bool    test_gradient, time_gradient;
  char   *petsc; /* PETSc's own, as bf_flow_petsc_take has them */
} BfFlowSettings;

/* Of schemes that do not choose their steps: steps a layer by default. */
#define BF_STEPS_EULER 1
#define BF_STEPS_RK4 8

const char *bf_flow_method(int i); /* of -tao_type; NULL behind the last */

extern const BfOption bf_flow_options[];                    /* into BfFlowSettings */
bool                  bf_flow_petsc_is(const char *option); /* whether bf_flow_petsc_take takes it */
/* The scheme (layers where none is given and -init is a result of solve, else rk4), its steps and its memory that the
 * settings ask for; chosen ones are put into the settings. Refuses what does not go together. Collective. */
BfStatus bf_flow_settle(const BfRun *run, BfFlowSettings *settings, BfFlowOptions *flow, BfError *error);
/* Refuses -seed where nothing is drawn. Local. */
BfStatus bf_flow_check_seed(const BfOptions *given, const BfFlowSettings *settings, BfError *error);
/* Refuses a profile that the scheme does not read. Local. */
BfStatus bf_flow_check_profile(const BfRun *run, const BfProblem *problem, const BfFlowOptions *flow, BfError *error);
/* Whether -init names a file: it is neither NULL, nor zero, nor sample. */
bool bf_flow_init_is_file(const char *init);
