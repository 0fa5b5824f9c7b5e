/* The kernels of many heads alone, on one core: ns a logit (head, query, key) of forward and adjoint, d = 2, 1024
 * heads, in every instruction set that this machine runs, beside a plain loop over heads, queries and keys. time_heads
 * [SEQUENCES TOKENS]     without: one sequence of 120 tokens and 35 of 4 */
#include <float.h>

#include "clock.h"
#include "kernel/kernels.h"

enum { DIM = 2, HEADS = 1024, CHUNKS = HEADS / BF_LANES, PIECE = 8, TURNS = 40 };

/* Sequences [sequences][tokens][DIM] and heads [CHUNKS][DIM * DIM][BF_LANES]; where the results go. */
typedef struct {
  int     sequences, tokens, *sees;
  double *z, *p, *A, *V, *weight, *out, *by_A, *by_V, *by_z, *work;
} Timed;

static double *numbers(int64_t count, uint64_t *seed) {
  BfError error = {0};
  double *x     = bf_calloc(count, sizeof *x, &error);
  if (!x) exit(1);
  for (int64_t i = 0; seed && i < count; i++) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    x[i]  = 2 * (double)(*seed >> 11) * 0x1p-53 - 1;
  }
  return x;
}

static Timed timed_create(int sequences, int tokens) {
  uint64_t      seed = 1;
  const int64_t each = (int64_t)tokens * DIM, heads = (int64_t)CHUNKS * DIM * DIM * BF_LANES;
  Timed         t     = {.sequences = sequences, .tokens = tokens};
  BfError       error = {0};
  t.sees              = bf_calloc(tokens, sizeof *t.sees, &error);
  if (!t.sees) exit(1);
  for (int i = 0; i < tokens; i++) t.sees[i] = tokens;
  t.z      = numbers(sequences * each, &seed);
  t.p      = numbers(sequences * each, &seed);
  t.A      = numbers(heads, &seed);
  t.V      = numbers(heads, &seed);
  t.weight = numbers(HEADS, &seed);
  t.out    = numbers(sequences * each * BF_LANES, NULL);
  t.by_z   = numbers(sequences * each * BF_LANES, NULL);
  t.by_A   = numbers(heads, NULL);
  t.by_V   = numbers(heads, NULL);
  t.work   = numbers(bf_heads_work(DIM, tokens), NULL);
  for (int64_t i = 0; i < heads; i++) t.A[i] *= 4;
  return t;
}

static void timed_clear(Timed *t) {
  double *all[] = {t->z, t->p, t->A, t->V, t->weight, t->out, t->by_z, t->by_A, t->by_V, t->work};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) bf_free(all[i]);
  bf_free(t->sees);
}

/* ---- in lanes, and plainly ----------------------------------------------------------------------------------------
 */

typedef struct {
  double forward, adjoint; /* seconds for all sequences and the heads of PIECE chunks */
} Seconds;

static Seconds in_lanes(const Timed *t, int piece, const BfKernels *kernels) {
  const int64_t size = DIM * DIM * BF_LANES, each = (int64_t)t->tokens * DIM;
  const double  begin  = bf_seconds();
  double        middle = 0;
  for (int back = 0; back < 2; back++) {
    for (int64_t c = piece * PIECE; c < (piece + 1) * PIECE; c++) {
      const BfHeadLanes heads = {t->A + c * size, t->V + c * size, t->weight + c * BF_LANES};
      for (int64_t s = 0; s < t->sequences; s++) {
        const BfHeadTokens  x  = {DIM, t->tokens, 1, t->sees, t->z + s * each, t->z + s * each};
        const BfHeadAdjoint to = {t->by_A + c * size, t->by_V + c * size, t->by_z + s * each * BF_LANES};
        if (back) kernels->heads_adjoint(&x, &heads, t->p + s * each, &to, t->work);
        else kernels->heads_forward(&x, &heads, t->out + s * each * BF_LANES, t->work);
      }
    }
    if (!back) middle = bf_seconds();
  }
  return (Seconds){middle - begin, bf_seconds() - middle};
}

/* P [tokens][tokens] of one head and sequence, and its means. */
static void plain_means(int n, const double *z, const double *A, double *P, double *mean) {
  for (int i = 0; i < n; i++) {
    const double a0 = A[0] * z[2 * i] + A[2] * z[2 * i + 1], a1 = A[1] * z[2 * i] + A[3] * z[2 * i + 1];
    double       max = -DBL_MAX, sum = 0, m0 = 0, m1 = 0;
    for (int j = 0; j < n; j++) max = fmax(max, P[i * n + j] = a0 * z[2 * j] + a1 * z[2 * j + 1]);
    for (int j = 0; j < n; j++) sum += P[i * n + j] = exp(P[i * n + j] - max);
    for (int j = 0; j < n; j++) {
      P[i * n + j] /= sum;
      m0 += P[i * n + j] * z[2 * j];
      m1 += P[i * n + j] * z[2 * j + 1];
    }
    mean[2 * i]     = m0;
    mean[2 * i + 1] = m1;
  }
}

