/* Layers and costs by chance over boxes by chance: what the program itself computes at points of the box must be within
 * the forms and the ranges, the cost not below its support, nor above `upper`. Points are drawn, at corners and inside,
 * then moved, coordinate by coordinate, towards whatever is nearest to being wrong. */
#include "sample.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBERS = MOST_TOKENS * 3, BOXES = 3000, FORMS = 4096 };

typedef struct {
  Sample      s;
  BfFormSpace space;
  int         tokens, features; /* numbers of tokens */
  BfAffine   *parameters, *z, *next, *feature;
  double      low, high; /* of the cost */
  double      K, g[MOST_NUMBERS];
} Box;

static char arena[4 << 20] __attribute__((aligned(64)));

static void form_parameters(Box *b, int t) {
  const int p = b->s.layer.parameters;
  for (int i = 0; i < p; i++) {
    BfAffine *x = bf_affine_at(&b->space, b->parameters, i);
    const int k = b->s.variable[t * p + i];
    if (k >= 0) bf_affine_variable(&b->space, k, b->s.lower[k], b->s.upper[k], x);
    else bf_affine_constant(&b->space, b->s.value[t * p + i], x);
  }
}

static void form_cost(Box *b) {
  const BfCost *cost = &b->s.cost;
  const int     d    = cost->dim;
  BfAffine     *R = bf_affine_at(&b->space, b->feature, b->features), *bias = bf_affine_at(&b->space, R, 9);
  double        low[MOST_NUMBERS], high[MOST_NUMBERS], x0[MOST_NUMBERS];
  for (int i = 0; i < 3 * d; i++) bf_affine_constant(&b->space, cost->matrix[i], bf_affine_at(&b->space, R, i));
  for (int c = 0; c < 3; c++) bf_affine_constant(&b->space, cost->bias[c], bf_affine_at(&b->space, bias, c));
  const BfCostBound call = {.space   = &b->space,
                            .cost    = cost,
                            .context = &b->s.context,
                            .matrix  = R,
                            .bias    = bias,
                            .work    = bf_affine_at(&b->space, bias, 3)};
  cost->kind->bound(&call, b->z, b->feature);
  for (int f = 0; f < b->features; f++) {
    const BfAffine *x = bf_affine_at(&b->space, b->feature, f);
    low[f]            = x->lower;
    high[f]           = x->upper;
    x0[f]             = x->c + both_sides() * x->radius;
  }
  b->high = cost->kind->upper(cost, &b->s.context, low, high);
  b->K    = cost->kind->support(cost, &b->s.context, x0, b->g);
}

static void box_create(Box *b, int number) {
  sample_create(&b->s, number, 9 * uniform());
  b->space                = bf_form_space(b->s.variables);
  b->tokens               = b->s.context.slots * b->s.layer.dim;
  b->features             = b->s.cost.kind->features(&b->s.cost, &b->s.context);
  b->parameters           = (BfAffine *)arena;
  b->z                    = bf_affine_at(&b->space, b->parameters, b->s.layer.parameters);
  b->next                 = bf_affine_at(&b->space, b->z, b->tokens);
  b->feature              = bf_affine_at(&b->space, b->next, b->tokens);
  BfAffine          *work = bf_affine_at(&b->space, b->feature, 64);
  const BfLayerBound call = {
      .space = &b->space, .layer = &b->s.layer, .context = &b->s.context, .parameters = b->parameters};
  for (int i = 0; i < b->tokens; i++) bf_affine_constant(&b->space, b->s.z[i], bf_affine_at(&b->space, b->z, i));
  for (int t = 0; t < b->s.depth; t++) {
    BfAffine *swap = b->z;
    form_parameters(b, t);
    bf_layer_bound(&call, b->z, b->next, work);
    b->z    = b->next;
    b->next = swap;
  }
  form_cost(b);
}

