/* The shares p_j = e^(x_j) / sum_k e^(x_k) of a softmax of m >= 2 forms, into p[m], forms that are there; of work, two
 * forms are taken from the space for a while. room: bf_check_share_room(m) doubles. */
#pragma once
#include "check/linear.h"

int64_t bf_check_share_room(int64_t m);
void    bf_check_shares(BfLinears *space, int m, BfLinear *const x[], BfLinear *const p[], double *room);
