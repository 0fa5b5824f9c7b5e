/* Costs to go of contexts alone. */
#pragma once
#include "solve/reachable/alone.h"

/* Terminal costs and V^(s)_t of all tables, and what bounds V_0(mu_0). Collective. */
BfStatus bf_alone_evaluate(BfRun *run, const BfActionParameters *actions, BfAlone *alone, BfError *error);
