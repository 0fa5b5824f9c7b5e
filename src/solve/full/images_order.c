/* What BF_IMAGES_RANKS compares: laws in the order of g at every border of a query cell.
 *
 * Where the sign of g(own) + g(other) is certain: the image is off its border by (g(own) + g(other)) / (den(own) +
 * den(other)), den = sum of mass w_q(c), and bf_layer_apply is nearer to it than `margin` of the images in doubles
 * (kernel/images.c), whose 36 N + 4 d + 320 rounding units leave room for those of these sums: 2 (N + d + 8) of the
 * same size, for which a quarter is added. So it is certain where |g(own) + g(other)| >= e(own) + e(other), e = 5/4
 * margin den, and each side has its own part of that. Whoever's sign is not certain stands, in the order of g, between
 * the first law whose g + e, or that of one before, is not too small, and the first from which on no g - e is. */
#include "solve/full/images.h"

#include <math.h>
#include <string.h>

/* A border of query cell q of tag g, under the action in lane l. */
typedef struct {
  const BfTagImages *x;
  const BfRankTag   *tag;
  const BfRankTag   *other; /* whose `cell` has the others' laws */
  BfRankWork        *work;
  int16_t           *numbers; /* of the action */
  int                g, l, q, j;
  int64_t            laws; /* of the other tag */
} Border;

/* g and e of an atom of tag t in every cell. False: they are no numbers that add up, or may be off by half a cell: the
 * box of P ends at least that far from a border between cells, so that to clip moves nothing across one. */
static bool weigh_cells(const Border *b, int t, double *g, double *e) {
  const BfImageShape *shape = &b->x->shape;
  const BfTableShape *table = shape->table;
  const BfImagesPlan *plan  = &b->x->plan;
  const int           d = table->d, a = b->x->ranks.axis[b->j];
  const int64_t       query  = ((int64_t)plan->place[b->g] * table->n + b->q) * table->queries;
  const double       *weight = shape->weight + (query + plan->place[t] * table->n) * BF_LANES + b->l;
  const double       *V      = shape->parameters + (bf_flat_V(&table->layer, d, 0) + a * d) * BF_LANES + b->l;
  const double        base   = shape->base[((int64_t)b->q * d + a) * BF_LANES + b->l] - b->x->ranks.border[b->j],
               margin = 1.25 * shape->margin[a * BF_LANES + b->l], scale = table->layer.step * shape->scale[a];
  double most = 0;
  for (int c = 0; c < table->n; c++) {
    const double w = plan->context->mass[t] * weight[c * BF_LANES];
    double       v = 0;
    for (int i = 0; i < d; i++) v += V[i * BF_LANES] * table->seen[c * d + i];
    g[c] = w * (v * scale + base);
    e[c] = w * margin;
    most += fabs(g[c]) + e[c];
  }
  return margin < 0.5 && most < 1e300;
}

static void sum_law(const double *of_cell, const int16_t *cell, int atoms, double *to) {
  double sum = 0;
  for (int i = 0; i < atoms; i++) sum += of_cell[cell[i]];
  *to = sum;
}

enum { DIGIT = 11, DIGITS = 6, VALUES = 1 << DIGIT };

static uint64_t key_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* By digit k. */
static void sort_digit(BfRankWork *w, int64_t laws, int k) {
  uint32_t  count[VALUES] = {0}, at = 0;
  uint64_t *key   = w->key[0];
  uint16_t *order = w->order[0];
  for (int64_t i = 0; i < laws; i++) count[key[i] >> k * DIGIT & (VALUES - 1)]++;
  for (int v = 0; v < VALUES; v++) {
    const uint32_t here = count[v];
    count[v]            = at;
    at += here;
  }
  for (int64_t i = 0; i < laws; i++) {
    const uint32_t to = count[key[i] >> k * DIGIT & (VALUES - 1)]++;
    w->key[1][to]     = key[i];
    w->order[1][to]   = order[i];
  }
  w->key[0]   = w->key[1];
  w->order[0] = w->order[1];
  w->key[1]   = key;
  w->order[1] = order;
}

