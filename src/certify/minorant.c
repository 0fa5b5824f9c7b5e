#include "certify/minorant.h"
#include "bellformer/splitmix64.h"
#include <math.h>
#include <string.h>

enum {
  SETS        = 6, /* of controls that are drawn at a cell's middle, */
  DRAWS       = 16,
  SWEEPS      = 48, /* at most, in which the best of each goes down */
  CORNER_AXES = 3,
  SEARCH_AGE  = 3, /* of a proof: 512 boxes */
};
/* Of one cell at most, by counts of operations: of what is drawn, and of a proof. */
static const double guess_seconds = 0.1, proof_seconds = 0.1;
static const double loss_of[BF_PLANES] = {4, 1, 0.25}; /* of what the cell costs itself */
static const double least_loss = 0.25, slack = 0.05;   /* of the gap */
static const double excess_part = 0.8; /* of what a plane is above the target in all of the cell: lost at most */
static const double widest_step = 0.125, finest_step = 0.002; /* of ranges, going down to better controls */

/* About: of a set that is drawn, goes down, and is tried at corners. */
static double set_seconds(const BfDepth *depth) {
  const int count = depth->late.n - depth->axes.count;
  return (DRAWS + (1 << CORNER_AXES) + SWEEPS / 2 * 2.0 * count) * bf_box_seconds(&depth->late, 0);
}

static int fit(double x, int least, int most) { return x < least ? least : x > most ? most : (int)x; }

BfStatus bf_minorants_create(const BfDepth *depth, BfMinorants *x, BfError *error) {
  const BfObjective *late = &depth->late;
  x->depth                = depth;
  x->sets                 = fit(guess_seconds / set_seconds(depth), 1, SETS);
  BF_TRY(bf_worker_create(late, late, 0, &x->worker, error));
  x->worker.most = fit(proof_seconds / bf_box_seconds(late, late->n), 8, BF_MOST_BOXES);
  BF_TRY(BF_NEW(&x->box, 2 * late->n, error));
  BF_TRY(BF_NEW(&x->tilt, late->n, error));
  BF_TRY(BF_NEW(&x->point, late->free.all, error));
  BF_TRY(BF_NEW(&x->try, late->n, error));
  BF_TRY(BF_NEW(&x->tried, (SETS + 1) * (int64_t)late->n, error));
  memcpy(x->point, late->free.rest, sizeof(double) * (size_t)late->free.all);
  return BF_OK;
}

void bf_minorants_clear(BfMinorants *x) {
  bf_worker_clear(&x->worker);
  bf_free(x->box);
  bf_free(x->tilt);
  bf_free(x->point);
  bf_free(x->try);
  bf_free(x->tried);
  *x = (BfMinorants){0};
}

double bf_minorant_seconds(const BfMinorants *x) {
  const double proof = (double)fmin((double)x->worker.most, BF_FIRST_BOXES << SEARCH_AGE);
  return x->sets * set_seconds(x->depth) + proof * bf_box_seconds(&x->depth->late, x->depth->late.n);
}

int64_t bf_state_cell_doubles(const BfDepth *depth) { return 4 * (int64_t)depth->axes.count + depth->late.n; }

/* ---- good controls ----------------------------------------------------------------------------------------------- */

static double value_at(BfMinorants *x, int root, const double controls[]) {
  const BfObjective *late = &x->depth->late;
  const int          D    = x->depth->axes.count;
  for (int k = D; k < late->n; k++) x->point[late->free.number[k]] = controls[k - D];
  return bf_bounder_value(&x->worker.point, root, x->point);
}

/* Down along the axes of controls, with steps that are halved where none is better. */
static double go_down(BfMinorants *x, int root, double controls[], double value) {
  const BfObjective *late = &x->depth->late;
  const int          D = x->depth->axes.count, count = late->n - D;
  for (double part = widest_step, sweeps = 0; part > finest_step && sweeps < SWEEPS; sweeps++) {
    bool better = false;
    for (int i = 0; i < 2 * count; i++) {
      const int    k   = i / 2;
      const double was = controls[k], lower = late->lower[D + k], upper = late->upper[D + k];
      controls[k]      = fmin(fmax(was + (i % 2 ? -part : part) * (upper - lower), lower), upper);
      const double now = controls[k] == was ? INFINITY : value_at(x, root, controls);
      if (now < value) value = now, better = true;
      else controls[k] = was;
    }
    if (!better) part /= 2;
  }
  return value;
}

/* The best of some that are drawn. */
static double draw(BfMinorants *x, int root, uint64_t *state, double controls[]) {
  const BfObjective *late = &x->depth->late;
  const int          D = x->depth->axes.count, count = late->n - D;
  double             best = INFINITY, drawn[BF_MOST_VARIABLES];
  for (int i = 0; i < DRAWS; i++) {
    for (int k = 0; k < count; k++)
      drawn[k] = late->lower[D + k] + bf_uniform(state) * (late->upper[D + k] - late->lower[D + k]);
    const double value = value_at(x, root, drawn);
    if (!(value < best)) continue;
    best = value;
    memcpy(controls, drawn, sizeof(double) * (size_t)count);
  }
  return best;
}

/* Down from the controls that are tried, which are kept; taken, where they are better than what the cell has. */
static void descend(BfMinorants *x, int root, double value, BfStateCell *cell) {
  const int count = x->depth->late.n - x->depth->axes.count;
  value           = go_down(x, root, x->try, value);
  memcpy(x->tried + x->tries++ * count, x->try, sizeof(double) * (size_t)count);
  if (!(value < cell->value)) return;
  cell->value = value;
  memcpy(cell->controls, x->try, sizeof(double) * (size_t)count);
}

