#include "check/tree.h"
#include <math.h>
#include <string.h>

/* Boxes one behind the other, [2 n] doubles each, with what is known of them. */
typedef struct {
  int64_t depth, readout;
} Mark;

typedef struct {
  int     n;
  int64_t first, count, room; /* boxes from `first` on are there */
  double *ends;               /* [room][2 n] */
  Mark   *mark;               /* [room] */
} Boxes;

struct BfTree {
  int                  n, logits; /* variables in all; those among them that are logits, the last */
  int                  late;      /* the last, that are neither split nor cut */
  bool                 bare, inside;
  const char          *array;
  const BfCheckOrders *orders;
  const uint8_t       *bytes;
  int64_t              at, count, claims[2], width; /* leaves, cuts */
  Boxes                stack, round, open;          /* of the task at hand; tasks of the round, of later ones */
  double              *ends;                        /* [4 n] the box at hand, and what a cut leaves of it */
};

/* ---- boxes ------------------------------------------------------------------------------------------------------ */

static BfStatus make_room(Boxes *boxes, BfError *error) {
  const size_t each = sizeof(double) * 2 * (size_t)boxes->n;
  double      *ends = NULL;
  Mark        *mark = NULL;
  if (boxes->first + boxes->count < boxes->room) return BF_OK;
  const int64_t room = 2 * boxes->count + 64;
  BF_TRY(BF_NEW(&ends, room * 2 * boxes->n, error));
  if (BF_NEW(&mark, room, error) != BF_OK) {
    bf_free(ends);
    return BF_FAILURE;
  }
  if (boxes->count) {
    memcpy(ends, boxes->ends + boxes->first * 2 * boxes->n, each * (size_t)boxes->count);
    memcpy(mark, boxes->mark + boxes->first, sizeof *mark * (size_t)boxes->count);
  }
  bf_free(boxes->ends);
  bf_free(boxes->mark);
  boxes->ends  = ends;
  boxes->mark  = mark;
  boxes->room  = room;
  boxes->first = 0;
  return BF_OK;
}

static BfStatus append(Boxes *boxes, const double *low, const double *high, Mark mark, BfError *error) {
  BF_TRY(make_room(boxes, error));
  const int64_t at = boxes->first + boxes->count++;
  double       *to = boxes->ends + at * 2 * boxes->n;
  memcpy(to, low, sizeof *to * (size_t)boxes->n);
  memcpy(to + boxes->n, high, sizeof *to * (size_t)boxes->n);
  boxes->mark[at] = mark;
  return BF_OK;
}

static Mark take(Boxes *boxes, bool last, double *ends) {
  const int64_t at = last ? boxes->first + boxes->count - 1 : boxes->first++;
  boxes->count--;
  memcpy(ends, boxes->ends + at * 2 * boxes->n, sizeof *ends * 2 * (size_t)boxes->n);
  return boxes->mark[at];
}

static void clear(Boxes *boxes) {
  bf_free(boxes->ends);
  bf_free(boxes->mark);
}

/* ---- the tree --------------------------------------------------------------------------------------------------- */

BfStatus bf_tree_create(const BfTreeRoots *whole, const uint8_t bytes[], int64_t count, BfTree **out, BfError *error) {
  const int n = whole->n;
  BfStatus  status;
  BF_TRY(BF_NEW(out, 1, error));
  BfTree *tree = *out;
  *tree        = (BfTree){.n      = n,
                          .logits = whole->logits,
                          .orders = whole->orders,
                          .late   = whole->late,
                          .bare   = whole->bare,
                          .inside = whole->inside,
                          .array  = whole->array ? whole->array : "tree",
                          .bytes  = bytes,
                          .at     = whole->from,
                          .count  = count,
                          .width  = whole->width,
                          .stack  = {.n = n},
                          .round  = {.n = n},
                          .open   = {.n = n}};
  BF_GOTO(BF_NEW(&tree->ends, 4 * n, error));
  for (int64_t r = 0; r < whole->roots; r++) BF_GOTO(append(&tree->open, whole->low, whole->high, (Mark){0, r}, error));
  return BF_OK;
done:
  bf_tree_destroy(out);
  return status;
}