/* How far x is inside of what the form says, in its own size; below 0: outside. */
static double inside(const Box *b, const BfAffine *form, const double *xi, int l, double x) {
  double rest = form->e, at = form->c, size = fabs(form->c) + fabs(x) + 1;
  for (int k = 0; k < b->space.n; k++) {
    at += bf_affine_slope(form)[k] * xi[k * BF_LANES + l];
    rest += bf_affine_rest(&b->space, form)[k];
    size += fabs(bf_affine_slope(form)[k]);
  }
  if (!(rest < INFINITY)) return fmin(x - form->lower, form->upper - x);
  const double room = rest - fabs(x - at);
  return fmin(room, fmin(x - form->lower, form->upper - x)) / (rest + 1e-11 * size) +
         1e-11 * size / (rest + 1e-11 * size);
}

/* The least of all that the box says, at lane l. */
static double worst(const Box *b, const double *xi, const double *z, const double *loss, int l, int *which) {
  double least = INFINITY;
  for (int i = 0; i < b->tokens; i++) {
    const double here = inside(b, bf_affine_at(&b->space, b->z, i), xi, l, z[i * BF_LANES + l]);
    if (!(here >= least)) {
      least  = here;
      *which = i;
    }
  }
  const double off = 1e-11 * (1 + fabs(loss[l]));
  if (!(b->high - loss[l] + off >= 0)) return -1;
  return least;
}

static double look(Box *b, const double *xi, int *lane, int *which) {
  double        loss[BF_LANES], least = INFINITY;
  static double z[MOST_NUMBERS * BF_LANES] __attribute__((aligned(64)));
  BfError       error = {0};
  sample_run(&b->s, xi, z);
  if (bf_terminal_cost(&b->s.cost, 0, &b->s.context, BF_LANES, z, loss, &error) != BF_OK) exit(99);
  for (int l = 0; l < BF_LANES; l++) {
    int          at   = 0;
    const double here = worst(b, xi, z, loss, l, &at);
    if (here < least) {
      least  = here;
      *lane  = l;
      *which = at;
    }
  }
  return least;
}

static void draw(const Box *b, double *xi) {
  for (int k = 0; k < b->space.n * BF_LANES; k++) xi[k] = among(3) ? (among(2) ? 1 : -1) : both_sides();
}

/* From the worst lane on, each lane with one coordinate changed. */
static void move(const Box *b, double *xi, int lane) {
  for (int l = 0; l < BF_LANES; l++) {
    for (int k = 0; k < b->space.n; k++) xi[k * BF_LANES + l] = xi[k * BF_LANES + lane];
  }
  for (int l = 0; l < BF_LANES && b->space.n; l++) {
    if (l == lane) continue;
    double *x = &xi[among(b->space.n) * BF_LANES + l];
    *x        = among(2) ? both_sides() : fmax(-1, fmin(1, *x + 0.2 * both_sides()));
  }
}

int main(void) {
  int    wrong = 0;
  double least = INFINITY, xi[MOST_VARIABLES * BF_LANES] = {0};
  seed(3);
  for (int number = 0; number < BOXES; number++) {
    Box b;
    int lane = 0, which = 0;
    box_create(&b, number);
    for (int round = 0; round < 12; round++) {
      if (round % 6 == 0) draw(&b, xi);
      else move(&b, xi, lane);
      const double here = look(&b, xi, &lane, &which);
      least             = fmin(least, here);
      if (!(here >= 0) && wrong++ < 10)
        printf("# box %d: number %d outside: %g (N %s, P %s, %d heads, %d tokens, depth %d, cost %s)\n", number, which,
               here, b.s.layer.norm->base.name, b.s.layer.projection->base.name, b.s.layer.heads, b.s.context.slots,
               b.s.depth, b.s.cost.kind->base.name);
      if (!(here >= 0)) break;
    }
    sample_clear(&b.s);
  }
  printf("1..1\n%sok 1 - %d boxes, nearest %g\n", wrong ? "not " : "", BOXES, least);
  return wrong > 0;
}
