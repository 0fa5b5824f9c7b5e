/* Cases of transition tables: a layer on a grid of cells. As defined: bf_layer_apply on the cells' centres, then
 * nearest cells and types' ranks from the quantizers. */
#include "conformance.h"

#include <string.h>

#include "bellformer/quantize.h"
#include "bellformer/term.h"

enum { MEASURES = 8 };

typedef struct {
  BfLayer      layer;
  BfContext    context;
  BfTableShape shape;
  double      *parameters, *next, *rank;
  int64_t      cell[MEASURES][64];
  int32_t     *number; /* of pairs */
  double      *pairs;
} Table;

static int atoms_of(const BfContext *c, int g) { return c->first[g + 1] - c->first[g]; }

/* Cells that make about `most` in all. */
static int make_grid(Memory *m, uint64_t *seed, int most, Table *x) {
  BfTableShape *s = &x->shape;
  int           n = 1;
  s->d            = x->layer.dim;
  s->lower        = TAKE(m, double, s->d);
  s->width        = TAKE(m, double, s->d);
  s->cells        = TAKE(m, double, s->d);
  for (int a = 0; a < s->d; a++) {
    const int cells = n * 4 <= most ? 1 + below(seed, 4) : 1;
    n *= cells;
    s->cells[a] = cells;
    s->lower[a] = x->layer.lower[a];
    s->width[a] = (x->layer.upper[a] - x->layer.lower[a]) / cells;
  }
  s->point = TAKE(m, double, n * s->d);
  for (int c = 0; c < n; c++)
    for (int a = s->d - 1, rest = c; a >= 0; rest /= (int)s->cells[a--])
      s->point[c * s->d + a] = s->lower[a] + (rest % (int)s->cells[a] + 0.5) * s->width[a];
  return n;
}

/* N of the cells' centres, eight at once. */
static void make_seen(Memory *m, Table *x) {
  BfTableShape *s                         = &x->shape;
  const int     d                         = s->d;
  double        z[BF_MOST_DIM * BF_LANES] = {0};
  s->seen                                 = s->point;
  if (!x->layer.norm->apply) return;
  s->seen = TAKE(m, double, s->n *d);
  for (int c = 0; c < s->n; c++) {
    for (int a = 0; a < d; a++) z[a * BF_LANES + c % BF_LANES] = s->point[c * d + a];
    if (c % BF_LANES != BF_LANES - 1 && c != s->n - 1) continue;
    x->layer.norm->apply(d, z, z);
    for (int i = c - c % BF_LANES; i <= c; i++)
      for (int a = 0; a < d; a++) s->seen[i * d + a] = z[a * BF_LANES + i % BF_LANES];
  }
}

/* Positions that an encoding tells apart; C(b, k + 1); the numbers of types. */
static void make_geometry(Memory *m, Table *x) {
  BfTableShape    *s = &x->shape;
  const BfContext *c = &x->context;
  s->place           = TAKE(m, int, c->tags);
  s->position        = TAKE(m, int, c->tags);
  s->radix           = TAKE(m, double, c->tags);
  s->choose          = TAKE(m, double *, BF_MOST_ATOMS + 1);
  for (int g = 0; g < c->tags; g++) {
    if (!g || (x->layer.encoding && c->position[g] != c->position[g - 1])) s->position[s->positions++] = c->position[g];
    s->place[g]     = s->positions - 1;
    const int atoms = atoms_of(c, g), size = s->n + atoms;
    s->radix[g] = (double)bf_types_number(s->n, atoms);
    if (s->choose[atoms]) continue;
    double *row = s->choose[atoms] = TAKE(m, double, atoms *size);
    for (int k = 0; k < atoms; k++, row += size)
      for (int b = 1; b < size; b++) row[b] = row[b - 1] + (k ? row[b - 1 - size] : 1);
  }
  s->queries = s->positions * s->n;
}

