/* BF_IMAGES_PAIRS: two tags, in tiles of 64 laws each, which BF_IMAGES_RANKS goes through, too. An image of a law given
 * the other's is used at once by the one measure that has both; where the tags differ in nothing, (a, b) and (b, a)
 * share theirs. Bound by arithmetic: an image, or two, a measure. */
#include "kernel/kernels.h"
#include "solve/full/images.h"

typedef struct {
  BfTagImages        *x;
  const BfTableShare *share;
  int64_t             block, laws[2];
  int64_t             side; /* laws of a tile's side */
  bool                alike;
} Pairs;

static int32_t *tile_at(const Pairs *p, int which) {
  return p->x->tile + (int64_t)which * BF_IMAGE_TILE * BF_IMAGE_STRIDE * BF_LANES;
}

/* Images of tag g's laws `own` given the other's laws, where it sees them. */
static void find_tile(const Pairs *p, int g, const int64_t own[2], const int64_t other[2], int which) {
  const bool        sees = p->x->plan.tag[g].groups > 0;
  const BfImageTile tile = {g, which, {own[0], own[1]}, {sees ? other[0] : 0, sees ? other[1] : 1}};
  bf_images_tile(p->x, &tile, tile_at(p, which), BF_IMAGE_STRIDE);
}

/* Measures (a, b) of the tile, of images [own][other] in tiles number `first` and `second`. */
static BfStatus join_tile(const Pairs *p, const int64_t a[2], const int64_t b[2], int first, int second,
                          BfError *error) {
  BfTagImages *x     = p->x;
  const int    lanes = bf_action_parameters_in_block(p->share->space->problem, p->block), count = (int)(b[1] - b[0]);
  const int    sees0 = x->plan.tag[0].groups > 0, sees1 = x->plan.tag[1].groups > 0;
  x->join[0].image = tile_at(p, first);
  x->join[1].image = tile_at(p, second);
  x->join[0].row = x->join[1].row = NULL;
  x->join[0].step                 = sees0;
  x->join[1].step                 = BF_IMAGE_STRIDE;
  int64_t doubts                  = 0;
  for (int64_t i = a[0]; i < a[1]; i++) {
    x->join[0].base = (i - a[0]) * BF_IMAGE_STRIDE;
    x->join[1].base = sees1 ? i - a[0] : 0;
    doubts += bf_images_join(x, p->share, p->block, i, b[0], count);
  }
  const BfTableRegion region = {{a[0], a[1]}, {b[0], b[1]}};
  BF_TRY(bf_images_settle(x, p->share, p->block, &region, doubts, error));
  bf_table_told(p->share, (double)((a[1] - a[0]) * count * lanes));
  return BF_OK;
}

/* Tile (A, B), and (B, A) where `mirrored`. */
static BfStatus fill_tile(const Pairs *p, const int64_t a[2], const int64_t b[2], bool mirrored, BfError *error) {
  const bool diagonal = mirrored && a[0] == b[0];
  if (p->x->plan.way == BF_IMAGES_RANKS) return bf_images_ranks_tile(p->x, p->share, p->block, a, b, mirrored, error);
  find_tile(p, 0, a, b, 0);
  if (!diagonal) find_tile(p, 1, b, a, 1);
  BF_TRY(join_tile(p, a, b, 0, !diagonal, error));
  return mirrored && !diagonal ? join_tile(p, b, a, 1, 0, error) : BF_OK;
}

static int64_t tiles_of(int64_t laws, int64_t side) { return (laws + side - 1) / side; }

/* Of tile number `tile`, what is within from .. end-1. */
static void sides(const Pairs *p, int64_t from, int64_t tile, int64_t end, int64_t to[2]) {
  to[0] = tile * p->side > from ? tile * p->side : from;
  to[1] = (tile + 1) * p->side < end ? (tile + 1) * p->side : end;
}

static int64_t count_units(const BfImagesPlan *plan, int64_t side) {
  const int64_t rows = tiles_of(plan->tag[0].laws, side), columns = tiles_of(plan->tag[1].laws, side);
  return plan->tag[1].like == 0 ? rows * (rows + 1) / 2 : rows * columns;
}

enum { SMALLEST = 8 };

int64_t bf_images_pairs_units(const BfImagesPlan *plan) { return count_units(plan, BF_IMAGE_TILE); }

/* So small that every worker has some eight. */
static int64_t side_for(const BfImagesPlan *plan, int64_t workers) {
  int64_t side = BF_IMAGE_TILE;
  while (side > SMALLEST && count_units(plan, side) < 8 * workers) side /= 2;
  return side;
}

/* The share is one of tiles, in pairs where the tags are alike. */
static BfStatus fill_tiles(const Pairs *p, BfError *error) {
  const int64_t units = count_units(&p->x->plan, p->side), columns = tiles_of(p->laws[1], p->side);
  const int64_t end  = units * (p->share->worker + 1) / p->share->workers;
  int64_t       unit = 0, a[2], b[2];
  for (int64_t row = 0; row * p->side < p->laws[0] && unit < end; row++)
    for (int64_t column = p->alike ? row : 0; column < columns && unit < end; column++, unit++) {
      if (unit < units * p->share->worker / p->share->workers) continue;
      sides(p, 0, row, p->laws[0], a);
      sides(p, 0, column, p->laws[1], b);
      BF_TRY(fill_tile(p, a, b, p->alike, error));
    }
  return BF_OK;
}

static Pairs pairs_of(BfTagImages *x, const BfTableShare *share, int64_t block, int64_t side) {
  return (Pairs){.x     = x,
                 .share = share,
                 .block = block,
                 .laws  = {x->plan.tag[0].laws, x->plan.tag[1].laws},
                 .side  = side,
                 .alike = x->plan.tag[1].like == 0};
}

BfStatus bf_images_pairs_region(BfTagImages *x, const BfTableShare *share, int64_t block, const BfTableRegion *region,
                                BfError *error) {
  const Pairs    p    = pairs_of(x, share, block, BF_IMAGE_TILE);
  const int64_t *lead = region->lead, *type = region->type;
  int64_t        a[2], b[2];
  for (int64_t row = lead[0] / p.side; row * p.side < lead[1]; row++)
    for (int64_t column = type[0] / p.side; column * p.side < type[1]; column++) {
      sides(&p, lead[0], row, lead[1], a);
      sides(&p, type[0], column, type[1], b);
      BF_TRY(fill_tile(&p, a, b, false, error));
    }
  return BF_OK;
}

BfStatus bf_images_fill_tiles(BfTagImages *x, const BfTableShare *share, int64_t block, BfError *error) {
  const Pairs p = pairs_of(x, share, block, side_for(&x->plan, share->cut_for ? share->cut_for : share->workers));
  return fill_tiles(&p, error);
}