static void plain_adjoint(int n, const double *z, const double *A, const double *V, const double *p, const double *P,
                          const double *mean, double *to) {
  for (int i = 0; i < n; i++) {
    const double *x = z + 2 * i, *m = mean + 2 * i, *q = p + 2 * i;
    const double  c0 = V[0] * q[0] + V[2] * q[1], c1 = V[1] * q[0] + V[3] * q[1], own = c0 * m[0] + c1 * m[1];
    const double  a0 = A[0] * x[0] + A[2] * x[1], a1 = A[1] * x[0] + A[3] * x[1];
    double        g0 = 0, g1 = 0;
    for (int j = 0; j < n; j++) {
      const double dl = P[i * n + j] * (c0 * z[2 * j] + c1 * z[2 * j + 1] - own);
      g0 += dl * z[2 * j];
      g1 += dl * z[2 * j + 1];
      to[8 + 2 * j] += dl * a0 + P[i * n + j] * c0;
      to[9 + 2 * j] += dl * a1 + P[i * n + j] * c1;
    }
    for (int a = 0; a < 2; a++) {
      to[2 * a] += x[a] * g0;
      to[2 * a + 1] += x[a] * g1;
      to[4 + 2 * a] += q[a] * m[0];
      to[5 + 2 * a] += q[a] * m[1];
      to[8 + 2 * i + a] += A[2 * a] * g0 + A[2 * a + 1] * g1;
    }
  }
}

static Seconds plain(const Timed *t, int piece) {
  const int    n = t->tokens;
  double      *P = numbers((int64_t)n * n, NULL), *mean = numbers(2 * n, NULL), *to = numbers(8 + 2 * n, NULL);
  double       kept = 0, middle = 0;
  const double begin = bf_seconds();
  for (int back = 0; back < 2; back++) {
    for (int h = piece; h < piece + PIECE; h++) /* eight times fewer than in lanes */
      for (int s = 0; s < t->sequences; s++) {
        const double *z = t->z + 2 * n * s, *A = t->A + 4 * h, *V = t->V + 4 * h;
        plain_means(n, z, A, P, mean);
        if (back) plain_adjoint(n, z, A, V, t->p + 2 * n * s, P, mean, to);
        kept += mean[0] + mean[2 * n - 1] + to[0];
      }
    if (!back) middle = bf_seconds();
  }
  const double end = bf_seconds();
  bf_free(P);
  bf_free(mean);
  bf_free(to);
  if (kept == 12345) return (Seconds){0, 0}; /* so that it must be computed */
  return (Seconds){BF_LANES * (middle - begin), BF_LANES * (end - middle)};
}

/* ---- told -----------------------------------------------------------------------------------------------------------
 */

static Seconds least(Seconds a, Seconds b) { return (Seconds){fmin(a.forward, b.forward), fmin(a.adjoint, b.adjoint)}; }

/* Turn by turn, so that all see the same machine, and in pieces of milliseconds, which others seldom interrupt. */
static void compare(int sequences, int tokens, double wanted) {
  const Seconds none    = {DBL_MAX, DBL_MAX};
  Seconds       best[8] = {none, none, none, none, none, none, none, none}, slow = none;
  Timed         t    = timed_create(sequences, tokens);
  const double  unit = 1e9 / ((double)PIECE * BF_LANES * sequences * tokens * tokens);
  int           last = 0;
  for (int turn = 0; turn < TURNS; turn++) {
    const int piece = turn % (CHUNKS / PIECE);
    slow            = least(slow, plain(&t, piece));
    for (int k = 0; bf_kernels_compiled(k); k++)
      if (!k || bf_machine_runs(bf_kernels_compiled(k)->name))
        best[last = k] = least(best[k], in_lanes(&t, piece, bf_kernels_compiled(k)));
  }
  printf("%d sequences of %d tokens, d = %d, %d heads: ns a logit\n", sequences, tokens, DIM, HEADS);
  for (int k = -1; k <= last; k++) {
    const Seconds s = k < 0 ? slow : best[k];
    if (s.forward == DBL_MAX) continue;
    printf("  %-10s forward %6.3f, adjoint %6.3f, both %6.3f, of the plain loop's speed %5.2f\n",
           k < 0 ? "plain" : bf_kernels_compiled(k)->name, unit * s.forward, unit * s.adjoint,
           unit * (s.forward + s.adjoint), (slow.forward + slow.adjoint) / (s.forward + s.adjoint));
  }
  verdict("ns a logit, forward and adjoint", unit * (best[last].forward + best[last].adjoint), wanted, 0);
  timed_clear(&t);
}

int main(int argc, char **argv) {
  if (argc > 2) compare(atoi(argv[1]), atoi(argv[2]), 4);
  else {
    compare(1, 120, 4);
    compare(35, 4, 8);
  }
  return verdicts_exit(0);
}
