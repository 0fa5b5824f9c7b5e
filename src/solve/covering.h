/* How densely the actions U_k fill the box U of controls. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"

/* The covering radius, max over u in U of min over k of |u - u_k|, Euclidean, in units of U's sides (those of no length
 * left out), as the largest over `points` of Halton's points in U, rotated by a seed that no actions have
 * (action.seed goes to 2^63 - 1): from below, and at most the points' own covering radius too small. Work: at most
 * points K q flops, shared by the ranks; the same bits on any number of them. Collective. */
BfStatus bf_covering_radius(const BfRun *run, const BfProblem *problem, int64_t points, double *radius, BfError *error);

/* Seconds of that for one rank of `ranks`: from its first points, whose nearest actions take longest to rule out, so
 * that it is rather too much. Local. */
BfStatus bf_covering_estimate(const BfProblem *problem, int64_t points, int ranks, double *seconds, BfError *error);
