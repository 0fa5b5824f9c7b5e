/* What a result tells beside its model where -best asked for it: further open loops of solve, minima of flow. */
#pragma once
#include "bellformer/model.h"

typedef struct {
  int64_t count, layers, free; /* 0: it has none */
  double *control;             /* [count][layers][free]; owned */
  double *numbers;             /* [count][trained] of a problem's trained readout; NULL: those of the model; owned */
} BfBestControls;

/* /rollout/best of a file, its readouts where `cost` trains one. *out is to be cleared also after a failure. Numbers
 * may be infinite. Collective. */
BfStatus bf_best_controls_read(const BfRun *run, const char *path, const BfCost *cost, BfBestControls *out,
                               BfError *error);
void     bf_best_controls_clear(BfBestControls *best);
