/* Whether a move of components and classes leaves kinds, cost and data as they are. */
#include "certify/moves.h"
#include "cost/cost_kind.h"
#include "layer/term_kinds.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- kinds ------------------------------------------------------------------------------------------------------- */

static int class_of(const BfMoves *x, const int32_t move[], int c) { return bf_move_place(move[x->dim + c]) - x->dim; }

static bool is_nothing(const BfMoves *x, const int32_t move[]) {
  for (int i = 0; i < x->dim + x->classes; i++)
    if (move[i] != i + 1) return false;
  return true;
}

/* N(Q z) = Q N(z): the mean of components, which `layer` takes away, is that of theirs where all signs are the same. */
static bool norm_commutes(const BfMoves *x, const int32_t move[]) {
  const BfNorm *norm = x->problem->layer.norm;
  for (int a = 1; norm == &bf_norm_layer && a < x->dim; a++)
    if ((move[a] < 0) != (move[0] < 0)) return false;
  return norm == &bf_norm_none || norm == &bf_norm_rms || norm == &bf_norm_layer;
}

static bool projection_commutes(const BfMoves *x, const int32_t move[]) {
  const BfLayer *layer = &x->problem->layer;
  for (int a = 0; layer->projection == &bf_project_clip && a < x->dim; a++) {
    const int    b     = bf_move_place(move[a]);
    const double lower = move[a] < 0 ? -layer->upper[b] : layer->lower[b],
                 upper = move[a] < 0 ? -layer->lower[b] : layer->upper[b];
    if (layer->lower[a] != lower || layer->upper[a] != upper) return false;
  }
  return layer->projection == &bf_project_clip || layer->projection == &bf_project_sphere ||
         layer->projection == &bf_project_none;
}

/* Costs here are sums over tokens or contexts of what sees no order of components and of classes. */
static bool cost_commutes(const BfMoves *x) {
  const BfCostKind *kind = x->problem->cost.kind;
  return kind == &bf_cost_pooled_cross_entropy || kind == &bf_cost_token_cross_entropy ||
         kind == &bf_cost_squared_error || kind == &bf_cost_hinge;
}

/* ---- the readout ------------------------------------------------------------------------------------------------- */

/* a - b rounded, and what rounding has left of it: together exact, and the only such pair. */
typedef struct {
  double rounded, left;
} Difference;

static Difference difference(double a, double b) {
  const double x = a - b, back = x - a;
  return (Difference){x, (a - (x - back)) - (b + back)};
}

static bool are_equal(Difference x, Difference y) { return x.rounded == y.rounded && x.left == y.left; }

/* Whether logits of readout `to` at Q z are, but for what all have in common, those of readout `of` at z, whose classes
 * are p(c). */
static bool is_image(const BfMoves *x, const int32_t move[], int64_t to, int64_t of) {
  const BfCost *cost = &x->problem->cost;
  const int     C = x->classes, d = x->dim;
  const double *R = cost->matrix + of * C * d, *S = cost->matrix + to * C * d;
  for (int c = 1; c < C; c++) {
    const int p = class_of(x, move, c), p0 = class_of(x, move, 0);
    for (int a = 0; a < d; a++) {
      const int    b = bf_move_place(move[a]);
      const double s = bf_move_sign(move[a]);
      if (!are_equal(difference(S[c * d + a], S[a]), difference(s * R[p * d + b], s * R[p0 * d + b]))) return false;
    }
    if (cost->bias && !are_equal(difference(cost->bias[to * C + c], cost->bias[to * C]),
                                 difference(cost->bias[of * C + p], cost->bias[of * C + p0])))
      return false;
  }
  return true;
}

