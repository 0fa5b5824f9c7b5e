/* One layer, z+ = P(r z + eps v), against a plain evaluation of its definition; the same bits in every lane.
 * (Instruction sets against one another: tests/kernel.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bellformer/splitmix64.h"
#include "plain.h"

enum { MOST_SLOTS = 16, MOST_PARAMETERS = 512, POSITIONS = 4 };

typedef struct {
  LayerCase layer;
  int       tags, atoms[4], position[4];
  double    scale; /* of the parameters */
  int       encoded;
} Case;

static const Case cases[] = {
    {{2, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL}, 1, {1}, {0}, 1, 0},
    {{2, 1, 1, 0.5, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL}, 3, {2, 1, 3}, {0, 1, 1}, 1, 1},
    {{2, 3, 0, 2, BF_MASK_CAUSAL, &bf_project_clip, "relu", 3, NULL}, 3, {1, 1, 1}, {0, 1, 2}, 1, 1},
    {{1, 2, 1, 1, BF_MASK_CAUSAL, &bf_project_clip, "gelu", 2, NULL}, 2, {3, 2}, {0, 2}, 1, 1},
    {{3, 2, 1, 1, BF_MASK_FULL, &bf_project_sphere, "tanh", 4, NULL}, 4, {1, 2, 1, 4}, {0, 0, 1, 3}, 1, 0},
    {{5, 1, 1, 1, BF_MASK_FULL, &bf_project_sphere, NULL, 0, NULL}, 2, {4, 4}, {0, 1}, 1, 1},
    {{2, 0, 1, 1, BF_MASK_FULL, &bf_project_clip, "gelu", 5, NULL}, 2, {2, 2}, {0, 1}, 1, 0},
    {{2, 1, 1, 1, BF_MASK_FULL, &bf_project_clip, NULL, 0, NULL}, 3, {2, 1, 3}, {0, 1, 1}, 1e5, 0},
    {{4, 2, 0, 1e150, BF_MASK_CAUSAL, &bf_project_clip, NULL, 0, NULL}, 2, {3, 3}, {0, 1}, 1e5, 1},
    /* |z|^2 overflows, underflows */
    {{3, 1, 1, 1e-200, BF_MASK_FULL, &bf_project_sphere, NULL, 0, NULL}, 2, {2, 2}, {0, 1}, 1e200, 0},
    {{2, 1, 0, 1, BF_MASK_FULL, &bf_project_sphere, NULL, 0, NULL}, 2, {2, 2}, {0, 1}, 1e-200, 0},
    {{2, 1, 1, 0.5, BF_MASK_FULL, &bf_project_clip, NULL, 0, &bf_norm_rms}, 3, {2, 1, 3}, {0, 1, 1}, 1, 1},
    {{3, 2, 0, 2, BF_MASK_CAUSAL, &bf_project_none, "relu", 3, &bf_norm_layer}, 3, {1, 2, 1}, {0, 1, 2}, 1, 1},
    {{1, 1, 1, 1, BF_MASK_FULL, &bf_project_none, "gelu", 2, &bf_norm_rms}, 2, {3, 2}, {0, 2}, 1, 0},
    {{5, 2, 1, 1, BF_MASK_FULL, &bf_project_sphere, "tanh", 2, &bf_norm_layer}, 2, {2, 2}, {0, 1}, 1, 1},
    {{4, 1, 1, 1, BF_MASK_FULL, &bf_project_none, NULL, 0, NULL}, 2, {2, 2}, {0, 1}, 9, 0},
    {{2, 0, 1, 1, BF_MASK_FULL, &bf_project_clip, "tanh", 5, &bf_norm_layer}, 2, {2, 2}, {0, 1}, 1, 0},
    {{2, 1, 1, 1, BF_MASK_FULL, &ball, NULL, 0, NULL}, 3, {2, 1, 3}, {0, 1, 1}, 2, 1},
    {{7, 2, 1, 1, BF_MASK_CAUSAL, &ball, "relu", 3, &bf_norm_rms}, 3, {1, 2, 1}, {0, 1, 2}, 1, 1},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct {
  BfLayer   layer;
  BfContext context;
  int       first[5], position[4];
  double    mass[4];
  double    parameters[MOST_PARAMETERS * BF_LANES] __attribute__((aligned(64)));
  double    z[MOST_SLOTS * BF_MOST_DIM * BF_LANES] __attribute__((aligned(64)));
} Setup;

static uint64_t seed = 1;

static Setup *setup(const Case *c) {
  Setup *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);
  *s       = (Setup){.layer = make_layer(&c->layer, c->encoded ? POSITIONS : 0, 1.4, &seed)};
  assert_true(s->layer.parameters <= MOST_PARAMETERS);
  for (int i = 0; i < s->layer.parameters * BF_LANES; i++) s->parameters[i] = c->scale * 1.5 * uniform(&seed);
  s->context =
      (BfContext){.tags = c->tags, .first = s->first, .position = s->position, .mass = s->mass, .length = POSITIONS};
  for (int g = 0; g < c->tags; g++) {
    s->first[g + 1] = s->first[g] + c->atoms[g];
    s->position[g]  = c->position[g];
    s->mass[g]      = 1 + 0.5 * g;
    s->context.tokens += c->atoms[g] * s->mass[g];
  }
  s->context.slots = s->first[c->tags];
  for (int i = 0; i < s->context.slots * s->layer.dim * BF_LANES; i++) s->z[i] = 1.2 * uniform(&seed);
  return s;
}

