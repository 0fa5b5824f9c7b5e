/* Layers by chance over boxes by chance in which logits are variables, too: at points of the box whose logits are in
 * their ranges, tokens after all layers are within their forms at (xi, logits), each logit is in what is left of its
 * range, and 0 within its coupling. What a logit is, is written here once more, from its definition. Points are drawn
 * about one that the ranges are laid around. */
#include "sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LOGITS = 12, BOXES = 10000, ROUNDS = 6, NUMBERS = MOST_TOKENS * MOST_DIM };

typedef struct {
  Sample       s;
  BfFormSpace  space;
  int          tokens, logits; /* numbers of tokens; logits of a layer */
  BfLogitRange logit[MOST_LAYERS][MOST_LOGITS];
  BfAffine    *parameters, *z, *next;
} Box;

static char arena[1 << 20] __attribute__((aligned(64)));

/* ---- a logit, from its definition -------------------------------------------------------------------------------- */

static double number_at(const Sample *s, int i, const double *xi, int l) {
  const int k = s->variable[i];
  if (k < 0) return s->value[i];
  return 0.5 * s->lower[k] + 0.5 * s->upper[k] + 0.5 * (s->upper[k] - s->lower[k]) * xi[k * BF_LANES + l];
}

static int tag_of(const BfContext *context, int slot) {
  int g = 0;
  while (context->first[g + 1] <= slot) g++;
  return g;
}

/* N(z) + e_p of a slot in lane l. */
static void see(const Sample *s, const double *z, int slot, int l, double out[]) {
  const BfLayer *layer = &s->layer;
  const int      d = layer->dim, position = s->context.position[tag_of(&s->context, slot)];
  double         mean = 0, square = 0;
  for (int a = 0; a < d; a++) out[a] = z[(slot * d + a) * BF_LANES + l];
  for (int a = 0; layer->norm == &bf_norm_layer && a < d; a++) mean += out[a] / d;
  for (int a = 0; a < d; a++) square += (out[a] - mean) * (out[a] - mean) / d;
  for (int a = 0; a < d; a++) {
    if (layer->norm != &bf_norm_none) out[a] = (out[a] - mean) / sqrt(square + 1e-5);
    out[a] += layer->encoding ? layer->encoding[position * d + a] : 0;
  }
}

static double logit_at(const Sample *s, int t, const BfLogitRange *of, const double *xi, const double *z, int l) {
  const BfLayer *layer = &s->layer;
  const int      d = layer->dim, at = t * layer->parameters + layer->attention[2 * of->head].at;
  double         query[MOST_DIM], key[MOST_DIM], sum = 0;
  see(s, z, of->query, l, query);
  see(s, z, of->key, l, key);
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) sum += query[a] * number_at(s, at + a * d + b, xi, l) * (key[b] - query[b]);
  const double *mass = s->context.mass;
  return layer->beta * sum + log(mass[tag_of(&s->context, of->key)] / mass[tag_of(&s->context, of->query)]);
}

/* Tokens before layer t; t = depth: behind the last. */
static void run(const Sample *s, const double *xi, int t, double *z) {
  Sample part = *s;
  double loss[BF_LANES];
  part.depth = t;
  sample_run(&part, xi, z, loss);
}

/* ---- boxes ------------------------------------------------------------------------------------------------------- */

static void form_parameters(const Box *b, int t) {
  const int p = b->s.layer.parameters;
  for (int i = 0; i < p; i++) {
    BfAffine *x = bf_affine_at(&b->space, b->parameters, i);
    const int k = b->s.variable[t * p + i];
    if (k >= 0) bf_affine_variable(&b->space, k, b->s.lower[k], b->s.upper[k], x);
    else bf_affine_constant(&b->space, b->s.value[t * p + i], x);
  }
}

static BfAffine *place(Box *b, int variables) {
  b->space      = bf_form_space(variables);
  b->tokens     = b->s.context.slots * b->s.layer.dim;
  b->parameters = (BfAffine *)arena;
  b->z          = bf_affine_at(&b->space, b->parameters, b->s.layer.parameters);
  b->next       = bf_affine_at(&b->space, b->z, b->tokens);
  for (int i = 0; i < b->tokens; i++) bf_affine_constant(&b->space, b->s.z[i], bf_affine_at(&b->space, b->z, i));
  return bf_affine_at(&b->space, b->next, b->tokens);
}

