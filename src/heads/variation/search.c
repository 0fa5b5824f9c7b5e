/* The least value of G_t: candidates, then descents of the best, eight abreast. */
#include "bellformer/quantize.h"
#include "heads/share.h"
#include "heads/variation/variation.h"
#include "kernel/kernels.h"
#include <math.h>
#include <string.h>

enum { POINTS = 512, STARTS = 16, STEPS = 100, HALTON_SEED = 1 };

/* Eight candidates, and the best V of each. */
typedef struct {
  const BfVariation *of;
  const double      *lower, *upper; /* [q] of a head */
  double            *s, *work;      /* [N][d] z + e */
  double            *A, *V, *by;    /* [d d][BF_LANES]; by [2 d d][BF_LANES] */
  double            *unused;        /* [most tokens][d][BF_LANES] */
  double            *theta;         /* [BF_LANES][q] */
  double             value[BF_LANES];
  double            *candidate; /* [candidates][q]; only A is set, then V too */
  double            *G;         /* [candidates] */
} Search;

static int64_t half_of(const Search *w) { return (int64_t)w->of->x->problem->layer.dim * w->of->x->problem->layer.dim; }

/* ---- G of eight heads -------------------------------------------------------------------------------------------- */

static void expand(Search *w) {
  const BfHeads *x    = w->of->x;
  const int64_t  half = half_of(w), q = x->free_A + x->free_V;
  for (int64_t e = 0; e < 2 * half; e++)
    for (int l = 0; l < BF_LANES; l++) {
      const double value                                                 = bf_heads_entry(x, e, w->theta + l * q);
      (e < half ? w->A + e * BF_LANES : w->V + (e - half) * BF_LANES)[l] = value;
    }
}

/* F's derivatives by all entries into w->by, of the heads in w->theta. */
static void differentiate(Search *w) {
  const BfHeads      *x                                           = w->of->x;
  const int           d                                           = x->problem->layer.dim;
  static const double ones[BF_LANES] __attribute__((aligned(64))) = {1, 1, 1, 1, 1, 1, 1, 1};
  expand(w);
  memset(w->by, 0, (size_t)(2 * half_of(w) * BF_LANES) * sizeof(double));
  for (int64_t s = 0; s < x->data->contexts; s++) {
    const int64_t      at   = bf_heads_token(x, s);
    const BfHeadTokens view = {
        d, bf_heads_tokens(x, s), x->problem->layer.beta, x->sees + at, w->of->z + at * d, w->s + at * d};
    x->problem->layer.kernels->heads_adjoint(&view, &(BfHeadLanes){w->A, w->V, ones}, w->of->p + at * d,
                                             &(BfHeadAdjoint){w->by, w->by + half_of(w) * BF_LANES, w->unused},
                                             w->work);
  }
}