/* Of what the first digits have put in order; false: by then there was much to move. */
static bool insert(const BfRankWork *w, int64_t laws) {
  uint64_t *key   = w->key[0];
  uint16_t *order = w->order[0];
  int64_t   moves = 0;
  for (int64_t i = 1; i < laws && moves < 8 * laws; i++) {
    const uint64_t here = key[i];
    const uint16_t law  = order[i];
    int64_t        j    = i;
    for (; j > 0 && key[j - 1] > here; j--, moves++) {
      key[j]   = key[j - 1];
      order[j] = order[j - 1];
    }
    key[j]   = here;
    order[j] = law;
  }
  return moves < 8 * laws;
}

/* Laws in the order of g into order[0]: by 31 bits of it, as floats would have them, then what is left one by one. */
static void sort_laws(BfRankWork *w, int64_t laws) {
  for (int64_t i = 0; i < laws; i++) {
    w->key[0][i]   = key_of(w->g[i]);
    w->order[0][i] = (uint16_t)i;
  }
  for (int k = DIGITS / 2; k < DIGITS; k++) sort_digit(w, laws, k);
  if (insert(w, laws)) return;
  for (int k = 0; k < DIGITS; k++) sort_digit(w, laws, k);
}

static int16_t *limit_of(const Border *b, int64_t atom) {
  return b->numbers + b->tag->limit + 2 * (atom * b->x->ranks.borders + b->j);
}

/* The numbers of chunk `chunk` at this border. */
static int64_t at_chunk(const Border *b, int64_t chunk) {
  return (chunk * b->x->shape.table->n + b->q) * b->x->ranks.borders + b->j;
}

/* The same for all laws: lo = hi = 0 where all are beyond the border, `laws` where none is; 0 and laws: uncertain,
 * which is told by their ranks, whichever these are. */
static void put_all(const Border *b, int64_t lo, int64_t hi) {
  for (int64_t i = b->tag->first[b->q]; i < b->tag->first[b->q + 1]; i++) {
    int16_t *limit = limit_of(b, b->tag->with[i]);
    limit[0]       = (int16_t)lo;
    limit[1]       = (int16_t)hi;
  }
  for (int64_t chunk = 0; chunk < bf_rank_chunks(b->laws); chunk++) {
    int16_t *range = b->numbers + b->tag->range + 2 * at_chunk(b, chunk);
    range[0]       = 0;
    range[1]       = (int16_t)(b->laws - 1);
    if (lo < hi)
      memset(b->numbers + b->tag->rank + at_chunk(b, chunk) * BF_RANK_LAWS, 0, BF_RANK_LAWS * sizeof(int16_t));
  }
}

static void put_ranks(const Border *b) {
  const BfRankWork *w = b->work;
  for (int64_t i = 0; i < b->laws; i++) {
    const int64_t law                                                                              = w->order[0][i];
    b->numbers[b->tag->rank + at_chunk(b, law / BF_RANK_LAWS) * BF_RANK_LAWS + law % BF_RANK_LAWS] = (int16_t)i;
  }
  for (int64_t chunk = 0; chunk < bf_rank_chunks(b->laws); chunk++) {
    const int64_t  left  = b->laws - chunk * BF_RANK_LAWS;
    int16_t       *range = b->numbers + b->tag->range + 2 * at_chunk(b, chunk);
    const int16_t *rank  = b->numbers + b->tag->rank + at_chunk(b, chunk) * BF_RANK_LAWS;
    range[0] = range[1] = rank[0];
    for (int i = 1; i < BF_RANK_LAWS && i < left; i++) {
      range[0] = rank[i] < range[0] ? rank[i] : range[0];
      range[1] = rank[i] > range[1] ? rank[i] : range[1];
    }
  }
}

/* The first of `laws` increasing numbers that is at least x. */
static int64_t first_from(const double *number, int64_t laws, double x) {
  int64_t at = 0;
  for (int64_t left = laws; left > 0;) {
    const int64_t half  = left / 2;
    const bool    above = number[at + half] < x;
    at += above ? half + 1 : 0;
    left = above ? left - half - 1 : half;
  }
  return at;
}

