#include "certify/symmetry.h"
#include "run/hash.h"
#include <stdio.h>
#include <string.h>

enum { MOST_MOVES = 4096 };               /* products of generators, the shortest first */
static const double MOST_SLOTS = 1 << 22; /* of data, over all moves of them that are tried: seconds */

typedef struct {
  BfMoves              moves;
  const BfFreeNumbers *free;
  int                  n, count; /* free numbers; moves so far, of which 0 moves nothing */
  int32_t             *move;     /* [MOST_MOVES][length] */
  int32_t             *image;    /* [MOST_MOVES][n] of the free numbers alone, written as moves are */
  int32_t             *slot;     /* [2 MOST_MOVES] a table by hashes of images: a move + 1, or 0 */
  int32_t             *variable; /* [all] which free number each is; -1: none */
  int32_t             *work;     /* [length] a move, */
  int32_t             *whole;    /* [all] its image, */
  int32_t             *part;     /* [n] and that of free numbers */
  BfSymmetryCount      of;
} Search;

/* ---- inequalities ------------------------------------------------------------------------------------------------ */

/* x_k <= s x_j, of the last number that is moved; false: none is. */
static bool last_moved(const int32_t image[], int n, BfInequality *out) {
  for (int k = n - 1; k >= 0; k--) {
    if (image[k] == k + 1) continue;
    *out = (BfInequality){k, bf_move_place(image[k]), image[k] < 0 ? -1 : 1};
    return true;
  }
  return false;
}

static bool is_known(const BfSymmetry *out, const BfInequality *row) {
  for (int i = 0; i < out->count; i++)
    if (!memcmp(&out->row[i], row, sizeof *row)) return true;
  return false;
}

/* Literal 2 k is x_k, 2 k + 1 is -x_k. An inequality x_k <= s x_j is an arrow between two, and one between their
 * negatives. Whether arrows that are kept lead from k to s j without that one: it follows then. */
static bool follows(const BfSymmetry *x, const char dropped[], int without, int n, char seen[]) {
  const BfInequality *goal = &x->row[without];
  memset(seen, 0, 2 * (size_t)n);
  seen[2 * goal->k] = 1;
  for (bool more = true; more;) {
    more = false;
    for (int i = 0; i < x->count; i++) {
      const BfInequality *r = &x->row[i];
      if (i == without || dropped[i]) continue;
      const int from = 2 * r->k, to = 2 * r->j + (r->sign < 0);
      if (seen[from] && !seen[to]) seen[to] = more = true;
      if (seen[to ^ 1] && !seen[from ^ 1]) seen[from ^ 1] = more = true;
    }
  }
  return seen[2 * goal->j + (goal->sign < 0)];
}

/* Those that follow from others are left out. */
static BfStatus reduce(BfSymmetry *x, int n, BfError *error) {
  char *dropped = NULL;
  int   kept    = 0;
  BF_TRY(BF_NEW(&dropped, x->count + 2 * n, error));
  for (int i = x->count - 1; i >= 0; i--)
    dropped[i] = x->row[i].j != x->row[i].k && follows(x, dropped, i, n, dropped + x->count);
  for (int i = 0; i < x->count; i++) {
    if (dropped[i]) continue;
    x->row[kept] = x->row[i];
    memmove(x->move + (int64_t)kept++ * x->length, x->move + (int64_t)i * x->length,
            sizeof *x->move * (size_t)x->length);
  }
  x->count = kept;
  bf_free(dropped);
  return BF_OK;
}

