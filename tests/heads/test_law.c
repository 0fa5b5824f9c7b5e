/* A law of heads: its risk's derivatives against central differences, the tangent kernel against the slope and against
 * differences of the tokens, bounds of the first variation against heads at random. Argument: parts of the heads. */
#include "../ranks.h" /* before PETSc's, whose macros count messages */

#include "cases.h"
#include "heads/certify/certify.h"
#include "heads/share.h"
#include "heads/tangent/parts.h"
#include "heads/variation/variation.h"
#include <math.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>

enum { HEADS = 20 };

typedef struct {
  Tap         *tap;
  const Case  *c;
  BfRun       *run;
  BfProblem   *problem;
  BfHeads     *heads;
  BfHeadLaw    law;
  BfHeadsValue value;
  BfError      error;
} Test;

static void say(Test *t, int holds, const char *what) {
  char text[2 * BF_ERROR_LENGTH];
  snprintf(text, sizeof text, "%s: %s%s%s", t->c->name, what, t->error.status ? "; " : "", t->error.text);
  check(t->tap, holds && t->error.status == BF_OK, text);
}

static bool near(double a, double b, double tolerance) {
  return fabs(a - b) <= tolerance * fmax(1e-3, fmax(fabs(a), fabs(b)));
}

/* R with a free number of a head moved. */
static double risk_at(Test *t, int layer, int64_t head, int k, double by) {
  BfHeadsValue  value = {0};
  const int64_t own   = head - t->law.first;
  double *at = own >= 0 && own < t->law.count ? &t->law.theta[(layer * t->law.count + own) * t->law.free + k] : NULL;
  const double then = at ? *at : 0;
  if (at) *at += by;
  bf_heads_evaluate(t->heads, &t->law, &value, &t->error);
  if (at) *at = then;
  return value.risk;
}

static double of_head(const Test *t, const double *all, int each, int layer, int64_t head, int k) {
  const int64_t own = head - t->law.first;
  double        value =
      own >= 0 && own < t->law.count && t->heads->sequence_part == 0 ? all[(layer * t->law.count + own) * each + k] : 0;
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return value;
}

static void test_gradient(Test *t) {
  const double step = 1e-5, w = t->problem->layer.step / HEADS;
  bool         all = true;
  for (int layer = 0; layer < t->law.layers; layer++)
    for (int64_t head = layer; head < HEADS; head += 7)
      for (int k = 0; k < t->law.free; k++) {
        const double by = (risk_at(t, layer, head, k, step) - risk_at(t, layer, head, k, -step)) / (2 * step);
        const double g  = -w * of_head(t, t->value.velocity, t->law.free, layer, head, k);
        all             = all && near(by, g, 1e-6);
      }
  say(t, all, "dR/dtheta = -w velocity, central differences");
}

/* (1/eps) dR/dalpha by a change of a weight. */
static void test_variation(Test *t) {
  const double step = 1e-6;
  bool         all  = true;
  for (int layer = 0; layer < t->law.layers; layer++) {
    double risk[2];
    for (int i = 0; i < 2; i++) {
      BfHeadsValue value = {0};
      double      *at    = t->law.first <= 3 && 3 < t->law.first + t->law.count
                               ? &t->law.weight[layer * t->law.count + 3 - t->law.first]
                               : NULL;
      const double then  = at ? *at : 0;
      if (at) *at += i ? step : -step;
      bf_heads_evaluate(t->heads, &t->law, &value, &t->error);
      risk[i] = value.risk;
      if (at) *at = then;
    }
    all = all && near((risk[1] - risk[0]) / (2 * step) / t->problem->layer.step,
                      of_head(t, t->value.variation, 1, layer, 3, 0), 1e-6);
  }
  say(t, all, "G_t = (1/eps) dR/dalpha, central differences");
}

/* ---- the tangent kernel ------------------------------------------------------------------------------------------ */

/* Theta v, v [N d] on all ranks: J^T v by the adjoint, then J of it. */
static void multiply(Test *t, const double *v, double *out) {
  BfHeads      *x = t->heads;
  const int     d = t->problem->layer.dim, T = t->law.layers;
  const int64_t n = x->tokens * d, all = x->data->tokens * d, at = x->first_token * d;
  double       *dz = calloc((size_t)n + 1, sizeof *dz);
  memcpy(x->p + T * n, v + at, (size_t)n * sizeof *v);
  bf_heads_adjoint(x, &t->law, t->value.velocity, NULL);
  for (int64_t k = 0; k < T * t->law.count * t->law.free; k++) t->value.velocity[k] *= -1;
  bf_heads_tangent(x, &t->law, t->value.velocity, dz, &t->error);
  memset(out, 0, (size_t)all * sizeof *out);
  memcpy(out + at, dz, (size_t)n * sizeof *dz);
  bf_heads_reduce(x->along, all, out, MPI_SUM);
  free(dz);
}

