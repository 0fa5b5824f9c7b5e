/* The trainer `flow`. */
#pragma once
#include "flow/settings.h"
#include "train/info.h"
#include "train/trainer.h"

/* Of given controls as a checkpoint has them: [givens T, q], and of a trained readout [givens, C d + C], else 0, 0. */
typedef struct {
  int64_t controls[2], readouts[2];
} BfGivenShape;

typedef struct {
  BfFlowSettings    set; /* first: as its options fill it */
  BfFlowOptions     options;
  BfInitialControls points;
  BfGivenShape      shape; /* of points.given */
  BfFlow           *flow;
  BfFlowAnswer      answer;
  BfFlowValue       value, test;
  BfPontryagin      pontryagin;
  BfFlowLayers      compared;
} BfFlowState;

/* ---- functions of its row, as train/trainer.h tells them --------------------------------------------------------- */

BfStatus bf_flow_settle_state(void *state, const BfRun *run, BfError *error);
/* What -init names, as points.given. */
BfStatus bf_flow_choose_start(void *state, const BfRun *run, const BfProblem *problem, BfError *error);
BfStatus bf_flow_save(const void *state, BfStore *store, BfError *error);
BfStatus bf_flow_restore(void *state, const BfRun *run, BfStore *store, BfError *error);
BfStatus bf_flow_compare(void *state, const BfRun *run, const BfProblem *then, bool all, BfStore *store, bool *differ,
                         BfError *error);
/* -test_gradient and -time_gradient: tell of the gradient at the start. Collective. */
BfStatus bf_flow_try_gradient(const BfFlowState *state, BfRun *run, const BfProblem *problem, BfError *error);
/* /flow and /pontryagin. */
BfStatus bf_flow_write_answer(const void *state, const BfSession *session, BfStore *store, BfError *error);
/* Beside the answer, a warning where J and the cost of the layers differ by more than 1 %. */
void     bf_flow_report(const void *state, const BfSession *session);
void     bf_flow_holds(const void *state, const BfSession *session, char text[BF_STATEMENT]);
BfStatus bf_flow_tell_estimate(void *state, const BfInfo *info, BfError *error);

/* The flow in the scheme of the result. */
BfStatus bf_flow_apply(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, const BfModel *model,
                       BfApplied *out, BfError *error);

extern const BfTrainer bf_flow_trainer;
