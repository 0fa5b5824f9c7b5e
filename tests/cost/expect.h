/* What the tests of the costs share: small contexts made by hand, random numbers, refusals. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "bellformer/cost.h"
#include "cost/pooling.h"
#include "cost/wasserstein.h"

enum { MAX_TAGS = 12, MAX_SLOTS = 48, MAX_DIM = 4 };

/* A context and the arrays that it borrows; it must stay where it is. */
typedef struct {
  BfContext context;
  int       first[MAX_TAGS + 1], position[MAX_TAGS], label[MAX_TAGS];
  double    mass[MAX_TAGS], target[MAX_TAGS * MAX_DIM];
} Sentence;

/* The atoms of a context in all lanes. */
typedef struct {
  double at[MAX_SLOTS * MAX_DIM * BF_LANES];
} Atoms;

/* Tags are to be added in the order of positions. */
static inline void add_tag(Sentence *s, int position, int atoms, int tokens, int label) {
  BfContext *c = &s->context;
  const int  g = c->tags++;

  *c          = (BfContext){.sequence = 7, .tags = c->tags, .slots = c->slots + atoms, .tokens = c->tokens + tokens};
  c->length   = position + 1;
  c->first    = s->first;
  c->position = s->position;
  c->mass     = s->mass;
  c->label    = s->label;
  c->target   = s->target;
  s->first[g + 1] = c->slots;
  s->position[g]  = position;
  s->mass[g]      = (double)tokens / atoms;
  s->label[g]     = label;
}

/* splitmix64 (Vigna, public domain), as a number in [low, high). */
static inline uint64_t draw_bits(uint64_t *state) {
  uint64_t r = (*state += 0x9e3779b97f4a7c15u);
  r          = (r ^ (r >> 30)) * 0xbf58476d1ce4e5b9u;
  r          = (r ^ (r >> 27)) * 0x94d049bb133111ebu;
  return r ^ (r >> 31);
}
static inline double draw(uint64_t *state, double low, double high) {
  return low + (high - low) * ((double)(draw_bits(state) >> 11) * 0x1p-53);
}
static inline int draw_below(uint64_t *state, int bound) { return (int)(draw_bits(state) % (uint64_t)bound); }

static inline void draw_atoms(uint64_t *state, const BfContext *context, int dim, Atoms *z) {
  for (int k = 0; k < context->slots * dim * BF_LANES; k++) z->at[k] = draw(state, -1, 1);
}

/* Coordinate a of slot i in a lane. */
static inline double *atom(Atoms *z, int dim, int i, int a, int lane) {
  return z->at + ((int64_t)i * dim + a) * BF_LANES + lane;
}

/* Put the same coordinates x [slots][dim] into all lanes. */
static inline void set_atoms(const double x[], int slots, int dim, Atoms *z) {
  for (int k = 0; k < slots * dim; k++)
    for (int l = 0; l < BF_LANES; l++) z->at[k * BF_LANES + l] = x[k];
}

/* |got - wanted| <= relative |wanted| + absolute; not a number fails. */
static inline void expect_near(double got, double wanted, double relative, double absolute) {
  if (fabs(got - wanted) <= relative * fabs(wanted) + absolute) return;
  print_error("got %.17g, wanted %.17g, difference %g\n", got, wanted, got - wanted);
  fail();
}

/* g_s, which must succeed. */
static inline void terminal(const BfCost *cost, const BfContext *context, const Atoms *z, double g[BF_LANES]) {
  BfError error = {0};
  assert_int_equal(bf_terminal_cost(cost, 0, context, BF_LANES, z->at, g, &error), BF_OK);
  assert_int_equal(error.status, BF_OK);
}

/* The call was refused as bad input with exactly this line; the error is then ready for the next call. */
static inline void expect_refused(BfStatus status, BfError *error, const char *line) {
  assert_int_equal(status, BF_BAD_INPUT);
  assert_int_equal(error->status, BF_BAD_INPUT);
  assert_string_equal(error->text, line);
  *error = (BfError){0};
}

#define RUN(tests) (cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests((tests), NULL, NULL))
