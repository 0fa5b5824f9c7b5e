/* Attention of many heads in every instruction set that this machine runs, against its definition in long double, and
 * the adjoint and the tangent against central differences of that. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bellformer/error.h"
#include "bellformer/quantize.h"
#include "kernel/kernels.h"

enum { MOST = 7 * 7 * BF_LANES };

/* A sequence, heads, a cotangent and a direction. In lanes where BF_LANES stands last. */
typedef struct {
  int    d, n, sees[7];
  double beta, z[49], s[49], e[49], p[49], dz[49];
  _Alignas(64) double A[49 * BF_LANES], V[49 * BF_LANES], weight[BF_LANES], dA[49 * BF_LANES], dV[49 * BF_LANES];
} Case;

static int number, failed;

static void say(int ok, const char *kernels, const char *what, double worst) {
  failed |= !ok;
  printf("%s %d - %s: %s (%.2g)\n", ok ? "ok" : "not ok", ++number, kernels, what, worst);
}

static double draw(uint64_t *seed) { return 2 * bf_uniform(seed) - 1; }

static void draw_all(uint64_t *seed, int count, double scale, double x[]) {
  for (int i = 0; i < count; i++) x[i] = scale * draw(seed);
}

/* encoded: with e; mask: 0 full, 1 causal, 2 any numbers of tokens. */
static Case make(uint64_t seed, int d, int n, int encoded, int mask, double scale) {
  Case c = {.d = d, .n = n, .beta = 0.5 + bf_uniform(&seed)};
  draw_all(&seed, n * d, 1, c.z);
  if (encoded) draw_all(&seed, n * d, 0.5, c.e);
  for (int i = 0; i < n * d; i++) c.s[i] = c.z[i] + c.e[i];
  for (int i = 0; i < n; i++)
    c.sees[i] = mask == 0 ? n : mask == 1 ? i + 1 : 1 + (int)(bf_splitmix64(&seed) % (uint64_t)n);
  draw_all(&seed, n * d, 1, c.p);
  draw_all(&seed, n * d, 1, c.dz);
  draw_all(&seed, d * d * BF_LANES, scale, c.A);
  draw_all(&seed, d * d * BF_LANES, 1, c.V);
  draw_all(&seed, d * d * BF_LANES, 1, c.dA);
  draw_all(&seed, d * d * BF_LANES, 1, c.dV);
  draw_all(&seed, BF_LANES, 1, c.weight);
  return c;
}

static BfHeadTokens tokens_of(const Case *c) { return (BfHeadTokens){c->d, c->n, c->beta, c->sees, c->z, c->s}; }
static BfHeadLanes  lanes_of(const Case *c) { return (BfHeadLanes){c->A, c->V, c->weight}; }

/* ---- the definition --------------------------------------------------------------------------------------------- */

/* m_i and V m_i of one lane, everything moved by h along the direction `by`, or not where that is NULL. */
static void define(const Case *c, int lane, const Case *by, long double h, long double *mean, long double *out) {
  const int   d = c->d;
  long double A[49], V[49], z[49], s[49], weight[7];
  for (int k = 0; k < d * d; k++) {
    A[k] = c->A[k * BF_LANES + lane] + (by ? h * by->dA[k * BF_LANES + lane] : 0);
    V[k] = c->V[k * BF_LANES + lane] + (by ? h * by->dV[k * BF_LANES + lane] : 0);
  }
  for (int k = 0; k < c->n * d; k++) {
    z[k] = c->z[k] + (by ? h * by->dz[k] : 0);
    s[k] = c->s[k] + (by ? h * by->dz[k] : 0);
  }
  for (int i = 0; i < c->n; i++) {
    long double max = -INFINITY, sum = 0;
    for (int j = 0; j < c->sees[i]; j++) {
      long double logit = 0;
      for (int a = 0; a < d; a++)
        for (int b = 0; b < d; b++) logit += s[i * d + a] * A[a * d + b] * s[j * d + b];
      max = fmaxl(max, weight[j] = c->beta * logit);
    }
    for (int j = 0; j < c->sees[i]; j++) sum += weight[j] = expl(weight[j] - max);
    for (int a = 0; a < d; a++) {
      mean[i * d + a] = 0;
      for (int j = 0; j < c->sees[i]; j++) mean[i * d + a] += weight[j] / sum * z[j * d + a];
    }
    for (int a = 0; a < d; a++) {
      out[i * d + a] = 0;
      for (int b = 0; b < d; b++) out[i * d + a] += V[a * d + b] * mean[i * d + b];
    }
  }
}