static void go(Box *b, int t, BfLayerBound *bound, BfAffine *work) {
  BfAffine *swap    = b->z;
  bound->space      = &b->space;
  bound->layer      = &b->s.layer;
  bound->context    = &b->s.context;
  bound->parameters = b->parameters;
  form_parameters(b, t);
  bf_layer_bound(bound, b->z, b->next, work);
  b->z    = b->next;
  b->next = swap;
}

/* Some of the logits that a layer tells, with ranges about what they are in lane 0 at xi; some ranges are points. */
static void choose(Box *b, int t, const double *xi) {
  BfLogitRange all[MOST_TOKENS * MOST_TOKENS * 2];
  double       z[NUMBERS * BF_LANES] __attribute__((aligned(64)));
  int          told  = 0;
  BfLayerBound bound = {.logit = all, .logits = MOST_TOKENS * MOST_TOKENS * 2, .told = &told};
  BfAffine    *work  = place(b, b->s.variables);
  for (int before = 0; before < t; before++) go(b, before, &(BfLayerBound){0}, work);
  go(b, t, &bound, work);
  run(&b->s, xi, t, z);
  if (t == 0) b->logits = 0;
  for (int i = 0, kept = 0; i < told && kept < MOST_LOGITS; i++) {
    const double at = logit_at(&b->s, t, &all[i], xi, z, 0), wide = fmin(all[i].most - all[i].least, 4);
    const double off = 1e-13 * (1 + fabs(at)); /* of the program's own rounding */
    if (t == 0 && among(2)) continue;
    if (t > 0 && (kept == b->logits || all[i].head != b->logit[0][kept].head ||
                  all[i].query != b->logit[0][kept].query || all[i].key != b->logit[0][kept].key))
      continue;
    all[i].lower        = at - wide * uniform() * (among(8) ? 1 : 0) - off;
    all[i].upper        = at + wide * uniform() * (among(8) ? 1 : 0) + off;
    all[i].variable     = b->s.variables + t * MOST_LOGITS + kept;
    b->logit[t][kept++] = all[i];
    if (t == 0) b->logits = kept;
  }
}

