/* Whether kinds, readout and data see a difference between tokens, classes and their images. */
#include "check/symmetry.h"
#include "cost/pooling.h"
#include <stdlib.h>
#include <string.h>

static double reflect(const BfCheckSymmetry *x, int a, const double v[]) {
  const double of = v[bf_check_origin(x, 0, a)];
  return (bf_check_is_opposite(x, a) ? -of : of) + 0.0; /* one zero */
}

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

/* The mean that `layer` takes away becomes its negative where all components do; where some do, it is another one. */
static const char *norm_sees(const BfCheckSymmetry *x) {
  for (int a = 1; x->model->norm == BF_CHECK_LAYER && a < x->dim; a++)
    if (bf_check_is_opposite(x, a) != bf_check_is_opposite(x, 0)) return "changes the norm";
  return NULL;
}

static const char *clip_sees(const BfCheckSymmetry *x) {
  const BfLayer *layer = &x->model->problem->layer;
  if (strcmp(layer->projection->base.name, "clip")) return NULL; /* |y|, and +-BF_FARTHEST, are the same of all */
  for (int a = 0; a < x->dim; a++) {
    const bool   opposite = bf_check_is_opposite(x, a);
    const double low = reflect(x, a, layer->lower), high = reflect(x, a, layer->upper);
    if (layer->lower[a] != (opposite ? high : low) || layer->upper[a] != (opposite ? low : high))
      return "moves where tokens are clipped to";
  }
  return NULL;
}

/* ---- the readout ------------------------------------------------------------------------------------------------ */

/* Whether a - b = c - d, exactly: of both what it is rounded to the nearest, and what that leaves. */
static bool same_difference(double a, double b, double c, double d) {
  const double x = a - b, y = c - d, p = x - a, q = y - c;
  return x == y && (a - (x - p)) - (b + p) == (c - (y - q)) - (d + q);
}

/* Logits of readout `to` at the image of a token are those of readout `of` at the token, class by class, up to what is
 * common to all classes. */
static bool is_of(const BfCheckSymmetry *x, int64_t to, int64_t of) {
  const BfCost *cost = &x->model->problem->cost;
  const int     C = x->classes, d = x->dim, zeroth = bf_check_origin(x, d, 0);
  for (int c = 1; c < C; c++) {
    const double *R0 = cost->matrix + (of * C + zeroth) * d, *S0 = cost->matrix + to * C * d, *S = S0 + (int64_t)c * d;
    const int     p = bf_check_origin(x, d, c);
    const double *R = cost->matrix + (of * C + p) * d;
    for (int a = 0; a < d; a++)
      if (!same_difference(S[a], S0[a], reflect(x, a, R), reflect(x, a, R0))) return false;
    const double *b = cost->bias;
    if (b && !same_difference(b[to * C + c], b[to * C], b[of * C + p], b[of * C + zeroth])) return false;
  }
  return true;
}