/* d(V m_i) of one lane along the direction, and d sum_i <p_i, V m_i>. */
static long double differ(const Case *c, int lane, const Case *by, long double *along) {
  const long double h = 1e-6L;
  long double       plus[49], minus[49], mean[49], sum = 0;
  define(c, lane, by, h, mean, plus);
  define(c, lane, by, -h, mean, minus);
  for (int k = 0; k < c->n * c->d; k++) sum += c->p[k] * (along[k] = (plus[k] - minus[k]) / (2 * h));
  return sum;
}

/* ---- against it ------------------------------------------------------------------------------------------------- */

static double *work_of(const Case *c) {
  BfError error = {0};
  double *work  = bf_calloc(bf_heads_work(c->d, c->n), sizeof *work, &error);
  if (!work) exit(1);
  return work;
}

static void grow(double *worst, double error) {
  *worst = error <= *worst ? *worst : error;
} /* what is no number, too */

/* Largest errors of means and forward, which adds to what is there. */
static double forward_error(const BfKernels *kernels, const Case *c) {
  _Alignas(64) double mean[MOST], out[MOST];
  const BfHeadTokens  x     = tokens_of(c);
  const BfHeadLanes   heads = lanes_of(c);
  double             *work = work_of(c), worst = 0;
  for (int k = 0; k < MOST; k++) mean[k] = out[k] = 3;
  kernels->heads_means(&x, c->A, mean, work);
  kernels->heads_forward(&x, &heads, out, work);
  for (int l = 0; l < BF_LANES; l++) {
    long double m[49], v[49];
    define(c, l, NULL, 0, m, v);
    for (int k = 0; k < c->n * c->d; k++) {
      grow(&worst, (double)fabsl(mean[k * BF_LANES + l] - m[k]));
      grow(&worst, (double)fabsl(out[k * BF_LANES + l] - 3 - c->weight[l] * v[k]));
    }
  }
  bf_free(work);
  return worst;
}

static double tangent_error(const BfKernels *kernels, const Case *c, int of_A, int of_V, int of_z) {
  _Alignas(64) double out[MOST];
  const BfHeadTokens  x     = tokens_of(c);
  const BfHeadLanes   heads = lanes_of(c);
  const BfHeadTangent along = {of_A ? c->dA : NULL, of_V ? c->dV : NULL, of_z ? c->dz : NULL};
  Case                by    = *c;
  double             *work = work_of(c), worst = 0;
  if (!of_A) memset(by.dA, 0, sizeof by.dA);
  if (!of_V) memset(by.dV, 0, sizeof by.dV);
  if (!of_z) memset(by.dz, 0, sizeof by.dz);
  for (int k = 0; k < MOST; k++) out[k] = 3;
  kernels->heads_tangent(&x, &heads, &along, out, work);
  for (int l = 0; l < BF_LANES; l++) {
    long double v[49];
    differ(c, l, &by, v);
    for (int k = 0; k < c->n * c->d; k++) grow(&worst, (double)fabsl(out[k * BF_LANES + l] - 3 - c->weight[l] * v[k]));
  }
  bf_free(work);
  return worst;
}

/* Where the adjoint of a case stands. */
typedef struct {
  _Alignas(64) double by_A[49 * BF_LANES], by_V[49 * BF_LANES], by_z[MOST];
} Adjoint;