static bool readout_commutes(const BfMoves *x, const int32_t move[]) {
  const BfCost *cost = &x->problem->cost;
  if (!cost->kind->has_readout || cost->trained) return true; /* of a trained one: bf_move_numbers */
  for (int64_t of = 0; of < cost->readouts; of++) {
    bool there = false;
    for (int64_t to = 0; to < cost->readouts && !there; to++) there = is_image(x, move, to, of);
    if (!there) return false;
  }
  return true;
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* Contexts as sorted lists of rows: z, e_p, y, label, mass, whether the cost reads the token, and the position where
 * order matters; sorted by that, of each how often it is there. */
typedef struct {
  int    slots, width;
  double times, *row; /* [slots][width]; owned */
} Rows;

static int compare_rows(const void *a, const void *b, void *width) {
  const double *x = a, *y = b;
  for (int i = 0; i < *(const int *)width; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

static int compare_contexts(const void *a, const void *b) {
  const Rows *x = a, *y = b;
  int         size;
  if (x->slots != y->slots) return x->slots < y->slots ? -1 : 1;
  size = x->slots * x->width;
  return compare_rows(x->row, y->row, &size);
}

/* Q v into row; 0 where there is no v. */
static void put_moved(const BfMoves *x, const int32_t move[], const double *v, double row[]) {
  for (int a = 0; v && a < x->dim; a++) row[a] = bf_move_sign(move[a]) * v[bf_move_place(move[a])];
}

/* The label that the token's image has: p of it is the token's. */
static int label_of(const BfMoves *x, const int32_t move[], int label) {
  for (int c = 0; c < x->classes; c++)
    if (class_of(x, move, c) == label) return c;
  return label;
}

static BfStatus make_rows(const BfMoves *x, const BfMerged *of, const int32_t move[], Rows *out, BfError *error) {
  const BfLayer   *layer   = &x->problem->layer;
  const BfContext *context = &of->context; /* a tag a slot */
  const int        d       = x->dim;
  const bool       ordered = layer->heads && layer->mask == BF_MASK_CAUSAL;
  char            *read    = NULL;
  out->slots = context->slots, out->width = 3 * d + 4, out->times = of->times;
  BF_TRY(BF_NEW(&read, context->slots, error));
  x->problem->cost.kind->reads(&x->problem->cost, context, read);
  const BfStatus status = BF_NEW(&out->row, (int64_t)out->slots * out->width, error);
  for (int i = 0; status == BF_OK && i < out->slots; i++) {
    double   *row      = out->row + (int64_t)i * out->width;
    const int position = context->position[i];
    put_moved(x, move, of->z + (int64_t)i * d, row);
    put_moved(x, move, layer->encoding ? layer->encoding + (int64_t)position * d : NULL, row + d);
    put_moved(x, move, context->target ? context->target + (int64_t)i * d : NULL, row + 2 * d);
    row[3 * d]     = context->label ? label_of(x, move, context->label[i]) : 0;
    row[3 * d + 1] = context->mass[i];
    row[3 * d + 2] = read[i];
    row[3 * d + 3] = ordered ? position : 0;
  }
  bf_free(read);
  if (status == BF_OK)
    qsort_r(out->row, (size_t)out->slots, sizeof(double) * (size_t)out->width, compare_rows, &out->width);
  return status;
}

/* The next contexts that are equal, from *at on: how often they are there. */
static double group(const Rows rows[], int64_t count, int64_t *at) {
  const int64_t first = *at;
  double        times = 0;
  while (*at < count && compare_contexts(&rows[first], &rows[*at]) == 0) times += rows[(*at)++].times;
  return times;
}

static bool are_alike(const Rows a[], const Rows b[], int64_t count) {
  int64_t i = 0, j = 0;
  while (i < count && j < count)
    if (compare_contexts(&a[i], &b[j]) || group(a, count, &i) != group(b, count, &j)) return false;
  return i == j;
}

static BfStatus data_commute(const BfMoves *x, const int32_t move[], bool *keeps, BfError *error) {
  const int64_t count = x->data->contexts;
  Rows         *rows  = NULL;
  int32_t      *stay  = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&rows, 2 * count, error));
  BF_GOTO(BF_NEW(&stay, x->length, error));
  for (int i = 0; i < x->length; i++) stay[i] = i + 1;
  for (int64_t s = 0; s < 2 * count; s++)
    BF_GOTO(make_rows(x, &x->data->context[s % count], s < count ? stay : move, &rows[s], error));
  qsort(rows, (size_t)count, sizeof *rows, compare_contexts);
  qsort(rows + count, (size_t)count, sizeof *rows, compare_contexts);
  *keeps = are_alike(rows, rows + count, count);
done:
  for (int64_t s = 0; rows && s < 2 * count; s++) bf_free(rows[s].row);
  bf_free(rows);
  bf_free(stay);
  return status;
}

BfStatus bf_move_keeps(const BfMoves *x, const int32_t move[], bool *keeps, BfError *error) {
  *keeps = is_nothing(x, move);
  if (*keeps) return BF_OK;
  if (!norm_commutes(x, move) || !projection_commutes(x, move) || !cost_commutes(x) || !readout_commutes(x, move))
    return BF_OK;
  return data_commute(x, move, keeps, error);
}
