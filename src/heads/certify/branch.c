/* Best-first branch and bound over cells of A's box. Every rank holds all open cells; a round takes the ROUND of least
 * bound, whose halves are dealt to ranks and bounded: what is looked at depends on bounds alone. */
#include "heads/certify/bound.h"
#include "run/hash.h"
#include <math.h>
#include <string.h>

enum { ROUND = 32 }; /* cells that are split between two exchanges */

typedef struct {
  double      *given; /* [2][N][d] z, r as rank 0 has them: ranks must not differ by a rounding of what they split */
  BfCellBound  bound;
  BfOpenCells *kept;
} Tree;

void bf_open_cells_clear(BfOpenCells *x) {
  bf_free(x->open);
  bf_free(x->age);
  *x = (BfOpenCells){0};
}

static int64_t room_of(int64_t cells) { return cells + 2 * ROUND; }

double bf_certify_bytes(int64_t cells) { return (double)room_of(cells) * (double)(sizeof(BfCell) + sizeof(int64_t)); }

BfStatus bf_open_cells_reserve(BfOpenCells *x, int64_t cells, BfError *error) {
  const int64_t room = room_of(cells);
  BfCell       *open = NULL;
  int64_t      *age  = NULL;
  if (room <= x->room) return BF_OK;
  if (BF_NEW(&open, room, error) != BF_OK || BF_NEW(&age, room, error) != BF_OK) {
    bf_free(open);
    return error->status;
  }
  if (x->count) memcpy(open, x->open, (size_t)x->count * sizeof *open);
  if (x->count) memcpy(age, x->age, (size_t)x->count * sizeof *age);
  bf_free(x->open);
  bf_free(x->age);
  x->open = open;
  x->age  = age;
  x->room = room;
  return BF_OK;
}

/* ---- the heap ---------------------------------------------------------------------------------------------------- */

static bool before(const Tree *x, int64_t a, int64_t b) {
  return x->kept->open[a].lower != x->kept->open[b].lower ? x->kept->open[a].lower < x->kept->open[b].lower
                                                          : x->kept->age[a] < x->kept->age[b];
}

static void swap(Tree *x, int64_t a, int64_t b) {
  const BfCell  cell = x->kept->open[a];
  const int64_t age  = x->kept->age[a];
  x->kept->open[a]   = x->kept->open[b];
  x->kept->age[a]    = x->kept->age[b];
  x->kept->open[b]   = cell;
  x->kept->age[b]    = age;
}

static void push(Tree *x, const BfCell *cell) {
  int64_t at        = x->kept->count++;
  x->kept->open[at] = *cell;
  x->kept->age[at]  = x->kept->next_age++;
  for (; at && before(x, at, (at - 1) / 2); at = (at - 1) / 2) swap(x, at, (at - 1) / 2);
}

