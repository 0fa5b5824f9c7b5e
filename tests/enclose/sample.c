#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *room(int64_t n, size_t size) {
  BfError error = {0};
  void   *out   = bf_calloc(n, size, &error);
  if (!out) exit(99);
  return out;
}

static void need(BfStatus status, const BfError *error) {
  if (status == BF_OK) return;
  printf("Bail out! %s\n", error->text);
  exit(99);
}

/* ---- a layer, a context, a cost ---------------------------------------------------------------------------------- */

static void make_layer(BfLayer *layer, int number, int positions) {
  static const char *const         sigma[] = {NULL, "tanh", NULL, "relu", NULL, "gelu"};
  static const BfNorm *const       norm[]  = {&bf_norm_none, &bf_norm_none, &bf_norm_rms, &bf_norm_layer};
  static const BfProjection *const P[]     = {&bf_project_clip, &bf_project_none, &bf_project_sphere};
  BfError                          error   = {0};
  const int                        d       = 1 + among(3);
  *layer                                   = (BfLayer){.dim        = d,
                                                       .heads      = among(4) ? 1 + among(2) : 0,
                                                       .residual   = among(2),
                                                       .step       = 0.1 + uniform(),
                                                       .beta       = 0.5 + uniform(),
                                                       .mask       = among(2) ? BF_MASK_CAUSAL : BF_MASK_FULL,
                                                       .norm       = norm[among(4)],
                                                       .projection = P[number % 3],
                                                       .activation = sigma[number % 6] ? bf_activation(sigma[number % 6]) : NULL,
                                                       .width      = sigma[number % 6] ? 1 + among(2) : 0};
  double *lower = room(d, sizeof *lower), *upper = room(d, sizeof *upper);
  for (int a = 0; a < d; a++) {
    lower[a] = -0.2 - uniform();
    upper[a] = 0.2 + uniform();
  }
  layer->lower = lower;
  layer->upper = upper;
  if (among(2)) {
    layer->positions = positions;
    layer->encoding  = room((int64_t)positions * d, sizeof(double));
    for (int i = 0; i < positions * d; i++) layer->encoding[i] = both_sides();
  }
  if (among(2) || !(layer->heads || layer->activation)) need(bf_layer_add_term(layer, "linear", &error), &error);
  need(bf_layer_matrices(layer, &error), &error);
  need(bf_layer_place(layer, &error), &error);
}

/* Tokens of one position are tags of their own, or atoms of one tag. */
static void make_context(Sample *s) {
  const int d = s->layer.dim, tokens = 1 + among(MOST_TOKENS);
  int       tags = 0;
  for (int i = 0; i < tokens; i++) {
    if (i && among(4) == 0) {
      s->first[tags] = i + 1;
      continue;
    }
    s->position[tags] = tags ? s->position[tags - 1] + among(2) : 0;
    s->mass[tags]     = among(3) ? 1 : 1 + among(5);
    s->label[tags]    = among(CLASSES);
    for (int a = 0; a < d; a++) s->target[tags * d + a] = both_sides();
    s->first[++tags] = i + 1;
  }
  for (int i = 0; i < tokens * d; i++) s->z[i] = both_sides();
  if (among(3) == 0)
    for (int i = d; i < tokens * d; i += d) s->z[i] = s->z[0]; /* components that cancel */
  for (int i = 1; i < tokens; i++)
    if (among(3) == 0) memcpy(s->z + i * d, s->z + (i - 1) * d, (size_t)d * sizeof *s->z); /* tokens that are alike */
  s->context = (BfContext){.tags     = tags,
                           .slots    = tokens,
                           .length   = s->position[tags - 1] + 1,
                           .first    = s->first,
                           .position = s->position,
                           .mass     = s->mass,
                           .label    = s->label,
                           .target   = s->target};
  for (int g = 0; g < tags; g++) s->context.tokens += s->mass[g] * (s->first[g + 1] - s->first[g]);
}

static void make_cost(Sample *s, int number) {
  static const char *const kinds[] = {"pooled_cross_entropy", "token_cross_entropy", "squared_error", "hinge"};
  s->pooled.pooling                = (BfPooling)among(3);

  s->cost = (BfCost){.kind     = bf_cost_kind(kinds[number % 4]),
                     .own      = &s->pooled,
                     .dim      = s->layer.dim,
                     .step     = s->layer.step,
                     .classes  = CLASSES,
                     .readouts = 1,
                     .matrix   = s->readout,
                     .bias     = s->readout + CLASSES * s->layer.dim,
                     .contexts = 1 + among(5),
                     .tokens   = 1 + among(9)};
}

/* ---- the box ----------------------------------------------------------------------------------------------------- */

