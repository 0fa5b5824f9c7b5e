/* What a free number of a problem is called: those of all layers, t q + j, then those of a trained readout. */
#pragma once
#include "bellformer/problem.h"

enum { BF_NUMBER_NAME = 64 };
/* "A_0[1, 0] of layer 2", of the first entry that it fills; "readout number 3". Returns the text. */
const char *bf_number_name(const BfProblem *problem, int64_t i, char text[BF_NUMBER_NAME]);