static BfCell pop(Tree *x) {
  const BfCell top = x->kept->open[0];
  swap(x, 0, --x->kept->count);
  for (int64_t at = 0, child; (child = 2 * at + 1) < x->kept->count; at = child) {
    if (child + 1 < x->kept->count && before(x, child + 1, child)) child++;
    if (!before(x, child, at)) break;
    swap(x, at, child);
  }
  return top;
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

static void take(Tree *x, const BfCell *cell) {
  if (cell->value < x->kept->found) {
    x->kept->found = cell->value;
    x->kept->best  = *cell;
  }
  push(x, cell);
}

/* Cells [count], those of a rank bounded by it, all known to all then. */
static void bound_all(Tree *x, int count, BfCell *cells) {
  const BfRun *run = x->bound.x->run;
  for (int i = 0; i < count; i++) {
    if (i % run->size == run->rank) bf_cell_bound(&x->bound, &cells[i]);
    else memset(&cells[i], 0, sizeof cells[i]);
  }
  if (run->size > 1)
    MPI_Allreduce(MPI_IN_PLACE, cells, (int)(count * sizeof *cells / sizeof(double)), MPI_DOUBLE, MPI_SUM, run->world);
}

/* Whether a split can still move the bound: not where what is found is no more than rounding above it. */
static bool is_open(const Tree *x) {
  const double found = x->kept->found;
  return x->kept->count && found - x->kept->open[0].lower > 1e-12 * fabs(found) + 1e-300;
}

static int64_t round_of(Tree *x, int64_t left) {
  BfCell halves[2 * ROUND];
  int    count = 0;
  while (count < 2 * ROUND && count + 2 <= left && is_open(x)) {
    const BfCell cell = pop(x);
    bf_cell_split(&x->bound, &cell, halves + count);
    for (int i = 0; i < 2; i++) halves[count + i].lower = cell.lower;
    count += 2;
  }
  double inherited[2 * ROUND];
  for (int i = 0; i < count; i++) inherited[i] = halves[i].lower;
  bound_all(x, count, halves);
  for (int i = 0; i < count; i++) {
    halves[i].lower = fmax(halves[i].lower, inherited[i]);
    take(x, &halves[i]);
  }
  return count;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

BfStatus bf_certify_check(const BfProblem *problem, BfError *error) {
  const BfMatrix *A = &problem->layer.attention[0];
  const int       d = problem->layer.dim;
  if (d > BF_CERTIFY_DIM || A->free > (d < 3 ? BF_CERTIFY_MOST : 3))
    return bf_fail(error, BF_BAD_INPUT,
                   "-certify searches d of 1 and 2, and with A diagonal, scalar or fixed d of 3; here d is %d and A %s",
                   d, A->form->base.name);
  return BF_OK;
}

static BfStatus make(Tree *x, BfHeads *heads, const double *z, const double *r, BfError *error) {
  const size_t n = (size_t)(heads->data->tokens * heads->problem->layer.dim);
  BF_TRY(BF_NEW(&x->given, 2 * (int64_t)n, error));
  for (size_t i = 0; i < n; i++) { /* -0 is 0, as on several ranks, which add them up */
    x->given[i]     = z[i] + 0.0;
    x->given[n + i] = r[i] + 0.0;
  }
  return BF_OK;
}

/* The search that is kept, if it is of the same numbers; else one that begins with the whole box. */
static BfStatus begin(Tree *x, int64_t n, int64_t cells, BfError *error) {
  BfOpenCells  *kept  = x->kept;
  const int64_t given = (int64_t)(bf_hash(BF_HASH_NONE, x->given, (size_t)(2 * n) * sizeof(double)) | 1);
  const bool    fresh = kept->given != given;
  if (fresh) {
    if (kept->count)
      bf_warn(x->bound.x->run,
              "the search of a certificate begins anew: tokens or costates are not those that it was of");
    kept->cells = kept->count = kept->next_age = 0;
    kept->found                                = INFINITY;
    kept->given                                = given;
  }
  BF_TRY(bf_together(x->bound.x->run->world, bf_open_cells_reserve(kept, cells, error), error));
  if (!fresh) return BF_OK;
  BfCell all = bf_cell_all(&x->bound);
  bound_all(x, 1, &all);
  take(x, &all);
  kept->cells = 1;
  return BF_OK;
}

static BfStatus search(Tree *x, BfHeads *heads, int64_t cells, BfError *error) {
  while (x->kept->cells + 2 <= cells && is_open(x)) {
    x->kept->cells += round_of(x, cells - x->kept->cells);
    BF_TRY(bf_heads_pause(heads, error));
  }
  return BF_OK;
}

BfStatus bf_certify_least(BfHeads *heads, const double *z, const double *r, int64_t cells, BfOpenCells *open,
                          BfLeastBound *out, BfError *error) {
  const int64_t n = heads->data->tokens * heads->problem->layer.dim;
  Tree          x = {.kept = open};
  BfStatus      status;
  BF_GOTO(bf_together(heads->run->world, make(&x, heads, z, r, error), error));
  bf_heads_tell(heads->run->world, 2 * n, x.given);
  BF_GOTO(bf_together(heads->run->world, bf_cell_bound_create(heads, x.given, x.given + n, &x.bound, error), error));
  BF_GOTO(begin(&x, n, cells, error));
  BF_GOTO(search(&x, heads, cells, error));
  out->cells = open->cells;
  out->lower = open->open[0].lower;
  out->found = open->found;
  if (out->theta) bf_cell_theta(&x.bound, &open->best, out->theta);
done:
  bf_cell_bound_clear(&x.bound);
  bf_free(x.given);
  return status;
}
