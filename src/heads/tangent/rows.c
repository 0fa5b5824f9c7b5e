/* The rows of J^T, block of heads by block of heads from the last layer to the first, into triangles. All outputs'
 * costates go back together, each within its own sequence. */
#include "heads/tangent/parts.h"
#include "kernel/kernels.h"
#include <math.h>
#include <string.h>

enum {
  LEAVES    = 64, /* triangles at most, with what is collected for them ... */
  MOST_ROWS = 1024
};
static const double leaf_bytes = 0x1p30; /* ... of so many bytes together */

/* Costates of all outputs at a layer, those of a sequence [outputs][tokens][d]. */
typedef struct {
  BfHeads         *x;
  const BfHeadLaw *law;     /* all heads */
  int64_t         *offset;  /* [contexts + 1] of a sequence's in p */
  double          *p, *sum; /* [all], [2][all] */
  double          *lanes;   /* [most_tokens][d][BF_LANES] */
  double          *row;     /* [q] */
  int              first_leaf, leaves;
  BfTriangle      *leaf; /* [leaves] of this rank */
} Sweep;

/* Rows of J^T that are collected before they are folded into a triangle: at least what a block of heads gives. */
static int64_t most_rows(int64_t outputs, int64_t free) {
  const int64_t least = outputs < MOST_ROWS ? MOST_ROWS : outputs, block = BF_LANES * free;
  return least < block ? block : least;
}

int bf_tangent_leaves(int64_t outputs, int64_t heads, int64_t free) {
  const int64_t blocks = (heads + BF_LANES - 1) / BF_LANES;
  double        leaves = floor(leaf_bytes / (8 * (double)outputs * (double)(outputs + most_rows(outputs, free))));
  if (leaves > LEAVES) leaves = LEAVES;
  if (leaves > (double)blocks) leaves = (double)blocks;
  return leaves < 1 ? 1 : (int)leaves;
}

double bf_tangent_bytes(const BfProblem *problem, const BfData *data, int64_t heads, int ranks) {
  const int64_t d = problem->layer.dim, outputs = data->tokens * d;
  const double  n = (double)outputs, numbers = problem->horizon * (double)problem->layer.free;
  double        costates = 0;
  if (outputs > BF_TANGENT_MOST) return 8 * 64 * n; /* what SLEPc searches in, and its work */
  for (int64_t s = 0; s < data->contexts; s++) {
    const double own =
        (double)(d * (data->tag_first[data->context_first[s + 1]] - data->tag_first[data->context_first[s]]));
    costates += own * own;
  }
  const int64_t free   = problem->layer.free / heads;
  const double  leaves = ceil((double)bf_tangent_leaves(outputs, heads, free) / ranks);
  return 8 * (numbers + 3 * costates + (leaves + 1) * n * n + leaves * n * (double)most_rows(outputs, free));
}

static int leaves_of(const BfHeads *x) {
  return bf_tangent_leaves(x->data->tokens * x->problem->layer.dim, x->heads, x->free_A + x->free_V);
}

