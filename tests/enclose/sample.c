#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
    s->label[tags]    = among(3);
    for (int a = 0; a < d; a++) s->target[tags * d + a] = both_sides();
    s->first[++tags] = i + 1;
  }
  for (int i = 0; i < tokens * d; i++) s->z[i] = both_sides();
  if (among(3) == 0)
    for (int i = d; i < tokens * d; i += d) s->z[i] = s->z[0]; /* components that cancel */
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
  s->cost                          = (BfCost){.kind     = bf_cost_kind(kinds[number % 4]),
                                              .dim      = s->layer.dim,
                                              .step     = s->layer.step,
                                              .classes  = 3,
                                              .readouts = 1,
                                              .matrix   = s->matrix,
                                              .bias     = s->bias,
                                              .contexts = 1 + among(5),
                                              .tokens   = 1 + among(9)};
  for (int i = 0; i < 9; i++) s->matrix[i] = 2 * both_sides();
  for (int c = 0; c < 3; c++) s->bias[c] = both_sides();
}

/* ---- the box ----------------------------------------------------------------------------------------------------- */

void sample_create(Sample *s, int number, double decades) {
  const int positions = MOST_TOKENS;
  *s                  = (Sample){.depth = 1 + among(MOST_LAYERS)};
  make_layer(&s->layer, number, positions);
  make_context(s);
  make_cost(s, number / 3);
  const int    p = s->depth * s->layer.parameters, wanted = 1 + among(MOST_VARIABLES);
  const double width = pow(10, -decades);
  s->value           = room(p, sizeof *s->value);
  s->variable        = room(p, sizeof *s->variable);
  for (int i = 0; i < p; i++) {
    s->value[i]    = 2 * both_sides();
    s->variable[i] = -1;
    if (s->variables >= wanted || among(p) >= 2 * wanted) continue;
    s->lower[s->variables] = s->value[i] - width * uniform();
    s->upper[s->variables] = s->lower[s->variables] + width * uniform() * (among(8) ? 1 : 0);
    s->variable[i]         = s->variables++;
  }
}

void sample_clear(Sample *s) {
  bf_layer_clear(&s->layer);
  bf_free(s->value);
  bf_free(s->variable);
}

/* ---- at points --------------------------------------------------------------------------------------------------- */

void sample_parameters(const Sample *s, int t, const double *xi, double *parameters) {
  const int p = s->layer.parameters;
  for (int i = 0; i < p; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const int k = s->variable[t * p + i];
      double    x = s->value[t * p + i];
      if (k >= 0) x = 0.5 * s->lower[k] + 0.5 * s->upper[k] + 0.5 * (s->upper[k] - s->lower[k]) * xi[k * BF_LANES + l];
      parameters[i * BF_LANES + l] = x;
    }
}

void sample_run(const Sample *s, const double *xi, double *z) {
  const int     d = s->layer.dim;
  static double work[1 << 14] __attribute__((aligned(64))), parameters[1 << 12] __attribute__((aligned(64)));
  for (int i = 0; i < s->context.slots * d * BF_LANES; i++) z[i] = s->z[i / BF_LANES];
  for (int t = 0; t < s->depth; t++) {
    sample_parameters(s, t, xi, parameters);
    bf_layer_apply(&s->layer, &s->context, parameters, z, z, work);
  }
}
