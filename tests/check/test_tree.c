/* Trees that are grown at random: their leaves, and what contractions take away, fill the box, once for every readout;
 * and bytes that are none: refused, whatever they are. The same of cells, and of the proof of each plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "bellformer/splitmix64.h"
#include "check/cells.h"

enum { N = 3, ROOM = 1 << 20, ROOTS = 2 };

static uint64_t            seed = 17;
static uint8_t             bytes[ROOM];
static int64_t             count, open, leaves;
static int                 logits; /* 1: the last variable is one, and no box is left for later */
static int                 inside; /* 1: of a plane: no box is left for later */
static const BfCheckOrders orders;
static const double        low[N] = {-2, 0, -0.5}, high[N] = {2, 1, 0.25};

static int  below(int n) { return (int)(bf_splitmix64(&seed) % (uint64_t)n); }
static void put(int byte) { bytes[count++] = (uint8_t)byte; }

static void grow(int depth, double from, double to);

/* With the multiplier of a logit behind it, that of a number below 2. */
static void put_point(void) {
  for (int k = 0; k < N; k++) put(below(255) - 127);
  if (!logits) return;
  put(below(256));
  put(below(64));
}

/* At a float between the ends of the last variable's interval, where there is one. */
static bool split_logit(int depth, double from, double to) {
  const float at = (float)(from + (to - from) * (1 + below(15)) / 16);
  uint32_t    bits;
  if (!(at > from && at < to)) return false;
  memcpy(&bits, &at, sizeof bits);
  put('S');
  put(N - 1);
  for (int i = 0; i < 4; i++) put((int)(bits >> 8 * i & 255));
  grow(depth - 1, from, at);
  grow(depth - 1, at, to);
  return true;
}

/* A record, of at most `depth` splits and contractions more; from, to: the last variable's interval. */
static void grow(int depth, double from, double to) {
  const int kind = depth ? below(8) : 6 + below(2);
  if (kind < 4 && logits && below(2) && split_logit(depth, from, to)) return;
  if (kind < 4) {
    put('S');
    put(below(N - logits));
    grow(depth - 1, from, to);
    grow(depth - 1, from, to);
  } else if (kind < 6) {
    const int points = kind == 4 ? 1 : 1 + below(3);
    put(kind == 4 ? 'C' : 'M');
    if (kind == 5) put(points);
    for (int i = 0; i < points; i++) put_point();
    for (int k = 0; k < 2 * N; k++) put(below(128));
    const double width = to - from;
    grow(depth - 1, from + width * (bytes[count - 2] / 256.0), to - width * (bytes[count - 1] / 256.0));
  } else if (kind == 6 && !logits && !inside && open < 100) {
    put('O');
    open++;
  } else {
    put('L');
    put_point();
    leaves++;
  }
}

static double volume(const double *from, const double *to) {
  double product = 1;
  for (int k = 0; k < N; k++) product *= to[k] - from[k];
  return product;
}

/* Volumes by readout; the status of the first claim that cannot be read. */
static BfStatus walk(double filled[ROOTS], int64_t *seen, BfError *error) {
  BfTree    *tree  = NULL;
  BfTreeItem item  = {0};
  bool       there = true;
  BfStatus   status;
  *seen                   = 0;
  const BfTreeRoots whole = {N, low, high, &orders, ROOTS, below(4), logits};
  assert_int_equal(bf_tree_create(&whole, bytes, count, &tree, error), BF_OK);
  while ((status = bf_tree_next(tree, &item, &there, error)) == BF_OK && there) {
    const bool cut = item.claim == BF_TREE_CUT;
    filled[item.readout] += volume(item.low, item.high) - (cut ? volume(item.inner_low, item.inner_high) : 0);
    assert_int_equal(item.of_kind, bf_tree_claims(tree, item.claim) - 1);
    for (int k = 0; k < N; k++) assert_true(item.low[k] >= low[k] && item.high[k] <= high[k] && item.xi[k] >= -127);
    *seen += !cut;
  }
  bf_tree_destroy(&tree);
  return status;
}

static void leaves_fill_the_box(void **unused) {
  (void)unused;
  for (int trial = 0; trial < 300; trial++) {
    double  filled[ROOTS] = {0};
    BfError error         = {0};
    int64_t seen;
    count = leaves = open = 0;
    logits                = trial % 2;
    for (int64_t task = 0; task < ROOTS + open; task++) grow(below(7), low[N - 1], high[N - 1]);
    assert_int_equal(walk(filled, &seen, &error), BF_OK);
    assert_int_equal(seen, leaves);
    for (int r = 0; r < ROOTS; r++) assert_true(fabs(filled[r] - volume(low, high)) < 1e-9);
  }
}

