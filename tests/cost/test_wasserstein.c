/* W2^2 to the target measure, with positions: against all couplings of units, and against the squared error. */
#include "expect.h"

static BfCost make_cost(const char *kind, int dim, BfPositionWeight *weight, const BfContext *context) {
  BfCost cost   = {.kind = bf_cost_kind(kind), .own = weight, .dim = dim, .readouts = 1};
  cost.contexts = 1;
  cost.tokens   = context->tokens;
  assert_non_null(cost.kind);
  return cost;
}

static double value(const char *kind, int dim, double position_weight, const BfContext *context, const Atoms *z) {
  const BfCost cost = make_cost(kind, dim, &(BfPositionWeight){.weight = position_weight}, context);
  double       g[BF_LANES];
  terminal(&cost, context, z, g);
  return g[0];
}

/* x = (0, 1), y = (1, 0), p = (1/2, 1), lambda = 3/2: the swap costs 3/2 * 1/4 for both tokens, staying costs 1. */
static void tokens_change_places_where_positions_weigh_little(void **state) {
  (void)state;
  Sentence s = {0};
  Atoms    z;
  add_tag(&s, 0, 1, 1, 0);
  add_tag(&s, 1, 1, 1, 0);
  s.target[0] = 1;
  s.target[1] = 0;
  set_atoms((double[]){0, 1}, 2, 1, &z);
  assert_true(value("wasserstein", 1, 1.5, &s.context, &z) == 0.375);
  assert_true(value("squared_error", 1, 0, &s.context, &z) == 1);
  assert_true(bf_position_weight_bound(&s.context, 1) == 4); /* 1.5 exceeds (N/2) diam^2 = 1, but not this */
  assert_true(value("wasserstein", 1, 3.9999, &s.context, &z) < 1);
  assert_true(value("wasserstein", 1, 4.0001, &s.context, &z) == 1);
  assert_true(value("wasserstein", 1, 0, &s.context, &z) == 0);
}

static void the_bound_takes_the_closest_positions(void **state) {
  (void)state;
  Sentence s = {0}, one = {0};
  add_tag(&s, 1, 2, 2, 0);
  add_tag(&s, 1, 1, 1, 0);
  add_tag(&s, 5, 1, 1, 0);
  add_tag(&s, 7, 1, 1, 0);
  add_tag(&one, 3, 2, 2, 0);
  add_tag(&one, 3, 2, 2, 0);
  assert_true(bf_position_weight_bound(&s.context, 3) == 3 / (0.25 * 0.25)); /* L = 8, gap 2/8 */
  assert_true(bf_position_weight_bound(&one.context, 3) == 0);
}

/* A sentence of several tags with random targets in [-1, 1]^dim. */
static void draw_sentence(uint64_t *seed, int dim, int tags, int most_tokens, int quantized, int apart, Sentence *s) {
  int position = draw_below(seed, 2);
  *s           = (Sentence){0};
  for (int g = 0; g < tags; g++) {
    const int tokens = 1 + draw_below(seed, most_tokens);
    add_tag(s, position, quantized ? 1 + draw_below(seed, 3) : tokens, tokens, 0);
    for (int a = 0; a < dim; a++) s->target[g * dim + a] = draw(seed, -1, 1);
    position += apart + draw_below(seed, 2);
  }
}

/* Z = [-1, 1]^dim and one tag a position. */
static void it_is_the_squared_error_above_the_bound(void **state) {
  (void)state;
  uint64_t seed = 11;
  int      less = 0;
  for (int trial = 0; trial < 300; trial++) {
    const int dim = 1 + draw_below(&seed, 3);
    Sentence  s;
    Atoms     z;
    draw_sentence(&seed, dim, 2 + draw_below(&seed, 4), 3, trial % 2, 1, &s);
    draw_atoms(&seed, &s.context, dim, &z);
    const double bound = bf_position_weight_bound(&s.context, 4.0 * dim),
                 fixed = value("squared_error", dim, 0, &s.context, &z);
    expect_near(value("wasserstein", dim, 1.01 * bound, &s.context, &z), fixed, 1e-14, 0);
    const double small = value("wasserstein", dim, 0.01 * bound, &s.context, &z);
    assert_true(small <= fixed * (1 + 1e-14));
    less += small < 0.99 * fixed;
  }
  assert_true(less > 100);
}

