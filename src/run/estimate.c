#include "bellformer/estimate.h"

void bf_estimate_add(const BfRun *run, BfEstimate *estimate, const char *what, double seconds) {
  double sum;
  MPI_Allreduce(&seconds, &sum, 1, MPI_DOUBLE, MPI_SUM, run->world);
  if (estimate->parts < BF_ESTIMATE_PARTS) estimate->part[estimate->parts++] = (BfEstimatePart){what, sum / run->size};
}

double bf_estimate_seconds(const BfEstimate *estimate) {
  double sum = 0;
  for (int i = 0; i < estimate->parts; i++) sum += estimate->part[i].seconds;
  return sum;
}
