#include "solve/full/images.h"

void bf_images_begin(BfTagImages *x, const BfTableShare *share) {
  if (!bf_images_bytes(&x->plan)) return;
  if (x->plan.way == BF_IMAGES_RANKS) bf_images_find_ranks(x, share);
  else bf_images_find_unions(x, share);
  if (share->sync) share->sync(share->with);
}

/* Before others write the next block's. */
void bf_images_end(const BfTagImages *x, const BfTableShare *share) {
  if (bf_images_bytes(&x->plan) && share->sync) share->sync(share->with);
}

BfStatus bf_images_fill_region(BfTagImages *x, const BfTableShare *share, int64_t block, const BfTableRegion *region,
                               BfError *error) {
  BfImagesRegion *const of[] = {[BF_IMAGES_UNIONS] = bf_images_unions_region,
                                [BF_IMAGES_PAIRS]  = bf_images_pairs_region,
                                [BF_IMAGES_RANKS]  = bf_images_pairs_region,
                                [BF_IMAGES_ROWS]   = bf_images_rows_region};
  return of[x->plan.way](x, share, block, region, error);
}

BfStatus bf_images_fill(BfTagImages *x, const BfTableShare *share, int64_t block, BfError *error) {
  const BfTableRegion own = bf_table_region(share);
  bf_images_begin(x, share);
  const BfStatus status = (x->plan.way == BF_IMAGES_PAIRS || x->plan.way == BF_IMAGES_RANKS) && !share->rows
                              ? bf_images_fill_tiles(x, share, block, error)
                              : bf_images_fill_region(x, share, block, &own, error);
  bf_images_end(x, share);
  return status;
}
