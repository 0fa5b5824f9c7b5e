/* Logits at which boxes are halved, beside the free numbers.
 *
 * A_th has d^2 numbers or so, but J sees of them the logits alone: a difference for each query and other key, which may
 * be far fewer. A box that is halved at one of these, instead of at each number that it depends on, knows it as well;
 * what it is a function of is kept as a form that is 0 (lower.h). */
#pragma once
#include "certify/objective.h"

/* Appends to the free numbers of x the logits of every layer and head of whose matrix A at least twice as many numbers
 * are free as it has logits that are not constant; with their ranges over the whole box, and half of it more on each
 * side, so that another program's forms may be wider. None where two contexts share two tokens, or one
 * has tokens of the same data that are not alike: logits may be the same function then. Local. */
BfStatus bf_objective_logits(BfObjective *x, BfError *error);

/* How many numbers boxes are searched by, about: the free ones, but of each A that has logits these. */
int bf_objective_dimension(const BfObjective *x);

enum { BF_LOGIT_TEXT = 80 };
/* "delta_1 (sequence 1, layer 1, head 0, query 0)": logit i of x. */
const char *bf_logit_name(const BfObjective *x, int64_t i, char text[BF_LOGIT_TEXT]);