static Table *make_shape(Memory *m, uint64_t *seed, int large, int pairs) {
  Table        *x   = TAKE(m, Table, 1);
  BfTableShape *s   = &x->shape;
  const int     dim = large ? 2 : 1 + below(seed, 8), plain = large || below(seed, 3);
  make_layer(m, seed, dim, plain ? NULL : "relu", &x->layer);
  do make_context(m, seed, pairs ? 2 : 4, pairs ? 1 : 3, &x->context);
  while (pairs && x->context.tags != 2);
  if (pairs && x->layer.mask == BF_MASK_CAUSAL) x->layer.mask = BF_MASK_FULL;
  s->n = make_grid(m, seed, large ? 64 : 30, x);
  make_seen(m, x);
  bf_layer_flat(&x->layer, &s->layer);
  s->context = &x->context;
  s->sight   = 2 + s->d;
  s->nearest = 1;
  make_geometry(m, x);
  const int64_t Q = s->queries, heads = x->layer.heads, seen = heads * Q * s->sight * BF_LANES;
  x->parameters = make_parameters(m, seed, &x->layer, below(seed, 8) ? 1.5 : 1e5);
  s->logit      = TAKE(m, double, heads *Q *Q *BF_LANES);
  s->forward    = TAKE(m, double, (int64_t)s->n * s->d * BF_LANES);
  s->term       = TAKE(m, double, bf_terms_work(&x->layer));
  s->lead       = TAKE(m, double, x->context.tags *seen);
  s->last       = TAKE(m, double, seen);
  s->next       = TAKE(m, double, (int64_t)x->context.slots * s->d * BF_LANES);
  s->image      = TAKE(m, double, (int64_t)s->n * s->n * BF_LANES);
  return x;
}

/* ---- measures one by one ---------------------------------------------------------------------------------------- */

static void *make_table(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Table           *x = make_shape(m, seed, large, 0);
  const BfContext *c = &x->context;
  x->next            = output(m, outputs, (int64_t)MEASURES * c->slots * x->shape.d * BF_LANES);
  x->rank            = output(m, outputs, MEASURES * BF_LANES);
  for (int i = 0; i < MEASURES; i++)
    for (int g = 0; g < c->tags; g++)
      for (int j = c->first[g]; j < c->first[g + 1]; j++) { /* non-decreasing within a tag */
        const int from = j > c->first[g] ? (int)x->cell[i][j - 1] : 0;
        x->cell[i][j]  = from + below(seed, x->shape.n - from);
      }
  return x;
}

static void run_table(void *x, const BfKernels *kernels) {
  Table           *t    = x;
  const BfContext *c    = &t->context;
  const int64_t    each = (int64_t)t->shape.queries * t->shape.sight * BF_LANES,
                row     = (int64_t)c->slots * t->shape.d * BF_LANES;
  t->layer.kernels      = kernels; /* of its terms */
  kernels->table_prepare(&t->shape, t->parameters);
  for (int i = 0; i < MEASURES; i++) {
    const int64_t *cell = t->cell[i];
    for (int g = 0; g < c->tags - 1; g++)
      kernels->table_sight(&t->shape, g, cell + c->first[g], t->shape.lead + g * each, c->tags * each);
    kernels->table_sight(&t->shape, c->tags - 1, cell + c->first[c->tags - 1], t->shape.last, each);
    kernels->table_measure(&t->shape, t->parameters, cell, t->shape.last);
    kernels->table_rank(&t->shape, t->rank + i * BF_LANES);
    memcpy(t->next + i * row, t->shape.next, sizeof(double) * (size_t)row);
  }
}

/* The images of atoms in cell[], by the layer itself. */
static void apply_layer(const Table *t, Memory *m, const int64_t cell[], double *next) {
  const int d = t->shape.d;
  double   *z = TAKE(m, double, (int64_t)t->context.slots *d *BF_LANES);
  for (int i = 0; i < t->context.slots * d * BF_LANES; i++)
    z[i] = t->shape.point[cell[i / (d * BF_LANES)] * d + i / BF_LANES % d];
  bf_kernels_compiled(0)->layer_apply(&t->shape.layer, &t->context, NULL, t->parameters, z, next,
                                      TAKE(m, double, bf_layer_work(&t->layer, &t->context)));
}

