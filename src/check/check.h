/* A certificate, checked by arithmetic of the checker's own: README.md. */
#pragma once
#include "check/certificate.h"

typedef struct {
  int64_t leaves, cuts, planes; /* of the tree; of cells */
} BfCheckCount;

/* BF_OK where all of it holds; BF_FAILURE and a line that says what does not; BF_BAD_INPUT where the tree is damaged or
 * the problem has a kind without an enclosure here. The same on any number of ranks. Collective. */
BfStatus bf_check(BfRun *run, const char *path, const BfProblem *problem, const BfModel *model,
                  const BfCertificate *certificate, BfCheckCount *count, BfError *error);