static Adjoint adjoint_of(const BfKernels *kernels, const Case *c, double before) {
  const BfHeadTokens x     = tokens_of(c);
  const BfHeadLanes  heads = lanes_of(c);
  Adjoint            to;
  double            *work = work_of(c);
  for (int k = 0; k < 49 * BF_LANES; k++) to.by_A[k] = to.by_V[k] = before;
  for (int k = 0; k < MOST; k++) to.by_z[k] = before;
  kernels->heads_adjoint(&x, &heads, c->p, &(BfHeadAdjoint){to.by_A, to.by_V, to.by_z}, work);
  bf_free(work);
  return to;
}

/* Every entry by itself, in one lane: test_lanes has the same bits in all of them, and long double is slow where no
 * processor has it. */
static double adjoint_error(const BfKernels *kernels, const Case *c, int l) {
  const Adjoint to    = adjoint_of(kernels, c, 3);
  double        worst = 0;
  long double   v[49];
  Case          by = {.d = c->d};
  for (int k = 0; k < c->d * c->d; k++) {
    by.dA[k * BF_LANES + l] = 1;
    grow(&worst, (double)fabsl(to.by_A[k * BF_LANES + l] - 3 - differ(c, l, &by, v)));
    by.dA[k * BF_LANES + l] = 0;
    by.dV[k * BF_LANES + l] = 1;
    grow(&worst, (double)fabsl(to.by_V[k * BF_LANES + l] - 3 - differ(c, l, &by, v)));
    by.dV[k * BF_LANES + l] = 0;
  }
  for (int k = 0; k < c->n * c->d; k++) {
    by.dz[k] = 1;
    grow(&worst, (double)fabsl(to.by_z[k * BF_LANES + l] - 3 - c->weight[l] * differ(c, l, &by, v)));
    by.dz[k] = 0;
  }
  return worst;
}

static void test_definition(const BfKernels *kernels) {
  static const int dims[] = {1, 2, 3, 5, 6, 7}, lengths[] = {1, 2, 5, 7};
  double           forward = 0, adjoint = 0, tangent = 0, sharp = 0;
  uint64_t         seed = 0;
  for (int d = 0; d < 6; d++)
    for (int n = 0; n < 4; n++)
      for (int k = 0; k < 6; k++) {
        const Case c = make(++seed, dims[d], lengths[n], k % 2, k / 2, 2),
                   f = make(++seed, dims[d], lengths[n], k % 2, k / 2, 300);
        grow(&forward, forward_error(kernels, &c));
        grow(&adjoint, adjoint_error(kernels, &c, (int)(seed / 2 % BF_LANES)));
        for (int of = 1; of < 8; of++) grow(&tangent, tangent_error(kernels, &c, of & 1, of & 2, of & 4));
        grow(&sharp, forward_error(kernels, &f));
      }
  say(forward < 2e-14, kernels->name, "means and forward as defined", forward);
  say(sharp < 1e-12, kernels->name, "with logits of some hundreds, of which maxima are subtracted in some lanes",
      sharp);
  say(adjoint < 1e-9, kernels->name, "the adjoint as central differences", adjoint);
  say(tangent < 1e-9, kernels->name, "the tangent as central differences", tangent);
}

/* ---- ends of the range ------------------------------------------------------------------------------------------ */

/* Logits up to 1e290: every query sees the token of the largest alone. */
static void test_huge(const BfKernels *kernels) {
  static const double scales[] = {1e4, 1e100, 1e290};
  double              worst    = 0;
  for (int k = 0; k < 3; k++)
    for (int d = 1; d < 4; d++) {
      Case c = make((uint64_t)(100 + k), d, 7, 1, k, scales[k]);
      grow(&worst, forward_error(kernels, &c));
      const Adjoint to = adjoint_of(kernels, &c, 0);
      for (int i = 0; i < d * d * BF_LANES; i++)
        if (!isfinite(to.by_A[i]) || !isfinite(to.by_V[i])) worst = INFINITY;
      for (int i = 0; i < 7 * d * BF_LANES; i++)
        if (!isfinite(to.by_z[i])) worst = INFINITY;
    }
  say(worst < 1e-9, kernels->name, "huge logits: finite, and as defined", worst);
}

