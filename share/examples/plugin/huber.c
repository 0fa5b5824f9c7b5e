/* A terminal cost from outside of the program: Huber's, which few tokens far off their targets do not rule.
 *
 *     rho(r) = r^2 / 2 for r <= delta, delta (r - delta / 2) beyond;    g = mean over tokens of rho(|z - y|)
 *
 *     cc -O2 -shared -fPIC huber.c -o huber.so $(pkg-config --cflags --libs bellformer)
 *     bellformer solve toy.yaml -plugin ./huber.so -o toy.h5
 *
 * `cost: {terminal: huber, delta: 0.5}`: y are the data's targets. */
#include <bellformer/bellformer.h>
#include <math.h>

typedef struct {
  double delta;
} Huber;

static BfStatus read_keys(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error) {
  Huber *huber = (Huber *)cost->own;
  (void)data;
  return keys->number(keys, "cost.delta", &huber->delta, error);
}

static BfStatus describe(const BfCost *cost, const BfDescription *to, BfError *error) {
  return to->number(to, "delta", ((const Huber *)cost->own)->delta, error);
}

/* One lane of one token: `from` and `by` step over the other lanes. by: mass times the derivative, or NULL. */
static double rho(int dim, double delta, double mass, const double *from, const double y[], double *by) {
  double r2 = 0;
  for (int a = 0; a < dim; a++) {
    const double away = from[a * BF_LANES] - y[a];
    r2 += away * away;
  }
  const double r     = sqrt(r2);
  const double slope = r > delta ? delta / r : 1; /* rho'(r) / r */
  for (int a = 0; by && a < dim; a++) by[a * BF_LANES] = mass * slope * (from[a * BF_LANES] - y[a]);
  return r > delta ? delta * (r - delta / 2) : r2 / 2;
}

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  const int    dim   = cost->dim;
  const double delta = ((const Huber *)cost->own)->delta;
  (void)readout;
  (void)error;
  for (int l = 0; l < lanes; l++) loss[l] = 0;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int l = 0; l < lanes; l++) {
        const int64_t at = (int64_t)i * dim * BF_LANES + l;
        double       *by = gradient ? gradient + at : NULL;
        loss[l] += context->mass[g] * rho(dim, delta, context->mass[g], z + at, context->target + g * dim, by);
      }
  return BF_OK;
}

static const BfKey keys[] = {
    {"cost.delta", "number", "1", "delta of `huber`", .least = 0, .most = INFINITY, .above = true}, {.name = NULL}};

static const BfCostKind huber = {.base         = {.name = "huber", .keys = keys},
                                 .version      = BF_KIND_VERSION,
                                 .needs_target = true,
                                 .average      = BF_AVERAGE_TOKENS,
                                 .own          = sizeof(Huber),
                                 .read         = read_keys,
                                 .describe     = describe,
                                 .evaluate     = evaluate};

BF_PLUGIN(error) { return bf_cost_register(&huber, error); }
