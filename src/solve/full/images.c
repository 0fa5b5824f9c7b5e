#include "solve/full/images.h"
#include "kernel/kernels.h"

#include <math.h>

enum { MOST_LAW_SUMS = 1 << 21 }; /* numbers: 24 MiB */

_Static_assert(BF_IMAGE_TILE <= BF_TYPE_BLOCK, "a tile is filled in the slower way at once");

static int atoms_of(const BfContext *c, int g) { return c->first[g + 1] - c->first[g]; }

/* ---- what a context needs --------------------------------------------------------------------------------------- */

/* Clipping and lattice in units of cells; on the sphere images are kept in those of z. */
static void scale_axes(BfTagImages *x) {
  const BfTableShape *t = x->shape.table;
  for (int a = 0; a < t->d; a++) {
    x->shape.scale[a] = t->layer.unit ? 1 : 1 / t->width[a];
    x->shape.low[a]   = t->layer.clips ? (t->layer.lower[a] - t->lower[a]) / t->width[a] : -INFINITY;
    x->shape.high[a]  = t->layer.clips ? (t->layer.upper[a] - t->lower[a]) / t->width[a] : INFINITY;
  }
}

static BfStatus make_below(BfTagImages *x, int atoms, BfError *error) {
  const int n = x->shape.table->n, size = atoms + 1;
  if (x->shape.table->nearest || x->below[atoms]) return BF_OK;
  BF_TRY(BF_NEW(&x->below[atoms], (int64_t)n * size, error));
  for (int c = 0; c < n; c++)
    for (int j = 1; j < size; j++)
      x->below[atoms][c * size + j] =
          j == 1 || !c ? 1 : x->below[atoms][c * size + j - 1] + x->below[atoms][(c - 1) * size + j];
  return BF_OK;
}

static BfStatus make_sums(BfImageSums *sums, int64_t count, BfError *error) {
  BF_TRY(BF_NEW(&sums->wide, count, error));
  return BF_NEW(&sums->narrow, count, error);
}

/* Two tags that are alike: their laws are seen as own and as rest by the same queries. */
static int64_t law_sums(const BfImagesPlan *plan, int64_t sums) {
  const int64_t count = plan->tag[0].laws * sums;
  return plan->way == BF_IMAGES_PAIRS && plan->tag[1].like == 0 && count <= MOST_LAW_SUMS ? count : 0;
}

int64_t bf_images_rank_bytes(const BfImagesPlan *plan) {
  const BfProblem *problem = plan->space->problem;
  const int        tags = plan->context->tags, tiles = tags > 2 ? tags : 2;
  const int64_t    sums = problem->layer.heads * bf_cells_count(problem->cells) * (1 + problem->layer.dim) * BF_LANES,
                rests   = plan->way == BF_IMAGES_ROWS ? plan->positions : 2,
                numbers = law_sums(plan, sums) + sums * (BF_IMAGE_TILE * rests + 2),
                Q       = plan->positions * bf_cells_count(problem->cells);
  return numbers * (int64_t)(sizeof(double) + sizeof(float)) +
         problem->layer.heads * Q * Q * BF_LANES * (int64_t)sizeof(double) +
         (plan->way == BF_IMAGES_RANKS ? bf_ranks_rank_bytes(plan) : 0) +
         (int64_t)bf_images_unions(plan) * (int64_t)sizeof(int32_t) +
         (int64_t)tiles * BF_IMAGE_TILE * BF_IMAGE_STRIDE * BF_LANES * (int64_t)sizeof(int32_t);
}

static BfStatus make_law_sums(BfTagImages *x, BfError *error) {
  const int64_t count = law_sums(&x->plan, x->sums);
  return count ? make_sums(&x->law_sums, count, error) : BF_OK;
}

static BfStatus make_rooms(BfTagImages *x, BfError *error) {
  const BfTableShape *t     = x->shape.table;
  const int64_t       Q     = t->queries;
  const int           slots = x->plan.context->slots, tags = x->plan.context->tags;
  x->sums = (int64_t)t->layer.heads * t->n * (1 + t->d) * BF_LANES;
  BF_TRY(BF_NEW(&x->shape.weight, t->layer.heads * Q * Q * BF_LANES, error));
  BF_TRY(BF_NEW(&x->shape.base, (int64_t)t->n * t->d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->shape.base_float, (int64_t)t->n * t->d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->shape.margin, (int64_t)t->d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->shape.margin_float, (int64_t)t->d * BF_LANES, error));
  BF_TRY(make_sums(&x->own, x->sums, error));
  BF_TRY(make_sums(&x->none, x->sums, error));
  BF_TRY(make_sums(&x->rest, x->sums * BF_IMAGE_TILE * (x->plan.way == BF_IMAGES_ROWS ? t->positions : 2), error));
  BF_TRY(make_law_sums(x, error));
  BF_TRY(BF_NEW(&x->below, slots + 1, error));
  for (int g = 0; g < tags; g++) BF_TRY(make_below(x, atoms_of(x->plan.context, g), error));
  BF_TRY(BF_NEW(&x->place, slots, error));
  BF_TRY(BF_NEW(&x->cell, slots, error));
  BF_TRY(BF_NEW(&x->law, slots, error));
  BF_TRY(BF_NEW(&x->mass, slots, error));
  BF_TRY(BF_NEW(&x->tile, (int64_t)(tags > 2 ? tags : 2) * BF_IMAGE_TILE * BF_IMAGE_STRIDE * BF_LANES, error));
  return BF_NEW(&x->join, tags, error);
}

