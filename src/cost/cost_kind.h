/* What a terminal cost is to the rest of the module. A new one: a file that defines `const BfCostKind bf_cost_NAME`,
 * and a line in BF_COST_KINDS. */
#pragma once
#include "bellformer/cost.h"

/* Every kind, in the order in which users are told of them. */
#define BF_COST_KINDS(KIND)                                                                                            \
  KIND(pooled_cross_entropy)                                                                                           \
  KIND(token_cross_entropy)                                                                                            \
  KIND(squared_error)                                                                                                  \
  KIND(wasserstein)

typedef enum { BF_AVERAGE_CONTEXTS, BF_AVERAGE_TOKENS } BfAverage;

struct BfCostKind {
  const char *name;
  int         has_readout;  /* R, b and labels; labels are known to be below classes when `evaluate` is called */
  int         needs_target; /* y in place of labels; known to be there when `evaluate` is called */
  BfAverage   average;      /* what the sum over contexts is divided by */

  /* The context's part of the sum before it is averaged, loss [BF_LANES]: the loss of the context, or of each of its
   * atoms times the atom's mass; and, where `gradient` [slots][dim][BF_LANES] is not NULL, the derivative of that by z.
   * The same bits of the loss with and without it. Wanted of the first `lanes` lanes: in the others z may be anything,
   * and what is written there is not read. No lane depends on another. */
  BfStatus (*evaluate)(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                       double *loss, double *gradient, BfError *error);
  /* What a context stands for, r [dim][BF_LANES]; NULL where every token stands for itself. */
  void (*represent)(const BfCost *cost, const BfContext *context, const double *z, double *r);
  /* How much lane 0 classifies rightly, in what is averaged over; NULL for kinds without labels. */
  double (*correct)(const BfCost *cost, int64_t readout, const BfContext *context, const double *z);
};

#define BF_DECLARE_COST_KIND(kind) extern const BfCostKind bf_cost_##kind;
BF_COST_KINDS(BF_DECLARE_COST_KIND)
#undef BF_DECLARE_COST_KIND
