/* What a model says of a table: told, and written as CSV and as HDF5: columns and datasets stand in README,
 * Predictions.
 */
#pragma once
#include "bellformer/model.h"

/* A model applied in its trainer's own way, beside the layers: along a flow in depth. */
typedef struct {
  const char    *name;      /* of the trainer: "flow" begins names of columns and datasets; NULL: there is none */
  char           title[64]; /* "flow (rk4, 8 steps a layer)" */
  bool           as_layers; /* the same as the layers but for rounding: it predicts nothing of its own */
  double        *tokens;    /* [T + 1][N][d] in the order of the table's rows; owned */
  double         loss, accuracy;
  const BfModel *chosen; /* layers that are not the result's, whose actions and readout are told; NULL: the result's */
} BfApplied;

/* Borrowed. */
typedef struct {
  const BfData       *data;
  int                 layers;       /* T */
  int64_t             outside;      /* tokens outside the box */
  bool                projected;    /* whether there is a P */
  bool                compared;     /* with the training data, by */
  double              w1, w1_cells; /* distance of their laws, of tokens and on cells; NaN: not known */
  const BfRollout    *rollout;
  const BfPrediction *prediction;
  const BfApplied    *own;            /* NULL: there is none */
  const BfPrediction *own_prediction; /* NULL also where it is as the layers */
} BfAnswer;

/* Whether a file of that name is CSV (.csv) or HDF5 (.h5, .hdf5); any other ending is refused. */
BfStatus bf_answer_ending(const char *path, bool *csv, BfError *error);
/* Collective. The file appears whole; an existing one is refused unless overwrite is set. */
BfStatus bf_answer_write(const BfRun *run, const BfAnswer *answer, const char *path, bool overwrite, BfError *error);
/* Losses, or what was predicted; written: whether it stands in a file. Rank 0 speaks. */
void bf_answer_print(const BfRun *run, const BfAnswer *answer, bool written);
