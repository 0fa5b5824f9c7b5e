/* Layers and costs by chance over boxes by chance: what the program itself computes at points of the box must be within
 * the forms and the ranges, of tokens and of features, the cost not below its support, nor above `upper`, which
 * touch where the support was asked for. Points are
 * drawn, at corners and inside, then moved, coordinate by coordinate, towards whatever is nearest to being wrong. */
#include "sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NUMBERS = MOST_TOKENS * MOST_DIM, BOXES = 12000, ROUNDS = 16 };

typedef struct {
  Sample      s;
  BfFormSpace space;
  int         tokens, features; /* numbers of tokens */
  BfAffine   *parameters, *z, *next, *feature;
  char        wanted[MOST_TOKENS]; /* of the last layer: what the cost reads, or all */
  double      high;                /* of the cost */
  double      K, g[MOST_NUMBERS];
  double      apart; /* of the two where the support was asked for */
} Box;

static char arena[1 << 20] __attribute__((aligned(64)));

static void form_numbers(const Box *b, int count, const double value[], const int variable[], BfAffine *forms) {
  for (int i = 0; i < count; i++) {
    BfAffine *x = bf_affine_at(&b->space, forms, i);
    const int k = variable[i];
    if (k >= 0) bf_affine_variable(&b->space, k, b->s.lower[k], b->s.upper[k], x);
    else bf_affine_constant(&b->space, value[i], x);
  }
}

static void form_cost(Box *b, BfAffine *work) {
  const BfCost     *cost = &b->s.cost;
  const int         d = cost->dim, numbers = CLASSES * (d + 1);
  double            low[MOST_NUMBERS], high[MOST_NUMBERS], x0[MOST_NUMBERS];
  const BfCostBound call = {.space   = &b->space,
                            .cost    = cost,
                            .context = &b->s.context,
                            .matrix  = work,
                            .bias    = bf_affine_at(&b->space, work, (int64_t)CLASSES * d),
                            .work    = bf_affine_at(&b->space, work, numbers)};
  form_numbers(b, numbers, b->s.readout, b->s.readout_variable, work);
  cost->kind->bound(&call, b->z, b->feature);
  for (int f = 0; f < b->features; f++) {
    const BfAffine *x = bf_affine_at(&b->space, b->feature, f);
    low[f]            = x->lower;
    high[f]           = x->upper;
    x0[f]             = x->c + both_sides() * x->radius;
  }
  b->high  = cost->kind->upper(cost, &b->s.context, low, high);
  b->K     = cost->kind->support(cost, &b->s.context, x0, b->g);
  b->apart = cost->kind->upper(cost, &b->s.context, x0, x0) - b->K;
  for (int f = 0; f < b->features; f++) b->apart -= b->g[f] * x0[f];
}

/* Components of the data that are equal. */
static const char *find_constant(const Sample *s, char constant[]) {
  const int d = s->layer.dim;
  memset(constant, 1, (size_t)d);
  for (int i = 0; i < s->context.slots * d; i++) constant[i % d] &= s->z[i] == s->z[i % d];
  return constant;
}

static void box_create(Box *b, int number) {
  sample_create(&b->s, number, 9 * uniform());
  b->space           = bf_form_space(b->s.variables);
  b->tokens          = b->s.context.slots * b->s.layer.dim;
  b->features        = b->s.cost.kind->features(&b->s.cost, &b->s.context);
  b->parameters      = (BfAffine *)arena;
  b->z               = bf_affine_at(&b->space, b->parameters, b->s.layer.parameters);
  b->next            = bf_affine_at(&b->space, b->z, b->tokens);
  b->feature         = bf_affine_at(&b->space, b->next, b->tokens);
  BfAffine    *work  = bf_affine_at(&b->space, b->feature, b->features);
  BfLayerBound bound = {
      .space = &b->space, .layer = &b->s.layer, .context = &b->s.context, .parameters = b->parameters};
  int  like[MOST_TOKENS];
  char constant[MOST_DIM];
  bf_layer_alike(&b->s.layer, &b->s.context, b->s.z, like);
  if (among(4)) bound.like = like;
  if (among(2)) bound.constant = find_constant(&b->s, constant);
  for (int i = 0; i < b->tokens; i++) bf_affine_constant(&b->space, b->s.z[i], bf_affine_at(&b->space, b->z, i));
  memset(b->wanted, 1, sizeof b->wanted);
  if (among(2)) b->s.cost.kind->reads(&b->s.cost, &b->s.context, b->wanted);
  for (int t = 0; t < b->s.depth; t++) {
    if (t == b->s.depth - 1) bound.wanted = b->wanted;
    const int p    = b->s.layer.parameters;
    BfAffine *swap = b->z;
    form_numbers(b, p, b->s.value + t * p, b->s.variable + t * p, b->parameters);
    bf_layer_bound(&bound, b->z, b->next, work);
    b->z    = b->next;
    b->next = swap;

    bound.constant = NULL;
  }
  form_cost(b, work);
}

/* How far x is inside of what the form says, as a part of that; below 0: outside, by more than the program's own
 * rounding. */
