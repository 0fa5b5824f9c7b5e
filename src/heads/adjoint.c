/* Costates through the layers, from the last to the first, and what moves each head. Of heads sums over tokens run in
 * the order of a sequence and over the sequences of a chunk; chunks are summed exactly. */
#include "heads/share.h"
#include "kernel/kernels.h"
#include <math.h>
#include <string.h>

/* What bounds the sums over sequences at a layer: the largest |p| |z| and |p| |z| |s|^2 of a sequence, of all ranks. */
typedef struct {
  double pz, pzss;
} Bounds;

BfQuanta bf_heads_costate_quanta(const BfHeads *x, int t, const BfHeadTokens *view, BfLargest most) {
  const double A = x->V_bound[x->problem->horizon + t], by_A = 4 * view->dim * fabs(view->beta) * most.z * A * most.s;
  return bf_quanta(view->tokens * most.p * x->V_bound[t] * (double)x->heads * (1 + by_A));
}

static Bounds set_quanta(BfHeads *x, int t) {
  const int     d       = x->problem->layer.dim;
  const int64_t n       = x->tokens * d;
  double        most[2] = {0, 0};
  for (int64_t s = x->first_context; s < x->end_context; s++) {
    const BfHeadTokens view = bf_heads_view(x, t, s);
    const int64_t      size = (int64_t)view.tokens * d;
    const double      *p    = x->p + (t + 1) * n + (bf_heads_token(x, s) - x->first_token) * d;
    const BfLargest here = {bf_heads_largest(size, view.z), bf_heads_largest(size, view.s), bf_heads_largest(size, p)};
    const double    pz = here.p * here.z, pzss = pz * here.s * here.s;
    x->quanta[s] = bf_heads_costate_quanta(x, t, &view, here);
    most[0]      = fmax(most[0], isnan(pz) ? INFINITY : pz);
    most[1]      = fmax(most[1], isnan(pzss) ? INFINITY : pzss);
  }
  bf_heads_reduce(x->along, 2, most, MPI_MAX);
  return (Bounds){most[0], most[1]};
}

/* The entries of a chunk of sequences, in lanes, into the sums of a block: by_V within N |p| |z|, by_A within
 * 2 d |beta| sum|V| N |p| |z| |s|^2. */
static void add_entries(BfHeads *x, const Bounds *bounds, int64_t b) {
  const int      d = x->problem->layer.dim, half = d * d;
  const int64_t  all   = x->blocks * 2 * half * BF_LANES;
  const double   N     = (double)x->data->tokens;
  const double   scale = 2 * d * fabs(x->problem->layer.beta) * N * bounds->pzss;
  const BfQuanta of_V  = bf_quanta(N * bounds->pz);
  double        *to    = x->head_sum + b * 2 * half * BF_LANES;
  for (int l = 0; l < BF_LANES; l++) {
    double V = 0;
    for (int e = 0; e < half; e++) V += fabs(x->V[e * BF_LANES + l]);
    const BfQuanta of_A = bf_quanta(scale * V);
    for (int e = 0; e < half; e++) bf_quanta_add(of_A, x->by[e * BF_LANES + l], to + e * BF_LANES + l, all);
    for (int e = half; e < 2 * half; e++) bf_quanta_add(of_V, x->by[e * BF_LANES + l], to + e * BF_LANES + l, all);
  }
}

/* A block of heads with all sequences of this rank. */
static void block(BfHeads *x, const BfHeadLaw *law, const Bounds *bounds, int t, int64_t b) {
  const BfKernels *kernels = x->problem->layer.kernels;
  const int        d = x->problem->layer.dim, half = d * d * BF_LANES;
  const double    *p = x->p + (t + 1) * x->tokens * d;
  bf_heads_expand(x, law, t, b);
  for (int64_t c = 0; c < x->parts; c++) {
    memset(x->by, 0, (size_t)(2 * half) * sizeof(double));
    for (int64_t s = x->part[c].first; s < x->part[c].end; s++) {
      const BfHeadTokens view = bf_heads_view(x, t, s);
      const int64_t      at   = (bf_heads_token(x, s) - x->first_token) * d;
      kernels->heads_adjoint(&view, &(BfHeadLanes){x->A, x->V, x->weight}, p + at,
                             &(BfHeadAdjoint){x->by, x->by + half, x->lanes + at * BF_LANES}, x->work);
    }
    add_entries(x, bounds, b);
  }
}

/* From the sums of the heads at layer t to velocity and variation: G = <V, dF/dV>, since F is linear in V. */
static void finish(BfHeads *x, const BfHeadLaw *law, int t, double *velocity, double *variation) {
  const int d = x->problem->layer.dim, entries = 2 * d * d, q = law->free;
  for (int64_t h = 0; h < law->count; h++) {
    const int64_t b = h / BF_LANES, l = h % BF_LANES, at = (int64_t)t * law->count + h;
    const double *by  = x->head_sum + b * entries * BF_LANES + l;
    double        sum = 0;
    if (velocity) bf_heads_collect(x, by, BF_LANES, velocity + at * q);
    for (int k = 0; velocity && k < q; k++) velocity[at * q + k] = -velocity[at * q + k];
    if (!variation) continue;
    if (l == 0) bf_heads_expand(x, law, t, b);
    for (int e = 0; e < d * d; e++) sum += x->V[e * BF_LANES + l] * by[(d * d + e) * BF_LANES];
    variation[at] = sum;
  }
}

static void layer(BfHeads *x, const BfHeadLaw *law, int t, double *velocity, double *variation) {
  const int     d = x->problem->layer.dim;
  const int64_t n = x->tokens * d, all = x->blocks * 2 * d * d * BF_LANES;
  bf_heads_encode(x, t);
  const Bounds bounds = set_quanta(x, t);
  memset(x->token_sum, 0, (size_t)(2 * n) * sizeof(double));
  memset(x->head_sum, 0, (size_t)(2 * all) * sizeof(double));
  for (int64_t b = 0; b < x->blocks; b++) {
    if (b % x->blocks_a_chunk == 0) memset(x->lanes, 0, (size_t)(n * BF_LANES) * sizeof(double));
    block(x, law, &bounds, t, b);
    if ((b + 1) % x->blocks_a_chunk == 0 || b + 1 == x->blocks) bf_heads_add_lanes(x);
  }
  bf_heads_sum(x->across, n, x->token_sum);
  for (int64_t i = 0; i < n; i++) x->p[t * n + i] = x->p[(t + 1) * n + i] + x->problem->layer.step * x->token_sum[i];
  bf_heads_sum(x->along, all, x->head_sum);
  finish(x, law, t, velocity, variation);
}

void bf_heads_adjoint(BfHeads *x, const BfHeadLaw *law, double *velocity, double *variation) {
  for (int t = law->layers - 1; t >= 0; t--) layer(x, law, t, velocity, variation);
}
