#include "run/limits.h"

const BfLimits *bf_limits(void) {
  static const BfLimits limits = {.reduced      = INT64_C(1) << 26,
                                  .sent_bytes   = INT64_C(1) << 30,
                                  .file_bytes   = INT64_C(1) << 30,
                                  .sealed_bytes = INT64_C(1) << 26,
                                  .batch_bytes  = INT64_C(1) << 25,
                                  .batch_pairs  = INT64_C(1) << 20,
                                  .piece_terms  = 2e8,
                                  .patience     = 30};
  return &limits;
}
