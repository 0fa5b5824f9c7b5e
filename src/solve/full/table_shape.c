#include "solve/full/table_shape.h"
#include "bellformer/term.h"
#include "kernel/kernels.h"
#include "layer/flat.h"
#include "solve/full/images.h"

#include <string.h>

static int atoms_of(const BfContext *c, int g) { return c->first[g + 1] - c->first[g]; }

/* Whether tag g begins a position that is told from the one before: tags are sorted by position, which without an
 * encoding changes no logit. */
static bool is_apart(const BfLayer *layer, const BfContext *c, int g) {
  return layer->encoding && c->position[g] != c->position[g - 1];
}

static int count_positions(const BfLayer *layer, const BfContext *c) {
  int count = 1;
  for (int g = 1; g < c->tags; g++) count += is_apart(layer, c, g);
  return count;
}

bool bf_table_shape_fits(const BfFullSpace *space, int64_t s) {
  const BfContext *context = &space->problem->context[s];
  const double     queries =
      (double)count_positions(&space->problem->layer, context) * (double)bf_cells_count(space->problem->cells);
  const double bytes = space->problem->layer.heads * queries * queries * BF_LANES * sizeof(double);
  for (int g = 0; g < context->tags; g++)
    if (atoms_of(context, g) > BF_MOST_ATOMS) return false;
  return bytes <= 32 << 20;
}

static void clear(BfTableShape *x) {
  for (int m = 0; x->choose && m <= BF_MOST_ATOMS; m++) bf_free(x->choose[m]);
  bf_free(x->choose);
  bf_free(x->place);
  bf_free(x->position);
  if (x->seen != x->point) bf_free(x->seen);
  bf_free(x->point);
  bf_free(x->lower);
  bf_free(x->width);
  bf_free(x->cells);
  bf_free(x->radix);
  bf_free(x->logit);
  bf_free(x->forward);
  bf_free(x->term);
  bf_free(x->lead);
  bf_free(x->last);
  bf_free(x->next);
  bf_free(x->image);
}

/* C(b, k + 1) by Pascal's rule; entries that exceed what a rank can be are not looked up. */
static BfStatus fill_choose(BfTableShape *x, int atoms, BfError *error) {
  const int size = x->n + atoms;
  if (x->choose[atoms]) return BF_OK;
  BF_TRY(BF_NEW(&x->choose[atoms], (int64_t)atoms * size, error));
  for (int k = 0; k < atoms; k++)
    for (int b = 1; b < size; b++) {
      const double *above = x->choose[atoms] + (k - 1) * size;
      double       *row   = x->choose[atoms] + k * size;
      row[b]              = row[b - 1] + (k ? above[b - 1] : 1);
    }
  return BF_OK;
}

/* N of the cell centres, by the lanes in which bf_layer_apply takes it. */
static BfStatus fill_seen(BfTableShape *x, BfError *error) {
  const int d = x->d;
  double   *z = NULL;
  x->seen     = x->point;
  if (!x->layer.normalize) return BF_OK;
  BF_TRY(BF_NEW(&z, (int64_t)d * BF_LANES, error));
  const BfStatus status = BF_NEW(&x->seen, (int64_t)x->n * d, error);
  for (int c = 0; status == BF_OK && c < x->n; c++) {
    for (int a = 0; a < d; a++)
      for (int l = 0; l < BF_LANES; l++) z[a * BF_LANES + l] = x->point[c * d + a];
    x->layer.normalize(d, z, z);
    for (int a = 0; a < d; a++) x->seen[c * d + a] = z[a * BF_LANES];
  }
  bf_free(z);
  return status;
}

