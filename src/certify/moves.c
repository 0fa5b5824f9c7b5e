#include "certify/moves.h"
#include "layer/term_kinds.h"
#include <math.h>
#include <string.h>

BfMoves bf_moves(const BfProblem *problem, const BfMergedData *data) {
  const BfLayer *layer = &problem->layer;
  BfMoves        x     = {problem, data, layer->dim, problem->cost.classes, layer->heads, layer->width, 0};
  x.length             = bf_moves_layer(&x, problem->horizon);
  return x;
}

int bf_moves_layer(const BfMoves *x, int64_t t) { return x->dim + x->classes + (int)t * (x->heads + x->width); }

void bf_move_compose(int64_t length, const int32_t then[], const int32_t first[], int32_t out[]) {
  for (int64_t i = 0; i < length; i++) {
    const int32_t of = first[bf_move_place(then[i])];
    out[i]           = then[i] < 0 ? -of : of;
  }
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* What a move does to an axis of a matrix: index i of the image is from[i], counted from `first`; NULL: nothing. */
typedef struct {
  const int32_t *from;
  int            first;
} Axis;

static int    from(const Axis *axis, int i) { return axis->from ? bf_move_place(axis->from[i]) - axis->first : i; }
static double sign(const Axis *axis, int i) { return axis->from ? bf_move_sign(axis->from[i]) : 1; }

/* Number i of the image is s times number j; false where it is something else already. */
static bool put(int32_t image[], int64_t i, int64_t j, double s) {
  const int32_t is = (int32_t)(s < 0 ? -(j + 1) : j + 1);
  if (image[i] && image[i] != is) return false;
  image[i] = is;
  return true;
}

static double given(const BfMatrix *m, int r, int c) { return m->value ? m->value[(int64_t)r * m->cols + c] : 0; }

/* Matrix `to` of the image is matrix `of` with both axes moved; `before`: numbers of the layers before. */
static bool move_matrix(int64_t before, const BfMatrix *to, const BfMatrix *of, const Axis *rows, const Axis *cols,
                        int32_t image[]) {
  for (int r = 0; r < to->rows; r++)
    for (int c = 0; c < to->cols; c++) {
      double       factor = 1, times = 1;
      const int    a = from(rows, r), b = from(cols, c);
      const double s = sign(rows, r) * sign(cols, c);
      const int    i = to->form->number(to->cols, r, c, &factor), j = of->form->number(of->cols, a, b, &times);
      if (i < 0 && j < 0) {
        if (given(to, r, c) != s * given(of, a, b)) return false;
        continue;
      }
      if (i < 0 || j < 0 || fabs(factor) != fabs(times)) return false;
      if (!put(image, before + to->offset + i, before + of->offset + j, s * factor * times)) return false;
    }
  return true;
}

static bool is_identity(const BfMoves *x, const int32_t move[]) {
  for (int i = 0; i < x->dim; i++)
    if (move[i] != i + 1) return false;
  return true;
}

static bool is_odd(const BfLayer *layer) { return layer->activation == bf_activation("tanh"); }

static bool reflects_units(const BfMoves *x, const int32_t units[]) {
  for (int j = 0; j < x->width; j++)
    if (units[j] < 0) return true;
  return false;
}

static bool move_term(const BfMoves *x, int64_t t, const BfTerm *term, const int32_t move[], int32_t image[]) {
  const int64_t   before = t * x->problem->layer.free;
  const int       first  = bf_moves_layer(x, t);
  const Axis      tokens = {move, 0}, units = {move + first + x->heads, first + x->heads}, none = {NULL, 0};
  const BfMatrix *m = term->matrix;
  if (term->kind == &bf_term_attention) {
    for (int k = 0; k < 2 * x->heads; k++) {
      const BfMatrix *of = m + 2 * (bf_move_place(move[first + k / 2]) - first) + k % 2;
      if (!move_matrix(before, m + k, of, &tokens, &tokens, image)) return false;
    }
    return true;
  }
  if (term->kind == &bf_term_feedforward)
    return (is_odd(&x->problem->layer) || !reflects_units(x, units.from)) &&
           move_matrix(before, m, m, &units, &tokens, image) &&
           move_matrix(before, m + 1, m + 1, &units, &none, image) &&
           move_matrix(before, m + 2, m + 2, &tokens, &units, image) &&
           move_matrix(before, m + 3, m + 3, &tokens, &none, image);
  if (term->kind == &bf_term_linear) return move_matrix(before, m, m, &tokens, &tokens, image);
  for (int k = 0; k < term->matrices; k++) /* of another kind nothing is known */
    if (!move_matrix(before, m + k, m + k, &none, &none, image)) return false;
  return is_identity(x, move);
}

static void move_readout(const BfMoves *x, const int32_t move[], int32_t image[]) {
  const int64_t first = (int64_t)x->problem->horizon * x->problem->layer.free,
                bias  = first + (int64_t)x->classes * x->dim;
  for (int c = 0; c < x->classes; c++) {
    const int of = bf_move_place(move[x->dim + c]) - x->dim;
    for (int a = 0; a < x->dim; a++)
      put(image, first + c * x->dim + a, first + of * x->dim + bf_move_place(move[a]), bf_move_sign(move[a]));
    put(image, bias + c, bias + of, 1);
  }
}

/* Whether number i of the image has the range of the number that it is. */
static bool keeps_box(const BfProblem *problem, int64_t all, const int32_t image[]) {
  for (int64_t i = 0; i < all; i++) {
    double lower, upper, least, most;
    bf_number_range(problem, i, &lower, &upper);
    bf_number_range(problem, bf_move_place(image[i]), &least, &most);
    if (image[i] < 0 ? lower != -most || upper != -least : lower != least || upper != most) return false;
  }
  return true;
}

bool bf_move_numbers(const BfMoves *x, const int32_t move[], int32_t image[]) {
  const BfProblem *problem = x->problem;
  const int64_t    all     = (int64_t)problem->horizon * problem->layer.free + problem->cost.trained;
  memset(image, 0, sizeof *image * (size_t)all);
  for (int64_t t = 0; t < problem->horizon; t++)
    for (int k = 0; k < problem->layer.terms; k++)
      if (!move_term(x, t, &problem->layer.term[k], move, image)) return false;
  if (problem->cost.trained) move_readout(x, move, image);
  return keeps_box(problem, all, image);
}