static void test_kernel(Test *t) {
  const int64_t n = t->heads->data->tokens * t->problem->layer.dim, T = t->law.layers;
  const double *r = t->value.adjoint + T * n;
  double       *v = calloc((size_t)(2 * n), sizeof *v), *out = v + n, quadratic = 0, trace = 0, square = 0, theirs = 0;
  BfTangent     whole = {0}, ends = {0};
  bf_tangent_kernel(t->heads, &t->law, &whole, &t->error);
  bf_heads_evaluate(t->heads, &t->law, &t->value, &t->error);
  multiply(t, r, out);
  for (int64_t i = 0; i < n; i++) quadratic -= r[i] * out[i];
  if (t->problem->cost.weight_decay == 0) say(t, near(quadratic, t->value.slope, 1e-10), "dR/dtau = - r^T Theta r");
  for (int64_t i = 0; i < n; i++) {
    memset(v, 0, (size_t)n * sizeof *v);
    v[i] = 1;
    multiply(t, v, out);
    trace += out[i];
    for (int64_t k = 0; k < n; k++) square += out[k] * out[k];
  }
  for (int64_t i = 0; i < whole.values; i++) theirs += whole.spectrum[i] * whole.spectrum[i];
  say(t, whole.values == n && near(whole.trace, trace, 1e-10) && near(theirs, square, 1e-10),
      "the spectrum by the triangle has the trace and the Frobenius norm of Theta by products");
  ends = (BfTangent){.outputs = n};
  bf_tangent_ends(t->heads, &t->law, &ends, &t->error);
  say(t, near(ends.largest, whole.largest, 1e-7), "SLEPc finds its largest eigenvalue");
  say(t, isnan(ends.smallest) || fabs(ends.smallest - whole.smallest) < 1e-6 * whole.largest,
      "and the smallest, or says that it is unknown");
  bf_tangent_clear(&whole);
  bf_tangent_clear(&ends);
  free(v);
  bf_heads_evaluate(t->heads, &t->law, &t->value, &t->error);
}

/* J dtheta by differences of the last tokens. */
static void test_tangent(Test *t) {
  const int64_t n = t->heads->data->tokens * t->problem->layer.dim, own = t->heads->tokens * t->problem->layer.dim,
                size = t->law.layers * t->law.count * t->law.free, at = t->heads->first_token * t->problem->layer.dim;
  const double step  = 1e-5;
  double      *along = calloc((size_t)size + 1, sizeof *along), *dz = calloc((size_t)own + 1, sizeof *dz), *tokens[2];
  bool         all = true;
  for (int64_t i = 0; i < size; i++) {
    const int64_t head = t->law.first + i / t->law.free % t->law.count, layer = i / t->law.free / t->law.count;
    along[i] = noise(7919 + (uint64_t)head, (uint64_t)(layer * 64 + i % t->law.free));
  }
  bf_heads_tangent(t->heads, &t->law, along, dz, &t->error);
  for (int s = 0; s < 2; s++) {
    tokens[s]          = calloc((size_t)((t->law.layers + 1) * n), sizeof **tokens);
    BfHeadsValue value = {.tokens = tokens[s]};
    for (int64_t i = 0; i < size; i++) t->law.theta[i] += (s ? step : -step) * along[i];
    bf_heads_evaluate(t->heads, &t->law, &value, &t->error);
    for (int64_t i = 0; i < size; i++) t->law.theta[i] -= (s ? step : -step) * along[i];
  }
  for (int64_t i = 0; i < own; i++) {
    const int64_t k = t->law.layers * n + at + i;
    all             = all && near((tokens[1][k] - tokens[0][k]) / (2 * step), dz[i], 1e-6);
  }
  say(t, all, "dz_T = J dtheta, central differences");
  for (int s = 0; s < 2; s++) free(tokens[s]);
  free(along);
  free(dz);
  bf_heads_evaluate(t->heads, &t->law, &t->value, &t->error);
}

/* ---- the first variation ----------------------------------------------------------------------------------------- */