static BfStatus fill_geometry(BfTableShape *x, const BfFullSpace *space, int64_t s, BfError *error) {
  const BfCells *tokens = space->problem->cells;
  const BfAxis  *axis   = bf_cells_axes(tokens);
  BF_TRY(BF_NEW(&x->choose, BF_MOST_ATOMS + 1, error));
  for (int g = 0, at = -1; g < x->context->tags; g++) {
    if (!g || is_apart(&space->problem->layer, x->context, g)) x->position[++at] = x->context->position[g];
    x->place[g] = at;
    x->radix[g] = (double)space->context[s].radix[g];
    BF_TRY(fill_choose(x, atoms_of(x->context, g), error));
  }
  for (int c = 0; c < x->n; c++) bf_cells_point(tokens, c, x->point + c * x->d);
  for (int a = 0; a < x->d && axis; a++) {
    x->lower[a] = axis[a].lower;
    x->width[a] = axis[a].width;
    x->cells[a] = (double)axis[a].cells;
  }
  return fill_seen(x, error);
}

/* Two tags of one atom that see each other, on a grid. */
static bool is_pairs(const BfTableShape *x) {
  const BfContext *c = x->context;
  if (!x->nearest || c->tags != 2 || c->slots != 2) return false;
  return x->layer.mask != BF_MASK_CAUSAL || c->position[0] == c->position[1];
}

static BfStatus create(BfTableShape *x, const BfFullSpace *space, int64_t s, bool by_regions, BfError *error) {
  const BfProblem *problem = space->problem;
  *x                       = (BfTableShape){.context = &problem->context[s],
                                            .n       = (int)bf_cells_count(problem->cells),
                                            .d       = problem->layer.dim,
                                            .sight   = 2 + problem->layer.dim};
  bf_layer_flat(&problem->layer, &x->layer);
  x->positions    = count_positions(&problem->layer, x->context);
  x->queries      = x->positions * x->n;
  x->nearest      = problem->transition->nearest && bf_cells_axes(problem->cells);
  const int64_t Q = x->queries, heads = x->layer.heads, seen = heads * Q * x->sight * BF_LANES;
  BF_TRY(BF_NEW(&x->place, x->context->tags, error));
  BF_TRY(BF_NEW(&x->position, x->positions, error));
  BF_TRY(BF_NEW(&x->point, (int64_t)x->n * x->d, error));
  BF_TRY(BF_NEW(&x->lower, x->d, error));
  BF_TRY(BF_NEW(&x->width, x->d, error));
  BF_TRY(BF_NEW(&x->cells, x->d, error));
  BF_TRY(BF_NEW(&x->radix, x->context->tags, error));
  BF_TRY(BF_NEW(&x->logit, heads * Q * Q * BF_LANES, error));
  BF_TRY(BF_NEW(&x->forward, (int64_t)x->n * x->d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->term, bf_terms_work(&problem->layer), error));
  BF_TRY(BF_NEW(&x->lead, x->context->tags * seen, error));
  BF_TRY(BF_NEW(&x->last, BF_TYPE_BLOCK * seen, error));
  BF_TRY(BF_NEW(&x->next, (int64_t)x->context->slots * x->d * BF_LANES, error));
  if (is_pairs(x) && !by_regions) BF_TRY(BF_NEW(&x->image, (int64_t)x->n * x->n * BF_LANES, error));
  return fill_geometry(x, space, s, error);
}

/* ---- filling ---------------------------------------------------------------------------------------------------- */

struct BfTableFiller {
  const BfFullSpace        *space;
  const BfActionParameters *actions;
  const BfKernels          *kernels;
  BfTableShape              shape;
  BfTagImages               images;
  BfScratch                *scratch;
  BfTableShare              share;           /* with memory for images, */
  int32_t                  *own_images;      /* which may be its own */
  int64_t                   s, block;        /* context, block of actions, */
  bool                      imaged;          /* whose images are taken */
  int64_t                   type0, type1;    /* laws of the last tag whose sights are held */
  int64_t                  *cell, *previous; /* [slots] of the measure, and those whose sights `lead` holds */
  int                       held;            /* whether it holds any */
};
typedef struct BfTableFiller Fill;

