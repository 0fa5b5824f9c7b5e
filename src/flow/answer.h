/* The answer of `flow`: told, and written. */
#pragma once
#include "bellformer/flow.h"
#include "bellformer/model.h"

typedef struct {
  BfTraining   training;
  BfFlowValue  value, test;
  BfPontryagin pontryagin;
  BfModel      model;
  BfRollout    layers, test_layers;
  BfFlowLayers compared;
} BfFlowAnswer;
void bf_flow_answer_clear(BfFlowAnswer *answer); /* free what it owns */
/* /rollout, /model, /flow and /pontryagin. Collective. */
BfStatus bf_flow_answer_write(const BfProblem *problem, const BfFlowOptions *options, const BfFlowAnswer *answer,
                              BfStore *store, BfError *error);
/* The report; a warning where J and the cost of the layers differ by more than 1 %. Rank 0 speaks. */
void bf_flow_answer_print(const BfRun *run, const BfProblem *problem, const BfScheme *scheme,
                          const BfFlowAnswer *answer);
