/* What the parts of the tangent kernel share. */
#pragma once
#include "heads/share.h"
#include "heads/tangent/tangent.h"
#include "heads/tangent/triangle.h"

/* R of the matrix of rows sqrt(w) g, complete on rank 0. Collective. */
BfStatus bf_tangent_triangle(BfHeads *x, const BfHeadLaw *whole, BfTriangle *R, BfError *error);
/* Triangles that are made of blocks of heads, each of `free` numbers, and then merged. */
int bf_tangent_leaves(int64_t outputs, int64_t heads, int64_t free);

/* dz_T [tokens][d] of this rank's sequences along dtheta [T][count][q]: J dtheta. Collective. */
BfStatus bf_heads_tangent(BfHeads *x, const BfHeadLaw *law, const double *dtheta, double *dz, BfError *error);
/* The ends of the spectrum by SLEPc on products with J and J^T. Collective. */
BfStatus bf_tangent_ends(BfHeads *x, const BfHeadLaw *law, BfTangent *out, BfError *error);