/* Up to `wanted` of the numbers become variables. */
static void make_box(Sample *s, int count, int wanted, double width, double *value, int *variable) {
  const int most = s->variables + wanted;
  for (int i = 0; i < count; i++) {
    const int k = s->variables;
    value[i]    = 2 * both_sides();
    variable[i] = -1;
    if (k >= most || among(count) >= 2 * wanted) continue;
    s->lower[k] = value[i] - width * uniform();
    s->upper[k] = s->lower[k] + width * uniform() * (among(8) ? 1 : 0);
    variable[i] = s->variables++;
  }
}

void sample_create(Sample *s, int number, double decades) {
  const double width = pow(10, -decades);
  *s                 = (Sample){.depth = 1 + among(MOST_LAYERS)};
  make_layer(&s->layer, number, MOST_TOKENS);
  make_context(s);
  make_cost(s, number / 3);
  const int p = s->depth * s->layer.parameters;
  s->value    = room(p, sizeof *s->value);
  s->variable = room(p, sizeof *s->variable);
  make_box(s, p, 1 + among(MOST_VARIABLES - 6), width, s->value, s->variable);
  make_box(s, CLASSES * (s->layer.dim + 1), among(3) ? 0 : 6, width, s->readout, s->readout_variable);
}

void sample_clear(Sample *s) {
  bf_layer_clear(&s->layer);
  bf_free(s->value);
  bf_free(s->variable);
}

/* ---- at points --------------------------------------------------------------------------------------------------- */

static double number_at(const Sample *s, double value, int k, const double *xi, int l) {
  if (k < 0) return value;
  return 0.5 * s->lower[k] + 0.5 * s->upper[k] + 0.5 * (s->upper[k] - s->lower[k]) * xi[k * BF_LANES + l];
}

static void readout_at(const Sample *s, const double *xi, int l, double readout[READOUT]) {
  for (int i = 0; i < CLASSES * (s->layer.dim + 1); i++)
    readout[i] = number_at(s, s->readout[i], s->readout_variable[i], xi, l);
}

void sample_run(const Sample *s, const double *xi, double *z, double loss[]) {
  const int     d = s->layer.dim, p = s->layer.parameters;
  static double work[1 << 14] __attribute__((aligned(64))), parameters[1 << 12] __attribute__((aligned(64)));
  double        readout[READOUT], all[BF_LANES];
  BfCost        cost  = s->cost;
  BfError       error = {0};
  for (int i = 0; i < s->context.slots * d * BF_LANES; i++) z[i] = s->z[i / BF_LANES];
  for (int t = 0; t < s->depth; t++) {
    for (int i = 0; i < p * BF_LANES; i++)
      parameters[i] = number_at(s, s->value[t * p + i / BF_LANES], s->variable[t * p + i / BF_LANES], xi, i % BF_LANES);
    bf_layer_apply(&s->layer, &s->context, parameters, z, z, work);
  }
  for (int l = 0; l < BF_LANES; l++) {
    readout_at(s, xi, l, readout);
    cost.matrix = readout;
    cost.bias   = readout + CLASSES * d;
    need(bf_terminal_cost(&cost, 0, &s->context, BF_LANES, z, all, &error), &error);
    loss[l] = all[l];
  }
}

static void logits(const Sample *s, const double readout[], const long double r[], int label, double x[]) {
  const int d = s->layer.dim;
  for (int c = 0; c < CLASSES; c++) {
    long double sum = (long double)readout[CLASSES * d + c] - readout[CLASSES * d + label];
    for (int a = 0; a < d; a++) sum += ((long double)readout[c * d + a] - readout[label * d + a]) * r[a];
    if (c != label) x[c - (c > label)] = (double)sum;
  }
}

/* Whether tag g is among those that are pooled. */
static int is_pooled(const Sample *s, int g) {
  const int *position = s->context.position, last = position[s->context.tags - 1];
  if (s->pooled.pooling == BF_POOL_MEAN) return 1;
  return position[g] == (s->pooled.pooling == BF_POOL_LAST ? last : position[0]);
}

void sample_features(const Sample *s, const double *xi, const double *z, int l, double x[]) {
  const BfContext  *context        = &s->context;
  const BfCostKind *kind           = s->cost.kind;
  const int         d              = s->layer.dim;
  long double       mean[MOST_DIM] = {0}, r[MOST_DIM], mass = 0;
  double            readout[READOUT];
  readout_at(s, xi, l, readout);
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      const double weight = is_pooled(s, g) ? context->mass[g] : 0;
      mass += weight;
      for (int a = 0; a < d; a++) {
        r[a] = z[(i * d + a) * BF_LANES + l];
        mean[a] += weight * r[a];
        if (kind->needs_target) x[i * d + a] = (double)r[a];
      }
      if (kind->has_readout && !kind->represent) logits(s, readout, r, context->label[g], x + i * (CLASSES - 1));
    }
  for (int a = 0; a < d; a++) mean[a] /= mass;
  if (kind->represent) logits(s, readout, mean, context->label[0], x);
}
