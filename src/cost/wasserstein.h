/* The settings of `wasserstein`, and the position weight that keeps tokens in their places. */
#pragma once
#include "bellformer/cost.h"

typedef struct {
  double weight;    /* lambda of the ground cost, or */
  int    automatic; /* 1: for each context what forces the coupling to keep positions */
} BfPositionWeight;

/* The least position weight that forces the optimal coupling to keep every token at its own position, [ASY26] eq. 14:
 * diam(Z)^2 / min over i != j of |p_i - p_j|^2 with p = (index + 1)/L_s, over the positions of the given context;
 * diameter2 is |upper - lower|^2. 0 for one position. */
double bf_position_weight_bound(const BfContext *context, double diameter2);