/* The same draws for every cell: from what is best of each of several sets, and from those of the cell around it. */
static void find_controls(BfMinorants *x, int root, const double from[], BfStateCell *cell) {
  const BfObjective *late  = &x->depth->late;
  const int          D     = x->depth->axes.count;
  uint64_t           state = 1;
  for (int a = 0; a < D; a++) x->point[late->free.number[a]] = cell->middle[a];
  cell->value = INFINITY;
  x->tries    = 0;
  if (from) memcpy(x->try, from, sizeof(double) * (size_t)(late->n - D));
  if (from) descend(x, root, value_at(x, root, x->try), cell);
  for (int i = 0; i < x->sets; i++) descend(x, root, draw(x, root, &state, x->try), cell);
}

/* ---- planes ------------------------------------------------------------------------------------------------------ */

/* The lower form of J - <slope, z> over the cell with these controls, its best. */
static void bound_cell(BfMinorants *x, int root, const BfStateCell *cell, const double slope[]) {
  const BfObjective *late = &x->depth->late;
  BfLower           *to   = &x->worker.lower;
  const int          D = x->depth->axes.count, n = late->n;
  for (int k = 0; k < n; k++) {
    x->tilt[k]    = k < D ? -slope[k] : 0;
    x->box[k]     = k < D ? cell->lower[k] : cell->controls[k - D];
    x->box[n + k] = k < D ? cell->upper[k] : cell->controls[k - D];
  }
  to->tilt = x->tilt;
  bf_bounder_box(&x->worker.box, root, x->box, x->box + n, to);
  bf_lower_find(to, INFINITY);
}

/* The least of J - <slope, z> at corners of the cell, with controls that were found to be good in its middle: no plane
 * of that slope that is above it holds. */
static double least_at_corners(BfMinorants *x, int root, const BfStateCell *cell) {
  const BfObjective *late = &x->depth->late;
  const int          D = x->depth->axes.count, corners = 1 << (D < CORNER_AXES ? D : CORNER_AXES);
  double             least = INFINITY;
  for (int c = 0; c < corners; c++) {
    double tilt = 0;
    for (int a = 0; a < D; a++) {
      const double z                 = (c >> a % CORNER_AXES) & 1 ? cell->upper[a] : cell->lower[a];
      x->point[late->free.number[a]] = z;
      tilt += cell->slope[a] * z;
    }
    for (int i = 0; i < x->tries; i++) least = fmin(least, value_at(x, root, x->tried + i * (late->n - D)) - tilt);
  }
  return least;
}

void bf_minorant_guess(BfMinorants *x, int root, const double from[], BfStateCell *cell) {
  const BfLower *to = &x->worker.lower;
  const int      D  = x->depth->axes.count;
  for (int a = 0; a < D; a++) {
    cell->middle[a] = 0.5 * cell->lower[a] + 0.5 * cell->upper[a];
    cell->slope[a]  = 0;
  }
  find_controls(x, root, from, cell);
  bound_cell(x, root, cell, cell->slope);
  bf_lower_branch(&x->worker.lower);
  for (int a = 0; a < D; a++) {
    cell->rest[a]  = to->rest[a];
    cell->slope[a] = to->width[a] > 0 ? to->slope[a] / to->width[a] : 0;
  }
  bound_cell(x, root, cell, cell->slope);
  cell->key = fmin(to->lower, least_at_corners(x, root, cell));
  cell->own = cell->value - cell->key;
  for (int a = 0; a < D; a++) cell->own -= cell->slope[a] * cell->middle[a];
}

/* Where the plane at key is above the target in all of the cell, most of what it is above may be lost. */
static double sought(const BfMinorants *x, const BfStateCell *cell, int plane) {
  double loss = loss_of[plane] * fmax(cell->own, least_loss * x->gap), excess = cell->key - x->target;
  for (int a = 0; a < x->depth->axes.count; a++)
    excess += fmin(cell->slope[a] * cell->lower[a], cell->slope[a] * cell->upper[a]);
  return cell->key - fmax(loss, excess_part * excess);
}

double bf_minorant_constant(const BfMinorants *x, const BfStateCell *cell, int plane) {
  return sought(x, cell, plane) - slack * x->gap;
}

BfStatus bf_minorant_prove(BfMinorants *x, int root, const BfStateCell *cell, int plane, BfBytes *record,
                           int64_t *boxes, bool *proved, BfError *error) {
  const BfObjective *late = &x->depth->late;
  const int          D = x->depth->axes.count, n = late->n;
  const int64_t      before = record->count;
  BfBytes            open   = {0};
  BfTaskOutcome      out;
  for (int k = 0; k < n; k++) {
    x->tilt[k]    = k < D ? -cell->slope[k] : 0;
    x->box[k]     = k < D ? cell->lower[k] : late->lower[k];
    x->box[n + k] = k < D ? cell->upper[k] : late->upper[k];
  }
  x->worker.lower.tilt  = x->tilt;
  x->worker.target      = sought(x, cell, plane);
  const BfStatus status = bf_task(&x->worker, &(BfBoxTag){root, SEARCH_AGE}, x->box, record, &open, &out, error);
  bf_free(open.byte);
  *boxes  = out.boxes;
  *proved = status == BF_OK && !out.open && !out.stuck;
  if (!*proved) record->count = before;
  return status;
}