/* The least mean over units of the ground cost, over all ways of matching `units` atoms of equal mass to targets. */
typedef struct {
  int    units;
  double ground[8][8];
} Matching;

static double least_matching(const Matching *matching, int row, unsigned taken) {
  double least = row == matching->units ? 0 : INFINITY;
  for (int k = 0; k < matching->units && row < matching->units; k++)
    if (!(taken >> k & 1u))
      least = fmin(least, matching->ground[row][k] + least_matching(matching, row + 1, taken | 1u << k));
  return least;
}

/* Split every atom, and every tag's target, into `fine` units a data token; 0 where that is not a whole number or there
 * are too many. */
static int split_into_units(const Sentence *s, int dim, double weight, Atoms *z, int lane, int fine, Matching *out) {
  const BfContext *c = &s->context;
  int              from[8], owner[8], to[8], wanted = 0;
  out->units = 0;
  if (c->tokens * fine > 7) return 0;
  for (int g = 0; g < c->tags; g++) {
    const int    atoms = c->first[g + 1] - c->first[g];
    const double each  = c->mass[g] * fine;
    if (fabs(each - round(each)) > 1e-9) return 0;
    for (int k = 0; k < (int)round(each) * atoms; k++) to[wanted++] = g;
    for (int i = c->first[g]; i < c->first[g + 1]; i++)
      for (int k = 0; k < (int)round(each); k++) {
        owner[out->units]  = g;
        from[out->units++] = i;
      }
  }
  for (int i = 0; i < out->units; i++)
    for (int j = 0; j < out->units; j++) {
      const double p = (c->position[owner[i]] + 1.0) / c->length, q = (c->position[to[j]] + 1.0) / c->length;
      out->ground[i][j] = weight * (p - q) * (p - q);
      for (int a = 0; a < dim; a++)
        out->ground[i][j] += pow(*atom(z, dim, from[i], a, lane) - s->target[to[j] * dim + a], 2);
    }
  return out->units;
}

static void it_is_the_least_over_all_couplings_of_units(void **state) {
  (void)state;
  uint64_t seed    = 12;
  int      checked = 0, split = 0;
  for (int trial = 0; trial < 400; trial++) {
    const int    dim = 1 + draw_below(&seed, 2), fine = 1 + draw_below(&seed, 3);
    const double weight = draw(&seed, 0, 20);
    Sentence     s;
    Atoms        z;
    Matching     matching;
    double       g[BF_LANES];
    const int    apart = draw_below(&seed, 2), tags = 2 + draw_below(&seed, 3); /* in this order on every machine */
    draw_sentence(&seed, dim, tags, 2, fine > 1, apart, &s);
    draw_atoms(&seed, &s.context, dim, &z);
    BfCost cost    = make_cost("wasserstein", dim, &(BfPositionWeight){.weight = weight}, &s.context);
    cost.contexts  = 3; /* g_s is the context's part of a mean over contexts */
    const int lane = draw_below(&seed, BF_LANES);
    if (!split_into_units(&s, dim, weight, &z, lane, fine, &matching)) continue;
    terminal(&cost, &s.context, &z, g);
    expect_near(g[lane], least_matching(&matching, 0, 0) / matching.units / 3, 1e-13, 1e-16);
    checked++;
    split += fine > 1;
  }
  assert_true(checked > 100 && split > 20);
}

