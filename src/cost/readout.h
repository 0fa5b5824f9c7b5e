/* Logits R r + b and their log-softmax: what the cross entropies share. */
#pragma once
#include "bellformer/cost.h"

/* weight R^T (softmax(R r + b) - onehot(label)) of one r [dim], plainly and apart from the lanes: out [dim]. */
BfStatus bf_readout_residual(const BfCost *cost, int64_t readout, const double r[], int label, double weight,
                             double out[], BfError *error);

/* The label that each lane's representation r [dim][BF_LANES] is given: the smallest one of largest logit. */
void bf_readout_label(const BfCost *cost, int64_t readout, const double *r, int label[BF_LANES]);

/* -log softmax(R r + b)[label] of r [dim][BF_LANES], 0 <= label < classes, in the first `lanes` lanes; and, where
 * `gradient` is not NULL, R^T (softmax(R r + b) - onehot(label)) [dim][BF_LANES]; unspecified in the other lanes.
 * Finite for any finite r, R and b: logits are kept within +-1e307. */
void bf_readout_loss(const BfCost *cost, int64_t readout, const double *r, int lanes, int label, double loss[BF_LANES],
                     double *gradient);

/* Add to by [C d + C], R row by row, then b, `weight` times the derivative of that loss by the readout's numbers, at
 * lane 0 of r [dim][BF_LANES]. */
void bf_readout_by_numbers(const BfCost *cost, int64_t readout, const double *r, int label, double weight, double by[]);
/* Add a class's part of such a derivative: `by_logit` the derivative by its logit. */
void bf_readout_add(const BfCost *cost, int c, double by_logit, const double *r, double by[]);

/* The affine minorant (cost.h) of weight (-log softmax(R r + b)[label]) in one r [dim]: where->at, where->from [dim];
 * r_out [dim]. */
BfStatus bf_readout_minorant(const BfCost *cost, int64_t readout, const BfMinorantAt *where, int label, double weight,
                             double *constant, double r_out[], BfError *error);