/* lo and hi of every law of the tag with an atom in q. */
static void put_limits(const Border *b) {
  BfRankWork *w = b->work;
  for (int64_t i = 0; i < b->laws; i++) {
    const int64_t law  = w->order[0][i];
    w->sorted[i]       = w->g[law];
    const double reach = w->g[law] + w->e[law];
    w->reach[i]        = i && w->reach[i - 1] > reach ? w->reach[i - 1] : reach;
  }
  for (int64_t i = b->laws - 1; i >= 0; i--) {
    const double retreat = w->sorted[i] - w->e[w->order[0][i]];
    w->retreat[i]        = i < b->laws - 1 && w->retreat[i + 1] < retreat ? w->retreat[i + 1] : retreat;
  }
  for (int64_t i = b->tag->first[b->q], k = 0; i < b->tag->first[b->q + 1]; i++, k++) {
    int64_t lo = first_from(w->sorted, b->laws, -w->own_g[k]), hi = lo;
    while (lo > 0 && w->reach[lo - 1] + (w->own_g[k] + w->own_e[k]) >= 0) lo--;
    while (hi < b->laws && w->retreat[hi] + (w->own_g[k] - w->own_e[k]) < 0) hi++;
    int16_t *limit = limit_of(b, b->tag->with[i]);
    limit[0]       = (int16_t)lo;
    limit[1]       = (int16_t)hi;
  }
}

/* g + e and g - e of laws. */
typedef struct {
  double least, most;
} Extent;

static void extend(Extent *x, double g, double e) {
  x->least = g - e < x->least ? g - e : x->least;
  x->most  = g + e > x->most ? g + e : x->most;
}

static void find_border(const Border *b) {
  BfRankWork *w     = b->work;
  const int   atoms = bf_images_atoms(&b->x->plan, b->g), others = bf_images_atoms(&b->x->plan, !b->g);
  Extent      own = {INFINITY, -INFINITY}, rest = own;
  const bool  own_sound  = weigh_cells(b, b->g, w->cell[0][0], w->cell[0][1]),
             other_sound = weigh_cells(b, !b->g, w->cell[1][0], w->cell[1][1]);
  if (!own_sound || !other_sound) {
    put_all(b, 0, b->laws);
    return;
  }
  for (int64_t i = b->tag->first[b->q], k = 0; i < b->tag->first[b->q + 1]; i++, k++) {
    const int16_t *cell = b->tag->cell + b->tag->with[i] / atoms * atoms;
    sum_law(w->cell[0][0], cell, atoms, &w->own_g[k]);
    sum_law(w->cell[0][1], cell, atoms, &w->own_e[k]);
    extend(&own, w->own_g[k], w->own_e[k]);
  }
  for (int64_t law = 0; law < b->laws; law++) {
    sum_law(w->cell[1][0], b->other->cell + law * others, others, &w->g[law]);
    sum_law(w->cell[1][1], b->other->cell + law * others, others, &w->e[law]);
    extend(&rest, w->g[law], w->e[law]);
  }
  if (own.least + rest.least >= 0) {
    put_all(b, 0, 0);
  } else if (own.most + rest.most < 0) {
    put_all(b, b->laws, b->laws);
  } else {
    sort_laws(w, b->laws);
    put_ranks(b);
    put_limits(b);
  }
}

void bf_images_find_ranks(BfTagImages *x, const BfTableShare *share) {
  const BfRanks *r    = &x->ranks;
  const int64_t  each = (int64_t)x->shape.table->n * r->borders, all = r->tags * each;
  for (int64_t i = all * share->part / share->parts; i < all * (share->part + 1) / share->parts; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const int    g = (int)(i / each);
      const Border b = {.x       = x,
                        .tag     = &r->tag[g],
                        .other   = &r->tag[r->tags == 2 ? !g : 0],
                        .work    = r->work,
                        .numbers = (int16_t *)share->images + l * r->numbers,
                        .g       = g,
                        .l       = l,
                        .q       = (int)(i % each / r->borders),
                        .j       = (int)(i % r->borders),
                        .laws    = x->plan.tag[!g].laws};
      find_border(&b);
    }
}