/* Sights of the tags before the last, where they changed: the first tags are the slowest. */
static void see_lead(Fill *f) {
  const BfContext *c     = f->shape.context;
  const int64_t    block = (int64_t)f->shape.queries * f->shape.sight * BF_LANES;
  for (int g = 0; g < c->tags - 1; g++) {
    const size_t bytes = sizeof(int64_t) * (size_t)atoms_of(c, g);
    if (f->held && !memcmp(f->cell + c->first[g], f->previous + c->first[g], bytes)) continue;
    f->kernels->table_sight(&f->shape, g, f->cell + c->first[g], f->shape.lead + g * block, c->tags * block);
    memcpy(f->previous + c->first[g], f->cell + c->first[g], bytes);
  }
  f->held = 1;
}

/* The successors' numbers of the measure whose images stand in shape.next. */
static BfStatus rank_images(Fill *f, double rank[BF_LANES], BfError *error) {
  if (f->shape.nearest) {
    f->kernels->table_rank(&f->shape, rank);
    return BF_OK;
  }
  for (int l = 0; l < bf_action_parameters_in_block(f->space->problem, f->block); l++) {
    BF_TRY(
        bf_successor_cells(f->space->problem, f->shape.context, f->shape.next, l, f->scratch, f->scratch->cell, error));
    rank[l] = (double)bf_full_rank(f->space, f->s, f->scratch->cell);
  }
  return BF_OK;
}

/* Measures lead * radix + type0 .. type1-1: contiguous in the table. */
static BfStatus fill_row(Fill *f, int64_t lead, BfError *error) {
  const BfContext *c     = f->shape.context;
  const int64_t    radix = f->space->context[f->s].radix[c->tags - 1];
  const int64_t    seen  = (int64_t)f->shape.layer.heads * f->shape.queries * f->shape.sight * BF_LANES;
  const int        lanes = bf_action_parameters_in_block(f->space->problem, f->block);
  for (int64_t type = f->type0; type < f->type1; type++) {
    double rank[BF_LANES];
    bf_full_unrank(f->space, f->s, lead * radix + type, f->cell);
    if (type == f->type0) see_lead(f);
    f->kernels->table_measure(&f->shape, f->actions->parameters + f->block * f->actions->size, f->cell,
                              f->shape.last + (type - f->type0) * seen);
    BF_TRY(rank_images(f, rank, error));
    for (int l = 0; l < lanes; l++) bf_table_put(&f->share, f->block * BF_LANES + l, lead, type, (int64_t)rank[l]);
  }
  return BF_OK;
}

static void see_last(Fill *f) {
  const BfContext *c    = f->shape.context;
  const int64_t    each = (int64_t)f->shape.queries * f->shape.sight * BF_LANES, seen = f->shape.layer.heads * each;
  for (int64_t type = f->type0; type < f->type1; type++) {
    bf_full_unrank(f->space, f->s, type, f->cell); /* the first tags at type 0 */
    f->kernels->table_sight(&f->shape, c->tags - 1, f->cell + c->first[c->tags - 1],
                            f->shape.last + (type - f->type0) * seen, each);
  }
}

/* At most BF_TYPE_BLOCK types, measure by measure. */
static BfStatus fill_region(void *of, const BfTableRegion *region, BfError *error) {
  Fill *f  = of;
  f->type0 = region->type[0];
  f->type1 = region->type[1];
  f->held  = 0;
  see_last(f);
  for (int64_t lead = region->lead[0]; lead < region->lead[1]; lead++) BF_TRY(fill_row(f, lead, error));
  return BF_OK;
}

/* The same of any number. */
static BfStatus fill_measures(Fill *f, const BfTableRegion *own, BfError *error) {
  const int     lanes = bf_action_parameters_in_block(f->space->problem, f->block);
  BfTableRegion part  = *own;
  for (; part.type[0] < own->type[1] && own->lead[0] < own->lead[1]; part.type[0] = part.type[1]) {
    part.type[1] = part.type[0] + BF_TYPE_BLOCK < own->type[1] ? part.type[0] + BF_TYPE_BLOCK : own->type[1];
    BF_TRY(fill_region(f, &part, error));
    bf_table_told(&f->share, (double)((part.type[1] - part.type[0]) * (own->lead[1] - own->lead[0]) * lanes));
  }
  return BF_OK;
}

