/* Where `flow` starts: what -init names. */
#pragma once
#include "bellformer/flow.h"
#include "bellformer/run.h"

/* Whether path is a result of `solve`; false where it cannot be read, which is told when it is used. Collective. */
BfStatus bf_flow_init_is_solve(const BfRun *run, const char *path, bool *solve, BfError *error);
/* The point of U next to 0, in every layer, and the middle of the box of a trained readout: control [n]. */
void bf_flow_init_zero(const BfProblem *problem, double *control);
/* The controls of another result of solve or flow, with -best all of its open loops or minima, as points->given; with
 * each its readout where this problem trains one, the middle of the box where the file has none. Numbers outside the
 * box are clipped into it, and a line tells how many. BF_BAD_INPUT where they do not fit the problem. Collective. */
BfStatus bf_flow_init_result(const BfRun *run, const BfProblem *problem, const char *path, BfInitialControls *points,
                             BfError *error);