/* G of a head, from its definition. */
static double variation_of(const Test *t, const double *z, const double *p, const double theta[]) {
  const BfHeads *x = t->heads;
  const int      d = t->problem->layer.dim;
  double         A[9], V[9], G = 0;
  for (int e = 0; e < d * d; e++) {
    A[e] = x->number[e] < 0 ? x->factor[e] : x->factor[e] * theta[x->number[e]];
    V[e] = x->number[d * d + e] < 0 ? x->factor[d * d + e] : x->factor[d * d + e] * theta[x->number[d * d + e]];
  }
  for (int64_t s = 0; s < x->data->contexts; s++)
    for (int64_t i = bf_heads_token(x, s); i < bf_heads_token(x, s + 1); i++) {
      double sum = 0, mean[3] = {0};
      for (int64_t j = bf_heads_token(x, s); j < bf_heads_token(x, s) + x->sees[i]; j++) {
        double l = 0;
        for (int e = 0; e < d * d; e++)
          l += (z[i * d + e / d] + (x->encoded ? x->encoded[i * d + e / d] : 0)) * A[e] *
               (z[j * d + e % d] + (x->encoded ? x->encoded[j * d + e % d] : 0));
        const double k = exp(t->problem->layer.beta * l);
        sum += k;
        for (int a = 0; a < d; a++) mean[a] += k * z[j * d + a];
      }
      for (int e = 0; e < d * d; e++) G += p[i * d + e / d] * V[e] * mean[e % d] / sum;
    }
  for (int k = 0; k < t->law.free; k++) G += t->problem->cost.weight_decay / 2 * theta[k] * theta[k];
  return G;
}

static void in_box(const Test *t, uint64_t seed, double theta[]) {
  for (int k = 0; k < t->law.free; k++) {
    const double low = t->problem->control_lower[k], high = t->problem->control_upper[k];
    theta[k] = low + (high - low) * (1 + noise(seed, (uint64_t)k)) / 2;
  }
}

static void test_bounds(Test *t) {
  const int64_t n     = t->heads->data->tokens * t->problem->layer.dim;
  bool          below = true, shrinks = true, search = true;
  double        theta[32], found[32];
  BfOpenCells   open = {0};
  for (int layer = 0; layer < t->law.layers; layer++) {
    const double     *z = t->value.tokens + layer * n, *p = t->value.adjoint + (layer + 1) * n;
    BfLeastBound      few = {0}, many = {.theta = found};
    const BfVariation variation = {t->heads, z, p, true};
    BfVariationLeast  least     = {.theta = theta};
    bf_certify_least(t->heads, z, p, 50, &open, &few, &t->error);
    bf_certify_least(t->heads, z, p, 3000, &open, &many, &t->error); /* which goes on */
    shrinks = shrinks && many.lower >= few.lower && few.cells <= 50 && many.cells <= 3000 &&
              many.found - many.lower <= fmax(0.5 * (few.found - few.lower), 1e-9);
    below = below && near(many.found, variation_of(t, z, p, found), 1e-9);
    bf_variation_search(&variation, 0, NULL, &least, &t->error);
    search = search && near(least.value, variation_of(t, z, p, theta), 1e-9) && least.value >= many.lower &&
             least.value <= many.found + 0.02 * fabs(many.found);
    for (uint64_t i = 0; i < 1000; i++) {
      in_box(t, 1000 * (uint64_t)layer + i, theta);
      below = below && variation_of(t, z, p, theta) >= many.lower;
    }
  }
  bf_open_cells_clear(&open);
  say(t, below, "no G of 1000 heads of the box is below the bound of its least value; what was found is G");
  say(t, shrinks, "3000 cells leave less than half of the gap of 50");
  say(t, search, "a search finds what branch and bound does, above the bound");
}

/* ---- the certificate --------------------------------------------------------------------------------------------- */

/* R of a law of one head of the box a particle, of a few of them, or of all. */
static double risk_of_random(Test *t, uint64_t seed) {
  BfHeadsValue value = {0};
  double       one[32];
  const int    different = 1 + (int)(seed % 5) * 4;
  for (int64_t h = 0; h < t->law.count; h++) {
    in_box(t, 77777 + 100 * seed + (uint64_t)((t->law.first + h) % different), one);
    memcpy(t->law.theta + h * t->law.free, one, (size_t)t->law.free * sizeof(double));
  }
  bf_heads_evaluate(t->heads, &t->law, &value, &t->error);
  return value.risk;
}

static void test_certificate(Test *t) {
  BfCertificate few = {0}, many = {0};
  BfOpenCells   open  = {0};
  bool          below = true;
  if (t->law.layers > 1) return;
  risk_of_random(t, 3);
  bf_heads_evaluate(t->heads, &t->law, &t->value, &t->error);
  bf_certify_risk(t->heads, &t->value, 0, NULL, 100, &open, &few, &t->error);
  bf_certify_risk(t->heads, &t->value, 0, NULL, 4000, &open, &many, &t->error);
  bf_open_cells_clear(&open);
  for (uint64_t seed = 0; seed < 300; seed++) below = below && risk_of_random(t, seed) >= many.lower;
  say(t, below, "no risk of 300 laws of the box is below the certified bound");
  say(t, many.lower >= few.lower && many.lower <= many.found && near(many.found, t->value.risk, 1e-8),
      "the bound grows with the cells, and is below what was found");
  say(t, many.lower > -1e-9 && many.scale >= 0 && many.scale <= 1, "the dual is scaled");
}

