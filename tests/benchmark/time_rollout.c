/* A layer on one sequence with its tokens in lanes (bf_layer_alone), as rollouts take it, against one copy of the
 * sequence in each lane (bf_layer_apply): the same bits, in about an eighth of the time. One core. */
#include "bellformer/layer.h"
#include "clock.h"

typedef struct {
  const char *what;
  int         dim, tags, atoms;
  BfMask      mask;
  double      wanted;
} Case;

static const Case cases[] = {{"population of 10000, d = 2", 2, 1, 10000, BF_MASK_FULL, 5},
                             {"population of 1000, d = 2", 2, 1, 1000, BF_MASK_FULL, 5},
                             {"256 positions, d = 16", 16, 256, 1, BF_MASK_FULL, 5},
                             {"256 positions, d = 2, causal", 2, 256, 1, BF_MASK_CAUSAL, 4},
                             {"4 positions, d = 2", 2, 4, 1, BF_MASK_FULL, 1.5}};

typedef void    Apply(const BfLayer *, const BfContext *, const double *, const double *, double *, double *);
typedef int64_t Room(const BfLayer *, const BfContext *);

static double *numbers(int64_t count) {
  BfError error = {0};
  double *x     = bf_calloc(count, sizeof *x, &error);
  if (x) return x;
  printf("%s\n", error.text);
  exit(1);
}

/* Seconds of one call: the least of three times a tenth of a second. */
static double time_of(Apply *apply, Room *room, const BfLayer *layer, const BfContext *context, const double *z,
                      double *next) {
  double *parameters = numbers((int64_t)layer->parameters * BF_LANES), *work = numbers(room(layer, context));
  double  least = INFINITY;
  for (int i = 0; i < layer->parameters * BF_LANES; i++) parameters[i] = sin(i / BF_LANES + 1);
  for (int turn = 0; turn < 3; turn++) {
    const double begin = bf_seconds();
    int          calls = 0;
    for (; !calls || bf_seconds() - begin < 0.1; calls++) apply(layer, context, parameters, z, next, work);
    least = fmin(least, (bf_seconds() - begin) / calls);
  }
  bf_free(parameters);
  bf_free(work);
  return least;
}

static int64_t place(int dim, int i, int a) { return ((int64_t)(i / BF_LANES) * dim + a) * BF_LANES + i % BF_LANES; }

static void measure(const Case *c, const BfLayer *layer, const BfContext *context) {
  const int d = c->dim, n = context->slots;
  double   *wide = numbers((int64_t)n * d * BF_LANES), *wide_next = numbers((int64_t)n * d * BF_LANES);
  double   *z = numbers(place(d, n + BF_LANES, 0)), *next = numbers(place(d, n + BF_LANES, 0));
  int64_t   differ = 0;
  for (int i = 0; i < n; i++)
    for (int a = 0; a < d; a++) {
      z[place(d, i, a)] = cos(1.7 * i + a);
      for (int l = 0; l < BF_LANES; l++) wide[((int64_t)i * d + a) * BF_LANES + l] = cos(1.7 * i + a);
    }
  const double copies = time_of(bf_layer_apply, bf_layer_work, layer, context, wide, wide_next);
  const double tokens = time_of(bf_layer_alone, bf_layer_alone_work, layer, context, z, next);
  for (int i = 0; i < n; i++)
    for (int a = 0; a < d; a++) differ += next[place(d, i, a)] != wide_next[((int64_t)i * d + a) * BF_LANES];
  printf("%s: %.3g s with copies, %.3g s, %.3g ns a pair of tokens; %lld numbers differ\n", c->what, copies, tokens,
         1e9 * tokens / n / n, (long long)differ);
  verdict("times as fast", differ ? 0 : copies / tokens, c->wanted, 1);
  bf_free(wide);
  bf_free(wide_next);
  bf_free(z);
  bf_free(next);
}

static BfStatus run(const Case *c, BfError *error) {
  static double low[BF_MOST_DIM], high[BF_MOST_DIM], mass[256];
  static int    first[257], position[256];
  BfLayer       layer = {.dim = c->dim, .heads = 1, .residual = 1, .step = 0.1, .beta = 1, .mask = c->mask};
  layer.lower = low, layer.upper = high;
  for (int a = 0; a < c->dim; a++) low[a] = -2, high[a] = 2;
  for (int g = 0; g < c->tags; g++) first[g + 1] = first[g] + c->atoms, position[g] = g, mass[g] = 1;
  const BfContext context = {.tags     = c->tags,
                             .slots    = first[c->tags],
                             .length   = c->tags,
                             .first    = first,
                             .position = position,
                             .mass     = mass,
                             .tokens   = first[c->tags]};
  BF_TRY(bf_layer_matrices(&layer, error));
  BF_TRY(bf_layer_place(&layer, error));
  measure(c, &layer, &context);
  layer.lower = layer.upper = NULL;
  bf_layer_clear(&layer);
  return BF_OK;
}

int main(void) {
  BfError error = {0};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    if (run(&cases[k], &error) != BF_OK) {
      printf("%s\n", error.text);
      return 1;
    }
  return verdicts_exit(0);
}
