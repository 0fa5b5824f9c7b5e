/* An atom's mass is shared among the centres of a grid round its image; the tag's law is rounded to a type by [R11]. */
#include "bellformer/kernel.h"
#include "quantize/transition.h"

enum { MOST_DIM = 20 };

/* The centre below z on one axis; *share is the weight of the next one, 0 where z is at a centre or outside them. */
static int64_t centre_below(const BfAxis *axis, double z, double *share) {
  double  s = (z - axis->lower) / axis->width - 0.5;
  int64_t i = bf_clamp_floor(s, axis->cells);
  *share    = s > 0 && i < axis->cells - 1 ? s - (double)i : 0;
  return i;
}

/* dim is a constant where it is small, so that the loops unroll. */
static inline __attribute__((always_inline)) int split(const BfCells *cells, const int dim, const double z[],
                                                       int64_t cell[], double weight[]) {
  int count = 1;
  cell[0]   = 0;
  weight[0] = 1;
  for (int j = 0; j < dim; j++) {
    const BfAxis *axis = &cells->axis[j];
    double        share;
    int64_t       below = centre_below(axis, z[j], &share);
    int           ways  = share > 0 ? 2 : 1;
    /* In place from the end: entry e becomes the entries ways e, ..., which keeps the cells in increasing order. */
    for (int e = count - 1; e >= 0; e--) {
      int64_t first = cell[e] * axis->cells + below;
      double  whole = weight[e];
      if (ways == 2) {
        cell[2 * e + 1]   = first + 1;
        weight[2 * e + 1] = whole * share;
      }
      cell[ways * e]   = first;
      weight[ways * e] = whole * (1 - share);
    }
    count *= ways;
  }
  int positive = 0; /* a product of small weights may have underflowed */
  for (int e = 0; e < count; e++) {
    if (!(weight[e] > 0)) continue;
    cell[positive]     = cell[e];
    weight[positive++] = weight[e];
  }
  return positive;
}

int bf_cells_split(const BfCells *cells, const double z[], int64_t cell[], double weight[]) {
  switch (cells->dim) {
  case 1:
    return split(cells, 1, z, cell, weight);
  case 2:
    return split(cells, 2, z, cell, weight);
  case 3:
    return split(cells, 3, z, cell, weight);
  default:
    return split(cells, cells->dim, z, cell, weight);
  }
}

/* ---- the law of a tag -------------------------------------------------------------------------------------------- */

static int64_t centres(int dim) { return INT64_C(1) << dim; }

static BfStatus check(const BfKeyReader *keys, const BfCells *cells, BfError *error) {
  static const char key[] = "quantize.transition";
  if (!bf_cells_axes(cells)) return keys->fail(keys, key, error, "must not be split where quantize.codebook is given");
  if (cells->dim > MOST_DIM)
    return keys->fail(keys, key, error, "must not be split in %d dimensions, at most %d are possible", cells->dim,
                      MOST_DIM);
  return BF_OK;
}

/* sum + x, `times` times: as atoms one by one, up to BF_MOST_REPEATED. */
static double add_times(double sum, double x, int64_t times) {
  if (times > BF_MOST_REPEATED) return sum + (double)times * x;
  for (int64_t k = 0; k < times; k++) sum += x;
  return sum;
}

/* Some centres and their weights, of `times` equal atoms. */
typedef struct {
  const int64_t *corner;
  const double  *weight;
  int            count;
  int64_t        times;
} Share;

/* Add weights to a law that is kept as increasing cells; atoms have few centres, so that insertion is cheap. */
static int merge(int64_t corner[], double weight[], int have, const Share *more) {
  for (int i = 0; i < more->count; i++) {
    int at = have;
    while (at > 0 && corner[at - 1] > more->corner[i]) at--;
    if (at > 0 && corner[at - 1] == more->corner[i]) {
      weight[at - 1] = add_times(weight[at - 1], more->weight[i], more->times);
      continue;
    }
    for (int j = have; j > at; j--) {
      corner[j] = corner[j - 1];
      weight[j] = weight[j - 1];
    }
    corner[at] = more->corner[i];
    weight[at] = add_times(0, more->weight[i], more->times);
    have++;
  }
  return have;
}

static bool same_image(const BfImages *images, int d, int i, int j) {
  for (int a = 0; a < d; a++)
    if (images->z[(i * d + a) * images->stride] != images->z[(j * d + a) * images->stride]) return false;
  return true;
}

/* Cells without mass never gain atoms in [R11], so that only the centres that have some take part. Neighbours of one
 * image are taken together. */
static BfStatus law(const BfCells *cells, const BfImages *images, int count, const BfTransitionRoom *room,
                    int64_t cell[], BfError *error) {
  const int d = cells->dim;
  double    z[d], weight[1 << d];
  int64_t   corner[1 << d], atoms = 0;
  int       have = 0;
  for (int i = 0; i < count;) {
    const int first = i;
    Share     share = {.corner = corner, .weight = weight};
    do share.times += images->times ? images->times[i] : 1;
    while (++i < count && same_image(images, d, i, first));
    for (int a = 0; a < d; a++) z[a] = images->z[(first * d + a) * images->stride];
    share.count = bf_cells_split(cells, z, corner, weight);
    have        = merge(room->corner, room->weight, have, &share);
    atoms += share.times;
  }
  BF_TRY(bf_type_nearest(have, room->weight, atoms, room->counts, error));
  for (int c = 0, at = 0; c < have; c++)
    for (int64_t i = 0; i < room->counts[c]; i++) cell[at++] = room->corner[c];
  return BF_OK;
}

const BfTransition bf_transition_split = {
    .base    = {.name    = "split",
                .meaning = "it is shared among the centres round it, which keeps the mean; not with a codebook"},
    .centres = centres,
    .check   = check,
    .law     = law};