static void clear(Setup *s) {
  bf_layer_clear(&s->layer);
  free(s);
}

/* What stands in lane 0. */
static Tokens tokens_of(const Setup *s, double parameters[]) {
  Tokens x = {.n = s->context.slots, .parameters = parameters};
  for (int p = 0; p < s->layer.parameters; p++) parameters[p] = s->parameters[p * BF_LANES];
  for (int i = 0; i < x.n * s->layer.dim; i++) x.z[i] = s->z[i * BF_LANES];
  for (int g = 0; g < s->context.tags; g++)
    for (int i = s->first[g]; i < s->first[g + 1]; i++) {
      x.position[i] = s->position[g];
      x.mass[i]     = s->mass[g];
    }
  return x;
}

static double *apply(const Setup *s) {
  BfError error = {0};
  double *next  = bf_calloc(s->context.slots * s->layer.dim * BF_LANES, sizeof *next, &error);
  double *work  = bf_calloc(bf_layer_work(&s->layer, &s->context), sizeof *work, &error);
  bf_layer_apply(&s->layer, &s->context, s->parameters, s->z, next, work);
  bf_free(work);
  return next;
}

static void the_definition(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) {
    Setup       *s    = setup(&cases[k]);
    double      *next = apply(s), expected[BF_MOST_DIM], parameters[MOST_PARAMETERS];
    const Tokens x    = tokens_of(s, parameters);
    for (int i = 0; i < s->context.slots; i++) {
      plain_image(&s->layer, &x, i, expected);
      for (int a = 0; a < s->layer.dim; a++)
        if (!(fabs(next[(i * s->layer.dim + a) * BF_LANES] - expected[a]) <= 1e-12))
          fail_msg("case %d, slot %d: %.17g, by definition %.17g", k, i, next[(i * s->layer.dim + a) * BF_LANES],
                   expected[a]);
    }
    bf_free(next);
    clear(s);
  }
}

static int same_bits(const double *x, const double *y, int count) { return !memcmp(x, y, sizeof *x * (size_t)count); }

/* Every lane gives what it would give in lane 0. */
static void lanes_are_alike(void **state) {
  (void)state;
  for (int k = 0; k < CASES; k++) {
    Setup    *s     = setup(&cases[k]);
    const int count = s->context.slots * s->layer.dim;
    double   *next  = apply(s);
    for (int lane = 1; lane < BF_LANES; lane++) {
      for (int i = 0; i < s->layer.parameters; i++) s->parameters[i * BF_LANES] = s->parameters[i * BF_LANES + lane];
      for (int i = 0; i < count; i++) s->z[i * BF_LANES] = s->z[i * BF_LANES + lane];
      double *alone = apply(s);
      for (int i = 0; i < count; i++) assert_true(same_bits(&alone[i * BF_LANES], &next[i * BF_LANES + lane], 1));
      bf_free(alone);
    }
    bf_free(next);
    clear(s);
  }
}

