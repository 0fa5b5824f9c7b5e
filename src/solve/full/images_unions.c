/* BF_IMAGES_UNIONS: a tag's image depends on its own law and on the union of the others, of which there are far fewer
 * than measures (iris-full: 165 * 3003 images, 4.5 million measures). All of a block are found first, by the ranks of a
 * node together; then a measure is a look-up a tag: [laws][rests] in lanes, 32 bytes each. Bound by the second-level
 * and third-level cache. */
#include "kernel/kernels.h"
#include "solve/full/images.h"

/* This part's images of all tags that are not like one before. */
void bf_images_find_unions(BfTagImages *x, const BfTableShare *share) {
  const BfImagesPlan *plan = &x->plan;
  for (int g = 0; g < plan->context->tags; g++) {
    const BfImagesTag *tag  = &plan->tag[g];
    BfImageTile        tile = {.tag = g,
                               .own = {tag->laws * share->part / share->parts, tag->laws * (share->part + 1) / share->parts}};
    if (tag->like < g || tile.own[0] == tile.own[1]) continue;
    for (int64_t r = 0; r < tag->rests; r += BF_IMAGE_TILE) {
      tile.rest[0] = r;
      tile.rest[1] = r + BF_IMAGE_TILE < tag->rests ? r + BF_IMAGE_TILE : tag->rests;
      bf_images_tile(x, &tile, share->images + (tag->at + tile.own[0] * tag->rests + r) * BF_LANES, tag->rests);
    }
  }
}

/* Measures lead * radix + from .. to-1. */
static int64_t join_lead(BfTagImages *x, const BfTableShare *share, int64_t block, int64_t lead, const int64_t law[2]) {
  const BfImagesPlan *plan   = &x->plan;
  const int           last   = plan->context->tags - 1;
  const int64_t       radix  = plan->tag[last].laws;
  int64_t             digits = lead;
  bf_full_unrank(share->space, share->s, lead * radix, x->cell);
  for (int g = last; g >= 0; g--) {
    const BfImagesTag *tag = &plan->tag[g];
    BfImageTag        *to  = &x->join[g];
    bf_images_find(plan, g, x->cell, to);
    to->image = share->images + tag->at * BF_LANES;
    if (g == last) {
      to->base += law[0] * tag->rests;
      to->step = tag->rests;
      continue;
    }
    to->image += digits % tag->laws * tag->rests * BF_LANES;
    digits /= tag->laws;
    if (to->row) to->row += law[0];
    else to->base += to->step * law[0];
  }
  return bf_images_join(x, share, block, lead, law[0], (int)(law[1] - law[0]));
}

BfStatus bf_images_unions_region(BfTagImages *x, const BfTableShare *share, int64_t block, const BfTableRegion *own,
                                 BfError *error) {
  const int     lanes = bf_action_parameters_in_block(share->space->problem, block);
  BfTableRegion part  = *own;
  if (own->type[0] == own->type[1]) return BF_OK;
  for (; part.lead[0] < own->lead[1]; part.lead[0] = part.lead[1]) {
    int64_t doubts = 0;
    part.lead[1]   = part.lead[0] + BF_IMAGE_TILE < own->lead[1] ? part.lead[0] + BF_IMAGE_TILE : own->lead[1];
    for (int64_t lead = part.lead[0]; lead < part.lead[1]; lead++)
      doubts += join_lead(x, share, block, lead, own->type);
    BF_TRY(bf_images_settle(x, share, block, &part, doubts, error));
    bf_table_told(share, (double)((part.lead[1] - part.lead[0]) * (own->type[1] - own->type[0])) * lanes);
  }
  return BF_OK;
}
