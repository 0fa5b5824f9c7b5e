#include "solve/full/images_plan.h"
#include "solve/full/images_ranks.h"

#include <math.h>

static int atoms_of(const BfContext *c, int g) { return c->first[g + 1] - c->first[g]; }

bool bf_images_sees(const BfImagesPlan *x, int g, int t) {
  return x->space->problem->layer.mask != BF_MASK_CAUSAL || x->context->position[t] <= x->context->position[g];
}

/* ---- what a tag sees -------------------------------------------------------------------------------------------- */

static void number_groups(BfImagesPlan *x) {
  const BfContext *c    = x->context;
  int              next = 0;
  for (int g = 0; g < c->tags; g++) {
    int same = 0;
    while (same < g && !(x->place[same] == x->place[g] && c->mass[same] == c->mass[g])) same++;
    x->group[g] = same < g ? x->group[same] : next++;
  }
}

/* Atoms of a group that tag g sees beside its own. */
static int atoms_seen(const BfImagesPlan *x, int g, int group) {
  int atoms = 0;
  for (int t = 0; t < x->context->tags; t++)
    if (t != g && x->group[t] == group && bf_images_sees(x, g, t)) atoms += atoms_of(x->context, t);
  return atoms;
}

static bool is_like(const BfImagesPlan *x, int g, int other) {
  const BfImagesTag *a = &x->tag[g], *b = &x->tag[other];
  if (x->group[g] != x->group[other] || a->laws != b->laws || a->groups != b->groups) return false;
  for (int i = 0; i < a->groups; i++)
    if (a->group[i] != b->group[i] || a->atoms[i] != b->atoms[i]) return false;
  return true;
}

static BfStatus types_of(BfImagesPlan *x, int atoms, BfError *error) {
  if (x->types[atoms]) return BF_OK;
  return bf_types_create(bf_cells_count(x->space->problem->cells), atoms, &x->types[atoms], error);
}

/* Numbers of unions as doubles: they may be too many to number. */
static double count_rests(const BfImagesPlan *x, const BfImagesTag *tag) {
  double rests = 1;
  for (int i = 0; i < tag->groups; i++) {
    const int64_t types = bf_types_number(bf_cells_count(x->space->problem->cells), tag->atoms[i]);
    rests *= types < 0 ? 0x1p63 : (double)types;
  }
  return rests;
}

static BfStatus see_tag(BfImagesPlan *x, int g, BfError *error) {
  BfImagesTag *tag = &x->tag[g];
  tag->laws        = x->space->context[x->s].radix[g];
  BF_TRY(BF_NEW(&tag->group, x->context->tags, error));
  BF_TRY(BF_NEW(&tag->atoms, x->context->tags, error));
  for (int group = 0; group < x->context->tags; group++) {
    const int atoms = atoms_seen(x, g, group);
    if (!atoms) continue;
    tag->group[tag->groups]   = group;
    tag->atoms[tag->groups++] = atoms;
  }
  tag->like = 0;
  while (tag->like < g && !is_like(x, g, tag->like)) tag->like++;
  if (tag->like == g) x->images += (double)tag->laws * count_rests(x, tag);
  return BF_OK;
}

/* ---- unions with the last tag ----------------------------------------------------------------------------------- */

/* Atoms of both in order; all: room for both. */
static void merge(int m, const int64_t a[], int k, const int64_t b[], int64_t all[]) {
  for (int i = 0, j = 0; i + j < m + k;)
    if (j == k || (i < m && a[i] <= b[j])) {
      all[i + j] = a[i];
      i++;
    } else {
      all[i + j] = b[j];
      j++;
    }
}

