/* Logits R r + b and their log-softmax: what the cross entropies share. */
#pragma once
#include "bellformer/cost.h"

/* The label that each lane's representation r [dim][BF_LANES] is given: the smallest one of largest logit. */
void bf_readout_label(const BfCost *cost, int64_t readout, const double *r, int label[BF_LANES]);

/* R^T (softmax(R r + b) - onehot(label)) [dim][BF_LANES]. */
void bf_readout_gradient(const BfCost *cost, int64_t readout, const double *r, int label, double *gradient);

/* -log softmax(R r + b)[label] of r [dim][BF_LANES], 0 <= label < classes. Finite for any finite r, R and
 * b: logits are kept within +-1e307. */
void bf_readout_loss(const BfCost *cost, int64_t readout, const double *r, int label, double loss[BF_LANES]);
