#include "certify/cells.h"
#include "run/text.h"
#include <math.h>
#include <string.h>

/* Cells visited by a box: where tokens have many numbers it meets too many of any size. Fewer where these take long. */
enum { MOST_VISITED = 256, LEAST_VISITED = 8 };
static const double box_seconds = 1.5;
static const double finest      = 0x1p-16; /* of the whole's width: no axis is halved below it */
static const double wide        = 4; /* boxes whose range is wider than that times a cell's width are halved first */
static const double beside = 0.05;   /* of the width of z_t's range, at both ends: other programs' are not the same */
static const double sharp  = 0.25;   /* of the gap, that a cell may cost and its planes are sharp enough for cuts */
static const double worth_a_cut = 0.95; /* less has to be left of a box for the search for a plane to be worth it */
static const double narrowest   = 1e-7; /* of its range: what is still not proved is close to a better control */

BfStatus bf_state_cells_create(const BfDepth *depth, BfStateCells *x, BfError *error) {
  const int D = depth->axes.count, n = depth->early.n;
  x->depth = depth;
  BF_TRY(bf_minorants_create(depth, &x->minorants, error));
  x->most_visited = (int64_t)fmax(LEAST_VISITED, fmin(MOST_VISITED, box_seconds / bf_minorant_seconds(&x->minorants)));
  BF_TRY(BF_NEW(&x->least, D, error));
  BF_TRY(BF_NEW(&x->most, D, error));
  BF_TRY(BF_NEW(&x->none, D, error));
  BF_TRY(BF_NEW(&x->score, n, error));
  return BF_NEW(&x->cut, 2 * n, error);
}

static void forget(BfStateCells *x) {
  for (int64_t i = 0; i < x->count; i++) bf_free(x->node[i].doubles);
  x->count = 0;
  bf_proofs_clear(&x->proofs);
  x->asked.count = 0;
}

void bf_state_cells_clear(BfStateCells *x) {
  forget(x);
  bf_minorants_clear(&x->minorants);
  void *const owned[] = {x->least, x->most, x->none, x->score, x->cut, x->node, x->asked.byte};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  *x = (BfStateCells){0};
}

/* ---- cells ----------------------------------------------------------------------------------------------------- */

/* The axis whose remainders cost most, of those that are not too fine. */
static int axis_of(const BfStateCells *x, const BfStateCell *cell) {
  const BfTokenAxes *axes = &x->depth->axes;
  int                axis = -1;
  for (int a = 0; a < axes->count; a++)
    if (cell->upper[a] - cell->lower[a] > finest * (axes->upper[a] - axes->lower[a]) &&
        (axis < 0 || cell->rest[a] > cell->rest[axis]))
      axis = a;
  return axis;
}

static BfStatus add(BfStateCells *x, uint64_t path, BfStateNode **out, BfError *error) {
  const int D = x->depth->axes.count;
  double   *at;
  BF_TRY(bf_array_room(&x->node, x->count, &x->room, sizeof *x->node, error));
  BF_TRY(BF_NEW(&at, bf_state_cell_doubles(x->depth), error));
  BfStateNode *node = *out = &x->node[x->count++];
  *node                    = (BfStateNode){.doubles = at, .path = path};
  double **const arrays[]  = {&node->cell.lower, &node->cell.upper, &node->cell.middle, &node->cell.slope,
                              &node->cell.rest};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++, at += D) *arrays[i] = at;
  node->cell.controls = at;
  for (int p = 0; p < BF_PLANES; p++) node->proof[p] = -1;
  return BF_OK;
}

static void finish(BfStateCells *x, int root, const double from[], BfStateNode *node) {
  bf_minorant_guess(&x->minorants, root, from, &node->cell);
  node->axis = node->path >> BF_MOST_HALVINGS ? -1 : axis_of(x, &node->cell);
}

BfStatus bf_state_cells_begin(BfStateCells *x, double target, double gap, BfError *error) {
  const BfTokenAxes *axes = &x->depth->axes;
  forget(x);
  x->minorants.target = target;
  x->minorants.gap    = gap;
  for (int r = 0; r < x->depth->early.roots; r++) {
    BfStateNode *node;
    BF_TRY(add(x, 1, &node, error));
    memcpy(node->cell.lower, axes->lower, sizeof(double) * (size_t)axes->count);
    memcpy(node->cell.upper, axes->upper, sizeof(double) * (size_t)axes->count);
    finish(x, r, NULL, node);
  }
  return BF_OK;
}