static void test_stationarity(Test *t) {
  BfStationarity out  = {0};
  double         mean = 0;
  bf_stationarity(t->heads, &t->law, &t->value, true, &out, &t->error);
  for (int64_t h = 0; h < HEADS; h++) mean += of_head(t, t->value.variation, 1, 0, h, 0) / HEADS;
  say(t,
      near(mean, out.mean[0], 1e-12) && out.stationarity >= 0 &&
          near(out.stationarity, out.mean[out.layer] - out.least[out.layer], 1e-12),
      "stationarity is the largest int G_t dnu_t - min G_t");
  bf_stationarity_clear(&out);
}

/* ---- layouts ----------------------------------------------------------------------------------------------------- */

/* Risk and all velocities of the law by other parts: the same bits. */
static void test_layouts(Test *t) {
  BfHeadLaw moved = t->law, whole = {0};
  bool      same = true;
  moved.theta    = t->value.velocity;
  bf_heads_law_whole(t->heads, &moved, &whole, &t->error);
  for (int groups = 1; groups <= t->run->size; groups++) {
    BfHeads     *x     = NULL;
    BfHeadLaw    law   = {0}, its;
    BfHeadsValue value = {0};
    BfHeadLaw    other = {0};
    if (t->run->size % groups) continue;
    bf_heads_create(t->run, t->problem, &t->problem->train, HEADS, groups, &x, &t->error);
    bf_heads_law_create(x, &law, &t->error);
    fill_law(&law, 1.5);
    value.velocity = calloc((size_t)(law.layers * law.count * law.free) + 1, sizeof(double));
    bf_heads_evaluate(x, &law, &value, &t->error);
    its       = law;
    its.theta = value.velocity;
    bf_heads_law_whole(x, &its, &other, &t->error);
    same = same && !memcmp(&value.risk, &t->value.risk, sizeof(double)) &&
           !memcmp(&value.slope, &t->value.slope, sizeof(double)) &&
           !memcmp(other.theta, whole.theta, (size_t)(law.layers * HEADS * law.free) * sizeof(double));
    free(value.velocity);
    bf_heads_law_clear(&other);
    bf_heads_law_clear(&law);
    bf_heads_destroy(&x);
  }
  say(t, same, "the same bits however ranks share heads and sequences");
  bf_heads_law_clear(&whole);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static bool make(Test *t, const Case *c, int groups) {
  t->c       = c;
  t->problem = make_case(c, HEADS, &t->error);
  if (!t->problem) return false;
  if (bf_heads_create(t->run, t->problem, &t->problem->train, HEADS, groups, &t->heads, &t->error) != BF_OK)
    return false;
  bf_heads_law_create(t->heads, &t->law, &t->error);
  fill_law(&t->law, 1.5);
  const int64_t size = t->law.layers * t->law.count,
                n    = (t->law.layers + 1) * t->heads->data->tokens * t->problem->layer.dim;
  BF_NEW(&t->value.velocity, size * t->law.free, &t->error);
  BF_NEW(&t->value.variation, size, &t->error);
  BF_NEW(&t->value.tokens, n, &t->error);
  BF_NEW(&t->value.adjoint, n, &t->error);
  return bf_heads_evaluate(t->heads, &t->law, &t->value, &t->error) == BF_OK;
}

static void clear(Test *t) {
  bf_free(t->value.velocity);
  bf_free(t->value.variation);
  bf_free(t->value.tokens);
  bf_free(t->value.adjoint);
  bf_heads_law_clear(&t->law);
  bf_heads_destroy(&t->heads);
  bf_problem_destroy(&t->problem);
}

int main(int argc, char **argv) {
  Tap     tap   = {0};
  BfRun  *run   = NULL;
  BfError error = {0};
  MPI_Init(&argc, &argv);
  PetscInitialize(&argc, &argv, NULL, NULL);
  if (bf_run_create(MPI_COMM_WORLD, 0, &run, &error) != BF_OK) return 1;
  run->quiet = true;
  for (const Case *c = cases; c->name; c++) {
    Test t = {.tap = &tap, .run = run};
    if (make(&t, c, argc > 1 ? atoi(argv[1]) : 0)) {
      test_gradient(&t);
      test_variation(&t);
      test_tangent(&t);
      test_kernel(&t);
      test_bounds(&t);
      test_stationarity(&t);
      test_layouts(&t);
      test_certificate(&t);
    } else {
      say(&t, 0, "is made");
    }
    clear(&t);
  }
  bf_run_destroy(&run);
  PetscFinalize();
  return finish_tap(&tap);
}
