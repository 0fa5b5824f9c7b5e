#include "check/cells.h"
#include <math.h>
#include <string.h>

typedef struct {
  BfCheckCells *cells;
  int64_t       at; /* in the bytes */
  int64_t       room_cells, room_planes;
  BfError      *error;
} Reader;

static const BfCheckOrders none;

/* ---- room ------------------------------------------------------------------------------------------------------- */

static BfStatus grow(void **array, size_t each, int64_t count, int64_t room, BfError *error) {
  char *more;
  BF_TRY(BF_NEW(&more, room * (int64_t)each, error));
  if (count) memcpy(more, *array, each * (size_t)count);
  bf_free(*array);
  *array = more;
  return BF_OK;
}

static BfStatus room_for_cell(Reader *x) {
  BfCheckCells *cells = x->cells;
  const size_t  ends  = sizeof(double) * 2 * (size_t)cells->of.axes;
  if (cells->cells < x->room_cells) return BF_OK;
  x->room_cells = 2 * cells->cells + 64;
  BF_TRY(grow((void **)&cells->cell, sizeof *cells->cell, cells->cells, x->room_cells, x->error));
  return grow((void **)&cells->ends, ends, cells->cells, x->room_cells, x->error);
}

static BfStatus room_for_plane(Reader *x) {
  BfCheckCells *cells = x->cells;
  const size_t  each  = sizeof(double) * (1 + (size_t)cells->of.axes);
  if (cells->planes < x->room_planes) return BF_OK;
  x->room_planes = 2 * cells->planes + 64;
  BF_TRY(grow((void **)&cells->plane, sizeof *cells->plane, cells->planes, x->room_planes, x->error));
  return grow((void **)&cells->coefficient, each, cells->planes, x->room_planes, x->error);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static BfStatus damaged(const Reader *x, const char *what) {
  return bf_fail(x->error, BF_BAD_INPUT, "/certificate/cells is damaged: %s at byte %lld of %lld", what,
                 (long long)x->at, (long long)x->cells->of.count);
}

/* The next bytes; NULL where there are none. */
static const uint8_t *bytes_of(Reader *x, int64_t count) {
  const uint8_t *here = x->cells->of.bytes + x->at;
  if (x->cells->of.count - x->at < count) {
    damaged(x, "a cell is incomplete");
    return NULL;
  }
  x->at += count;
  return here;
}

/* Eight bytes, the lowest first. */
static double double_of(const uint8_t *b) {
  uint64_t bits = 0;
  double   value;
  for (int i = 0; i < 8; i++) bits |= (uint64_t)b[i] << 8 * i;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* ---- planes ----------------------------------------------------------------------------------------------------- */

BfStatus bf_check_cells_proof(const BfCheckCells *cells, int64_t plane, BfTree **out, BfError *error) {
  const int           D = cells->of.axes, n = D + cells->of.later;
  const BfCheckPlane *of  = &cells->plane[plane];
  double             *low = cells->box, *high = low + n;
  memcpy(low, cells->of.low, sizeof *low * (size_t)n);
  memcpy(high, cells->of.high, sizeof *high * (size_t)n);
  memcpy(low, bf_check_cells_low(cells, of->cell), sizeof *low * (size_t)D);
  memcpy(high, bf_check_cells_high(cells, of->cell), sizeof *high * (size_t)D);
  return bf_tree_create(&(BfTreeRoots){.n      = n,
                                       .low    = low,
                                       .high   = high,
                                       .orders = &none,
                                       .roots  = 1,
                                       .inside = true,
                                       .from   = of->proof,
                                       .array  = "cells"},
                        cells->of.bytes, cells->of.count, out, error);
}

/* Where the proof of a plane ends is where its tree does. */
static BfStatus skip_proof(Reader *x, int64_t plane) {
  BfTree    *tree = NULL;
  BfTreeItem item;
  bool       there = true;
  BF_TRY(bf_check_cells_proof(x->cells, plane, &tree, x->error));
  while (there && x->error->status == BF_OK) {
    bf_tree_next(tree, &item, &there, x->error);
    x->cells->claims += there && x->error->status == BF_OK;
  }
  x->at = bf_tree_at(tree);
  bf_tree_destroy(&tree);
  return x->error->status;
}

static BfStatus read_plane(Reader *x, int64_t cell, int64_t readout) {
  BfCheckCells *cells = x->cells;
  BF_TRY(room_for_plane(x));
  const int      numbers = 1 + cells->of.axes;
  double        *to      = cells->coefficient + cells->planes * numbers;
  const uint8_t *b       = bytes_of(x, 8 * (int64_t)numbers);
  if (!b) return x->error->status;
  for (int i = 0; i < numbers; i++) {
    to[i] = double_of(b + 8 * i);
    if (!isfinite(to[i])) return damaged(x, "a plane that is not finite");
  }
  cells->cell[cell].plane     = cells->planes;
  cells->plane[cells->planes] = (BfCheckPlane){cell, readout, x->at};
  return skip_proof(x, cells->planes++);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

/* The middle of the axis at which a cell is halved, to nearest. */
static double middle_of(const BfCheckCells *cells, int64_t cell, int axis) {
  return 0.5 * bf_check_cells_low(cells, cell)[axis] + 0.5 * bf_check_cells_high(cells, cell)[axis];
}

/* Without its plane and its halves: the root, or the half of a cell. */
static BfStatus add_cell(Reader *x, int64_t parent, bool upper) {
  BfCheckCells *cells = x->cells;
  BF_TRY(room_for_cell(x));
  const int     D  = cells->of.axes;
  const int64_t i  = cells->cells++;
  double       *to = cells->ends + i * 2 * D;
  cells->cell[i]   = (BfCheckCell){.parent = parent, .plane = -1, .axis = -1};
  if (parent < 0) {
    memcpy(to, cells->of.low, sizeof *to * (size_t)D);
    memcpy(to + D, cells->of.high, sizeof *to * (size_t)D);
    return BF_OK;
  }
  const int axis = cells->cell[parent].axis;
  memcpy(to, bf_check_cells_low(cells, parent), sizeof *to * 2 * (size_t)D);
  to[upper ? axis : D + axis] = middle_of(cells, parent, axis);
  cells->cell[i].depth        = cells->cell[parent].depth + 1;
  return BF_OK;
}

/* What stands of cell i: byte, plane, proof, axis. */
static BfStatus read_cell(Reader *x, int64_t i, int64_t readout) {
  enum { PLANE = 1, HALVED = 2 };
  BfCheckCells  *cells = x->cells;
  const uint8_t *b     = bytes_of(x, 1);
  if (!b) return x->error->status;
  const int kind = *b;
  if (kind & ~(PLANE | HALVED)) {
    x->at--;
    return damaged(x, "a cell of no kind");
  }
  if (kind & PLANE) BF_TRY(read_plane(x, i, readout));
  if (!(kind & HALVED)) return BF_OK;
  b = bytes_of(x, 1);
  if (!b) return x->error->status;
  if (*b >= cells->of.axes) return damaged(x, "a cell that is halved at an axis that is none");
  const double middle = middle_of(cells, i, *b);
  cells->cell[i].axis = *b;
  return middle > bf_check_cells_low(cells, i)[*b] && middle < bf_check_cells_high(cells, i)[*b]
             ? BF_OK
             : damaged(x, "a cell that has no halves");
}

/* The cell whose upper half comes next, i being the last that was read; what is whole by then ends here. -1: all is. */
static int64_t next_parent(BfCheckCells *cells, int64_t i) {
  while (i >= 0) {
    const int64_t parent  = cells->cell[i].parent;
    const bool    is_last = parent < 0 || i != parent + 1; /* not a lower half */
    cells->cell[i].behind = cells->cells;
    if (!is_last) return parent;
    i = parent;
  }
  return -1;
}

static BfStatus read_root(Reader *x, int64_t readout) {
  BfCheckCells *cells  = x->cells;
  cells->root[readout] = cells->cells;
  BF_TRY(add_cell(x, -1, false));
  for (;;) {
    const int64_t i = cells->cells - 1;
    BF_TRY(read_cell(x, i, readout));
    const bool    halved = cells->cell[i].axis >= 0;
    const int64_t parent = halved ? i : next_parent(cells, i);
    if (parent < 0) return BF_OK;
    BF_TRY(add_cell(x, parent, !halved));
  }
}

BfStatus bf_check_cells_create(const BfCheckCellRoots *roots, BfCheckCells *out, BfError *error) {
  Reader x = {.cells = out, .error = error};
  *out     = (BfCheckCells){.of = *roots};
  BF_TRY(BF_NEW(&out->root, roots->roots + 1, error));
  BF_TRY(BF_NEW(&out->box, 2 * (roots->axes + roots->later), error));
  for (int64_t r = 0; r < roots->roots; r++) BF_TRY(read_root(&x, r));
  out->root[roots->roots] = out->cells;
  return x.at == roots->count ? BF_OK : damaged(&x, "bytes are left over");
}

void bf_check_cells_clear(BfCheckCells *cells) {
  bf_free(cells->cell);
  bf_free(cells->ends);
  bf_free(cells->plane);
  bf_free(cells->coefficient);
  bf_free(cells->root);
  bf_free(cells->box);
  *cells = (BfCheckCells){0};
}