/* Of a decision each readout must be that of another, in any order: the least over all of them is the same then. */
static const char *readout_sees(const BfCheckSymmetry *x) {
  const BfCost *cost = &x->model->problem->cost;
  if (x->model->cost == BF_CHECK_SQUARED || cost->trained) return NULL;
  for (int64_t of = 0; of < cost->readouts; of++) {
    int64_t to = 0;
    while (to < cost->readouts && !is_of(x, to, of)) to++;
    if (to == cost->readouts) return "changes the readout";
  }
  return NULL;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

/* What the layers and the cost know of a token: z, e_p, y, its label, whether it is pooled, and where a mask makes its
 * position matter, that. Contexts are lists of them, in whatever order. */
enum { BESIDE = 3 };
typedef struct {
  int           count, width;
  const double *token; /* [count][width], sorted */
} Sequence;

static int by_numbers(const void *a, const void *b, void *width) {
  const double *x = a, *y = b;
  for (int i = 0; i < *(const int *)width; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

static int by_tokens(const void *a, const void *b) {
  const Sequence *x = a, *y = b;
  int             all = x->count * x->width;
  if (x->count != y->count) return x->count < y->count ? -1 : 1;
  return by_numbers(x->token, y->token, &all);
}

static bool is_pooled(const BfCheckModel *model, const BfContext *context, int position) {
  const BfPooled *own = model->problem->cost.own;
  if ((model->cost != BF_CHECK_POOLED && model->cost != BF_CHECK_HINGE) || !own) return true;
  if (own->pooling == BF_POOL_LAST) return position == context->position[context->tags - 1];
  return own->pooling != BF_POOL_FIRST || position == context->position[0];
}

/* The class that the token's class is the image of: p of it is that. */
static int label_of(const BfCheckSymmetry *x, bool moved, int label) {
  for (int c = 0; moved && c < x->classes; c++)
    if (bf_check_origin(x, x->dim, c) == label) return c;
  return label;
}

static void describe(const BfCheckSymmetry *x, bool moved, int64_t s, int i, double token[]) {
  const BfCheckModel *model   = x->model;
  const BfLayer      *layer   = &model->problem->layer;
  const BfContext    *context = &model->context[s];
  const int           d = x->dim, g = bf_check_tag(context, i), position = context->position[g];
  double              v[3][d];
  for (int a = 0; a < d; a++) {
    v[0][a] = model->problem->train.z[(model->first[s] + i) * d + a];
    v[1][a] = bf_check_encoding(layer, context, i, a);
    v[2][a] = context->target ? context->target[(int64_t)g * d + a] : 0;
  }
  for (int k = 0; k < 3; k++)
    for (int a = 0; a < d; a++) token[k * d + a] = moved ? reflect(x, a, v[k]) : v[k][a];
  token[3 * d]     = context->label ? label_of(x, moved, context->label[g]) : 0;
  token[3 * d + 1] = is_pooled(model, context, position);
  token[3 * d + 2] = layer->mask == BF_MASK_FULL ? 0 : position;
}

static void list(const BfCheckSymmetry *x, bool moved, double *token, Sequence *out) {
  const BfCheckModel *model = x->model;
  int                 width = 3 * x->dim + BESIDE;
  const int64_t       count = model->problem->train.contexts;
  for (int64_t s = 0; s < count; s++) {
    double *const own = token + model->first[s] * width;
    out[s]            = (Sequence){model->context[s].slots, width, own};
    for (int i = 0; i < out[s].count; i++) describe(x, moved, s, i, own + (int64_t)i * width);
    qsort_r(own, (size_t)out[s].count, sizeof *own * (size_t)width, by_numbers, &width);
  }
  qsort(out, (size_t)count, sizeof *out, by_tokens);
}

static BfStatus data_see(const BfCheckSymmetry *x, const char **why, BfError *error) {
  const int64_t count = x->model->problem->train.contexts, each = x->model->tokens * (3 * (int64_t)x->dim + BESIDE);
  double       *token    = NULL;
  Sequence     *sequence = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&token, 2 * each, error));
  BF_GOTO(BF_NEW(&sequence, 2 * count, error));
  list(x, false, token, sequence);
  list(x, true, token + each, sequence + count);
  for (int64_t s = 0; s < count && !*why; s++)
    if (by_tokens(&sequence[s], &sequence[count + s])) *why = "moves the data";
done:
  bf_free(token);
  bf_free(sequence);
  return status;
}

BfStatus bf_check_reflected(const BfCheckSymmetry *x, const char **why, BfError *error) {
  bool stays = true;
  for (int i = 0; i < x->dim + x->classes; i++) stays &= x->row[i] == i + 1;
  *why = stays ? NULL : norm_sees(x);
  if (!stays && !*why) *why = clip_sees(x);
  if (!stays && !*why) *why = readout_sees(x);
  return stays || *why ? BF_OK : data_see(x, why, error);
}
