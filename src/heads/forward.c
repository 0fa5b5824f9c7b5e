/* Tokens through the layers. A chunk of heads is summed in lanes, lanes in a tree, chunks exactly: over the chunks of a
 * rank, then over ranks. */
#include "heads/share.h"
#include "kernel/kernels.h"
#include "run/limits.h"
#include <math.h>
#include <string.h>

void bf_heads_reduce(MPI_Comm comm, int64_t n, double *data, MPI_Op op) {
  const int64_t piece = bf_limits()->reduced;
  int           size;
  MPI_Comm_size(comm, &size);
  for (int64_t i = 0; size > 1 && i < n; i += piece)
    MPI_Allreduce(MPI_IN_PLACE, data + i, (int)(n - i < piece ? n - i : piece), MPI_DOUBLE, op, comm);
}

void bf_heads_tell(MPI_Comm comm, int64_t n, double *data) {
  const int64_t piece = bf_limits()->reduced;
  for (int64_t i = 0; i < n; i += piece) MPI_Bcast(data + i, (int)(n - i < piece ? n - i : piece), MPI_DOUBLE, 0, comm);
}

void bf_heads_sum(MPI_Comm comm, int64_t n, double *part) {
  bf_heads_reduce(comm, 2 * n, part, MPI_SUM);
  for (int64_t i = 0; i < n; i++) part[i] += part[n + i];
}

BfHeadTokens bf_heads_view(const BfHeads *x, int t, int64_t s) {
  const int     d  = x->problem->layer.dim;
  const int64_t at = bf_heads_token(x, s), own = at - x->first_token;
  return (BfHeadTokens){.dim    = d,
                        .tokens = bf_heads_tokens(x, s),
                        .beta   = x->problem->layer.beta,
                        .sees   = x->sees + at,
                        .z      = x->z + ((int64_t)t * x->tokens + own) * d,
                        .s      = x->s + own * d};
}

void bf_heads_encode(BfHeads *x, int t) {
  const int     d = x->problem->layer.dim;
  const int64_t n = x->tokens * d;
  const double *z = x->z + t * n, *e = x->encoded ? x->encoded + x->first_token * d : NULL;
  for (int64_t i = 0; i < n; i++) x->s[i] = e ? z[i] + e[i] : z[i];
}

double bf_heads_largest(int64_t n, const double v[]) {
  double most = 0;
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(v[i]) <= most)) most = isnan(v[i]) ? INFINITY : fabs(v[i]);
  return most;
}

void bf_heads_bound(BfHeads *x, const BfHeadLaw *law) {
  const int T = law->layers, d = x->problem->layer.dim;
  for (int t = 0; t < T; t++) {
    double *V_bound = x->V_bound + t, *A_bound = x->V_bound + T + t;
    *V_bound = *A_bound = 0;
    for (int64_t b = 0; b < x->blocks; b++) {
      bf_heads_expand(x, law, t, b);
      for (int l = 0; l < BF_LANES; l++) {
        double A = 0, V = 0;
        for (int e = 0; e < d * d; e++) {
          A += fabs(x->A[e * BF_LANES + l]);
          V += fabs(x->V[e * BF_LANES + l]) * x->weight[l];
        }
        if (!(A <= *A_bound)) *A_bound = isnan(A) ? INFINITY : A;
        if (!(V <= *V_bound)) *V_bound = isnan(V) ? INFINITY : V;
      }
    }
  }
  bf_heads_reduce(x->across, 2 * (int64_t)T, x->V_bound, MPI_MAX);
}

/* Quanta of sum_h alpha_h V_h m_i: m_i is in the hull of the tokens of the sequence. */
static void set_quanta(BfHeads *x, int t) {
  for (int64_t s = x->first_context; s < x->end_context; s++) {
    const BfHeadTokens view = bf_heads_view(x, t, s);
    const double       most = bf_heads_largest((int64_t)view.tokens * view.dim, view.z);
    x->quanta[s]            = bf_quanta(most * x->V_bound[t] * (double)x->heads);
  }
}

void bf_heads_add_lanes(BfHeads *x) {
  const int     d = x->problem->layer.dim;
  const int64_t n = x->tokens * d;
  for (int64_t s = x->first_context; s < x->end_context; s++) {
    const int64_t at = (bf_heads_token(x, s) - x->first_token) * d;
    for (int64_t i = at; i < at + (int64_t)bf_heads_tokens(x, s) * d; i++)
      bf_quanta_add(x->quanta[s], bf_heads_sum_lanes(x->lanes + i * BF_LANES), x->token_sum + i, n);
  }
}

static void layer(BfHeads *x, const BfHeadLaw *law, int t) {
  const BfKernels *kernels = x->problem->layer.kernels;
  const int        d       = x->problem->layer.dim;
  const int64_t    n       = x->tokens * d;
  bf_heads_encode(x, t);
  set_quanta(x, t);
  memset(x->token_sum, 0, (size_t)(2 * n) * sizeof(double));
  for (int64_t b = 0; b < x->blocks; b++) {
    if (b % x->blocks_a_chunk == 0) memset(x->lanes, 0, (size_t)(n * BF_LANES) * sizeof(double));
    bf_heads_expand(x, law, t, b);
    for (int64_t s = x->first_context; s < x->end_context; s++) {
      const BfHeadTokens view = bf_heads_view(x, t, s);
      kernels->heads_forward(&view, &(BfHeadLanes){x->A, x->V, x->weight},
                             x->lanes + (bf_heads_token(x, s) - x->first_token) * d * BF_LANES, x->work);
    }
    if ((b + 1) % x->blocks_a_chunk == 0 || b + 1 == x->blocks) bf_heads_add_lanes(x);
  }
  bf_heads_sum(x->across, n, x->token_sum);
  for (int64_t i = 0; i < n; i++) x->z[(t + 1) * n + i] = x->z[t * n + i] + x->problem->layer.step * x->token_sum[i];
}

void bf_heads_forward(BfHeads *x, const BfHeadLaw *law) {
  for (int t = 0; t < law->layers; t++) layer(x, law, t);
}
