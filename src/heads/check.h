/* What a problem must be for heads. */
#pragma once
#include "bellformer/problem.h"

/* BF_BAD_INPUT, with the key's name, for a layer that is not r = 1 and attention of heads that are alike (the same
 * forms, ranges and fixed values), or whose fixed V would be averaged over places that are empty. problem: read with
 * BF_SECTION_HEADS. Local. */
BfStatus bf_heads_check(const BfProblem *problem, BfError *error);
/* The same without the ranges. */
BfStatus bf_heads_check_layer(const BfProblem *problem, BfError *error);
/* The same of the forms and fixed values of two layers that may have different numbers of heads; what: of the other,
 * for the message. */
BfStatus bf_heads_check_forms(const BfLayer *layer, const BfLayer *other, const char *what, BfError *error);