static BfStatus fill_block(Fill *f, BfError *error) {
  const int           lanes      = bf_action_parameters_in_block(f->space->problem, f->block);
  const BfTableRegion own        = bf_table_region(&f->share);
  const double       *parameters = f->actions->parameters + f->block * f->actions->size;
  f->kernels->table_prepare(&f->shape, parameters);
  if (f->shape.image) {
    f->kernels->table_pairs(&f->shape, parameters, own.lead[0], own.lead[1], lanes,
                            bf_table_entries(&f->share, f->block * BF_LANES, 0, 0));
    bf_table_told(&f->share, (double)((own.lead[1] - own.lead[0]) * own.type[1] * lanes));
    return BF_OK;
  }
  if (f->images.plan.way != BF_IMAGES_NONE && bf_images_prepare(&f->images, parameters))
    return bf_images_fill(&f->images, &f->share, f->block, error);
  return fill_measures(f, &own, error);
}

/* Its own where workers do not share it. */
static BfStatus make_images(Fill *f, BfError *error) {
  if (f->shape.image || f->share.measure_by_measure) return BF_OK;
  BF_TRY(bf_images_create(f->space, f->s, &f->shape, &f->images, error));
  f->images.measures  = fill_region;
  f->images.of        = f;
  const int64_t bytes = bf_images_bytes(&f->images.plan);
  if (!bytes || f->share.images) return BF_OK;
  BF_TRY(BF_NEW(&f->own_images, bytes / (int64_t)sizeof *f->own_images, error));
  f->share.images = f->own_images;
  f->share.part   = 0;
  f->share.parts  = 1;
  f->share.sync   = NULL;
  return BF_OK;
}

static BfStatus make(Fill *f, BfError *error) {
  BF_TRY(create(&f->shape, f->space, f->s, f->share.by_regions, error));
  BF_TRY(BF_NEW(&f->cell, f->shape.context->slots, error));
  BF_TRY(BF_NEW(&f->previous, f->shape.context->slots, error));
  return make_images(f, error);
}

BfStatus bf_table_filler_create(const BfTableShare *share, BfTableFiller **out, BfError *error) {
  Fill *f;
  BF_TRY(BF_NEW(&f, 1, error));
  *f                    = (Fill){.space   = share->space,
                                 .actions = share->actions,
                                 .kernels = share->space->problem->layer.kernels,
                                 .scratch = share->scratch,
                                 .share   = *share,
                                 .s       = share->s};
  const BfStatus status = bf_table_shape_fits(f->space, f->s) ? make(f, error) : BF_OK;
  if (status == BF_OK) *out = f;
  else bf_table_filler_destroy(&f);
  return status;
}

void bf_table_filler_destroy(BfTableFiller **filler) {
  Fill *f = *filler;
  if (!f) return;
  bf_images_clear(&f->images);
  clear(&f->shape);
  bf_free(f->cell);
  bf_free(f->previous);
  bf_free(f->own_images);
  bf_free(f);
  *filler = NULL;
}

BfStatus bf_table_filler_fill(BfTableFiller *f, int64_t block0, int64_t block1, BfError *error) {
  if (!f->shape.n) return bf_table_fill_directly(&f->share, block0, block1, error);
  for (f->block = block0; f->block < block1; f->block++) BF_TRY(fill_block(f, error));
  return BF_OK;
}

/* ---- a region at a time ----------------------------------------------------------------------------------------- */

void bf_table_filler_begin(BfTableFiller *f, int64_t block) {
  const double *parameters = f->actions->parameters + block * f->actions->size;
  f->block                 = block;
  f->imaged                = false;
  if (!f->shape.n) return;
  f->kernels->table_prepare(&f->shape, parameters);
  f->imaged = f->images.plan.way != BF_IMAGES_NONE && bf_images_prepare(&f->images, parameters);
  if (f->imaged) bf_images_begin(&f->images, &f->share);
}