BfStatus bf_images_create(const BfFullSpace *space, int64_t s, const BfTableShape *table, BfTagImages *x,
                          BfError *error) {
  *x             = (BfTagImages){.kernels = space->problem->layer.kernels};
  x->shape.table = table;
  BF_TRY(bf_images_plan_create(space, s, table->positions, table->place, &x->plan, error));
  if (x->plan.way == BF_IMAGES_NONE) return BF_OK;
  scale_axes(x);
  BF_TRY(bf_images_plan_number(&x->plan, error));
  if (x->plan.way == BF_IMAGES_RANKS) BF_TRY(bf_ranks_create(&x->plan, &x->ranks, error));
  BF_TRY(make_rooms(x, error));
  for (int g = 0; g < x->plan.context->tags; g++) x->join[g].radix = (int32_t)x->plan.tag[g].laws;
  return BF_OK;
}

static void clear_sums(BfImageSums *sums) {
  bf_free(sums->wide);
  bf_free(sums->narrow);
}

void bf_images_clear(BfTagImages *x) {
  for (int m = 0; x->below && m <= x->plan.context->slots; m++) bf_free(x->below[m]);
  bf_free(x->below);
  bf_free(x->shape.weight);
  bf_free(x->shape.base);
  bf_free(x->shape.base_float);
  bf_free(x->shape.margin);
  bf_free(x->shape.margin_float);
  clear_sums(&x->own);
  clear_sums(&x->rest);
  clear_sums(&x->none);
  clear_sums(&x->law_sums);
  bf_free(x->place);
  bf_free(x->cell);
  bf_free(x->law);
  bf_free(x->mass);
  bf_free(x->tile);
  bf_free(x->join);
  bf_ranks_clear(&x->ranks);
  bf_images_plan_clear(&x->plan);
  *x = (BfTagImages){0};
}

/* ---- sums and images -------------------------------------------------------------------------------------------- */

BfImageSums bf_images_sums_at(const BfTagImages *x, const BfImageSums *sums, int64_t at) {
  return (BfImageSums){sums->wide + at * x->sums, sums->narrow + at * x->sums};
}

void bf_images_sum(const BfTagImages *x, const BfImageQueries *queries, const BfSeenAtoms *atoms, const BfImageSums *to,
                   int64_t at) {
  const BfImageSums there = bf_images_sums_at(x, to, at);
  x->kernels->image_sum(&x->shape, queries, atoms, &there);
}

static bool is_uncertain(const int32_t *number) {
  int32_t any = 0;
  for (int l = 0; l < BF_LANES; l++) any |= number[l];
  return any < 0;
}

/* Floats hold whole numbers up to 2^24, of which a rank's rounding may take a few at the end. */
void bf_images_row(const BfTagImages *x, int g, const int64_t cell[], BfImageRow row) {
  const int atoms = atoms_of(x->plan.context, g), count = row.count;
  int32_t  *number = row.number;
  row.atoms        = atoms;
  row.cell         = cell;
  row.types        = (double)x->plan.tag[g].laws;
  row.below        = x->below[atoms];
  if (x->shape.spread > BF_SPREAD_FLOAT || row.types * atoms > 0x1p20) {
    x->kernels->image_row(&x->shape, &row);
    return;
  }
  x->kernels->image_row_float(&x->shape, &row);
  row.count = 1;
  for (int i = 0; i < count; i++) {
    if (is_uncertain(number + i * BF_LANES)) {
      row.number = number + i * BF_LANES;
      x->kernels->image_row(&x->shape, &row);
    }
    row.rest.wide += row.rest_stride;
    row.rest.narrow += row.rest_stride;
  }
}

/* The atoms of law `law` of tag g, in x->law, as a query sees them. */
static BfSeenAtoms unrank_law(BfTagImages *x, int g, int64_t law) {
  const int atoms = atoms_of(x->plan.context, g);
  bf_types_unrank(x->plan.types[atoms], law, x->law);
  for (int i = 0; i < atoms; i++) {
    x->place[i] = x->plan.place[g];
    x->mass[i]  = x->plan.context->mass[g];
  }
  return (BfSeenAtoms){.count = atoms, .place = x->place, .cell = x->law, .mass = x->mass};
}

bool bf_images_prepare(BfTagImages *x, const double *parameters) {
  const BfImageQueries all = {.place = 0, .count = x->shape.table->n};
  x->shape.parameters      = parameters;
  x->held[0].tag = x->held[1].tag = -1;
  x->kernels->image_prepare(&x->shape);
  for (int64_t law = 0; x->law_sums.wide && law < x->plan.tag[0].laws; law++) {
    const BfSeenAtoms seen = unrank_law(x, 0, law);
    bf_images_sum(x, &all, &seen, &x->law_sums, law);
  }
  return x->shape.spread <= BF_SPREAD_DOUBLE;
}