/* The number of the measure whose atoms stand at one lane of next. */
static double number_of(const Table *t, const BfCells *tokens, const double *next, int lane) {
  double total = 0;
  for (int g = 0; g < t->context.tags; g++) {
    const int first = t->context.first[g], atoms = atoms_of(&t->context, g);
    int64_t   cell[64];
    BfTypes  *types = NULL;
    BfError   error = {0};
    for (int i = 0; i < atoms; i++) {
      double z[BF_MOST_DIM];
      for (int a = 0; a < t->shape.d; a++) z[a] = next[((first + i) * t->shape.d + a) * BF_LANES + lane];
      const int64_t c  = bf_cells_nearest(tokens, z);
      int           at = i;
      for (; at > 0 && cell[at - 1] > c; at--) cell[at] = cell[at - 1];
      cell[at] = c;
    }
    bf_types_create(t->shape.n, atoms, &types, &error);
    total = total * t->shape.radix[g] + (double)bf_types_rank(types, cell);
    bf_types_destroy(&types);
  }
  return total;
}

static BfCells *make_tokens(const Table *t) {
  BfError  error = {0};
  BfCells *tokens;
  int64_t  cells[BF_MOST_DIM];
  for (int a = 0; a < t->shape.d; a++) cells[a] = (int64_t)t->shape.cells[a];
  return bf_cells_grid(t->shape.d, t->layer.lower, t->layer.upper, cells, &tokens, &error) == BF_OK ? tokens : NULL;
}

static int64_t wrong_table(void *x, const Outputs *outputs) {
  Table        *t      = x;
  Memory        m      = {0};
  BfCells      *tokens = make_tokens(t);
  const int64_t row    = (int64_t)t->context.slots * t->shape.d * BF_LANES;
  double       *next   = TAKE(&m, double, row);
  int64_t       wrong  = 0;
  for (int i = 0; i < MEASURES; i++) {
    apply_layer(t, &m, t->cell[i], next);
    wrong += memcmp(next, outputs->out[0] + i * row, sizeof(double) * (size_t)row) != 0;
    for (int l = 0; l < BF_LANES; l++) wrong += outputs->out[1][i * BF_LANES + l] != number_of(t, tokens, next, l);
  }
  bf_cells_destroy(&tokens);
  release(&m);
  return wrong;
}

const Family table_family = {"table", EVERYWHERE, 100, make_table, run_table, wrong_table};

/* ---- pairs of cells at once ------------------------------------------------------------------------------------- */

static void *make_pairs(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Table        *x    = make_shape(m, seed, large, 1);
  const int64_t size = (int64_t)BF_LANES * x->shape.n * x->shape.n;
  x->number          = TAKE(m, int32_t, size);
  x->pairs           = output(m, outputs, size);
  return x;
}

/* In two parts, as two ranks share them: the second has its pairs' mirror images in the first. */
static void run_pairs(void *x, const BfKernels *kernels) {
  Table    *t = x;
  const int n = t->shape.n, lanes = 1 + n % BF_LANES;
  t->layer.kernels = kernels; /* of its terms */
  kernels->table_prepare(&t->shape, t->parameters);
  kernels->table_pairs(&t->shape, t->parameters, 0, n / 3, lanes, t->number);
  kernels->table_pairs(&t->shape, t->parameters, n / 3, n, lanes, t->number);
  for (int64_t i = 0; i < (int64_t)lanes * n * n; i++) t->pairs[i] = t->number[i];
}

static int64_t wrong_pairs(void *x, const Outputs *outputs) {
  Table    *t      = x;
  BfCells  *tokens = make_tokens(t);
  const int n = t->shape.n, lanes = 1 + n % BF_LANES;
  int64_t   wrong = 0;
  for (int64_t i = 0; i < n * n; i++) {
    Memory        m       = {0};
    const int64_t cell[2] = {i / n, i % n};
    double       *next    = TAKE(&m, double, 2 * (int64_t)t->shape.d * BF_LANES);
    apply_layer(t, &m, cell, next);
    for (int l = 0; l < lanes; l++) wrong += outputs->out[0][l * n * n + i] != number_of(t, tokens, next, l);
    release(&m);
  }
  bf_cells_destroy(&tokens);
  return wrong;
}

const Family pairs_family = {"table_pairs", EVERYWHERE, 60, make_pairs, run_pairs, wrong_pairs};
