/* BF_IMAGES_RANKS: successors of a tile of laws of two tags. */
#include "kernel/kernels.h"
#include "solve/full/images.h"

/* Images of tag g's laws own[0] .. own[1]-1 with the other's, of one chunk each, into image `which`. Returns how many
 * are uncertain. */
static int find_images(const BfTagImages *x, const int16_t *numbers, int g, const int64_t own[2],
                       const int64_t other[2], int which) {
  const BfRanks   *r     = &x->ranks;
  const BfRankTag *tag   = &r->tag[r->tags == 2 ? g : 0];
  const int64_t    chunk = other[0] / BF_RANK_LAWS, first = chunk * BF_RANK_LAWS, n = x->shape.table->n,
                each = chunk * n * r->borders, atoms = bf_images_atoms(&x->plan, g);
  const BfRankRows rows = {.atoms   = (int)atoms,
                           .n       = (int)n,
                           .borders = r->borders,
                           .step    = r->step,
                           .choose  = tag->choose,
                           .rank    = numbers + tag->rank + each * BF_RANK_LAWS,
                           .range   = numbers + tag->range + 2 * each,
                           .begin   = (int)(other[0] - first),
                           .end     = (int)(other[1] - first),
                           .laws    = (int)(own[1] - own[0]),
                           .cell    = tag->cell + own[0] * atoms,
                           .limit   = numbers + tag->limit + 2 * own[0] * atoms * r->borders,
                           .number  = r->image[which] + own[0] % BF_RANK_LAWS * BF_RANK_LAWS};
  return x->kernels->rank_rows(&rows);
}

static int64_t join(const BfTagImages *x, const BfTableShare *share, int64_t k, const int64_t a[2], const int64_t b[2],
                    int first, int second, bool certain) {
  const int64_t    row = a[0] / BF_RANK_LAWS * BF_RANK_LAWS, column = b[0] / BF_RANK_LAWS * BF_RANK_LAWS;
  const BfRankTile tile = {.first   = x->ranks.image[first],
                           .second  = x->ranks.image[second],
                           .row     = {(int)(a[0] - row), (int)(a[1] - row)},
                           .column  = {(int)(b[0] - column), (int)(b[1] - column)},
                           .radix   = (int32_t)x->plan.tag[1].laws,
                           .next    = bf_table_entries(share, k, a[0], b[0]),
                           .stride  = bf_table_entries(share, k, 1, 0) - bf_table_entries(share, k, 0, 0),
                           .certain = certain};
  return x->kernels->rank_join(&tile);
}

BfStatus bf_images_ranks_tile(BfTagImages *x, const BfTableShare *share, int64_t block, const int64_t a[2],
                              const int64_t b[2], bool mirrored, BfError *error) {
  const int           lanes    = bf_action_parameters_in_block(share->space->problem, block);
  const bool          diagonal = mirrored && a[0] == b[0], twice = mirrored && !diagonal;
  const BfTableRegion here = {{a[0], a[1]}, {b[0], b[1]}}, there = {{b[0], b[1]}, {a[0], a[1]}};
  int64_t             doubts[2] = {0, 0};
  for (int l = 0; l < lanes; l++) {
    const int16_t *numbers = (const int16_t *)share->images + l * x->ranks.numbers;
    int            unsure  = find_images(x, numbers, 0, a, b, 0);
    if (!diagonal) unsure += find_images(x, numbers, 1, b, a, 1);
    doubts[0] += join(x, share, block * BF_LANES + l, a, b, 0, !diagonal, !unsure);
    if (twice) doubts[1] += join(x, share, block * BF_LANES + l, b, a, 1, 0, !unsure);
  }
  for (int i = 0; i < 2; i++) doubts[i] = (doubts[i] + lanes - 1) / lanes; /* entries: so many measures at least */
  BF_TRY(bf_images_settle(x, share, block, &here, doubts[0], error));
  if (twice) BF_TRY(bf_images_settle(x, share, block, &there, doubts[1], error));
  bf_table_told(share, (double)((a[1] - a[0]) * (b[1] - b[0]) * lanes * (1 + twice)));
  return BF_OK;
}
