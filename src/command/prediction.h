/* The answers of `eval`, as CSV and as HDF5: columns and datasets stand in README, Predictions. */
#pragma once
#include "bellformer/flow.h"
#include "bellformer/model.h"
#include "command/command.h"

/* What a model says of a table: the layers, and, of a result of flow, the flow in its own scheme. Borrowed. */
typedef struct {
  const BfData       *data;
  int                 layers;  /* T */
  int64_t             outside; /* tokens outside the box */
  const BfRollout    *rollout;
  const BfPrediction *prediction;
  const BfFlowValue  *flow;            /* NULL: there is none */
  const BfPrediction *flow_prediction; /* NULL also where its scheme is the layers */
} BfAnswer;

/* Whether a file of that name is CSV (.csv) or HDF5 (.h5, .hdf5); any other ending is refused. */
BfStatus bf_answer_ending(const char *path, bool *csv, BfError *error);
/* Collective. The file appears whole; an existing one is refused unless overwrite is set. */
BfStatus bf_answer_write(const BfRun *run, const BfAnswer *answer, const char *path, bool overwrite, BfError *error);
/* "classes 0: 5, 1: 7" of what was predicted, a line; nothing for costs without classes. */
void bf_answer_print(const BfRun *run, const BfPrediction *prediction);
