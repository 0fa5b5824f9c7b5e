/* BF_IMAGES_RANKS, what it is for and its rooms: two tags by comparisons of 16 bits (src/kernel/images_ranks.h). The
 * ranks of a block are found first, by the ranks of a node together, a border of a query cell at a time: to sort 3060
 * laws there takes about 30 us, as 10,000 entries do. */
#include "solve/full/images_ranks.h"
#include "run/limits.h"

static int64_t cells_of(const BfImagesPlan *plan) { return bf_cells_count(plan->space->problem->cells); }

static int64_t borders_of(const BfImagesPlan *plan) {
  const BfAxis *axis  = bf_cells_axes(plan->space->problem->cells);
  int64_t       count = 0;
  for (int a = 0; a < plan->space->problem->layer.dim; a++) count += axis[a].cells - 1;
  return count;
}

/* To sort laws takes as long as some four entries of each; a law has as many entries an action as there are laws. So
 * sorts take at most half of a table's time. */
enum { WORTH = 8, MOST_LAWS = INT16_MAX };

bool bf_ranks_fit(const BfImagesPlan *plan) {
  const BfProblem *problem = plan->space->problem;
  if (plan->context->tags != 2 || !problem->transition->nearest || problem->layer.heads != 1) return false;
  if (problem->layer.projection->unit || plan->space->context[plan->s].measures > bf_limits()->narrow) return false;
  if (borders_of(plan) == 0 || borders_of(plan) > BF_RANK_TESTS) return false;
  for (int g = 0; g < 2; g++) {
    const int64_t laws = plan->tag[g].laws;
    if (!plan->tag[g].groups || laws > MOST_LAWS) return false;
  }
  return true;
}

bool bf_ranks_pay(const BfImagesPlan *plan) {
  const int64_t sorts = cells_of(plan) * borders_of(plan);
  return WORTH * sorts <= plan->tag[0].laws && WORTH * sorts <= plan->tag[1].laws;
}

static int distinct(const BfImagesPlan *plan) { return plan->tag[1].like == 0 ? 1 : 2; }

/* Offsets of an action's numbers, multiples of a chunk; returns how many there are. */
static int64_t place_numbers(const BfImagesPlan *plan, BfRankTag tag[2]) {
  const int64_t n = cells_of(plan), borders = borders_of(plan);
  int64_t       at = 0;
  for (int g = 0; g < distinct(plan); g++) {
    const int64_t chunks = bf_rank_chunks(plan->tag[!g].laws);
    tag[g].rank          = at;
    tag[g].range         = tag[g].rank + chunks * n * borders * BF_RANK_LAWS;
    tag[g].limit         = tag[g].range + 2 * chunks * n * borders;
    at = bf_rank_chunks(tag[g].limit + 2 * plan->tag[g].laws * bf_images_atoms(plan, g) * borders) * BF_RANK_LAWS;
  }
  return at;
}

int64_t bf_ranks_bytes(const BfImagesPlan *plan) {
  BfRankTag tag[2];
  return BF_LANES * place_numbers(plan, tag) * (int64_t)sizeof(int16_t);
}

int64_t bf_ranks_rank_bytes(const BfImagesPlan *plan) {
  const int64_t laws  = plan->tag[0].laws > plan->tag[1].laws ? plan->tag[0].laws : plan->tag[1].laws;
  int64_t       atoms = 0;
  for (int g = 0; g < distinct(plan); g++) atoms += plan->tag[g].laws * bf_images_atoms(plan, g);
  return laws * (7 * (int64_t)sizeof(double) + 2 * (int64_t)(sizeof(uint64_t) + sizeof(uint16_t))) +
         atoms * (int64_t)(sizeof(int16_t) + sizeof(int64_t)) +
         2 * BF_RANK_LAWS * BF_RANK_LAWS * (int64_t)sizeof(int16_t);
}

static BfStatus make_work(const BfImagesPlan *plan, BfRankWork *w, BfError *error) {
  const int64_t laws   = plan->tag[0].laws > plan->tag[1].laws ? plan->tag[0].laws : plan->tag[1].laws;
  double      **room[] = {&w->own_g, &w->own_e, &w->g, &w->e, &w->sorted, &w->reach, &w->retreat};
  for (int i = 0; i < 4; i++) BF_TRY(BF_NEW(&w->cell[i / 2][i % 2], cells_of(plan), error));
  for (int i = 0; i < (int)(sizeof room / sizeof *room); i++) BF_TRY(BF_NEW(room[i], laws, error));
  for (int i = 0; i < 2; i++) {
    BF_TRY(BF_NEW(&w->key[i], laws, error));
    BF_TRY(BF_NEW(&w->order[i], laws, error));
  }
  return BF_OK;
}

