/* The policy of a full space used from other data than it was solved for. [ASY26]: the closed loop. */
#pragma once
#include "bellformer/model.h"

/* The layers that the policy of the result `path` chooses from the law of `data`: with mu_0 its quantized law,
 *
 *   k_t = policy_t(mu_t),  mu_{t+1} = T(mu_t, k_t),
 *
 * and the readout of least terminal cost at mu_T. From the training data these are the layers of the result. Masses of
 * tags, and labels, are those of the training data. BF_BAD_INPUT where the result has no policy, or where `data` has
 * not the same sequences, positions and, where it is labelled, labels. closed: zeros at first; its controls, actions,
 * readout and quantized cost (V_0 at mu_0); clear it also after a failure. Collective. */
BfStatus bf_closed_loop(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, BfModel *closed,
                        BfError *error);
/* What of it a problem and data alone decide; data: NULL, not known yet. Local. */
BfStatus bf_closed_loop_check(const BfProblem *problem, const BfData *data, BfError *error);
