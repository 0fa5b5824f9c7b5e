/* What an answer is known to be. */
#pragma once
#include "train/session.h"

enum { BF_STATEMENT = 160 };

/* The trainer's `holds`, as an attribute of /rollout, where the trainer has one. Collective. */
BfStatus bf_statement_write(const BfSession *session, BfStore *store, BfError *error);
/* The last line of a report: that, and what would tell more of how far the answer is from the best in the box of
 * controls. Rank 0 speaks. */
void bf_statement_print(const BfSession *session);