static BfStatus collect(const Search *x, BfSymmetry *out, BfError *error) {
  BF_TRY(BF_NEW(&out->row, x->count, error));
  BF_TRY(BF_NEW(&out->move, (int64_t)x->count * out->length, error));
  for (int i = 1; i < x->count; i++) {
    BfInequality row;
    if (!last_moved(x->image + (int64_t)i * x->n, x->n, &row) || is_known(out, &row)) continue;
    memcpy(out->move + (int64_t)out->count * out->length, x->move + (int64_t)i * out->length,
           sizeof *out->move * (size_t)out->length);
    out->row[out->count++] = row;
  }
  BF_TRY(reduce(out, x->n, error));
  if (out->count > BF_MOST_INEQUALITIES) out->count = BF_MOST_INEQUALITIES;
  return BF_OK;
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

/* The image of free numbers, where they are those of free ones: so are then the others, which J ignores or whose ranges
 * are points, those of others, and J of the free ones alone is kept. */
static bool take_free(Search *x) {
  for (int k = 0; k < x->n; k++) {
    const int32_t i = x->whole[x->free->number[k]], j = x->variable[bf_move_place(i)];
    if (j < 0) return false;
    x->part[k] = i < 0 ? -(j + 1) : j + 1;
  }
  return true;
}

/* Add x->work with x->part; false where that image is known, or moves are too many. */
static bool add(Search *x) {
  const size_t size = sizeof *x->part * (size_t)x->n;
  uint64_t     at   = bf_hash(BF_HASH_NONE, x->part, size) % (2 * MOST_MOVES);
  for (; x->slot[at]; at = (at + 1) % (2 * MOST_MOVES))
    if (!memcmp(x->image + (int64_t)(x->slot[at] - 1) * x->n, x->part, size)) return false;
  if (x->count == MOST_MOVES) return false;
  memcpy(x->move + (int64_t)x->count * x->moves.length, x->work, sizeof *x->work * (size_t)x->moves.length);
  memcpy(x->image + (int64_t)x->count * x->n, x->part, size);
  x->slot[at] = ++x->count;
  return true;
}

/* The move x->work, which leaves J as it is, where it is one of numbers: as a generator. */
static bool generate(Search *x) { return bf_move_numbers(&x->moves, x->work, x->whole) && take_free(x) && add(x); }

static void stay(const Search *x, int32_t move[]) {
  for (int i = 0; i < x->moves.length; i++) move[i] = i + 1;
}

/* Every two of `count` places from `first` on exchanged; returns how many did. */
static int exchange(Search *x, int first, int count) {
  int found = 0;
  for (int i = first; i < first + count; i++)
    for (int j = i + 1; j < first + count; j++) {
      stay(x, x->work);
      x->work[i] = j + 1;
      x->work[j] = i + 1;
      found += generate(x);
    }
  return found;
}

static int reflect(Search *x, int first, int count) {
  int found = 0;
  for (int i = first; i < first + count; i++) {
    stay(x, x->work);
    x->work[i] = -(i + 1);
    found += generate(x);
  }
  return found;
}

/* ---- moves of the data ------------------------------------------------------------------------------------------- */

/* The next permutation of place[0 .. count - 1] in lexicographic order; false behind the last. */
static bool next_permutation(int32_t place[], int count) {
  int i = count - 2, j = count - 1;
  while (i >= 0 && place[i] > place[i + 1]) i--;
  if (i < 0) return false;
  while (place[j] < place[i]) j--;
  const int32_t swap = place[i];
  place[i] = place[j], place[j] = swap;
  for (int a = i + 1, b = count - 1; a < b; a++, b--) {
    const int32_t x = place[a];
    place[a] = place[b], place[b] = x;
  }
  return true;
}

static BfStatus try_signs(Search *x, const int32_t move[], BfError *error) {
  for (int signs = 0; signs < 1 << x->moves.dim; signs++) {
    bool keeps;
    memcpy(x->work, move, sizeof *move * (size_t)x->moves.length);
    for (int a = 0; a < x->moves.dim; a++)
      if (signs >> a & 1) x->work[a] = -move[a];
    if (!bf_move_numbers(&x->moves, x->work, x->whole)) continue;
    BF_TRY(bf_move_keeps(&x->moves, x->work, &keeps, error));
    x->of.data += keeps && generate(x);
  }
  return BF_OK;
}

static double slots_of(const BfMergedData *data) {
  double sum = 0;
  for (int64_t s = 0; s < data->contexts; s++) sum += data->context[s].context.slots;
  return sum;
}

/* Every Q with every permutation of classes, where these are not too many; of more classes none moves. */
static BfStatus of_data(Search *x, BfError *error) {
  const int d       = x->moves.dim;
  int       classes = x->moves.classes;
  int32_t  *move    = NULL;
  BfStatus  status;
  double    many = slots_of(x->moves.data);
  for (int i = 1; i <= d; i++) many *= 2 * i;
  if (many > MOST_SLOTS) return BF_OK;
  for (int i = 2; i <= classes; i++) many *= i;
  if (many > MOST_SLOTS) classes = 0;
  BF_GOTO(BF_NEW(&move, x->moves.length, error));
  stay(x, move);
  do {
    for (int i = 0; i < d; i++) move[i] = i + 1;
    do BF_GOTO(try_signs(x, move, error));
    while (next_permutation(move, d));
  } while (next_permutation(move + d, classes));
done:
  bf_free(move);
  return status;
}

/* ---- the search -------------------------------------------------------------------------------------------------- */

static BfStatus create(Search *x, BfError *error) {
  const int64_t length = x->moves.length, all = x->free->all;
  BF_TRY(BF_NEW(&x->move, MOST_MOVES * length, error));
  BF_TRY(BF_NEW(&x->image, MOST_MOVES * (int64_t)x->n, error));
  BF_TRY(BF_NEW(&x->slot, 2 * MOST_MOVES, error));
  BF_TRY(BF_NEW(&x->variable, all, error));
  BF_TRY(BF_NEW(&x->work, length, error));
  BF_TRY(BF_NEW(&x->whole, all, error));
  BF_TRY(BF_NEW(&x->part, x->n, error));
  for (int64_t i = 0; i < all; i++) x->variable[i] = -1;
  for (int k = 0; k < x->n; k++) {
    x->variable[x->free->number[k]] = k;
    x->part[k]                      = k + 1;
  }
  stay(x, x->work);
  add(x);
  return BF_OK;
}

static void generators(Search *x) {
  for (int t = 0; t < x->moves.problem->horizon; t++) {
    const int heads = bf_moves_layer(&x->moves, t), units = heads + x->moves.heads;
    x->of.heads += exchange(x, heads, x->moves.heads);
    x->of.units += exchange(x, units, x->moves.width);
    x->of.signs += reflect(x, units, x->moves.width);
  }
}

/* All products, the shortest first. */
static void multiply(Search *x) {
  const int     generators = x->count;
  const int64_t length = x->moves.length, n = x->n;
  for (int i = 1; i < x->count; i++)
    for (int g = 1; g < generators && x->count < MOST_MOVES; g++) {
      bf_move_compose(length, x->move + g * length, x->move + i * length, x->work);
      bf_move_compose(n, x->image + g * n, x->image + i * n, x->part);
      add(x);
    }
}

BfStatus bf_symmetry_find(const BfProblem *problem, const BfMergedData *data, const BfFreeNumbers *free,
                          BfSymmetry *out, BfError *error) {
  Search   x = {.moves = bf_moves(problem, data), .free = free, .n = free->n};
  BfStatus status;
  out->length = x.moves.length;
  BF_GOTO(create(&x, error));
  generators(&x);
  BF_GOTO(of_data(&x, error));
  multiply(&x);
  out->of = x.of;
  status  = collect(&x, out, error);
done:
  bf_free(x.move);
  bf_free(x.image);
  bf_free(x.slot);
  bf_free(x.variable);
  bf_free(x.work);
  bf_free(x.whole);
  bf_free(x.part);
  return status;
}

void bf_symmetry_clear(BfSymmetry *x) {
  bf_free(x->move);
  bf_free(x->row);
  *x = (BfSymmetry){0};
}

/* ---- boxes ------------------------------------------------------------------------------------------------------- */

static bool lower_end(double *end, double most) {
  if (!(most < *end)) return false;
  *end = most;
  return true;
}

static bool raise_end(double *end, double least) {
  if (!(least > *end)) return false;
  *end = least;
  return true;
}

/* Whether it narrows the box. */
static bool apply(const BfInequality *r, double lower[], double upper[]) {
  if (r->j == r->k) return lower_end(&upper[r->k], 0);
  if (r->sign > 0) {
    const bool here = lower_end(&upper[r->k], upper[r->j]);
    return raise_end(&lower[r->j], lower[r->k]) || here;
  }
  const bool here = lower_end(&upper[r->k], -lower[r->j]);
  return lower_end(&upper[r->j], -lower[r->k]) || here;
}

bool bf_symmetry_narrow(const BfSymmetry *x, double lower[], double upper[]) {
  for (bool again = x->count > 0; again;) {
    again = false;
    for (int i = 0; i < x->count; i++) {
      const BfInequality *r = &x->row[i];
      again                 = apply(r, lower, upper) || again;
      if (lower[r->k] > upper[r->k] || lower[r->j] > upper[r->j]) return false;
    }
  }
  return true;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

const char *bf_symmetry_text(const BfSymmetry *x, char text[BF_SYMMETRY_TEXT]) {
  const struct {
    int         count;
    const char *one, *many;
  } part[] = {{x->of.heads, "pair of heads", "pairs of heads"},
              {x->of.units, "pair of hidden units", "pairs of hidden units"},
              {x->of.signs, "sign of a hidden unit", "signs of hidden units"},
              {x->of.data, "move of the data", "moves of the data"}};
  int at   = 0;
  text[0]  = '\0';
  for (size_t i = 0; i < sizeof part / sizeof *part; i++)
    if (part[i].count)
      at += snprintf(text + at, (size_t)(BF_SYMMETRY_TEXT - at), "%s%d %s", at ? ", " : "", part[i].count,
                     part[i].count == 1 ? part[i].one : part[i].many);
  snprintf(text + at, (size_t)(BF_SYMMETRY_TEXT - at), "; %d inequalit%s", x->count, x->count == 1 ? "y" : "ies");
  return text;
}