BfStatus bf_table_filler_region(BfTableFiller *f, const BfTableRegion *region, int32_t *next, int32_t *last,
                                BfError *error) {
  const int64_t lead = f->share.lead_stride = region->type[1] - region->type[0];
  f->share.stride                           = lead * (region->lead[1] - region->lead[0]);
  const int64_t from = f->block * BF_LANES * f->share.stride + region->lead[0] * lead + region->type[0];
  f->share.last      = last ? last - from : NULL;
  f->share.next      = next - from;
  if (!f->shape.n) return bf_table_region_directly(&f->share, region, f->block, f->block + 1, error);
  return f->imaged ? bf_images_fill_region(&f->images, &f->share, f->block, region, error)
                   : fill_measures(f, region, error);
}

void bf_table_filler_end(const BfTableFiller *f) {
  if (f->imaged) bf_images_end(&f->images, &f->share);
}

BfStatus bf_table_fill(const BfTableShare *share, int64_t block0, int64_t block1, BfError *error) {
  BfTableFiller *filler = NULL;
  BF_TRY(bf_table_filler_create(share, &filler, error));
  const BfStatus status = bf_table_filler_fill(filler, block0, block1, error);
  bf_table_filler_destroy(&filler);
  return status;
}

/* Images that are found for a block: of each measure along rows, else as the plan counts them. */
static void count_images(const BfImagesPlan *plan, double measures, BfTableWay *way) {
  way->by           = (int)plan->way;
  way->images_bytes = bf_images_bytes(plan);
  way->rank_bytes += bf_images_rank_bytes(plan);
  way->images = plan->way == BF_IMAGES_ROWS ? measures * plan->context->tags : plan->images;
  if (plan->way == BF_IMAGES_PAIRS || plan->way == BF_IMAGES_RANKS) way->units = bf_images_pairs_units(plan);
}

/* A rank's logits, and what is seen of the laws of a row. */
static int64_t shape_bytes(const BfFullSpace *space, const BfContext *c) {
  const BfLayer *layer = &space->problem->layer;
  const int64_t  Q     = count_positions(layer, c) * bf_cells_count(space->problem->cells);
  return layer->heads * Q * (Q + (BF_TYPE_BLOCK + c->tags) * (2 + layer->dim)) * BF_LANES * (int64_t)sizeof(double);
}

BfStatus bf_table_way(const BfFullSpace *space, int64_t s, BfTableWay *way, BfError *error) {
  const BfContext *c     = &space->problem->context[s];
  const int64_t    radix = space->context[s].radix[c->tags - 1], M = space->context[s].measures;
  BfTableShape     shape = {.context = c,
                            .nearest = space->problem->transition->nearest && bf_cells_axes(space->problem->cells)};
  BfImagesPlan     plan  = {0};
  BfStatus         status;
  int             *place = NULL;
  *way                   = (BfTableWay){.leads = !bf_table_shape_fits(space, s) ? M : c->tags == 1 ? radix : M / radix};
  way->units             = bf_table_shape_fits(space, s) && radix > way->leads ? radix : way->leads;
  bf_layer_flat(&space->problem->layer, &shape.layer);
  if (!bf_table_shape_fits(space, s)) return BF_OK;
  way->rank_bytes = shape_bytes(space, c);
  if (is_pairs(&shape)) return BF_OK;
  BF_GOTO(BF_NEW(&place, c->tags, error));
  for (int g = 1; g < c->tags; g++) place[g] = place[g - 1] + is_apart(&space->problem->layer, c, g);
  BF_GOTO(bf_images_plan_create(space, s, count_positions(&space->problem->layer, c), place, &plan, error));
  if (plan.way != BF_IMAGES_NONE) count_images(&plan, (double)M, way);
done:
  bf_images_plan_clear(&plan);
  bf_free(place);
  return status;
}