static BfStatus halve(BfStateCells *x, int root, int64_t i, BfError *error) {
  const size_t  size  = sizeof(double) * (size_t)x->depth->axes.count;
  const int64_t child = x->count;
  if (x->node[i].child) return BF_OK;
  for (int upper = 0; upper < 2; upper++) {
    BfStateNode *node;
    BF_TRY(add(x, x->node[i].path << 1 | (uint64_t)upper, &node, error));
    const BfStateNode *whole = &x->node[i];
    memcpy(node->cell.lower, whole->cell.lower, size);
    memcpy(node->cell.upper, whole->cell.upper, size);
    (upper ? node->cell.lower : node->cell.upper)[whole->axis] = whole->cell.middle[whole->axis];
    finish(x, root, whole->cell.controls, node);
  }
  x->node[i].child = child;
  return BF_OK;
}

/* ---- planes ------------------------------------------------------------------------------------------------------ */

/* Whether that plane of a cell holds. What is not known to all ranks is told to them behind the task. */
static BfStatus ask(BfStateCells *x, int root, int64_t i, int plane, bool *holds, BfError *error) {
  BfStateNode      *node = &x->node[i];
  const BfPlaneName name = {root, plane, node->path};
  int64_t          *at   = &node->proof[plane], boxes;
  if (*at < 0) *at = bf_proofs_find(&x->proofs, &name);
  if (*at < 0) {
    BfBytes *const record = &x->proofs.record;
    const int64_t  before = record->count;
    BF_TRY(bf_minorant_prove(&x->minorants, root, &node->cell, plane, record, &boxes, holds, error));
    BF_TRY(bf_proofs_add(&x->proofs, &name, *holds, boxes, record->count - before, error));
    *at = x->proofs.count - 1;
  }
  BfProof *proof = &x->proofs.proof[*at];
  *holds         = proof->proved;
  if (proof->known || proof->task == x->task) return BF_OK;
  proof->task = x->task;
  BF_TRY(bf_bytes_reserve(&x->asked, sizeof name, error));
  memcpy(x->asked.byte + x->asked.count, &name, sizeof name);
  x->asked.count += (int64_t)sizeof name;
  return BF_OK;
}

/* ---- a box ------------------------------------------------------------------------------------------------------- */

typedef struct {
  BfStateCells *x;
  BfWorker     *worker;
  const double *box;
  int           root;
  double        decay, middle; /* of early controls, at least; in the middle of the box */
} Box;

static bool meets(const BfStateCells *x, const BfStateCell *cell) {
  for (int a = 0; a < x->depth->axes.count; a++)
    if (x->most[a] < cell->lower[a] || x->least[a] > cell->upper[a]) return false;
  return true;
}

/* The part of the range of z_t that is in the cell becomes that of the features. */
static void clip(const Box *b, const BfStateCell *cell) {
  BfLower *lower = &b->worker->lower;
  for (int a = 0; a < b->x->depth->axes.count; a++) {
    lower->least[a] = fmax(b->x->least[a], cell->lower[a]);
    lower->most[a]  = fmin(b->x->most[a], cell->upper[a]);
  }
}

/* J from below where z_t is in the cell, by a plane; no plane may be proved yet. */
static double compose(const Box *b, const BfStateCell *cell, int plane) {
  BfLower *lower = &b->worker->lower;
  clip(b, cell);
  bf_lower_plane(lower, bf_minorant_constant(&b->x->minorants, cell, plane), cell->slope, b->worker->target);
  return lower->lower;
}

/* About what a plane comes to in the middle of the box, and of what of the range is in the cell: hardly less than its
 * least. */
static double in_the_middle(const Box *b, const BfStateCell *cell, int plane) {
  const BfLower *lower = &b->worker->lower;
  double         sum   = bf_minorant_constant(&b->x->minorants, cell, plane) + b->middle;
  for (int a = 0; a < b->x->depth->axes.count; a++)
    sum += cell->slope[a] * fmin(fmax(lower->c[a], cell->lower[a]), cell->upper[a]);
  return sum;
}

/* By the easiest plane that is enough: a sharper one is less likely to hold. */
static BfStatus try_planes(const Box *b, int64_t i, bool *proved, BfError *error) {
  const BfStateCell *cell  = &b->x->node[i].cell;
  int                plane = BF_PLANES - 1;
  *proved                  = false;
  if (!(in_the_middle(b, cell, plane) >= b->worker->target)) return BF_OK;
  if (!(compose(b, cell, plane) >= b->worker->target)) return BF_OK;
  while (plane > 0 && compose(b, cell, plane - 1) >= b->worker->target) plane--;
  return ask(b->x, b->root, i, plane, proved, error);
}

/* Whether halves of a cell may help: it is not much smaller than the range, and no control is known to be too good
 * wherever it is halved. */
