/* The terms of a layer. */
#include "bellformer/term.h"

int64_t bf_terms_work(const BfLayer *layer) {
  int64_t most = 0;
  for (int k = 0; k < layer->terms; k++) {
    const BfTermKind *kind = layer->term[k].kind;
    const int64_t     work = kind->work ? kind->work(layer) : 0;
    if (work > most) most = work;
  }
  return most;
}
