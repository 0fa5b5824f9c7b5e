/* BF_IMAGES_ROWS: along rows of measures, which differ in the law of the last tag; the sums of the tags before it are
 * made once a row, those of its own laws once a tile. Bound by arithmetic: an image a tag and measure. */
#include "kernel/kernels.h"
#include "solve/full/images.h"

typedef struct {
  BfTagImages        *x;
  const BfTableShare *share;
  int64_t             block, law[2]; /* of the last tag */
} Rows;

/* What queries at all places see of the tile's laws of the last tag. */
static void sum_last(const Rows *r) {
  BfTagImages     *x    = r->x;
  const BfContext *c    = x->plan.context;
  const int        last = c->tags - 1, atoms = c->first[last + 1] - c->first[last];
  BfSeenAtoms      seen = {.count = atoms, .place = x->place, .cell = x->law, .mass = x->mass};
  for (int i = 0; i < atoms; i++) {
    x->place[i] = x->plan.place[last];
    x->mass[i]  = c->mass[last];
  }
  for (int64_t law = r->law[0]; law < r->law[1]; law++) {
    bf_types_unrank(x->plan.types[atoms], law, x->law);
    for (int p = 0; p < x->plan.positions; p++) {
      const BfImageQueries all = {.place = p, .count = x->shape.table->n};
      bf_images_sum(x, &all, &seen, &x->rest, p * BF_IMAGE_TILE + law - r->law[0]);
    }
  }
}

/* What tag g sees of the tags before the last, in own: its queries are its atoms, of the last tag all cells. */
static void sum_lead(const Rows *r, int g) {
  BfTagImages     *x     = r->x;
  const BfContext *c     = x->plan.context;
  const int        last  = c->tags - 1;
  int              count = 0;
  int64_t         *cell  = x->law;
  for (int t = 0; t < last; t++)
    for (int i = c->first[t]; i < c->first[t + 1] && bf_images_sees(&x->plan, g, t); i++) {
      x->place[count] = x->plan.place[t];
      x->mass[count]  = c->mass[t];
      cell[count++]   = x->cell[i];
    }
  const BfSeenAtoms    seen    = {count, x->place, cell, x->mass};
  const BfImageQueries queries = {.place = x->plan.place[g],
                                  .count = g < last ? c->first[g + 1] - c->first[g] : x->shape.table->n,
                                  .cell  = g < last ? x->cell + c->first[g] : NULL};
  bf_images_sum(x, &queries, &seen, &x->own, 0);
}

/* Images of a tag before the last: one where it does not see that. */
static void move_lead(const Rows *r, int g, int32_t *to) {
  BfTagImages *x    = r->x;
  const bool   sees = bf_images_sees(&x->plan, g, x->plan.context->tags - 1);
  x->join[g]        = (BfImageTag){.image = to, .step = sees, .radix = x->join[g].radix};
  bf_images_row(x, g, x->cell + x->plan.context->first[g],
                (BfImageRow){.own  = x->own,
                             .rest = sees ? bf_images_sums_at(x, &x->rest, x->plan.place[g] * BF_IMAGE_TILE) : x->none,
                             .rest_stride = x->sums,
                             .count       = sees ? (int)(r->law[1] - r->law[0]) : 1,
                             .number      = to});
}

static void move_last(const Rows *r, int g, int32_t *to) {
  BfTagImages *x     = r->x;
  const int    atoms = x->plan.context->first[g + 1] - x->plan.context->first[g];
  x->join[g]         = (BfImageTag){.image = to, .step = 1, .radix = x->join[g].radix};
  for (int64_t law = r->law[0]; law < r->law[1]; law++) {
    const int64_t at = law - r->law[0];
    bf_types_unrank(x->plan.types[atoms], law, x->law);
    bf_images_row(x, g, x->law,
                  (BfImageRow){.own    = x->own,
                               .rest   = bf_images_sums_at(x, &x->rest, x->plan.place[g] * BF_IMAGE_TILE + at),
                               .count  = 1,
                               .number = to + at * BF_LANES});
  }
}

/* Returns how many measures are uncertain. */
static int64_t fill_lead(const Rows *r, int64_t lead) {
  BfTagImages  *x    = r->x;
  const int     last = x->plan.context->tags - 1, count = (int)(r->law[1] - r->law[0]);
  const int64_t radix = x->plan.tag[last].laws;
  bf_full_unrank(r->share->space, r->share->s, lead * radix, x->cell);
  for (int g = 0; g <= last; g++) {
    int32_t *to = x->tile + (int64_t)g * BF_IMAGE_TILE * BF_LANES;
    sum_lead(r, g);
    if (g < last) move_lead(r, g, to);
    else move_last(r, g, to);
  }
  bf_table_told(r->share, (double)count * bf_action_parameters_in_block(r->share->space->problem, r->block));
  return bf_images_join(x, r->share, r->block, lead, r->law[0], count);
}

BfStatus bf_images_rows_region(BfTagImages *x, const BfTableShare *share, int64_t block, const BfTableRegion *own,
                               BfError *error) {
  BfTableRegion part = *own;
  Rows          r    = {.x = x, .share = share, .block = block};
  for (; part.type[0] < own->type[1] && own->lead[0] < own->lead[1]; part.type[0] = part.type[1]) {
    part.type[1] = part.type[0] + BF_IMAGE_TILE < own->type[1] ? part.type[0] + BF_IMAGE_TILE : own->type[1];
    r.law[0]     = part.type[0];
    r.law[1]     = part.type[1];
    sum_last(&r);
    for (part.lead[0] = own->lead[0]; part.lead[0] < own->lead[1]; part.lead[0] = part.lead[1]) {
      int64_t doubts = 0;
      part.lead[1]   = part.lead[0] + BF_IMAGE_TILE < own->lead[1] ? part.lead[0] + BF_IMAGE_TILE : own->lead[1];
      for (int64_t lead = part.lead[0]; lead < part.lead[1]; lead++) doubts += fill_lead(&r, lead);
      BF_TRY(bf_images_settle(x, share, block, &part, doubts, error));
    }
  }
  return BF_OK;
}
