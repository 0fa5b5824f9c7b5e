/* What a rank measured of itself. */
#pragma once
#include "bellformer/run.h"

typedef struct BfPhases {
  double started;
  double seconds[BF_PHASES], begun[BF_PHASES];
  double values;                          /* Q-values computed */
  double sent;                            /* bytes sent */
  double earlier_seconds, earlier_values; /* of earlier starts, all ranks together */
  int    earlier_starts;
} BfPhases;