/* Of a good tree some bytes are others, or missing: read to its end only where the leaves fill the box all the same. */
static void damage_is_refused(void **unused) {
  int refused = 0;
  (void)unused;
  for (int trial = 0; trial < 3000; trial++) {
    double  filled[ROOTS] = {0};
    BfError error         = {0};
    int64_t seen;
    count = leaves = open = 0;
    logits                = trial % 2;
    for (int64_t task = 0; task < ROOTS + open; task++) grow(below(5), low[N - 1], high[N - 1]);
    for (int i = below(3); i >= 0; i--) bytes[below((int)count)] = (uint8_t)bf_splitmix64(&seed);
    if (below(2)) count = below((int)count);
    const BfStatus status = walk(filled, &seen, &error);
    assert_true(status == BF_OK || status == BF_BAD_INPUT);
    refused += status != BF_OK;
    for (int r = 0; status == BF_OK && r < ROOTS; r++) assert_true(fabs(filled[r] - volume(low, high)) < 1e-9);
  }
  assert_true(refused > 1000);
}

/* ---- cells: of the first variables, the last one is late -----------------------------------------------------------
 */

enum { AXES = N - 1 };

static int64_t planes;

static void put_double(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  for (int i = 0; i < 8; i++) put((int)(bits >> 8 * i & 255));
}

static void grow_cell(int depth) {
  const int kind = depth ? below(4) : below(2);
  put(kind);
  if (kind & 1) {
    planes++;
    for (int i = 0; i <= AXES; i++) put_double(below(100) - 50);
    grow(below(4), low[N - 1], high[N - 1]);
  }
  if (!(kind & 2)) return;
  put(below(AXES));
  for (int i = 0; i < 2; i++) grow_cell(depth - 1);
}

static double area(const BfCheckCells *cells, int64_t i) {
  double product = 1;
  for (int a = 0; a < AXES; a++) product *= bf_check_cells_high(cells, i)[a] - bf_check_cells_low(cells, i)[a];
  return product;
}

/* What is in order is: cells that are not halved fill the root, and each proof its cell. */
static void follow_cells(const BfCheckCells *cells, BfError *error) {
  const double width = high[N - 1] - low[N - 1];
  int64_t      seen  = 0;
  for (int r = 0; r < ROOTS; r++) {
    double filled = 0;
    for (int64_t i = cells->root[r]; i < cells->root[r + 1]; i++) {
      const BfCheckCell *own = &cells->cell[i];
      assert_true(own->behind > i && own->behind <= cells->root[r + 1] && own->parent < i);
      assert_true(own->axis < 0 ? own->behind == i + 1 : cells->cell[i + 1].parent == i);
      if (own->axis < 0) filled += area(cells, i);
      if (own->plane >= 0) assert_true(cells->plane[own->plane].cell == i && cells->plane[own->plane].readout == r);
    }
    assert_true(fabs(filled - area(cells, cells->root[r])) < 1e-9);
  }
  for (int64_t p = 0; p < cells->planes; p++) {
    BfTree    *tree = NULL;
    BfTreeItem item;
    bool       there  = true;
    double     filled = 0;
    assert_int_equal(bf_check_cells_proof(cells, p, &tree, error), BF_OK);
    while (bf_tree_next(tree, &item, &there, error) == BF_OK && there) {
      const bool cut = item.claim == BF_TREE_CUT;
      filled += volume(item.low, item.high) - (cut ? volume(item.inner_low, item.inner_high) : 0);
      seen++;
    }
    assert_true(fabs(filled - width * area(cells, cells->plane[p].cell)) < 1e-9);
    bf_tree_destroy(&tree);
  }
  assert_int_equal(error->status, BF_OK);
  assert_int_equal(seen, cells->claims);
}

static void cells_fill_the_root(void **unused) {
  int refused = 0;
  (void)unused;
  logits = 0, inside = 1;
  for (int trial = 0; trial < 3000; trial++) {
    BfError      error   = {0};
    BfCheckCells cells   = {0};
    const bool   damaged = trial % 8;
    count = planes = 0;
    for (int r = 0; r < ROOTS; r++) grow_cell(below(6));
    for (int i = below(3); damaged && i >= 0; i--) bytes[below((int)count)] = (uint8_t)bf_splitmix64(&seed);
    if (damaged && below(2)) count = below((int)count);
    const BfCheckCellRoots roots  = {AXES, 1, low, high, ROOTS, bytes, count};
    const BfStatus         status = bf_check_cells_create(&roots, &cells, &error);
    assert_true(status == BF_OK || (damaged && status == BF_BAD_INPUT));
    refused += status != BF_OK;
    if (status == BF_OK) follow_cells(&cells, &error);
    if (!damaged) assert_int_equal(cells.planes, planes);
    bf_check_cells_clear(&cells);
  }
  assert_true(refused > 500);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(leaves_fill_the_box), cmocka_unit_test(damage_is_refused),
                                     cmocka_unit_test(cells_fill_the_root)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
