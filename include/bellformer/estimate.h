/* What a command will take, found by running its kernels for a moment on all ranks at once, as the command would.
 * Everything here is of the ranks of the run and the machine that it is on. */
#pragma once
#include "bellformer/run.h"

BF_API_BEGIN

/* Work is counted in terms: an exponential of the attention and what goes with it, in eight lanes. */
#define BF_TERM_SECONDS 3e-9 /* about, on one core of today */

enum { BF_ESTIMATE_PARTS = 10 };

typedef struct {
  const char *what; /* "tables"; static */
  double      seconds;
} BfEstimatePart;

typedef struct {
  int            parts;
  BfEstimatePart part[BF_ESTIMATE_PARTS];
  bool           at_most; /* a bound, apart from what measuring misses */
  bool           rough;   /* a part could not be measured, and is a guess */
} BfEstimate;

/* Add a part, seconds of this rank's work: the mean over ranks counts. Collective. */
void   bf_estimate_add(const BfRun *run, BfEstimate *estimate, const char *what, double seconds);
double bf_estimate_seconds(const BfEstimate *estimate); /* the sum */

BF_API_END
