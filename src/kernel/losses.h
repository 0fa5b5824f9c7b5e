/* What terminal costs evaluate in lanes. */
#pragma once
#include "bellformer/kernel.h"

/* One readout R r + b. Borrowed arrays. */
typedef struct {
  int           classes, dim;
  const double *matrix; /* [classes][dim] R */
  const double *bias;   /* [classes] b; NULL: 0 */
} BfFlatReadout;

/* Of the logits x_c of a representation in each lane, which are kept within +-1e307: the largest; sums of exp(x_c -
 * max) over all classes, and over all but the label, which would drown the others; and the loss -log softmax [label] =
 * max - x_label + log(1 + the sum over all but the smallest class of largest logit): that is split off, so that a loss
 * far below 1e-16 keeps its digits. */
typedef struct {
  double max[BF_LANES], all[BF_LANES], wrong[BF_LANES], loss[BF_LANES];
} BfSoftmaxSums;

/* (R r + b)[c] of r [dim][BF_LANES], kept within +-1e307: out [BF_LANES]. */
typedef void BfLogit(const BfFlatReadout *readout, int c, const double *r, double *out);
/* r [dim][BF_LANES]; 0 <= label < classes. */
typedef void BfSoftmax(const BfFlatReadout *readout, const double *r, int label, BfSoftmaxSums *out);
/* loss [BF_LANES] = sum over atoms of mass |z - y|^2, z [slots][dim][BF_LANES], y the targets of their tags. */
typedef void BfSquares(const BfContext *context, int dim, const double *z, double *loss);