static int64_t block_bound(const BfHeads *x, int leaf) {
  return (x->heads + BF_LANES - 1) / BF_LANES * leaf / leaves_of(x);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static BfStatus make(Sweep *w, BfError *error) {
  const BfHeads *x = w->x;
  const int      d = x->problem->layer.dim, all = leaves_of(x), size = x->run->size, rank = x->run->rank;
  const int64_t  S = x->data->contexts, n = x->data->tokens * d;
  BF_TRY(BF_NEW(&w->offset, S + 1, error));
  for (int64_t s = 0; s < S; s++) {
    const int64_t outputs = (int64_t)bf_heads_tokens(x, s) * d;
    w->offset[s + 1]      = w->offset[s] + outputs * outputs;
  }
  BF_TRY(BF_NEW(&w->p, w->offset[S], error));
  BF_TRY(BF_NEW(&w->sum, 2 * w->offset[S], error));
  BF_TRY(BF_NEW(&w->lanes, (int64_t)x->most_tokens * d * BF_LANES, error));
  BF_TRY(BF_NEW(&w->row, w->law->free, error));
  for (int64_t s = 0; s < S; s++) {
    const int64_t outputs = (int64_t)bf_heads_tokens(x, s) * d;
    for (int64_t o = 0; o < outputs; o++) w->p[w->offset[s] + o * outputs + o] = 1;
  }
  w->first_leaf = (int)((int64_t)all * rank / size);
  w->leaves     = (int)((int64_t)all * (rank + 1) / size) - w->first_leaf;
  BF_TRY(BF_NEW(&w->leaf, w->leaves, error));
  const int most = (int)most_rows(n, w->law->free);
  for (int i = 0; i < w->leaves; i++) BF_TRY(bf_triangle_create((int)n, most, &w->leaf[i], error));
  return BF_OK;
}

static void clear(Sweep *w) {
  for (int i = 0; w->leaf && i < w->leaves; i++) bf_triangle_clear(&w->leaf[i]);
  bf_free(w->leaf);
  bf_free(w->offset);
  bf_free(w->p);
  bf_free(w->sum);
  bf_free(w->lanes);
  bf_free(w->row);
}

/* ---- a layer ----------------------------------------------------------------------------------------------------- */

/* One output of a sequence through a block of heads: entries of its rows, and its costate's part of the sum. */
static void pull_back(Sweep *w, int t, int64_t s, int64_t output, BfTriangle *leaf) {
  BfHeads           *x = w->x;
  const int          d = x->problem->layer.dim, half = d * d * BF_LANES;
  const BfHeadTokens view = bf_heads_view(x, t, s);
  const int64_t      n = (int64_t)view.tokens * d, at = w->offset[s] + output * n, all = w->offset[x->data->contexts];
  const double      *p    = w->p + at;
  const BfLargest    most = {bf_heads_largest(n, view.z), bf_heads_largest(n, view.s), bf_heads_largest(n, p)};
  const BfQuanta     q    = bf_heads_costate_quanta(x, t, &view, most);
  memset(x->by, 0, (size_t)(2 * half) * sizeof(double));
  memset(w->lanes, 0, (size_t)(n * BF_LANES) * sizeof(double));
  x->problem->layer.kernels->heads_adjoint(&view, &(BfHeadLanes){x->A, x->V, x->weight}, p,
                                           &(BfHeadAdjoint){x->by, x->by + half, w->lanes}, x->work);
  for (int64_t i = 0; i < n; i++) bf_quanta_add(q, bf_heads_sum_lanes(w->lanes + i * BF_LANES), w->sum + at + i, all);
  double *column = leaf->block + ((bf_heads_token(x, s) * d + output) * leaf->most) + leaf->rows;
  for (int l = 0, used = 0; l < BF_LANES; l++) {
    if (x->weight[l] == 0) continue;
    const double root = sqrt(x->problem->layer.step * x->weight[l]);
    bf_heads_collect(x, x->by + l, BF_LANES, w->row);
    for (int k = 0; k < w->law->free; k++) column[used++] = root * w->row[k];
  }
}

static BfStatus block(Sweep *w, int t, int64_t b, BfTriangle *leaf, BfError *error) {
  BfHeads *x    = w->x;
  int      rows = 0;
  bf_heads_expand(x, w->law, t, b);
  for (int l = 0; l < BF_LANES; l++) rows += x->weight[l] == 0 ? 0 : w->law->free;
  if (leaf->rows + rows > leaf->most) BF_TRY(bf_triangle_fold(leaf, error));
  for (int64_t s = 0; s < x->data->contexts; s++)
    for (int64_t o = 0; o < (int64_t)bf_heads_tokens(x, s) * x->problem->layer.dim; o++) pull_back(w, t, s, o, leaf);
  leaf->rows += rows;
  return BF_OK;
}

static BfStatus layer(Sweep *w, int t, BfError *error) {
  BfHeads      *x   = w->x;
  const int64_t all = w->offset[x->data->contexts];
  bf_heads_encode(x, t);
  memset(w->sum, 0, (size_t)(2 * all) * sizeof(double));
  for (int i = 0; i < w->leaves; i++)
    for (int64_t b = block_bound(x, w->first_leaf + i); b < block_bound(x, w->first_leaf + i + 1); b++)
      BF_TRY(block(w, t, b, &w->leaf[i], error));
  return BF_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static BfStatus fold_leaves(Sweep *w, BfError *error) {
  for (int i = 0; i < w->leaves; i++) BF_TRY(bf_triangle_fold(&w->leaf[i], error));
  return BF_OK;
}

static int owner(const BfHeads *x, int leaf) {
  int rank = 0;
  while ((int64_t)leaves_of(x) * (rank + 1) / x->run->size <= leaf) rank++;
  return rank;
}

/* The leaves' triangles into rank 0's, in their order. Rank 0 goes on receiving after a failure. */
static void merge(Sweep *w, BfTriangle *R, double *other, BfError *error) {
  const BfHeads *x     = w->x;
  const int      count = R->n * R->n;
  for (int leaf = 0; leaf < leaves_of(x); leaf++) {
    const int from = owner(x, leaf), own = leaf - w->first_leaf;
    if (from == x->run->rank && from) MPI_Send(w->leaf[own].R, count, MPI_DOUBLE, 0, leaf, x->run->world);
    if (x->run->rank) continue;
    if (from) MPI_Recv(other, count, MPI_DOUBLE, from, leaf, x->run->world, MPI_STATUS_IGNORE);
    if (error->status == BF_OK) bf_triangle_merge(R, from ? other : w->leaf[own].R, error);
  }
}

static BfStatus make_all(Sweep *w, BfTriangle *R, double **other, BfError *error) {
  const int64_t n = w->x->data->tokens * w->x->problem->layer.dim;
  BF_TRY(make(w, error));
  BF_TRY(bf_triangle_create((int)n, 1, R, error));
  return BF_NEW(other, w->x->run->rank ? 0 : n * n, error);
}

BfStatus bf_tangent_triangle(BfHeads *x, const BfHeadLaw *whole, BfTriangle *R, BfError *error) {
  Sweep    w     = {.x = x, .law = whole};
  double  *other = NULL;
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, make_all(&w, R, &other, error), error));
  for (int t = whole->layers - 1; t >= 0; t--) {
    const int64_t all = w.offset[x->data->contexts];
    BF_GOTO(bf_together(x->run->world, layer(&w, t, error), error));
    bf_heads_sum(x->run->world, all, w.sum);
    for (int64_t i = 0; i < all; i++) w.p[i] += x->problem->layer.step * w.sum[i];
  }
  BF_GOTO(bf_together(x->run->world, fold_leaves(&w, error), error));
  merge(&w, R, other, error);
  status = bf_agree(x->run->world, error);
done:
  clear(&w);
  bf_free(other);
  return status;
}
