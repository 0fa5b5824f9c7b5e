/* Continuity of the solution in the initial law. */
#pragma once
#include "solve/full/solver.h"

/* For every measure within `moves` atom moves (an atom of a tag goes to any other cell) of mu_0: V_0, the loss at the
 * end of the closed loop from it, and the loss of mu_0's open loop from it; and the largest |V_0(mu) - V_0(mu')| /
 * W1(mu, mu') among them, with W1 = mean over contexts of the mass-weighted sum over tags of the W1 distance of their
 * laws (tags never mix). Writes /stability to `store` (which may be NULL), prints a summary. Collective. */
BfStatus bf_full_stability(const BfFull *x, int moves, BfStore *store, BfError *error);