static void box_create(Box *b, int number, const double *xi) {
  BfLayerBound bound = {0};
  for (int t = 0; t < b->s.depth; t++) choose(b, t, xi);
  (void)number;
  BfAffine *work  = place(b, b->s.variables + MOST_LAYERS * MOST_LOGITS);
  BfAffine *apart = work;
  work            = bf_affine_at(&b->space, work, (int64_t)b->s.depth * b->logits);
  for (int t = 0; t < b->s.depth; t++) {
    for (int i = 0; i < b->logits; i++) b->logit[t][i].apart = bf_affine_at(&b->space, apart, t * b->logits + i);
    bound.logit  = b->logit[t];
    bound.logits = b->logits;
    go(b, t, &bound, work);
  }
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

/* As in test_layer.c: how far x is inside, as a part of what the form leaves. */
static double inside(const Box *b, const BfAffine *form, const double xi[], double x) {
  double rest = form->e, at = form->c, size = fabs(form->c) + fabs(x) + 1;
  for (int k = 0; k < b->space.n; k++) {
    at += bf_affine_slope(form)[k] * xi[k];
    rest += bf_affine_rest(&b->space, form)[k];
    size += fabs(bf_affine_slope(form)[k]);
  }
  const double off = 1e-12 * size, room = fmin(x - form->lower, form->upper - x) + off;
  if (!(rest < INFINITY)) return room;
  return fmin(room, rest - fabs(x - at) + off) / (rest + off);
}

/* Lane l at (xi, logits), at [n]; false: its logits are not in their ranges, so that it is no point of the box. */
static bool place_point(const Box *b, const double *xi, int l, double at[], double *least) {
  static double z[NUMBERS * BF_LANES] __attribute__((aligned(64)));
  memset(at, 0, sizeof *at * (size_t)b->space.n);
  for (int k = 0; k < b->s.variables; k++) at[k] = xi[k * BF_LANES + l];
  for (int t = 0; t < b->s.depth; t++) {
    run(&b->s, xi, t, z);
    for (int i = 0; i < b->logits; i++) {
      const BfLogitRange *logit = &b->logit[t][i];
      const double        x = logit_at(&b->s, t, logit, xi, z, l), off = 1e-12 * (1 + fabs(x));
      if (!(x >= logit->lower && x <= logit->upper)) return false;
      *least      = fmin(*least, fmin(x - logit->least, logit->most - x) + off);
      BfAffine *v = bf_affine_at(&b->space, b->next, 0); /* room */
      bf_affine_variable(&b->space, logit->variable, logit->least, logit->most, v);
      const double w      = bf_affine_slope(v)[logit->variable];
      at[logit->variable] = w > 0 ? fmax(-1, fmin(1, (x - v->c) / w)) : 0;
    }
  }
  return true;
}

static double worst(const Box *b, const double *xi, int64_t *points) {
  static double z[NUMBERS * BF_LANES] __attribute__((aligned(64)));
  double        least = INFINITY, at[MOST_VARIABLES + MOST_LAYERS * MOST_LOGITS + 8];
  for (int l = 0; l < BF_LANES; l++) {
    if (!place_point(b, xi, l, at, &least)) continue;
    (*points)++;
    run(&b->s, xi, b->s.depth, z);
    for (int i = 0; i < b->tokens; i++)
      least = fmin(least, inside(b, bf_affine_at(&b->space, b->z, i), at, z[i * BF_LANES + l]));
    for (int t = 0; t < b->s.depth; t++)
      for (int i = 0; i < b->logits; i++) least = fmin(least, inside(b, b->logit[t][i].apart, at, 0));
  }
  return least;
}

/* Lane 0 stays where the ranges were laid. */
static void draw(const Box *b, const double *from, double *xi) {
  const double reach = pow(0.1, among(4));
  for (int k = 0; k < b->s.variables; k++)
    for (int l = 0; l < BF_LANES; l++) {
      const double x       = from[k * BF_LANES] + (l ? reach * both_sides() : 0);
      xi[k * BF_LANES + l] = fmax(-1, fmin(1, x));
    }
}

int main(int argc, char **argv) {
  const int boxes  = argc > 1 ? BOXES / 20 : BOXES;
  int64_t   points = 0, logits = 0, empty = 0;
  int       wrong = 0;
  (void)argv;
  seed(7);
  for (int number = 0; number < boxes; number++) {
    static Box b;
    double     from[MOST_VARIABLES * BF_LANES] = {0}, xi[MOST_VARIABLES * BF_LANES] = {0}, least = INFINITY;
    sample_create(&b.s, number, 3 * uniform());
    if (b.s.layer.heads && b.s.context.slots > 1) {
      for (int k = 0; k < b.s.variables * BF_LANES; k++) from[k] = among(3) ? both_sides() : 2 * among(2) - 1;
      box_create(&b, number, from);
      const int64_t before = points;
      for (int round = 0; round < ROUNDS && b.logits; round++) {
        draw(&b, from, xi);
        least = fmin(least, worst(&b, xi, &points));
      }
      logits += b.logits;
      empty += b.logits && points == before;
      if (!(least >= 0) && wrong++ < 10)
        printf("# box %d: outside by %g: %d heads, %d tokens, %d logits, depth %d\n", number, least, b.s.layer.heads,
               b.s.context.slots, b.logits, b.s.depth);
    }
    sample_clear(&b.s);
  }
  printf("1..2\n%sok 1 - of %" PRId64 " points of %d boxes, none is outside (%d boxes)\n", wrong ? "not " : "", points,
         boxes, wrong);
  const bool enough = logits > boxes / 2 && points > 10 * (int64_t)boxes && !empty;
  printf("%sok 2 - %" PRId64 " logits; every box has points (%" PRId64 " do not)\n", enough ? "" : "not ", logits,
         empty);
  return wrong > 0 || !enough;
}