static BfStatus fill_unions(BfImagesPlan *x, int m, BfError *error) {
  const int     last = x->context->tags - 1, k = atoms_of(x->context, last);
  const int64_t laws = x->tag[last].laws;
  int64_t       part[x->context->slots + 1], law[x->context->slots + 1], all[x->context->slots + 1];
  if (!m || x->unions[m]) return BF_OK;
  BF_TRY(types_of(x, m, error));
  BF_TRY(types_of(x, k, error));
  BF_TRY(BF_NEW(&x->unions[m], bf_types_count(x->types[m]) * laws, error));
  for (int64_t i = 0; i < bf_types_count(x->types[m]); i++) {
    bf_types_unrank(x->types[m], i, part);
    for (int64_t c = 0; c < laws; c++) {
      bf_types_unrank(x->types[k], c, law);
      merge(m, part, k, law, all);
      x->unions[m][i * laws + c] = (int32_t)bf_types_rank(x->types[m + k], all);
    }
  }
  return BF_OK;
}

/* How many atoms a union has beside those of the last tag, where tag g's group i is one with it; else 0. */
static int atoms_beside(const BfImagesPlan *x, int g, int i) {
  const BfImagesTag *tag  = &x->tag[g];
  const int          last = x->context->tags - 1;
  if (g == last || tag->group[i] != x->group[last] || !bf_images_sees(x, g, last)) return 0;
  return tag->atoms[i] - atoms_of(x->context, last);
}

double bf_images_unions(const BfImagesPlan *x) {
  double all = 0;
  for (int g = 0; x->way == BF_IMAGES_UNIONS && g < x->context->tags; g++)
    for (int i = 0; x->tag[g].like == g && i < x->tag[g].groups; i++) {
      const int m = atoms_beside(x, g, i);
      if (m)
        all += (double)bf_types_number(bf_cells_count(x->space->problem->cells), m) *
               (double)x->tag[x->context->tags - 1].laws;
    }
  return all;
}

