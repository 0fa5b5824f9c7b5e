#include "solve/full/untabled.h"
#include "kernel/kernels.h"
#include "run/limits.h"
#include "solve/full/images.h"
#include <math.h>

/* Successors of a tile are written and read in a second-level cache: 8192 measures take 256 KiB. Its rows are as long
 * as two tiles of images, where a tag has so many laws. */
enum { TILE = 8192, ROW = 2 * BF_IMAGE_TILE };

static void shape_tile(const BfFullSpace *space, int64_t *leads, int64_t *types) {
  const int64_t radix = space->context[0].radix[space->problem->context[0].tags - 1];
  *types              = radix < TILE && radix <= 2 * ROW ? radix : ROW;
  *leads              = TILE / *types;
}

static void sync_images(void *with) {
  const BfUntabled *u = with;
  bf_shared_sync(u->run, &u->images);
}

static BfStatus make_rooms(BfUntabled *u, BfError *error) {
  shape_tile(u->space, &u->leads, &u->types);
  BF_TRY(BF_NEW(&u->next, BF_LANES * u->leads * u->types, error));
  if (u->space->measures > bf_limits()->narrow) BF_TRY(BF_NEW(&u->last, BF_LANES * u->leads * u->types, error));
  BF_TRY(BF_NEW(&u->scratch, 1, error));
  return bf_scratch_create(u->space->problem, u->scratch, error);
}

static BfStatus make(BfUntabled *u, BfError *error) {
  BF_TRY(make_rooms(u, error));
  const BfTableShare share = {.space      = u->space,
                              .actions    = u->actions,
                              .s          = 0,
                              .workers    = 1,
                              .scratch    = u->scratch,
                              .by_regions = true,
                              .images     = u->images.base,
                              .part       = u->run->node_rank,
                              .parts      = u->run->node_size,
                              .sync       = u->images.base ? sync_images : NULL,
                              .with       = u};
  return bf_table_filler_create(&share, &u->filler, error);
}

BfStatus bf_untabled_create(BfRun *run, const BfFullSpace *space, const BfActionParameters *actions, BfUntabled *u,
                            BfError *error) {
  const int last = space->problem->context[0].tags - 1;
  *u             = (BfUntabled){.run = run, .space = space, .actions = actions, .radix = space->context[0].radix[last]};
  BF_TRY(bf_together(run->world, bf_table_way(space, 0, &u->way, error), error));
  if (u->way.images_bytes) BF_TRY(bf_shared_create(run, u->way.images_bytes, "images of laws", &u->images, error));
  return bf_together(run->world, make(u, error), error);
}

void bf_untabled_clear(BfUntabled *u) {
  bf_table_filler_destroy(&u->filler);
  if (u->scratch) bf_scratch_clear(u->scratch);
  bf_free(u->scratch);
  bf_shared_destroy(&u->images);
  bf_free(u->next);
  bf_free(u->last);
  *u = (BfUntabled){0};
}

/* Images that a node's ranks find together are some ten times the work of a measure's look-ups each; to rank laws takes
 * a fraction of what measures take; else whole tiles. */
double bf_untabled_piece(const BfFullSpace *space, const BfTableWay *way, int nodes, int ranks) {
  static const double most  = 1e10; /* Q-values a rank: a stop is heard behind a piece */
  const int           last  = space->problem->context[0].tags - 1;
  const bool          rows  = last && bf_table_shape_fits(space, 0);
  const double        least = way->by == BF_IMAGES_RANKS ? (double)space->context[0].measures / 4 * nodes
                              : way->images_bytes
                                  ? 16 * way->images * nodes
                                  : ranks * (rows ? (double)BF_IMAGE_TILE * (double)space->context[0].radix[last] : TILE);
  return fmin(least, ranks * most / (double)space->problem->actions);
}

double bf_untabled_bytes(const BfFullSpace *space, const BfTableWay *way, int ranks) {
  int64_t leads, types;
  shape_tile(space, &leads, &types);
  return (double)way->images_bytes +
         ranks * ((double)way->rank_bytes + (double)(BF_LANES * leads * types) * 2 * sizeof(int32_t));
}

void bf_untabled_begin(BfUntabled *u, int64_t block) { bf_table_filler_begin(u->filler, u->block = block); }
void bf_untabled_end(const BfUntabled *u) { bf_table_filler_end(u->filler); }

/* ---- measures --------------------------------------------------------------------------------------------------- */

/* Where the minima of a range of measures go. */
typedef struct {
  int64_t       first;
  const double *V;
  double       *value;
  int32_t      *policy;
} Minima;

static BfStatus take_tile(BfUntabled *u, const BfTableRegion *tile, const Minima *to, BfError *error) {
  const int64_t    types = tile->type[1] - tile->type[0], leads = tile->lead[1] - tile->lead[0];
  BfTaken          taken   = {.actions = bf_action_parameters_in_block(u->space->problem, u->block),
                              .first   = (int32_t)(u->block * BF_LANES),
                              .stage   = u->actions->stage + u->block * BF_LANES,
                              .next    = u->next,
                              .last    = u->last,
                              .radix   = u->radix,
                              .stride  = leads * types,
                              .count   = types};
  const BfKernels *kernels = u->space->problem->layer.kernels;
  BF_TRY(bf_table_filler_region(u->filler, tile, u->next, u->last, error));
  for (int64_t lead = tile->lead[0]; lead < tile->lead[1]; lead++) {
    const int64_t at = lead * u->radix + tile->type[0] - to->first;
    kernels->sweep_take(&taken, to->V, to->value + at, to->policy + at);
    taken.next += types;
    if (taken.last) taken.last += types;
  }
  if (u->told) u->told(u->with, (double)taken.stride * taken.actions);
  return BF_OK;
}