static void clear_work(BfRankWork *w) {
  double *room[] = {w->own_g, w->own_e, w->g, w->e, w->sorted, w->reach, w->retreat};
  for (int i = 0; i < 4; i++) bf_free(w->cell[i / 2][i % 2]);
  for (int i = 0; i < (int)(sizeof room / sizeof *room); i++) bf_free(room[i]);
  for (int i = 0; i < 2; i++) {
    bf_free(w->key[i]);
    bf_free(w->order[i]);
  }
}

/* Laws' atoms; which laws have an atom in a cell. */
static BfStatus make_tag(const BfImagesPlan *plan, int g, BfRankTag *tag, BfError *error) {
  const int64_t n = cells_of(plan), laws = plan->tag[g].laws, atoms = bf_images_atoms(plan, g);
  int64_t       cell[BF_MOST_ATOMS], at = 0;
  BF_TRY(BF_NEW(&tag->cell, laws * atoms, error));
  BF_TRY(BF_NEW(&tag->choose, atoms * n, error));
  BF_TRY(BF_NEW(&tag->first, n + 1, error));
  BF_TRY(BF_NEW(&tag->with, laws * atoms, error));
  for (int64_t law = 0; law < laws; law++) {
    bf_types_unrank(plan->types[atoms], law, cell);
    for (int64_t k = 0; k < atoms; k++) tag->cell[law * atoms + k] = (int16_t)cell[k];
  }
  for (int64_t k = 0; k < atoms; k++)
    for (int64_t c = 1; c < n; c++) tag->choose[k * n + c] = (int16_t)bf_types_number(c, k + 1);
  for (int64_t q = 0; q < n; q++) {
    tag->first[q] = at;
    for (int64_t i = 0; i < laws * atoms; i++)
      if (tag->cell[i] == q && !(i % atoms && tag->cell[i - 1] == q)) tag->with[at++] = i;
  }
  tag->first[n] = at;
  return BF_OK;
}

static BfStatus make_axes(const BfImagesPlan *plan, BfRanks *r, BfError *error) {
  const BfAxis *axis = bf_cells_axes(plan->space->problem->cells);
  int           at = 0, step = 1;
  BF_TRY(BF_NEW(&r->axis, r->borders, error));
  BF_TRY(BF_NEW(&r->border, r->borders, error));
  BF_TRY(BF_NEW(&r->step, r->borders, error));
  for (int a = plan->space->problem->layer.dim - 1; a >= 0; a--) {
    for (int t = 1; t < axis[a].cells; t++, at++) {
      r->axis[at]   = a;
      r->border[at] = t;
      r->step[at]   = (int16_t)step;
    }
    step *= (int)axis[a].cells;
  }
  return BF_OK;
}

BfStatus bf_ranks_create(const BfImagesPlan *plan, BfRanks *r, BfError *error) {
  r->tags    = distinct(plan);
  r->borders = (int)borders_of(plan);
  r->numbers = place_numbers(plan, r->tag);
  BF_TRY(make_axes(plan, r, error));
  for (int g = 0; g < r->tags; g++) BF_TRY(make_tag(plan, g, &r->tag[g], error));
  for (int i = 0; i < 2; i++) BF_TRY(BF_NEW(&r->image[i], BF_RANK_LAWS * BF_RANK_LAWS, error));
  BF_TRY(BF_NEW(&r->work, 1, error));
  return make_work(plan, r->work, error);
}

void bf_ranks_clear(BfRanks *r) {
  for (int g = 0; g < r->tags; g++) {
    bf_free(r->tag[g].cell);
    bf_free(r->tag[g].choose);
    bf_free(r->tag[g].first);
    bf_free(r->tag[g].with);
  }
  if (r->work) clear_work(r->work);
  bf_free(r->work);
  bf_free(r->image[0]);
  bf_free(r->image[1]);
  bf_free(r->axis);
  bf_free(r->border);
  bf_free(r->step);
  *r = (BfRanks){0};
}
