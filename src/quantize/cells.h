/* The points X_n that tokens are quantized to: kinds of quantizer, of which the one is chosen whose key is given. A new
 * one: a file that defines `const BfQuantizer bf_quantizer_NAME`, and a line in BF_QUANTIZERS. */
#pragma once
#include "bellformer/kind.h"
#include "bellformer/quantize.h"

/* The last is the one that is missed where no key is given. */
#define BF_QUANTIZERS(KIND)                                                                                            \
  KIND(codebook)                                                                                                       \
  KIND(grid)

/* The box Z of tokens; borrowed. */
typedef struct {
  int           dim;
  const double *lower, *upper; /* [dim] */
} BfTokenBox;

typedef struct {
  BfKind base; /* its name is its key */
  /* The cells that its keys give; *out NULL: tokens are not quantized. */
  BfStatus (*read)(const BfKeyReader *keys, const BfTokenBox *box, BfCells **out, BfError *error);
  void (*point)(const BfCells *cells, int64_t cell, double z[]);
  int64_t (*nearest)(const BfCells *cells, const double z[]);
} BfQuantizer;

struct BfCells {
  const BfQuantizer *kind;
  int                dim;
  int64_t            count;
  BfAxis            *axis; /* [dim] where the points stand on axes, else NULL; owned */
  void              *own;  /* what the kind alone knows, freed with bf_free */
};

#define BF_DECLARE_QUANTIZER(kind) extern const BfQuantizer bf_quantizer_##kind;
BF_QUANTIZERS(BF_DECLARE_QUANTIZER)
#undef BF_DECLARE_QUANTIZER

extern const BfFamily bf_quantizer_family;
extern const BfKey    bf_key_cells;           /* quantize.cells, which chooses there and is the grid's */
extern const BfFamily bf_cells_family;        /* of tokens that are not quantized, "0", and of those that are */
const BfQuantizer    *bf_quantizer(int kind); /* its number in the family; NULL behind the last */

/* Cells without points; destroy them also after a failure. */
BfStatus bf_cells_new(const BfQuantizer *kind, int dim, int64_t count, BfCells **out, BfError *error);

/* clamp(floor(x), 0, cells - 1), bounded before the conversion, which is undefined beyond int64_t; NaN goes to 0.
 * Where (double)cells is rounded up, the double before it is below cells. */
static inline int64_t bf_clamp_floor(double x, int64_t cells) {
  if (!(x > 0)) return 0;
  return x < (double)cells ? (int64_t)x : cells - 1;
}
