/* The fastest way to fill a table: by the images of tags (src/kernel/images.h). */
#pragma once
#include "solve/full/images_plan.h"
#include "solve/full/images_ranks.h"
#include "solve/full/table.h"

#define BF_IMAGE_TILE 64   /* laws of a tile's sides: its images stay in a second-level cache, */
#define BF_IMAGE_STRIDE 65 /* in rows that do not all fall into the same lines of it */

typedef struct {
  BfImagesPlan plan;
  /* The slower way to fill a region of at most BF_IMAGE_TILE types, for the block that is prepared. */
  BfStatus (*measures)(void *of, const BfTableRegion *region, BfError *error);
  void            *of;
  BfImageShape     shape;
  const BfKernels *kernels;
  int64_t          sums;      /* numbers of a law's sums */
  BfImageSums      own, rest; /* of a law; [2 or positions][BF_IMAGE_TILE] of what it sees */
  struct {
    int     tag; /* of which `rest` holds sums from number `from`, -1: of none */
    int64_t from;
  } held[2];
  BfImageSums none;     /* zeros */
  BfImageSums law_sums; /* [laws] of two tags that are alike, where that is little memory; else NULL */
  double    **below;    /* [slots + 1] by atoms: see BfImageRow */
  int        *place;    /* [slots] atoms that are seen */
  int64_t    *cell, *law;
  double     *mass;
  int32_t    *tile;  /* [tags, or 2][BF_IMAGE_TILE][BF_IMAGE_STRIDE][BF_LANES] */
  BfImageTag *join;  /* [tags] */
  BfRanks     ranks; /* of BF_IMAGES_RANKS */
} BfTagImages;

/* Of a context with its geometry, which is borrowed. plan.way tells whether there is such a way; clear it also after a
 * failure. */
BfStatus bf_images_create(const BfFullSpace *space, int64_t s, const BfTableShape *table, BfTagImages *images,
                          BfError *error);
void     bf_images_clear(BfTagImages *images);
/* Bytes that each rank holds for these, about. */
int64_t bf_images_rank_bytes(const BfImagesPlan *plan);

/* For the block of actions that the table has prepared. False: their logits are too far apart for sums. */
bool bf_images_prepare(BfTagImages *images, const double *parameters);

/* What workers find together at the start of a block, and until when they need it: see BfTableShare. */
void bf_images_begin(BfTagImages *images, const BfTableShare *share);
void bf_images_end(const BfTagImages *images, const BfTableShare *share);
/* Successors of a region's measures between the two. Uncertain ones by a whole layer. */
BfStatus bf_images_fill_region(BfTagImages *images, const BfTableShare *share, int64_t block,
                               const BfTableRegion *region, BfError *error);
/* The share's part of a block, from begin to end. As bf_table_fill. */
BfStatus bf_images_fill(BfTagImages *images, const BfTableShare *share, int64_t block, BfError *error);

/* Images of laws own0 .. own1-1 of tag g with rests rest0 .. rest1-1, at most BF_IMAGE_TILE:
 * to[((own - own0) * stride + rest - rest0) * BF_LANES + l]. half: 0 or 1, where the sums of the rests are kept until
 * the next tile of that half, which may have the same. */
typedef struct {
  int     tag, half;
  int64_t own[2], rest[2];
} BfImageTile;
void bf_images_tile(BfTagImages *images, const BfImageTile *tile, int32_t *to, int64_t stride);
/* Sums of atoms as queries see them, number `at` of `to`. */
void bf_images_sum(const BfTagImages *images, const BfImageQueries *queries, const BfSeenAtoms *atoms,
                   const BfImageSums *to, int64_t at);
/* Sums number `at`. */
BfImageSums bf_images_sums_at(const BfTagImages *images, const BfImageSums *sums, int64_t at);
/* Images of a law of tag g, whose atoms are in cell[], along `count` rests. */
void bf_images_row(const BfTagImages *images, int g, const int64_t cell[], BfImageRow row);

/* The ways: of a region; of all that workers find together; of the share's tiles. */
typedef BfStatus BfImagesRegion(BfTagImages *images, const BfTableShare *share, int64_t block,
                                const BfTableRegion *region, BfError *error);
BfImagesRegion   bf_images_unions_region, bf_images_pairs_region, bf_images_rows_region;
void             bf_images_find_unions(BfTagImages *images, const BfTableShare *share);
BfStatus         bf_images_fill_tiles(BfTagImages *images, const BfTableShare *share, int64_t block, BfError *error);
void             bf_images_find_ranks(BfTagImages *images, const BfTableShare *share);
/* A tile of pairs (a, b), each of one chunk of laws; mirrored: and of (b, a). */
BfStatus bf_images_ranks_tile(BfTagImages *images, const BfTableShare *share, int64_t block, const int64_t a[2],
                              const int64_t b[2], bool mirrored, BfError *error);
/* Equal parts in which pairs are dealt at least. */
int64_t bf_images_pairs_units(const BfImagesPlan *plan);
/* Successors of `count` measures from (lead, type) on by images->join; returns how many are uncertain. */
int64_t bf_images_join(const BfTagImages *images, const BfTableShare *share, int64_t block, int64_t lead, int64_t type,
                       int count);
/* Decide the uncertain ones of a region, of which there are so many: each by a whole layer where they are few, else the
 * region in the slower way, as where actions are laid so that laws come to stand on borders. */
BfStatus bf_images_settle(const BfTagImages *images, const BfTableShare *share, int64_t block,
                          const BfTableRegion *region, int64_t doubts, BfError *error);
