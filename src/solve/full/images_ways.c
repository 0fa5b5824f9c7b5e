#include "solve/full/images.h"

BfStatus bf_images_fill(BfTagImages *x, const BfTableShare *share, int64_t block, BfError *error) {
  switch (x->plan.way) {
  case BF_IMAGES_UNIONS:
    return bf_images_fill_unions(x, share, block, error);
  case BF_IMAGES_PAIRS:
    return bf_images_fill_pairs(x, share, block, error);
  default:
    return bf_images_fill_rows(x, share, block, error);
  }
}
