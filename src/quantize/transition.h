/* How a layer's images go back to cells: a family of kinds. A new one: a file that defines
 * `const BfTransition bf_transition_NAME`, and a line in BF_TRANSITIONS. */
#pragma once
#include "quantize/cells.h"

/* Every kind, in the order in which users are told of them. */
#define BF_TRANSITIONS(KIND)                                                                                           \
  KIND(nearest)                                                                                                        \
  KIND(split)

#define BF_DECLARE_TRANSITION(kind) extern const BfTransition bf_transition_##kind;
BF_TRANSITIONS(BF_DECLARE_TRANSITION)
#undef BF_DECLARE_TRANSITION

extern const BfFamily bf_transition_family;