void bf_tree_destroy(BfTree **tree) {
  if (!*tree) return;
  clear(&(*tree)->stack);
  clear(&(*tree)->round);
  clear(&(*tree)->open);
  bf_free((*tree)->ends);
  bf_free(*tree);
  *tree = NULL;
}

int64_t bf_tree_claims(const BfTree *tree, BfTreeClaim kind) { return tree->claims[kind]; }
int64_t bf_tree_at(const BfTree *tree) { return tree->at; }

static BfStatus damaged(const BfTree *tree, const char *what, BfError *error) {
  return bf_fail(error, BF_BAD_INPUT, "/certificate/%s is damaged: %s at byte %lld of %lld", tree->array, what,
                 (long long)tree->at, (long long)tree->count);
}

/* The next bytes of a record; NULL where there are none. */
static const uint8_t *bytes_of(BfTree *tree, int64_t count, BfError *error) {
  const uint8_t *here = tree->bytes + tree->at;
  if (tree->count - tree->at < count) {
    damaged(tree, "a record is incomplete", error);
    return NULL;
  }
  tree->at += count;
  return here;
}

/* Where a logit is split: a float in its next four bytes, the least first. NAN: there are none. */
static double place_of(BfTree *tree, BfError *error) {
  const uint8_t *b = bytes_of(tree, 4, error);
  if (!b) return NAN;
  const uint32_t bits = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
  float          place;
  memcpy(&place, &bits, sizeof place);
  return place;
}

static BfStatus split(BfTree *tree, Mark mark, BfError *error) {
  const uint8_t *k   = bytes_of(tree, 1, error);
  double        *low = tree->ends, *high = low + tree->n;
  if (!k) return error->status;
  if (*k >= tree->n - tree->late) return damaged(tree, "a split of a variable that is none", error);
  const bool   logit = *k >= tree->n - tree->logits;
  const double from = low[*k], middle = logit ? place_of(tree, error) : 0.5 * from + 0.5 * high[*k];
  if (error->status != BF_OK) return error->status;
  if (logit && !(middle > from && middle < high[*k])) return damaged(tree, "a split outside of its box", error);
  mark.depth++;
  low[*k] = middle;
  BF_TRY(append(&tree->stack, low, high, mark, error));
  low[*k]  = from;
  high[*k] = middle;
  return append(&tree->stack, low, high, mark, error);
}

