/* Which components of which tokens are equal whatever the controls are: each is numbered by the function and the
 * numbers that it is made of. A mean over equal numbers is that number, whatever the weights. */
#include "check/model.h"
#include <stdlib.h>
#include <string.h>

/* What a number is a function of, as words. */
enum { CONSTANT, NORMED, MEAN, KEYS, VELOCITY, HIDDEN, FED, MATRIX, STEP, ON_SPHERE, TOKEN };

typedef struct {
  BfCheckModel  *model;
  const BfLayer *layer;
  BfNumbering   *numbering;
  BfError       *error;
  int64_t       *word; /* room for any description */
  int64_t       *seen; /* [tokens][d] N(z) of the layer at hand, numbers */
  int64_t        t;    /* the layer */
} Numbers;

static int64_t number(Numbers *x, int64_t count) { return bf_number_of(x->numbering, count, x->word, x->error); }

/* word[0..] = kind, layer, index; returns how many. */
static int64_t head(Numbers *x, int64_t kind, int64_t index) {
  x->word[0] = kind, x->word[1] = x->t, x->word[2] = index;
  return 3;
}

static int64_t bits_of(double value) {
  int64_t bits;
  value += 0.0; /* one zero */
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static int64_t *at(const Numbers *x, int64_t t, int64_t token) {
  return x->model->same + (t * x->model->tokens + token) * x->layer->dim;
}

/* Of row r of matrix m times a vector of numbers: those that an entry which is not 0 for every control looks at. */
static int64_t row_of(Numbers *x, int64_t kind, int m, int r, const int64_t vector[]) {
  const BfMatrix *matrix = &x->layer->matrix[m];
  int64_t         n      = head(x, kind, (int64_t)m * 65536 * 64 + r);
  for (int c = 0; c < matrix->cols; c++) {
    double    factor;
    const int e = r * matrix->cols + c;
    if (matrix->form->number(matrix->cols, r, c, &factor) < 0 && !(matrix->value && matrix->value[e] != 0)) continue;
    x->word[n++] = c;
    x->word[n++] = vector[c];
  }
  return number(x, n);
}

static void see(Numbers *x) {
  const int d = x->layer->dim;
  for (int64_t i = 0; i < x->model->tokens; i++)
    for (int a = 0; a < d; a++) {
      if (x->model->norm == BF_CHECK_PLAIN) {
        x->seen[i * d + a] = at(x, x->t, i)[a];
        continue;
      }
      int64_t n = head(x, NORMED, a);
      memcpy(x->word + n, at(x, x->t, i), sizeof(int64_t) * (size_t)d);
      x->seen[i * d + a] = number(x, n + d);
    }
}

static int ascending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* A number for N(z) and e_p of a token, as which a key counts. */
static int64_t key(Numbers *x, const BfContext *context, int64_t first, int j) {
  const int d = x->layer->dim;
  int64_t   n = head(x, TOKEN, 0);
  for (int a = 0; a < d; a++) {
    x->word[n++] = x->seen[(first + j) * d + a];
    x->word[n++] = bits_of(bf_check_encoding(x->layer, context, j, a));
  }
  return number(x, n);
}

/* The keys that a query sees, in any order; list: room for as many. */
static int64_t keys_of(Numbers *x, const BfContext *context, int i, const int64_t each[], int64_t *list) {
  int64_t count = 0;
  for (int j = 0; j < context->slots; j++)
    if (bf_check_sees(x->layer, context, i, j)) list[count++] = each[j];
  qsort(list, (size_t)count, sizeof *list, ascending);
  const int64_t n = head(x, KEYS, 0);
  memcpy(x->word + n, list, sizeof *list * (size_t)count);
  return number(x, n + count);
}

/* Component b of what head h's query sees, given the numbers of query and keys. */
static int64_t mean_of(Numbers *x, const BfContext *context, int64_t first, int i, int h, int b,
                       const int64_t given[2]) {
  const int d   = x->layer->dim;
  bool      one = true;
  for (int j = 0; j < context->slots; j++)
    one &= !bf_check_sees(x->layer, context, i, j) || x->seen[(first + j) * d + b] == x->seen[(first + i) * d + b];
  if (one) return x->seen[(first + i) * d + b];
  int64_t n    = head(x, MEAN, (int64_t)h * d + b);
  x->word[n++] = given[0];
  x->word[n++] = given[1];
  return number(x, n);
}

/* The parts of v of one token, `part` [room], and how many. */
static int64_t parts_of(Numbers *x, int64_t token, int a, const int64_t *mean, int64_t *part) {
  const BfCheckModel *model = x->model;
  const BfLayer      *layer = x->layer;
  const int           d     = layer->dim;
  int64_t             n     = 0;
  for (int h = 0; model->attention >= 0 && h < layer->heads; h++)
    part[n++] = row_of(x, VELOCITY, model->attention + 2 * h + 1, a, mean + (int64_t)h * d);
  if (model->feedforward >= 0) {
    int64_t *hidden = part + layer->heads + 4;
    for (int r = 0; r < layer->width; r++) hidden[r] = row_of(x, HIDDEN, model->feedforward, r, x->seen + token * d);
    part[n++] = row_of(x, FED, model->feedforward + 2, a, hidden);
  }
  if (model->linear >= 0) part[n++] = row_of(x, MATRIX, model->linear, a, at(x, x->t, token));
  return n;
}

/* z+ of one token, component by component; on the sphere all of y count for each. */
static void step(Numbers *x, int64_t token, const int64_t *mean, int64_t *part) {
  const int d    = x->layer->dim;
  int64_t  *next = at(x, x->t + 1, token);
  for (int a = 0; a < d; a++) {
    const int64_t parts = parts_of(x, token, a, mean, part);
    int64_t       n     = head(x, STEP, a);
    x->word[n++]        = x->layer->residual != 0 ? at(x, x->t, token)[a] : -1;
    memcpy(x->word + n, part, sizeof *part * (size_t)parts);
    next[a] = number(x, n + parts);
  }
  if (x->model->projection != BF_CHECK_SPHERE) return;
  const int64_t n = head(x, ON_SPHERE, 0);
  memcpy(x->word + n, next, sizeof *next * (size_t)d);
  const int64_t all = number(x, n + d);
  for (int a = 0; a < d; a++) {
    x->word[0] = ON_SPHERE, x->word[1] = x->t, x->word[2] = a + 1, x->word[3] = all;
    next[a] = number(x, 4);
  }
}

/* One context through one layer. room: [slots] keys, [slots] list, [heads d] means, then parts. */
static void through(Numbers *x, int64_t s, int64_t *room) {
  const BfContext *context = &x->model->context[s];
  const int64_t    first   = x->model->first[s];
  const int        d = x->layer->dim, slots = context->slots;
  int64_t *each = room, *list = room + slots, *mean = room + 2 * slots, *part = mean + (int64_t)x->layer->heads * d;
  for (int j = 0; j < slots; j++) each[j] = key(x, context, first, j);
  int64_t keys = -1;
  for (int i = 0; i < slots; i++) {
    if (x->model->attention >= 0 && (keys < 0 || x->layer->mask != BF_MASK_FULL))
      keys = keys_of(x, context, i, each, list);
    for (int h = 0; x->model->attention >= 0 && h < x->layer->heads; h++)
      for (int b = 0; b < d; b++) mean[h * d + b] = mean_of(x, context, first, i, h, b, (int64_t[]){each[i], keys});
    step(x, first + i, mean, part);
  }
}

static void find_like(BfCheckModel *model, int64_t t, BfNumbering *whole, int64_t *earliest, BfError *error) {
  const int d = model->problem->layer.dim;
  for (int64_t i = 0; i < model->tokens; i++) {
    const int64_t n = bf_number_of(whole, d, model->same + (t * model->tokens + i) * d, error);
    if (n < 0) return;
    if (earliest[n] <= 0) earliest[n] = i + 1;
    model->like[t * model->tokens + i] = earliest[n] - 1;
  }
}

static void number_all(Numbers *x, int64_t *room) {
  const BfData *data = &x->model->problem->train;
  const int     d    = x->layer->dim;
  for (int64_t i = 0; i < x->model->tokens; i++)
    for (int a = 0; a < d; a++) {
      x->word[0] = CONSTANT, x->word[1] = bits_of(data->z[i * d + a]);
      at(x, 0, i)[a] = number(x, 2);
    }
  for (x->t = 0; x->t < x->model->problem->horizon && x->error->status == BF_OK; x->t++) {
    see(x);
    for (int64_t s = 0; s < data->contexts; s++) through(x, s, room);
  }
}

static BfStatus number_tokens(BfCheckModel *model, Numbers *x, BfError *error) {
  const BfLayer *layer = &model->problem->layer;
  const int64_t  d = layer->dim, longest = 2 * (model->tokens + d + layer->heads + layer->width) + 16;
  int64_t       *room = NULL;
  BfStatus       status;
  BF_GOTO(BF_NEW(&x->word, longest, error));
  BF_GOTO(BF_NEW(&x->seen, model->tokens * d, error));
  BF_GOTO(BF_NEW(&room, longest + 2 * model->tokens + layer->heads * (d + 1) + layer->width + 8, error));
  BF_GOTO(bf_numbering_create(&x->numbering, error));
  number_all(x, room);
  status = error->status;
done:
  bf_numbering_destroy(&x->numbering);
  bf_free(x->word);
  bf_free(x->seen);
  bf_free(room);
  return status;
}

BfStatus bf_check_same(BfCheckModel *model, BfError *error) {
  const int64_t T = model->problem->horizon, d = model->problem->layer.dim;
  Numbers       x        = {.model = model, .layer = &model->problem->layer, .error = error};
  int64_t      *earliest = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&model->same, (T + 1) * model->tokens * d, error));
  BF_GOTO(BF_NEW(&model->like, (T + 1) * model->tokens, error));
  BF_GOTO(number_tokens(model, &x, error));
  for (int64_t t = 0; t <= T; t++) {
    BfNumbering *whole = NULL;
    BF_GOTO(BF_NEW(&earliest, model->tokens, error));
    status = bf_numbering_create(&whole, error);
    if (status == BF_OK) find_like(model, t, whole, earliest, error);
    bf_numbering_destroy(&whole);
    bf_free(earliest);
    earliest = NULL;
    BF_GOTO(error->status);
  }
  status = BF_OK;
done:
  bf_free(earliest);
  return status;
}
