/* The terminal costs that the program comes with. A new one: a file that defines `const BfCostKind bf_cost_NAME`, and a
 * line here. */
#pragma once
#include "bellformer/cost.h"

/* In the order in which users are told of them. */
#define BF_COST_KINDS(KIND)                                                                                            \
  KIND(pooled_cross_entropy)                                                                                           \
  KIND(token_cross_entropy)                                                                                            \
  KIND(squared_error)                                                                                                  \
  KIND(wasserstein)                                                                                                    \
  KIND(hinge)

#define BF_DECLARE_COST_KIND(kind) extern const BfCostKind bf_cost_##kind;
BF_COST_KINDS(BF_DECLARE_COST_KIND)
#undef BF_DECLARE_COST_KIND
