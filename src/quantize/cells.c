/* X_n: what all kinds of cells share. */
#include "quantize/cells.h"
#include <limits.h>

#define ADDRESS(kind) &bf_quantizer_##kind,
static const BfQuantizer *const quantizers[] = {BF_QUANTIZERS(ADDRESS)};

const BfQuantizer *bf_quantizer(int kind) {
  return kind >= 0 && kind < (int)(sizeof quantizers / sizeof *quantizers) ? quantizers[kind] : NULL;
}

static const BfKind *kind_at(int k) {
  const BfQuantizer *kind = bf_quantizer(k);
  return kind ? &kind->base : NULL;
}

const BfFamily bf_quantizer_family = {.kind = kind_at};

/* What cells there are makes of the rest, whichever quantizer they are of. */
static const BfKey   of_cells[]   = {{"quantize.atoms", "integer", "0",
                                      "atoms of each tag's law; 0: one a token. Also with a codebook", .most = INT_MAX},
                                     {.name = "quantize.transition"},
                                     {.name = "quantize.shift"},
                                     {0}};
static const BfKind  with_cells[] = {{.name = "0"}, {.name = "1 or more", .keys = of_cells}};
static const BfKind *with_at(int k) { return k < 2 ? &with_cells[k] : NULL; }
const BfFamily       bf_cells_family = {&bf_key_cells, true, true, with_at};

BfStatus bf_cells_new(const BfQuantizer *kind, int dim, int64_t count, BfCells **out, BfError *error) {
  if (dim < 1) return bf_fail(error, BF_BAD_INPUT, "token.dim must be at least 1, got %d", dim);
  BF_TRY(BF_NEW(out, 1, error));
  **out = (BfCells){.kind = kind, .dim = dim, .count = count};
  return BF_OK;
}

void bf_cells_destroy(BfCells **cells) {
  if (!cells || !*cells) return;
  bf_free((*cells)->axis);
  bf_free((*cells)->own);
  bf_free(*cells);
  *cells = NULL;
}

int64_t       bf_cells_count(const BfCells *cells) { return cells->count; }
int           bf_cells_dim(const BfCells *cells) { return cells->dim; }
const BfAxis *bf_cells_axes(const BfCells *cells) { return cells->axis; }

void bf_cells_point(const BfCells *cells, int64_t cell, double z[]) { cells->kind->point(cells, cell, z); }

int64_t bf_cells_nearest(const BfCells *cells, const double z[]) { return cells->kind->nearest(cells, z); }
