#include "problem/number.h"
#include <stdio.h>

/* The first entry of a matrix that its free number k fills. */
static void name_entry(const BfMatrix *one, int k, int64_t layer, char text[BF_NUMBER_NAME]) {
  double factor;
  for (int i = 0; i < one->rows * one->cols; i++)
    if (one->form->number(one->cols, i / one->cols, i % one->cols, &factor) == k) {
      snprintf(text, BF_NUMBER_NAME, "%s[%d, %d] of layer %lld", one->name, i / one->cols, i % one->cols,
               (long long)layer);
      return;
    }
}

const char *bf_number_name(const BfProblem *problem, int64_t i, char text[BF_NUMBER_NAME]) {
  const int64_t q = problem->layer.free, controls = problem->horizon * q;
  snprintf(text, BF_NUMBER_NAME, "readout number %lld", (long long)(i - controls));
  for (int m = 0; i < controls && m < problem->layer.matrices; m++) {
    const BfMatrix *one = &problem->layer.matrix[m];
    const int       k   = (int)(i % q) - one->offset;
    if (k >= 0 && k < one->free) name_entry(one, k, i / q, text);
  }
  return text;
}
