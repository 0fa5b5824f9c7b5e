/* How far one table's law is from another's. */
#pragma once
#include "bellformer/problem.h"

/* Refuse (BF_BAD_INPUT) tables that have not the same sequences, positions and, unless b is unlabelled, labels or
 * targets: tags, which are sorted alike. what: begins the message; a: the training data. Local. */
BfStatus bf_data_check_tags(const char *what, const BfData *a, const BfData *b, BfError *error);

/* The mean over contexts of W1(mu_s, nu_s), mass staying within its tag: sum over tags g of (tokens of g in `data`) /
 * (tokens of s) W1 of the tag's laws, each of mass 1, for the Euclidean distance of tokens, or of the centres of their
 * cells where on_cells is set (the problem has cells then). Exact; NaN where a tag has too many distinct points for
 * that, more than BF_W1_WORK (cost/w1.h). BF_BAD_INPUT where the tables have not the same sequences and tags,
 * or `other` has neither labels nor targets. Local. */
BfStatus bf_law_distance(const BfProblem *problem, const BfData *data, const BfData *other, bool on_cells, double *w1,
                         BfError *error);