/* The rests of a tile, unless they are there: along a row of tiles one side stays. */
static BfImageSums sum_rests(BfTagImages *x, const BfImageTile *tile) {
  const BfImageQueries all  = {.place = x->plan.place[tile->tag], .count = x->shape.table->n};
  const int64_t        half = tile->half * BF_IMAGE_TILE;
  const int            like = x->plan.tag[tile->tag].like;
  BfSeenAtoms          seen = {.place = x->place, .cell = x->cell, .mass = x->mass};
  if (x->law_sums.wide) return bf_images_sums_at(x, &x->law_sums, tile->rest[0]);
  if (x->held[tile->half].tag != like || x->held[tile->half].from != tile->rest[0])
    for (int64_t r = tile->rest[0]; r < tile->rest[1]; r++) {
      bf_images_rest(&x->plan, tile->tag, r, x->place, x->cell, x->mass, &seen.count);
      bf_images_sum(x, &all, &seen, &x->rest, half + r - tile->rest[0]);
    }
  x->held[tile->half].tag  = like;
  x->held[tile->half].from = tile->rest[0];
  return bf_images_sums_at(x, &x->rest, half);
}

/* What the atoms of a law see of itself. */
static BfImageSums sum_own(BfTagImages *x, int g, int64_t law) {
  const BfSeenAtoms    seen    = unrank_law(x, g, law);
  const BfImageQueries queries = {.place = x->plan.place[g], .count = seen.count, .cell = x->law};
  if (x->law_sums.wide) return bf_images_sums_at(x, &x->law_sums, law);
  bf_images_sum(x, &queries, &seen, &x->own, 0);
  return x->own;
}

void bf_images_tile(BfTagImages *x, const BfImageTile *tile, int32_t *to, int64_t stride) {
  const BfImageSums rest = sum_rests(x, tile);
  for (int64_t o = tile->own[0]; o < tile->own[1]; o++)
    bf_images_row(x, tile->tag, x->law,
                  (BfImageRow){.own         = sum_own(x, tile->tag, o),
                               .rest        = rest,
                               .rest_stride = x->sums,
                               .count       = (int)(tile->rest[1] - tile->rest[0]),
                               .number      = to + (o - tile->own[0]) * stride * BF_LANES});
}

/* ---- measures --------------------------------------------------------------------------------------------------- */

/* Into the number of the lead and that of the last tag's law. The first is -1 where either is uncertain. */
static int64_t join_parts(const BfTagImages *x, int count, int lanes, int32_t *lead, int32_t *last, int64_t step) {
  const int tags   = x->plan.context->tags;
  int64_t   doubts = 0;
  x->kernels->image_join(1, x->join + tags - 1, count, lanes, last, step);
  x->kernels->image_join(tags - 1, x->join, count, lanes, lead, step);
  for (int c = 0; c < count; c++) {
    int32_t any = 0;
    for (int l = 0; l < lanes; l++) any |= lead[l * step + c] |= last[l * step + c] >> 31;
    doubts += any < 0;
  }
  return doubts;
}

int64_t bf_images_join(const BfTagImages *x, const BfTableShare *share, int64_t block, int64_t lead, int64_t type,
                       int count) {
  const int     lanes = bf_action_parameters_in_block(share->space->problem, block);
  int32_t      *to    = bf_table_entries(share, block * BF_LANES, lead, type);
  const int64_t step  = bf_table_entries(share, block * BF_LANES + 1, lead, type) - to;
  if (share->last) return join_parts(x, count, lanes, to, share->last + (to - share->next), step);
  return x->kernels->image_join(x->plan.context->tags, x->join, count, lanes, to, step);
}

/* A whole layer takes some ten times what a measure takes in the slower way. */
BfStatus bf_images_settle(const BfTagImages *x, const BfTableShare *share, int64_t block, const BfTableRegion *region,
                          int64_t doubts, BfError *error) {
  const int     lanes = bf_action_parameters_in_block(share->space->problem, block);
  const int64_t laws = x->plan.tag[x->plan.context->tags - 1].laws, types = region->type[1] - region->type[0],
                leads = region->lead[1] - region->lead[0];
  if (!doubts) return BF_OK;
  if (10 * doubts > types * leads) {
    BfTableRegion part = *region;
    for (; part.type[0] < region->type[1]; part.type[0] = part.type[1]) {
      part.type[1] = part.type[0] + BF_IMAGE_TILE < region->type[1] ? part.type[0] + BF_IMAGE_TILE : region->type[1];
      BF_TRY(x->measures(x->of, &part, error));
    }
    return BF_OK;
  }
  for (int64_t lead = region->lead[0]; lead < region->lead[1]; lead++)
    for (int64_t type = region->type[0]; type < region->type[1]; type++) {
      int32_t any = 0;
      for (int l = 0; l < lanes; l++) any |= *bf_table_entries(share, block * BF_LANES + l, lead, type);
      if (any < 0) BF_TRY(bf_table_successors(share, lead * laws + type, block, block + 1, error));
    }
  return BF_OK;
}