/* The same law with every atom as many slots as it stands for; into z, first. */
static BfContext one_by_one(const Setup *s, const int times[], double *z, int first[]) {
  const int each = s->layer.dim * BF_LANES;
  BfContext all  = s->context;
  all.slots      = 0;
  for (int g = 0; g < all.tags; g++) {
    first[g] = all.slots;
    for (int i = s->first[g]; i < s->first[g + 1]; i++)
      for (int n = 0; n < times[i]; n++)
        memcpy(z + (int64_t)each * all.slots++, s->z + (int64_t)each * i, sizeof *z * (size_t)each);
  }
  first[all.tags] = all.slots;
  all.first       = first;
  return all;
}

/* A slot that stands for several equal atoms: the bits of that many slots up to BF_MOST_REPEATED, and beyond the same
 * but for rounding. */
static void equal_atoms_in_one_slot(void **state) {
  (void)state;
  for (int k = 0; k < 2 * CASES; k++) {
    const int most  = k < CASES ? BF_MOST_REPEATED : 2 * BF_MOST_REPEATED;
    Setup    *s     = setup(&cases[k % CASES]);
    BfError   error = {0};
    int       times[MOST_SLOTS], first[5];
    for (int i = 0; i < s->context.slots; i++) times[i] = 1 + (int)(bf_splitmix64(&seed) % (unsigned)most);
    times[0]             = most;
    double         *z    = bf_calloc((int64_t)s->context.slots * most * s->layer.dim * BF_LANES, sizeof *z, &error);
    const BfContext all  = one_by_one(s, times, z, first);
    double         *work = bf_calloc(bf_layer_work(&s->layer, &all), sizeof *work, &error);
    bf_layer_apply(&s->layer, &all, s->parameters, z, z, work);
    s->context.times = times;
    double *next     = apply(s);
    for (int i = 0, at = 0; i < s->context.slots; at += times[i++])
      for (int n = 0; n < times[i]; n++)
        for (int c = 0; c < s->layer.dim * BF_LANES; c++) {
          const double x = next[i * s->layer.dim * BF_LANES + c], y = z[(at + n) * s->layer.dim * BF_LANES + c];
          assert_true(k < CASES ? x == y : fabs(x - y) <= 1e-12 * fmax(1, fabs(y)));
        }
    bf_free(next);
    bf_free(work);
    bf_free(z);
    clear(s);
  }
}

/* In place, as the rollout uses it. */
static void in_place(void **state) {
  (void)state;
  Setup  *s     = setup(&cases[2]);
  BfError error = {0};
  double *next = apply(s), *work = bf_calloc(bf_layer_work(&s->layer, &s->context), sizeof *work, &error);
  bf_layer_apply(&s->layer, &s->context, s->parameters, s->z, s->z, work);
  assert_true(same_bits(next, s->z, s->context.slots * s->layer.dim * BF_LANES));
  bf_free(work);
  bf_free(next);
  clear(s);
}

/* full: row-major; diagonal, scalar, skew as named; fixed takes no free number. */
static void forms(void **state) {
  BfLayer layer = {.dim = 2, .heads = 2, .width = 0};
  BfError error = {0};
  double  out[16], u[] = {1, 2, 3, 4, 5, 6, 7};
  (void)state;
  assert_int_equal(bf_layer_matrices(&layer, &error), BF_OK);
  layer.matrix[0].form  = bf_form("full");
  layer.matrix[1].form  = bf_form("diagonal");
  layer.matrix[2].form  = bf_form("skew");
  layer.matrix[3].form  = bf_form("fixed");
  layer.matrix[3].value = bf_calloc(4, sizeof(double), &error);
  for (int i = 0; i < 4; i++) layer.matrix[3].value[i] = 10 + i;
  assert_int_equal(bf_layer_place(&layer, &error), BF_OK);
  assert_int_equal(layer.free, 7);
  bf_layer_expand(&layer, u, out, 1);
  const double expected[] = {1, 2, 3, 4, 5, 0, 0, 6, 0, -7, 7, 0, 10, 11, 12, 13};
  assert_true(same_bits(out, expected, 16));
  bf_layer_clear(&layer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_definition), cmocka_unit_test(lanes_are_alike), cmocka_unit_test(equal_atoms_in_one_slot),
      cmocka_unit_test(in_place),       cmocka_unit_test(forms),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
