/* What an answer is known to be. */
#pragma once
#include "train/session.h"

/* The last line of a report: what holds for this answer, "the best of all 729^2 lists of actions", and what would tell
 * more of how far it is from the best in the box of controls. Rank 0 speaks. */
void bf_print_statement(const BfSession *session, const char *holds);
