#include "run/limits.h"

const BfLimits *bf_limits(void) { return &bf_limits_of_a_run; }
