/* Stands in for src/run/limits.c: BF_LIMIT_REDUCED=7 and so on set the bounds of a run. */
#include "run/limits.h"
#include <stdlib.h>

static void take(const char *name, int64_t *bound) {
  const char *text = getenv(name);
  if (text) *bound = strtoll(text, NULL, 10);
}

static void take_number(const char *name, double *bound) {
  const char *text = getenv(name);
  if (text) *bound = strtod(text, NULL);
}

const BfLimits *bf_limits(void) {
  static BfLimits limits;
  static int      read;
  if (read) return &limits;
  read   = 1;
  limits = bf_limits_of_a_run;
  take("BF_LIMIT_REDUCED", &limits.reduced);
  take("BF_LIMIT_SENT_BYTES", &limits.sent_bytes);
  take("BF_LIMIT_FILE_BYTES", &limits.file_bytes);
  take("BF_LIMIT_NARROW", &limits.narrow);
  take("BF_LIMIT_SEALED_BYTES", &limits.sealed_bytes);
  take("BF_LIMIT_BATCH_BYTES", &limits.batch_bytes);
  take("BF_LIMIT_BATCH_PAIRS", &limits.batch_pairs);
  take("BF_LIMIT_TREE_BYTES", &limits.tree_bytes);
  take_number("BF_LIMIT_PIECE_TERMS", &limits.piece_terms);
  take_number("BF_LIMIT_PATIENCE", &limits.patience);
  return &limits;
}