/* Types of all unions, and of what they have beside the last tag; where all images are kept, unions by number. */
static BfStatus number_unions(BfImagesPlan *x, BfError *error) {
  const int last = x->context->tags - 1;
  int64_t   at   = 0;
  for (int g = 0; g <= last; g++) {
    BfImagesTag *tag = &x->tag[g];
    tag->rests       = 1;
    for (int i = 0; i < tag->groups; i++) {
      BF_TRY(types_of(x, tag->atoms[i], error));
      tag->rests *= bf_types_count(x->types[tag->atoms[i]]);
      BF_TRY(fill_unions(x, atoms_beside(x, g, i), error));
    }
    tag->at = tag->like < g ? x->tag[tag->like].at : at;
    if (tag->like == g) at += tag->laws * tag->rests;
  }
  return BF_OK;
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

/* A grid whose sizes floats hold, attention, P that kernels know, and for `split` few enough cells to look at all. */
static bool is_for(const BfFullSpace *space) {
  const BfProblem *problem = space->problem;
  const BfAxis    *axis    = bf_cells_axes(problem->cells);
  if (!axis || !problem->layer.heads || problem->layer.projection->apply) return false;
  for (int a = 0; a < problem->layer.dim; a++)
    if (!(axis[a].width > 1e-30 && axis[a].width < 1e30 && fabs(axis[a].lower) < 1e30)) return false;
  if (problem->transition->nearest) return true;
  return problem->transition == bf_transition("split") && bf_cells_count(problem->cells) <= BF_MOST_IMAGE_CELLS;
}

enum { MOST_IMAGES = 1 << 25 }; /* that a node keeps: 1 GiB */

/* Images are kept where there are at most half as many as measures: a table of four actions or less. */
static BfImagesWay way_of(const BfImagesPlan *x) {
  const double measures = (double)x->space->context[x->s].measures;
  if (2 * x->images <= measures && x->images <= MOST_IMAGES) return BF_IMAGES_UNIONS;
  if (bf_ranks_fit(x) && bf_ranks_pay(x)) return BF_IMAGES_RANKS;
  return x->context->tags == 2 ? BF_IMAGES_PAIRS : BF_IMAGES_ROWS;
}

static BfStatus create(BfImagesPlan *x, BfError *error) {
  const int tags = x->context->tags;
  BF_TRY(BF_NEW(&x->group, tags, error));
  BF_TRY(BF_NEW(&x->tag, tags, error));
  BF_TRY(BF_NEW(&x->types, x->context->slots + 1, error));
  BF_TRY(BF_NEW(&x->unions, x->context->slots + 1, error));
  number_groups(x);
  for (int g = 0; g < tags; g++) BF_TRY(see_tag(x, g, error));
  x->way = way_of(x);
  return BF_OK;
}

BfStatus bf_images_plan_number(BfImagesPlan *x, BfError *error) {
  for (int g = 0; g < x->context->tags; g++) BF_TRY(types_of(x, atoms_of(x->context, g), error));
  return x->way == BF_IMAGES_ROWS ? BF_OK : number_unions(x, error);
}

BfStatus bf_images_plan_create(const BfFullSpace *space, int64_t s, int positions, int *place, BfImagesPlan *x,
                               BfError *error) {
  *x = (BfImagesPlan){
      .space = space, .context = &space->problem->context[s], .s = s, .positions = positions, .place = place};
  return is_for(space) ? create(x, error) : BF_OK;
}

void bf_images_plan_clear(BfImagesPlan *x) {
  for (int g = 0; x->tag && g < x->context->tags; g++) {
    bf_free(x->tag[g].group);
    bf_free(x->tag[g].atoms);
  }
  for (int m = 0; x->context && m <= x->context->slots; m++) {
    if (x->types) bf_types_destroy(&x->types[m]);
    if (x->unions) bf_free(x->unions[m]);
  }
  bf_free(x->group);
  bf_free(x->tag);
  bf_free(x->types);
  bf_free(x->unions);
  *x = (BfImagesPlan){0};
}

int64_t bf_images_bytes(const BfImagesPlan *x) {
  if (x->way == BF_IMAGES_RANKS) return bf_ranks_bytes(x);
  return x->way == BF_IMAGES_UNIONS ? (int64_t)x->images * BF_LANES * (int64_t)sizeof(int32_t) : 0;
}

/* ---- numbers of what a tag sees --------------------------------------------------------------------------------- */

void bf_images_rest(const BfImagesPlan *x, int g, int64_t rest, int place[], int64_t cell[], double mass[],
                    int *count) {
  const BfImagesTag *tag = &x->tag[g];
  *count                 = 0;
  for (int i = tag->groups - 1; i >= 0; i--) {
    const BfTypes *types = x->types[tag->atoms[i]];
    int            of    = 0;
    while (x->group[of] != tag->group[i]) of++;
    bf_types_unrank(types, rest % bf_types_count(types), cell + *count);
    rest /= bf_types_count(types);
    for (int j = 0; j < tag->atoms[i]; j++, (*count)++) {
      place[*count] = x->place[of];
      mass[*count]  = x->context->mass[of];
    }
  }
}

/* The atoms of a group that tag g sees beside its own and the last tag's, in order. */
static int gather(const BfImagesPlan *x, int g, int group, const int64_t cell[], int64_t all[]) {
  const BfContext *c     = x->context;
  int              count = 0;
  for (int t = 0; t < c->tags - 1; t++) {
    if (t == g || x->group[t] != group || !bf_images_sees(x, g, t)) continue;
    for (int i = c->first[t]; i < c->first[t + 1]; i++) {
      int at = count++;
      for (; at > 0 && all[at - 1] > cell[i]; at--) all[at] = all[at - 1];
      all[at] = cell[i];
    }
  }
  return count;
}

void bf_images_find(const BfImagesPlan *x, int g, const int64_t cell[], BfImageTag *to) {
  const BfImagesTag *tag  = &x->tag[g];
  const int          last = x->context->tags - 1;
  int64_t            all[x->context->slots + 1];
  to->base = to->step = 0;
  to->row             = NULL;
  for (int i = 0; i < tag->groups; i++) {
    const int64_t types = bf_types_count(x->types[tag->atoms[i]]);
    const int     m     = gather(x, g, tag->group[i], cell, all);
    const int64_t rank  = m ? bf_types_rank(x->types[m], all) : 0;
    to->base *= types;
    to->step *= types;
    if (g < last && tag->group[i] == x->group[last] && bf_images_sees(x, g, last)) {
      to->step = 1;
      to->row  = m ? x->unions[m] + rank * x->tag[last].laws : NULL;
    } else {
      to->base += rank;
    }
  }
}