/* The best V of every lane into theta, and G there: w->by holds M in its second half. */
static void choose_V(Search *w) {
  const BfHeads *x    = w->of->x;
  const int64_t  half = half_of(w), q = x->free_A + x->free_V;
  const double   lambda = x->problem->cost.weight_decay;
  const bool     within = w->of->boxed || !(lambda > 0);
  for (int l = 0; l < BF_LANES; l++) {
    double *theta = w->theta + l * q, c[BF_MOST_DIM * BF_MOST_DIM], G = 0;
    memset(c, 0, (size_t)x->free_V * sizeof *c);
    for (int64_t e = half; e < 2 * half; e++) {
      const double M = w->by[e * BF_LANES + l] * x->factor[e];
      if (x->number[e] < 0) G += M;
      else c[x->number[e] - x->free_A] += M;
    }
    for (int k = 0; k < x->free_V; k++) {
      const int j = x->free_A + k;
      theta[j]    = bf_best_number(c[k], lambda, within ? w->lower[j] : -INFINITY, within ? w->upper[j] : INFINITY);
      G += c[k] * theta[j];
    }
    for (int k = 0; k < q; k++) G += lambda / 2 * theta[k] * theta[k];
    w->value[l] = G;
  }
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

static void evaluate_candidates(Search *w, int64_t count) {
  const int q = w->of->x->free_A + w->of->x->free_V;
  for (int64_t i = 0; i < count; i += BF_LANES) {
    for (int l = 0; l < BF_LANES; l++)
      memcpy(w->theta + l * q, w->candidate + (i + l < count ? i + l : i) * q, (size_t)q * sizeof(double));
    differentiate(w);
    choose_V(w);
    for (int l = 0; l < BF_LANES && i + l < count; l++) {
      memcpy(w->candidate + (i + l) * q, w->theta + l * q, (size_t)q * sizeof(double));
      w->G[i + l] = w->value[l];
    }
  }
}

/* The best `STARTS`, the smallest number first where several are equal, to the front. */
static void sort_best(Search *w, int64_t count) {
  const int q = w->of->x->free_A + w->of->x->free_V;
  for (int64_t i = 0; i < STARTS && i < count; i++) {
    int64_t best = i;
    for (int64_t k = i + 1; k < count; k++)
      if (w->G[k] < w->G[best]) best = k;
    const double G = w->G[i];
    w->G[i]        = w->G[best];
    w->G[best]     = G;
    for (int k = 0; k < q && best != i; k++) {
      const double number        = w->candidate[i * q + k];
      w->candidate[i * q + k]    = w->candidate[best * q + k];
      w->candidate[best * q + k] = number;
    }
  }
}

/* ---- descent ----------------------------------------------------------------------------------------------------- */

/* A step of A against dG/dA, kept where G falls; steps grow where it does and shrink where it does not. */
static void descend(Search *w, double *best, double G[BF_LANES]) {
  const BfHeads *x      = w->of->x;
  const int      q      = x->free_A + x->free_V;
  const double   lambda = x->problem->cost.weight_decay;
  double         step[BF_LANES], by[2 * BF_MOST_DIM * BF_MOST_DIM];
  for (int l = 0; l < BF_LANES; l++) step[l] = -1;
  for (int n = 0; n < STEPS; n++) {
    memcpy(w->theta, best, (size_t)(BF_LANES * q) * sizeof(double));
    differentiate(w);
    for (int l = 0; l < BF_LANES; l++) {
      double *theta = w->theta + l * q, norm = 0;
      bf_heads_collect(x, w->by + l, BF_LANES, by);
      for (int k = 0; k < x->free_A; k++) {
        by[k] += lambda * theta[k];
        norm += by[k] * by[k];
      }
      if (step[l] < 0) step[l] = norm > 0 ? 0.1 / sqrt(norm) : 0;
      for (int k = 0; k < x->free_A; k++) theta[k] = fmin(fmax(theta[k] - step[l] * by[k], w->lower[k]), w->upper[k]);
    }
    differentiate(w);
    choose_V(w);
    for (int l = 0; l < BF_LANES; l++) {
      const bool falls = w->value[l] < G[l];
      step[l] *= falls ? 2 : 0.25;
      if (!falls) continue;
      G[l] = w->value[l];
      memcpy(best + l * q, w->theta + l * q, (size_t)q * sizeof(double));
    }
  }
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static BfStatus make(Search *w, int64_t count, const double *heads, int64_t *candidates, BfError *error) {
  const BfHeads *x = w->of->x;
  const int64_t  d = x->problem->layer.dim, q = x->free_A + x->free_V, N = x->data->tokens;
  const int64_t  points = x->free_A ? POINTS : 1;
  double        *point  = NULL;
  *candidates           = points + count;
  BF_TRY(BF_NEW(&w->s, N * d, error));
  BF_TRY(BF_NEW(&w->work, bf_heads_work((int)d, x->most_tokens), error));
  BF_TRY(BF_NEW(&w->A, d * d * BF_LANES, error));
  BF_TRY(BF_NEW(&w->V, d * d * BF_LANES, error));
  BF_TRY(BF_NEW(&w->by, 2 * d * d * BF_LANES, error));
  BF_TRY(BF_NEW(&w->unused, x->most_tokens * d * BF_LANES, error));
  BF_TRY(BF_NEW(&w->theta, BF_LANES * q, error));
  BF_TRY(BF_NEW(&w->candidate, (*candidates + STARTS) * q, error));
  BF_TRY(BF_NEW(&w->G, *candidates + STARTS, error));
  for (int64_t i = 0; i < N * d; i++) w->s[i] = w->of->z[i] + (x->encoded ? x->encoded[i] : 0);
  if (x->free_A) BF_TRY(bf_controls_halton(x->free_A, w->lower, w->upper, points, HALTON_SEED, &point, error));
  for (int64_t i = 0; i < points && point; i++)
    memcpy(w->candidate + i * q, point + i * x->free_A, (size_t)x->free_A * sizeof(double));
  bf_free(point);
  if (count) memcpy(w->candidate + points * q, heads, (size_t)(count * q) * sizeof(double));
  return BF_OK;
}

BfStatus bf_variation_search(const BfVariation *variation, int64_t count, const double *heads, BfVariationLeast *out,
                             BfError *error) {
  const BfHeads *x = variation->x;
  const int      q = x->free_A + x->free_V;
  Search         w = {.of = variation, .lower = x->problem->control_lower, .upper = x->problem->control_upper};
  int64_t        candidates;
  const BfStatus status = make(&w, count, heads, &candidates, error);
  if (status == BF_OK) {
    evaluate_candidates(&w, candidates);
    sort_best(&w, candidates);
    for (int64_t i = candidates; i < STARTS; i++) {
      memcpy(w.candidate + i * q, w.candidate, (size_t)q * sizeof(double));
      w.G[i] = w.G[0];
    }
    for (int i = 0; i < STARTS && x->free_A; i += BF_LANES) descend(&w, w.candidate + i * q, w.G + i);
    sort_best(&w, STARTS);
    out->value = w.G[0];
    memcpy(out->theta, w.candidate, (size_t)q * sizeof(double));
  }
  void *const owned[] = {w.s, w.work, w.A, w.V, w.by, w.unused, w.theta, w.candidate, w.G};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  return status;
}

double bf_variation_heads(int64_t count) { return POINTS + (double)count + 2 * STARTS * STEPS; }