static bool is_worth_halving(const Box *b, const BfStateNode *node) {
  const BfStateCells *x      = b->x;
  const BfStateCell  *cell   = &node->cell;
  const int           a      = node->axis;
  bool                inside = true;
  if (a < 0 || x->most[a] - x->least[a] > wide * (cell->upper[a] - cell->lower[a])) return false;
  for (int k = 0; k < x->depth->axes.count; k++)
    inside = inside && x->least[k] <= cell->middle[k] && cell->middle[k] <= x->most[k];
  return !(inside && cell->value + b->decay < b->worker->target && cell->own < sharp * x->minorants.gap);
}

/* What each variable's width costs: by remainders of z_t, and as cells have to be as wide as it is. */
static void blame(const Box *b, const BfStateCell *cell) {
  const BfLower *lower = &b->worker->lower;
  for (int a = 0; a < b->x->depth->axes.count; a++) {
    const double *slope = lower->b + (int64_t)a * lower->n, *rest = lower->r + (int64_t)a * lower->n;
    const double  width = cell->upper[a] - cell->lower[a], curved = width > 0 ? cell->rest[a] / width : 0;
    for (int k = 0; k < lower->n; k++)
      b->x->score[k] += fabs(cell->slope[a]) * rest[k] + (curved < INFINITY ? curved : 0) * (fabs(slope[k]) + rest[k]);
  }
}

/* The cell stays unproved, unless what was thought of its middle is wrong: what its plane allows to cut is all that may
 * be cut. */
static BfStatus leave(const Box *b, int64_t i, BfError *error) {
  BfStateCells        *x    = b->x;
  const BfStateCell   *cell = &x->node[i].cell;
  BfContraction *const c    = &b->worker->contraction;
  const int            n = b->worker->lower.n, plane = 1;
  const double         target = b->worker->target, least = compose(b, cell, plane);
  bool                 holds = false;
  const double         left =
      !(least > -INFINITY) || least >= target ? 0 : bf_contract_once(c, &b->worker->lower, target, b->box, b->box + n);
  if (least > -INFINITY && left < worth_a_cut) BF_TRY(ask(x, b->root, i, plane, &holds, error));
  if (holds && least >= target) return BF_OK;
  if (!x->left++ || cell->value < x->node[x->worst].cell.value) x->worst = i;
  blame(b, cell);
  x->uncut = !holds;
  for (int k = 0; holds && k < 2 * n; k++)
    if (c->cut[k] < x->cut[k]) x->cut[k] = c->cut[k];
  return BF_OK;
}

static BfStatus visit(const Box *b, int64_t i, BfError *error) {
  BfStateCells *x = b->x;
  bool          proved;
  if (x->uncut || !meets(x, &x->node[i].cell)) return BF_OK;
  x->visited++;
  BF_TRY(try_planes(b, i, &proved, error));
  if (proved) return BF_OK;
  if (x->visited >= x->most_visited || !is_worth_halving(b, &x->node[i])) return leave(b, i, error);
  BF_TRY(halve(x, b->root, i, error));
  const int64_t child = x->node[i].child;
  BF_TRY(visit(b, child, error));
  return visit(b, child + 1, error);
}

/* The range of z_t in the box, a little widened; outside of the whole, where it may reach, nothing is. */
static void find_range(const Box *b) {
  const BfTokenAxes *axes  = &b->x->depth->axes;
  BfLower           *lower = &b->worker->lower;
  for (int a = 0; a < axes->count; a++) {
    const double more = beside * (lower->most[a] - lower->least[a]);
    b->x->least[a]    = fmax(axes->lower[a], lower->least[a] - more);
    b->x->most[a]     = fmin(axes->upper[a], lower->most[a] + more);
  }
}

/* The early variable whose width costs most, or the widest; -1: all are narrow. */
static int choose(const Box *b) {
  const BfObjective *early = &b->x->depth->early;
  const double      *score = b->x->score, *box = b->box;
  int                best = -1, widest = -1;
  double             most = 0;
  for (int k = 0; k < b->x->depth->first; k++) {
    const double part = (box[early->n + k] - box[k]) / (early->upper[k] - early->lower[k]);
    if (part > most) most = part, widest = k;
    if (part > narrowest && score[k] > 0 && (best < 0 || score[k] > score[best])) best = k;
  }
  return most <= narrowest ? -1 : best < 0 ? widest : best;
}

/* Of the whole [all]: early controls in the middle of the box, late ones of the worst cell. */
static void find_point(const Box *b) {
  const BfDepth     *depth = b->x->depth;
  const BfObjective *early = &depth->early;
  const double      *late  = b->x->node[b->x->worst].cell.controls;
  memcpy(b->worker->whole, early->free.rest, sizeof(double) * (size_t)early->free.all);
  for (int k = 0; k < early->n; k++)
    b->worker->whole[early->free.number[k]] =
        k < depth->first ? 0.5 * b->box[k] + 0.5 * b->box[early->n + k] : late[k - depth->first];
}

