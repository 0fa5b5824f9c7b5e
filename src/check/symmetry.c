#include "check/symmetry.h"
#include <math.h>
#include <string.h>

enum { SAID = 2 }; /* what a row says of its inequality: k + 1, +-(j + 1); places follow */

/* ---- a row ------------------------------------------------------------------------------------------------------ */

static int layer_at(const BfCheckSymmetry *x, int t) { return x->dim + x->classes + t * (x->heads + x->width); }

/* Every place of the block is there once; with signs where these are allowed. */
static bool is_permutation(const BfCheckSymmetry *x, int first, int count, bool signs) {
  for (int i = 0; i < count; i++) {
    const int64_t at = x->row[first + i], place = (at < 0 ? -at : at) - 1;
    if (place < first || place >= first + count || (at < 0 && !signs)) return false;
    for (int j = 0; j < i; j++)
      if (bf_check_origin(x, first, j) == place - first) return false;
  }
  return true;
}

/* Units change sign where sigma(-x) = -sigma(x) alone. */
static bool is_row(const BfCheckSymmetry *x) {
  bool is = is_permutation(x, 0, x->dim, true) && is_permutation(x, x->dim, x->classes, false);
  for (int t = 0; is && t < x->model->problem->horizon; t++)
    is = is_permutation(x, layer_at(x, t), x->heads, false) &&
         is_permutation(x, layer_at(x, t) + x->heads, x->width, x->model->sigma == BF_CHECK_TANH);
  return is;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* An entry of a matrix: a number times a factor, or none and a value. */
typedef struct {
  int64_t number;
  double  factor;
} Entry;

static Entry entry_of(const BfCheckSymmetry *x, int t, int m, int r, int c) {
  const BfMatrix *matrix = &x->model->problem->layer.matrix[m];
  double          factor = 0;
  const int       k      = matrix->form->number(matrix->cols, r, c, &factor);
  if (k >= 0) return (Entry){(int64_t)t * x->model->problem->layer.free + matrix->offset + k, factor};
  return (Entry){-1, matrix->value ? matrix->value[r * matrix->cols + c] : 0};
}

/* Whether what the image has at `to` can be what is at `from`, the other sign where it is opposite: notes the number.
 */
static bool becomes(BfCheckSymmetry *x, Entry to, Entry from, bool opposite) {
  if (opposite) from.factor = -from.factor;
  if (to.number < 0) return from.number < 0 && to.factor == from.factor;
  if (from.number < 0 || !(fabs(to.factor) == fabs(from.factor)) || to.factor == 0) return false;
  const int32_t is = (int32_t)(to.factor == from.factor ? from.number + 1 : -(from.number + 1));
  if (x->image[to.number] && x->image[to.number] != is) return false;
  x->image[to.number] = is;
  return true;
}

/* Where rows and columns of a matrix of the image are from: the first place of their block, -1 of those that stay. */
static bool matrix_becomes(BfCheckSymmetry *x, int t, const int m[2], int rows, int cols) {
  const BfMatrix *matrix = &x->model->problem->layer.matrix[m[0]];
  for (int r = 0; r < matrix->rows; r++)
    for (int c = 0; c < matrix->cols; c++) {
      const int  a = rows < 0 ? r : bf_check_origin(x, rows, r), b = cols < 0 ? c : bf_check_origin(x, cols, c);
      const bool opposite =
          (rows >= 0 && bf_check_is_opposite(x, rows + r)) != (cols >= 0 && bf_check_is_opposite(x, cols + c));
      if (!becomes(x, entry_of(x, t, m[0], r, c), entry_of(x, t, m[1], a, b), opposite)) return false;
    }
  return true;
}

/* Tokens have the places from 0 on. */
static bool layer_becomes(BfCheckSymmetry *x, int t) {
  const BfCheckModel *model = x->model;
  const int           heads = layer_at(x, t), units = heads + x->heads, f = model->feedforward, l = model->linear;
  for (int k = 0; model->attention >= 0 && k < 2 * x->heads; k++) {
    const int of = 2 * bf_check_origin(x, heads, k / 2) + k % 2;
    if (!matrix_becomes(x, t, (int[]){model->attention + k, model->attention + of}, 0, 0)) return false;
  }
  if (f >= 0 &&
      !(matrix_becomes(x, t, (int[]){f, f}, units, 0) && matrix_becomes(x, t, (int[]){f + 1, f + 1}, units, -1) &&
        matrix_becomes(x, t, (int[]){f + 2, f + 2}, 0, units) && matrix_becomes(x, t, (int[]){f + 3, f + 3}, 0, -1)))
    return false;
  return l < 0 || matrix_becomes(x, t, (int[]){l, l}, 0, 0);
}

/* R'_c = R_p(c) Q^T, b'_c = b_p(c). */
static void readout_becomes(BfCheckSymmetry *x) {
  const BfProblem *problem = x->model->problem;
  const int64_t    R = (int64_t)problem->horizon * problem->layer.free, b = R + (int64_t)x->classes * x->dim;
  for (int c = 0; problem->cost.trained && c < x->classes; c++) {
    const int p = bf_check_origin(x, x->dim, c);
    for (int a = 0; a < x->dim; a++) {
      const int32_t is             = (int32_t)(R + p * x->dim + bf_check_origin(x, 0, a) + 1);
      x->image[R + c * x->dim + a] = bf_check_is_opposite(x, a) ? -is : is;
    }
    x->image[b + c] = (int32_t)(b + p + 1);
  }
}

static int64_t number_of(int32_t image) { return (image < 0 ? -image : image) - 1; }

/* Decay is that of controls alone, which are moved among each other. */
static bool keeps_ranges(const BfCheckSymmetry *x) {
  const double *low = x->numbers->lower, *high = x->numbers->upper;
  for (int64_t i = 0; i < x->numbers->count; i++) {
    const int64_t j = number_of(x->image[i]);
    if (j < 0 || j >= x->numbers->count) return false;
    if (x->image[i] > 0 ? low[i] != low[j] || high[i] != high[j] : low[i] != -high[j] || high[i] != -low[j])
      return false;
  }
  return true;
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

/* Of the images of a point under all that is claimed, one after the other, that whose variables are the least in the
 * lexicographic order from the last one on: none of its images is less. So it is at most its image in the last variable
 * that moves. */
static const char *order_of(const BfCheckSymmetry *x, BfCheckOrder *out) {
  const int32_t *claim = x->row - SAID;
  bool           found = false;
  for (int k = x->n - 1; k >= 0; k--) {
    const int32_t i = x->numbers->number[k], is = x->image[i];
    const int     j = x->numbers->variable[number_of(is)];
    if (j < 0) return "moves a variable to what is none";
    if (found || is == i + 1) continue;
    *out  = (BfCheckOrder){k, j, is < 0};
    found = true;
  }
  if (!found) return "moves no variable";
  return claim[0] == out->k + 1 && claim[1] == (out->opposite ? -1 : 1) * (out->j + 1) ? NULL
                                                                                       : "gives another inequality";
}

static BfStatus prove(BfCheckSymmetry *x, const char **why, BfCheckOrder *out, BfError *error) {
  *why = "is no exchange";
  if (!is_row(x)) return BF_OK;
  memset(x->image, 0, sizeof *x->image * (size_t)x->numbers->count);
  *why = "changes what the layers compute";
  for (int t = 0; t < x->model->problem->horizon; t++)
    if (!layer_becomes(x, t)) return BF_OK;
  readout_becomes(x);
  *why = "moves the box";
  if (!keeps_ranges(x)) return BF_OK;
  BF_TRY(bf_check_reflected(x, why, error));
  if (!*why) *why = order_of(x, out);
  return BF_OK;
}

BfStatus bf_check_symmetries(const BfCheckModel *model, const BfCheckNumbers *numbers, int n, const int32_t rows[],
                             const int64_t size[2], BfCheckOrders *out, BfError *error) {
  const BfProblem *problem = model->problem;
  const BfLayer   *layer   = &problem->layer;
  BfCheckSymmetry  x = {model, numbers, n, layer->dim, problem->cost.classes, layer->heads, layer->width, NULL, NULL};
  BfStatus         status;
  const int        places = layer_at(&x, problem->horizon);
  if (size[0] && size[1] != places + SAID)
    return bf_fail(error, BF_FAILURE, "not verified: a symmetry has %lld places, not %d", (long long)size[1] - SAID,
                   places);
  BF_GOTO(BF_NEW(&x.image, numbers->count, error));
  BF_GOTO(BF_NEW(&out->order, size[0], error));
  for (; out->count < size[0]; out->count++) {
    const char *why;
    x.row = rows + out->count * size[1] + SAID;
    BF_GOTO(prove(&x, &why, &out->order[out->count], error));
    if (why) BF_GOTO(bf_fail(error, BF_FAILURE, "not verified: symmetry %lld %s", (long long)out->count + 1, why));
  }
  status = BF_OK;
done:
  bf_free(x.image);
  return status;
}