/* At one position, positions cost nothing whatever their weight: W2^2 in one dimension is that of sorted tokens. */
static void a_population_is_matched_in_order(void **state) {
  (void)state;
  uint64_t seed = 13;
  Sentence s    = {0};
  Atoms    z;
  double   x[MAX_TAGS], sum = 0;
  for (int g = 0; g < MAX_TAGS; g++) {
    add_tag(&s, 0, 1, 1, 0);
    s.target[g] = (g ? s.target[g - 1] : -1) + draw(&seed, 0, 0.2);
    x[g]        = (g ? x[g - 1] : 0) + draw(&seed, 0, 0.1);
    sum += (x[g] - s.target[g]) * (x[g] - s.target[g]);
  }
  for (int g = 0; g < MAX_TAGS; g++) /* slots in another order: 5 and 12 have no common divisor */
    for (int l = 0; l < BF_LANES; l++) *atom(&z, 1, g, 0, l) = x[g * 5 % MAX_TAGS];
  expect_near(value("wasserstein", 1, 100, &s.context, &z), sum / MAX_TAGS, 1e-14, 0);
}

/* One token a tag and a prime number of atoms for each of the first `tags` primes. 3 * 5 * ... * 47 < 2^63 counts the
 * parts of a token for 14 of them; 16 need more. Every atom stands on the next
 * tag's target, the last on the first's. */
enum { PRIMES = 16, PRIME_SLOTS = 438 };
static BfStatus cost_of_prime_atoms(int tags, double first_mass, double g[BF_LANES], BfError *error) {
  static const int prime[PRIMES]     = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59};
  int              first[PRIMES + 1] = {0}, position[PRIMES];
  double           mass[PRIMES], target[PRIMES], z[PRIME_SLOTS * BF_LANES];
  for (int g_ = 0; g_ < tags; g_++) {
    first[g_ + 1] = first[g_] + prime[g_];
    position[g_]  = g_;
    mass[g_]      = 1.0 / prime[g_];
    target[g_]    = g_;
    for (int k = first[g_] * BF_LANES; k < first[g_ + 1] * BF_LANES; k++) z[k] = (g_ + 1) % tags;
  }
  mass[0] *= first_mass;
  const BfContext context = {.sequence = 7,
                             .tags     = tags,
                             .slots    = first[tags],
                             .length   = tags,
                             .first    = first,
                             .position = position,
                             .mass     = mass,
                             .tokens   = tags,
                             .target   = target};
  const BfCost    cost    = make_cost("wasserstein", 1, NULL, &context);
  return bf_terminal_cost(&cost, 0, &context, BF_LANES, z, g, error);
}

static void masses_are_brought_to_a_common_multiple_or_refused(void **state) {
  (void)state;
  BfError error = {0};
  double  g[BF_LANES];
  assert_int_equal(cost_of_prime_atoms(14, 1, g, &error), BF_OK);
  for (int l = 0; l < BF_LANES; l++) assert_true(g[l] == 0); /* positions weigh nothing: a rotation costs nothing */
  g[0] = 42;
  expect_refused(cost_of_prime_atoms(16, 1, g, &error), &error,
                 "sequence 7: its tags' numbers of atoms have no common multiple below 2^63, which wasserstein needs: "
                 "take the same number for every tag (quantize.atoms)");
  expect_refused(cost_of_prime_atoms(4, 1.25, g, &error), &error,
                 "sequence 7: a mass of 0.416667 is not a number of tokens over 3 atoms");
  assert_true(g[0] == 42);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tokens_change_places_where_positions_weigh_little),
      cmocka_unit_test(the_bound_takes_the_closest_positions),
      cmocka_unit_test(it_is_the_squared_error_above_the_bound),
      cmocka_unit_test(it_is_the_least_over_all_couplings_of_units),
      cmocka_unit_test(a_population_is_matched_in_order),
      cmocka_unit_test(masses_are_brought_to_a_common_multiple_or_refused),
  };
  return RUN(tests);
}