BfStatus bf_state_cells_bound(BfWorker *worker, int root, const double box[], BfBoxBound *out, BfError *error) {
  BfStateCells *x     = worker->bounds_by;
  BfLower      *lower = &worker->lower;
  const int     n     = lower->n;
  Box           b     = {.x = x, .worker = worker, .box = box, .root = root};
  bf_bounder_box(&worker->box, root, box, box + n, lower);
  find_range(&b);
  memset(x->score, 0, sizeof *x->score * (size_t)n);
  memset(x->cut, 255, 2 * (size_t)n);
  x->left = x->visited = 0;
  x->uncut             = false;
  bf_lower_remainders(lower);
  bf_lower_plane(lower, 0, x->none, -INFINITY);
  b.decay = b.middle = lower->lower;
  for (int k = 0; k < n; k++) b.middle += bf_lower_part(lower, k, 0) - lower->own[k];
  BF_TRY(visit(&b, root, error));
  out->lower = x->left ? -INFINITY : worker->target;
  if (!x->left) return BF_OK;
  if (out->tries) find_point(&b);
  out->split = choose(&b);
  out->left  = 1;
  if (x->uncut) return BF_OK;
  for (int k = 0; k < n; k++) out->left *= 1 - (x->cut[2 * k] + x->cut[2 * k + 1]) / 256.0;
  memcpy(worker->contraction.cut, x->cut, 2 * (size_t)n);
  worker->contraction.count = 1;
  return BF_OK;
}

/* ---- what is written --------------------------------------------------------------------------------------------- */

/* The way to a cell of that name is needed. */
static BfStatus need(BfStateCells *x, const BfPlaneName *name, BfError *error) {
  int64_t i     = name->root;
  int     depth = 0;
  while (name->path >> (depth + 1)) depth++;
  x->node[i].needed = true;
  while (depth-- > 0) {
    if (x->node[i].axis < 0) return bf_fail(error, BF_FAILURE, "a proof is of no cell");
    BF_TRY(halve(x, name->root, i, error));
    i                 = x->node[i].child + (int64_t)(name->path >> depth & 1);
    x->node[i].needed = true;
  }
  return BF_OK;
}

static void put_double(BfBytes *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  for (int i = 0; i < 8; i++) out->byte[out->count++] = (uint8_t)(bits >> 8 * i);
}

/* The sharpest plane that is proved, and known to all; NULL: there is none. */
static const BfProof *plane_of(const BfStateCells *x, int root, uint64_t path, int *plane) {
  for (*plane = BF_PLANES - 1; *plane >= 0; --*plane) {
    const int64_t proof = bf_proofs_find(&x->proofs, &(BfPlaneName){root, *plane, path});
    if (proof >= 0 && x->proofs.proof[proof].known && x->proofs.proof[proof].proved) return &x->proofs.proof[proof];
  }
  return NULL;
}

static BfStatus write_cell(const BfStateCells *x, int root, int64_t i, BfBytes *out, BfError *error) {
  const BfStateNode *node = &x->node[i];
  const int          D    = x->depth->axes.count;
  int                plane;
  const BfProof     *proof  = plane_of(x, root, node->path, &plane);
  const bool         halved = node->child && (x->node[node->child].needed || x->node[node->child + 1].needed);
  BF_TRY(bf_bytes_reserve(out, 2 + 8 * (D + 1) + (proof ? proof->bytes : 0), error));
  out->byte[out->count++] = (uint8_t)((proof ? 1 : 0) | (halved ? 2 : 0));
  if (proof) {
    put_double(out, bf_minorant_constant(&x->minorants, &node->cell, plane));
    for (int a = 0; a < D; a++) put_double(out, node->cell.slope[a]);
    memcpy(out->byte + out->count, x->proofs.record.byte + proof->first, (size_t)proof->bytes);
    out->count += proof->bytes;
  }
  if (!halved) return BF_OK;
  out->byte[out->count++] = (uint8_t)node->axis;
  BF_TRY(write_cell(x, root, node->child, out, error));
  return write_cell(x, root, node->child + 1, out, error);
}

BfStatus bf_state_cells_write(BfStateCells *x, BfBytes *out, BfError *error) {
  for (int64_t i = 0; i < x->count; i++) x->node[i].needed = false;
  for (int64_t i = 0; i < x->proofs.known; i++) {
    const BfProof *proof = &x->proofs.proof[x->proofs.order[i]];
    if (proof->proved) BF_TRY(need(x, &proof->name, error));
  }
  for (int r = 0; r < x->depth->early.roots; r++) BF_TRY(write_cell(x, r, r, out, error));
  return BF_OK;
}
