/* How densely the actions U_k fill the box U of controls. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"

/* The covering radius, max over u in U of min over k of |u - u_k|, Euclidean, in units of U's sides (those of no length
 * left out), as the largest over `points` of Halton's points in U: from below, and at most the points' own covering
 * radius too small. Work: points K q flops, shared by the ranks; the same bits on any number of them. Collective. */
BfStatus bf_covering_radius(const BfRun *run, const BfProblem *problem, int64_t points, double *radius, BfError *error);