static BfStatus take_region(BfUntabled *u, const BfTableRegion *own, const Minima *to, BfError *error) {
  BfTableRegion tile;
  for (int64_t lead = own->lead[0]; lead < own->lead[1]; lead += u->leads)
    for (int64_t type = own->type[0]; type < own->type[1]; type += u->types) {
      tile = (BfTableRegion){{lead, lead + u->leads}, {type, type + u->types}};
      if (tile.lead[1] > own->lead[1]) tile.lead[1] = own->lead[1];
      if (tile.type[1] > own->type[1]) tile.type[1] = own->type[1];
      BF_TRY(take_tile(u, &tile, to, error));
    }
  return BF_OK;
}

/* A range of measures is the end of a row, whole rows, the beginning of one. */
BfStatus bf_untabled_take(BfUntabled *u, int64_t first, int64_t count, const double *V, double *value, int32_t *policy,
                          BfError *error) {
  const Minima  to    = {first, V, value, policy};
  const int64_t radix = u->radix, end = first + count;
  for (int64_t at = first; at < end;) {
    const int64_t lead = at / radix, type = at % radix, rows = end / radix - lead;
    BfTableRegion part = {{lead, lead + 1}, {type, rows ? radix : end - lead * radix}};
    if (!type && rows) part.lead[1] = lead + rows;
    BF_TRY(take_region(u, &part, &to, error));
    at = (part.lead[1] - 1) * radix + part.type[1];
  }
  return BF_OK;
}

BfStatus bf_untabled_next(const BfUntabled *u, int64_t i, int32_t k, int64_t *next, BfError *error) {
  const int64_t      block = k / BF_LANES;
  const int64_t      from  = block * BF_LANES + i;
  int32_t            to[BF_LANES], last[BF_LANES];
  const BfTableShare share = {.space   = u->space,
                              .actions = u->actions,
                              .scratch = u->scratch,
                              .next    = to - from,
                              .last    = u->last ? last - from : NULL,
                              .stride  = 1};
  BF_TRY(bf_table_successors(&share, i, block, block + 1, error));
  *next = u->last ? to[k % BF_LANES] * u->radix + last[k % BF_LANES] : to[k % BF_LANES];
  return BF_OK;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

enum { TIMED_BLOCKS = 4, TIMED_TILES = 4 };

/* The tile that begins with this lead, its successors brought into a V of V_count numbers. */
static BfStatus time_tile(BfUntabled *u, const BfTableRegion *tile, const Minima *to, int64_t V_count,
                          BfUntabledSeconds *sum, BfError *error) {
  const int64_t count = (tile->lead[1] - tile->lead[0]) * (tile->type[1] - tile->type[0]);
  const BfTaken taken = {.actions = bf_action_parameters_in_block(u->space->problem, u->block),
                         .stage   = u->actions->stage + u->block * BF_LANES,
                         .next    = u->next,
                         .last    = u->last,
                         .radix   = u->radix,
                         .stride  = count,
                         .count   = count};
  const double  begin = bf_seconds();
  BF_TRY(bf_table_filler_region(u->filler, tile, u->next, u->last, error));
  sum->entry += bf_seconds() - begin;
  for (int64_t i = 0; i < taken.actions * count; i++) {
    const int64_t j = u->last ? u->next[i] * u->radix + u->last[i] : u->next[i], in = j % V_count;
    u->next[i] = (int32_t)(u->last ? in / u->radix : in);
    if (u->last) u->last[i] = (int32_t)(in % u->radix);
  }
  const double half = bf_seconds();
  u->space->problem->layer.kernels->sweep_take(&taken, to->V, to->value, to->policy);
  sum->value += bf_seconds() - half;
  return BF_OK;
}

static BfStatus time_block(BfUntabled *u, const Minima *to, int64_t V_count, double *values, BfUntabledSeconds *sum,
                           BfError *error) {
  const int64_t leads = u->space->measures / u->radix;
  const int     lanes = bf_action_parameters_in_block(u->space->problem, u->block);
  for (int i = 0; i < TIMED_TILES; i++) {
    const int64_t lead = leads * i / TIMED_TILES, type = (u->radix - u->types) * i / TIMED_TILES;
    BfTableRegion tile = {{lead, lead + u->leads < leads ? lead + u->leads : leads}, {type, type + u->types}};
    BF_TRY(time_tile(u, &tile, to, V_count, sum, error));
    *values += (double)((tile.lead[1] - tile.lead[0]) * u->types * lanes);
  }
  return BF_OK;
}

BfStatus bf_untabled_time(BfUntabled *u, const double *V, int64_t V_count, BfUntabledSeconds *seconds, BfError *error) {
  const int64_t count = u->leads * u->types, blocks = u->actions->blocks;
  double        values = 0;
  Minima        to     = {.V = V};
  BfStatus      status;
  *seconds = (BfUntabledSeconds){0};
  BF_NEW(&to.value, count, error);
  BF_NEW(&to.policy, count, error);
  status = error->status;
  for (int i = 0; i < TIMED_BLOCKS; i++) {
    const double begin = bf_seconds();
    bf_untabled_begin(u, blocks * i / TIMED_BLOCKS);
    seconds->start += (bf_seconds() - begin) / TIMED_BLOCKS;
    if (status == BF_OK) status = time_block(u, &to, V_count, &values, seconds, error);
    bf_untabled_end(u);
  }
  seconds->entry /= values;
  seconds->value /= values;
  bf_free(to.value);
  bf_free(to.policy);
  return status;
}