/* Behind a tangent point stands a multiplier of each coupling, the upper half of a float, its lower byte first. */
float bf_tree_multiplier(const BfTreeItem *item, int point, int l) {
  const uint8_t *b    = (const uint8_t *)item->xi + (int64_t)point * item->stride + item->n + 2 * l;
  const uint32_t bits = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 24;
  float          out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

static bool is_point(const BfTreeItem *item, int point) {
  bool is = true;
  for (int k = 0; k < item->n; k++) is = is && item->xi[(int64_t)point * item->stride + k] >= -127;
  for (int l = 0; l < (item->stride - item->n) / 2; l++) is = is && isfinite(bf_tree_multiplier(item, point, l));
  return is;
}

static BfStatus tangents(BfTree *tree, BfTreeClaim claim, int points, Mark mark, BfTreeItem *item, BfError *error) {
  const int      stride = tree->bare ? 0 : tree->n + 2 * tree->logits;
  const int64_t  count  = (int64_t)points * stride;
  const uint8_t *xi     = bytes_of(tree, count, error);
  if (!xi) return error->status;
  *item = (BfTreeItem){.claim   = claim,
                       .number  = tree->claims[0] + tree->claims[1],
                       .of_kind = tree->claims[claim]++,
                       .depth   = mark.depth,
                       .readout = mark.readout,
                       .low     = tree->ends,
                       .high    = tree->ends + tree->n,
                       .points  = tree->bare ? 0 : points,
                       .n       = tree->n,
                       .stride  = stride,
                       .xi      = (const int8_t *)xi};
  for (int i = 0; i < item->points; i++)
    if (!is_point(item, i)) return damaged(tree, "a tangent point outside of its box", error);
  return BF_OK;
}

/* By one tangent, or by as many as a byte says, each of which is a bound on the whole box. */
static BfStatus contract(BfTree *tree, bool many, Mark mark, BfTreeItem *item, BfError *error) {
  const double  *low = tree->ends, *high = low + tree->n;
  double        *inner_low = tree->ends + 2 * tree->n, *inner_high = inner_low + tree->n;
  const uint8_t *points = many ? bytes_of(tree, 1, error) : NULL;
  if (many && !points) return error->status;
  if (many && !*points) return damaged(tree, "a contraction by nothing", error);
  BF_TRY(tangents(tree, BF_TREE_CUT, many ? *points : 1, mark, item, error));
  const uint8_t *cut = bytes_of(tree, 2 * (int64_t)tree->n, error);
  if (!cut) return error->status;
  for (int k = 0; k < tree->n; k++) {
    const double width = high[k] - low[k];
    inner_low[k]       = low[k] + width * (cut[2 * k] / 256.0);
    inner_high[k]      = high[k] - width * (cut[2 * k + 1] / 256.0);
    if (!(inner_low[k] <= inner_high[k])) return damaged(tree, "a contraction that leaves nothing", error);
    if (k >= tree->n - tree->late && (cut[2 * k] || cut[2 * k + 1]))
      return damaged(tree, "a contraction of a variable that is none", error);
  }
  item->inner_low  = inner_low;
  item->inner_high = inner_high;
  mark.depth++;
  return append(&tree->stack, inner_low, inner_high, mark, error);
}

/* The last `width` of the open boxes, or all. */
static BfStatus begin_round(BfTree *tree, BfError *error) {
  Boxes *const  open  = &tree->open;
  const int64_t count = tree->width && tree->width < open->count ? tree->width : open->count;
  for (int64_t i = open->first + open->count - count; i < open->first + open->count; i++) {
    const double *low = open->ends + i * 2 * tree->n;
    BF_TRY(append(&tree->round, low, low + tree->n, open->mark[i], error));
  }
  open->count -= count;
  return BF_OK;
}

static BfStatus begin_task(BfTree *tree, bool *there, BfError *error) {
  if (!tree->round.count) BF_TRY(begin_round(tree, error));
  *there = tree->round.count > 0;
  if (!*there) return tree->inside || tree->at == tree->count ? BF_OK : damaged(tree, "bytes are left over", error);
  const Mark mark = take(&tree->round, false, tree->ends);
  return append(&tree->stack, tree->ends, tree->ends + tree->n, mark, error);
}

/* Inner records are gone through until one makes a claim. */
BfStatus bf_tree_next(BfTree *tree, BfTreeItem *item, bool *there, BfError *error) {
  for (;;) {
    *there = true;
    if (!tree->stack.count) BF_TRY(begin_task(tree, there, error));
    if (!*there) return BF_OK;
    const Mark     mark   = take(&tree->stack, true, tree->ends);
    const bool     left   = bf_check_narrow(tree->orders, tree->ends, tree->ends + tree->n);
    const uint8_t *letter = bytes_of(tree, 1, error);
    if (!letter) return error->status;
    if (*letter == 'O' && !tree->inside) {
      BF_TRY(append(&tree->open, tree->ends, tree->ends + tree->n, mark, error));
    } else if (left == (*letter == 'X')) {
      tree->at--;
      return damaged(tree, left ? "a box is left out that is not empty" : "a box is empty", error);
    } else if (*letter == 'X') {
      continue;
    } else if (*letter == 'S') {
      BF_TRY(split(tree, mark, error));
    } else if (*letter == 'L') {
      return tangents(tree, BF_TREE_LEAF, 1, mark, item, error);
    } else if (*letter == 'C' || (*letter == 'M' && !tree->bare)) {
      return contract(tree, *letter == 'M', mark, item, error);
    } else {
      tree->at--;
      return damaged(tree, "a record of no kind", error);
    }
  }
}