static double inside(const Box *b, const BfAffine *form, const double *xi, int l, double x) {
  double rest = form->e, at = form->c, size = fabs(form->c) + fabs(x) + 1;
  for (int k = 0; k < b->space.n; k++) {
    at += bf_affine_slope(form)[k] * xi[k * BF_LANES + l];
    rest += bf_affine_rest(&b->space, form)[k];
    size += fabs(bf_affine_slope(form)[k]);
  }
  const double off = 1e-12 * size, room = fmin(x - form->lower, form->upper - x) + off;
  if (!(rest < INFINITY)) return room;
  return fmin(room, rest - fabs(x - at) + off) / (rest + off);
}

/* The least of all that the box says, at lane l. */
static double worst(const Box *b, const double *xi, const double *z, double loss, int l) {
  double least = INFINITY, x[MOST_NUMBERS], support = b->K, size = fabs(loss) + fabs(b->K);
  sample_features(&b->s, xi, z, l, x);
  for (int i = 0; i < b->tokens; i++)
    if (b->wanted[i / b->s.layer.dim])
      least = fmin(least, inside(b, bf_affine_at(&b->space, b->z, i), xi, l, z[i * BF_LANES + l]));
  for (int f = 0; f < b->features; f++) {
    least = fmin(least, inside(b, bf_affine_at(&b->space, b->feature, f), xi, l, x[f]));
    support += b->g[f] * x[f];
    size += fabs(b->g[f] * x[f]);
  }
  const double off = 1e-12 * size;
  if (!(b->apart <= 1e-11 * (1 + fabs(b->K)) || b->K < -1e3)) return -1;
  return fmin(least, fmin(loss - support + off, b->high - loss + off));
}

static double look(Box *b, const double *xi, int *lane) {
  static double z[MOST_NUMBERS * BF_LANES] __attribute__((aligned(64)));
  double        loss[BF_LANES], least = INFINITY;
  sample_run(&b->s, xi, z, loss);
  for (int l = 0; l < BF_LANES; l++) {
    const double here = worst(b, xi, z, loss[l], l);
    if (here >= least) continue;
    least = here;
    *lane = l;
  }
  return least;
}

static void draw(const Box *b, double *xi) {
  for (int k = 0; k < b->space.n * BF_LANES; k++) xi[k] = among(3) ? 2 * among(2) - 1 : both_sides();
}

/* From the worst lane on, each other lane with one coordinate changed. */
static void move(const Box *b, double *xi, int lane) {
  for (int l = 0; l < BF_LANES; l++)
    for (int k = 0; k < b->space.n; k++) xi[k * BF_LANES + l] = xi[k * BF_LANES + lane];
  for (int l = 0; l < BF_LANES && b->space.n; l++) {
    double *x = &xi[among(b->space.n) * BF_LANES + l];
    if (l != lane) *x = among(2) ? both_sides() : fmax(-1, fmin(1, *x + 0.2 * both_sides()));
  }
}

static double attack(Box *b) {
  double least = INFINITY, xi[MOST_VARIABLES * BF_LANES] = {0};
  int    lane = 0;
  for (int round = 0; round < ROUNDS; round++) {
    if (round % (ROUNDS / 2) == 0) draw(b, xi);
    else move(b, xi, lane);
    least = fmin(least, look(b, xi, &lane));
  }
  return least;
}

/* All entries or none; wasserstein alone has none. */
static int kinds_are_whole(void) {
  static const char *const names[] = {"pooled_cross_entropy", "token_cross_entropy", "squared_error", "hinge",
                                      "wasserstein"};
  for (int k = 0; k < 5; k++) {
    const BfCostKind *kind = bf_cost_kind(names[k]);
    const int         has  = !!kind->features + !!kind->bound + !!kind->support + !!kind->upper + !!kind->reads;
    if (has != (k < 4 ? 5 : 0)) return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  const int boxes = argc > 1 ? BOXES / 20 : BOXES;
  (void)argv;
  int64_t known = 0;
  int     wrong = 0;
  seed(3);
  for (int number = 0; number < boxes; number++) {
    static Box b;
    box_create(&b, number);
    const BfLayer *layer = &b.s.layer;
    const double   least = attack(&b);
    for (int i = 0; i < b.tokens; i++)
      if (b.wanted[i / layer->dim]) known += bf_affine_at(&b.space, b.z, i)->radius < 1e3;
    if (!(least >= 0) && wrong++ < 10)
      printf("# box %d: outside by %g: N %s, P %s, %d heads, %d tokens, depth %d, cost %s\n", number, least,
             layer->norm->base.name, layer->projection->base.name, layer->heads, b.s.context.slots, b.s.depth,
             b.s.cost.kind->base.name);
    sample_clear(&b.s);
  }
  printf("1..3\n%sok 1 - of %d boxes, %d points each, %d have some outside\n", wrong ? "not " : "", boxes,
         ROUNDS * BF_LANES, wrong);
  printf("%sok 2 - of %" PRId64 " numbers of tokens most are bounded\n", known > 2 * (int64_t)boxes ? "" : "not ",
         known);
  printf("%sok 3 - costs have all entries or none\n", kinds_are_whole() ? "" : "not ");
  return wrong > 0 || known <= 2 * (int64_t)boxes || !kinds_are_whole();
}