static void test_none(const BfKernels *kernels) {
  int wrong = 0;
  for (int k = 0; k < 2; k++) {
    _Alignas(64) double out[MOST] = {0};
    Case                c         = make(7, 2, 5, 0, 0, k ? 1e5 : 1);
    double             *work      = work_of(&c);
    c.A[3]                        = NAN;
    const BfHeadTokens x          = tokens_of(&c);
    const BfHeadLanes  heads      = lanes_of(&c);
    kernels->heads_forward(&x, &heads, out, work);
    for (int i = 0; i < 5 * 2 * BF_LANES; i++) wrong += (i % BF_LANES == 3) != (isnan(out[i]) != 0);
    bf_free(work);
  }
  say(!wrong, kernels->name, "a head that is no number gives none, its neighbours are as they were", wrong);
}

static void test_weightless(const BfKernels *kernels) {
  Case          c     = make(8, 3, 7, 1, 1, 1), rest;
  const Adjoint of    = adjoint_of(kernels, &c, 0);
  int           wrong = 0;
  rest                = c;
  memset(rest.weight, 0, sizeof rest.weight);
  const Adjoint without = adjoint_of(kernels, &rest, 0);
  for (int i = 0; i < 9 * BF_LANES; i++) wrong += of.by_A[i] != without.by_A[i] || of.by_V[i] != without.by_V[i];
  for (int i = 0; i < 7 * 3 * BF_LANES; i++) wrong += without.by_z[i] != 0;
  say(!wrong && forward_error(kernels, &rest) < 1e-13, kernels->name, "heads of weight 0", wrong);
}

/* Head k of `from` in lane l. */
static void put_head(const Case *from, int k, Case *c, int l) {
  for (int i = 0; i < c->d * c->d; i++) {
    c->A[i * BF_LANES + l] = from->A[i * BF_LANES + k];
    c->V[i * BF_LANES + l] = from->V[i * BF_LANES + k];
  }
  c->weight[l] = from->weight[k];
}

static int unlike(int count, const double *x, int k, const double *y, int l) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += memcmp(&x[i * BF_LANES + k], &y[i * BF_LANES + l], sizeof *x) != 0;
  return sum;
}

/* The same head in another lane, beside heads of which some have large logits: the same bits. */
static void test_lanes(const BfKernels *kernels) {
  int wrong = 0, seed = 200;
  for (int d = 1; d <= 5; d++)
    for (int n = 1; n <= 7; n++)
      for (int l = 0; l < BF_LANES; l++) {
        const Case    from = make((uint64_t)++seed, d, n, 1, l % 3, 20);
        Case          c    = from;
        const int     k    = (l + n) % BF_LANES;
        const Adjoint a    = adjoint_of(kernels, &from, 0);
        for (int other = 0; other < BF_LANES; other++)
          for (int i = 0; i < d * d; i++) c.A[i * BF_LANES + other] *= 1e4;
        put_head(&from, k, &c, l);
        const Adjoint b = adjoint_of(kernels, &c, 0);
        wrong += unlike(d * d, a.by_A, k, b.by_A, l) + unlike(d * d, a.by_V, k, b.by_V, l) +
                 unlike(n * d, a.by_z, k, b.by_z, l);
      }
  say(!wrong, kernels->name, "the same bits in every lane, beside any heads", wrong);
}

int main(void) {
  int count = 0;
  for (int k = 0; bf_kernels_compiled(k); k++) count += k == 0 || bf_machine_runs(bf_kernels_compiled(k)->name);
  printf("1..%d\n", 8 * count);
  for (int k = 0; bf_kernels_compiled(k); k++) {
    const BfKernels *kernels = bf_kernels_compiled(k);
    if (k && !bf_machine_runs(kernels->name)) continue;
    test_definition(kernels);
    test_huge(kernels);
    test_none(kernels);
    test_weightless(kernels);
    test_lanes(kernels);
  }
  return failed;
}
