/* Attention, sum over heads of V_h times a mean over the tokens that a token sees: the kernels evaluate it themselves.
 */
#include "bellformer/term.h"
#include <stdio.h>

static int matrix(const BfLayer *layer, int k, BfMatrix *out) {
  if (k >= 2 * layer->heads) return 0;
  *out = (BfMatrix){.rows = layer->dim, .cols = layer->dim};
  snprintf(out->name, sizeof out->name, "%c_%d", k % 2 ? 'V' : 'A', k / 2);
  return 1;
}

const BfTermKind bf_term_attention = {.name = "attention", .matrix = matrix};
