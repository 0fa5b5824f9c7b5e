/* How ranks share heads and sequences, and what an evaluation works with. */
#pragma once
#include "heads/heads.h"
#include "heads/sums.h"

/* Sequences that are summed before they enter an exact sum: [first, end). */
typedef struct {
  int64_t first, end;
} BfHeadRange;

struct BfHeads {
  BfRun           *run;
  const BfProblem *problem; /* borrowed */
  const BfData    *data;    /* borrowed */
  BfCost           cost;    /* the problem's, averaged over the data */
  BfContext       *context; /* [contexts] an atom a token */
  double          *encoded; /* [N][d] e of every token, or NULL */
  int             *sees;    /* [N] how many tokens of its sequence a token sees */

  BfHeadsPause pause;

  /* ---- heads ---- */
  int64_t heads;  /* H */
  int64_t blocks; /* of eight heads, of this rank */
  int64_t first, count;
  int     blocks_a_chunk; /* that are summed before they enter an exact sum */
  int     free_A, free_V; /* q = free_A + free_V */
  int    *number;         /* [2 d d] which free number an entry of A, then of V, is; -1: none */
  double *factor;         /* [2 d d] times what; where there is none the entry itself */

  /* ---- sequences ---- */
  int64_t      first_context, end_context; /* this rank's */
  int64_t      first_token, tokens;        /* of these */
  BfHeadRange *part;                       /* [parts] chunks of this rank's sequences */
  int64_t      parts;

  int      head_part, sequence_part; /* of this rank */
  MPI_Comm across;                   /* the ranks with the same sequences: sums over heads */
  MPI_Comm along;                    /* those with the same heads: sums over sequences */

  /* ---- work ---- */
  double   *z, *p;     /* [T + 1][tokens][d] of this rank's sequences */
  double   *s;         /* [tokens][d] z + e of a layer */
  double   *V_bound;   /* [T] largest alpha sum |V| of all heads; and [T] largest sum |A| */
  double   *A, *V;     /* [d d][BF_LANES] of a block */
  double   *weight;    /* [BF_LANES] */
  double   *lanes;     /* [tokens][d][BF_LANES] of a chunk of heads */
  double   *token_sum; /* [2][tokens][d] */
  BfQuanta *quanta;    /* [contexts] of sums over heads at a layer, of this rank's sequences */
  double   *by;        /* [2 d d][BF_LANES] of a chunk of sequences */
  double   *head_sum;  /* [2][blocks][2 d d][BF_LANES] */
  int       most_tokens;
  double   *longest; /* [2][most_tokens][d][BF_LANES] a sequence for the cost, and the gradient by it */
  double   *work;    /* of the kernels */
};

/* Eight lanes, in the order of every sum of them. */
static inline double bf_heads_sum_lanes(const double x[BF_LANES]) {
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* Entry e of A (of V from d d on) of a head theta [q]. */
static inline double bf_heads_entry(const BfHeads *x, int64_t e, const double theta[]) {
  return x->number[e] < 0 ? x->factor[e] : x->factor[e] * theta[x->number[e]];
}

static inline BfStatus bf_heads_pause(const BfHeads *x, BfError *error) {
  return x->pause.ask ? x->pause.ask(x->pause.context, error) : BF_OK;
}

/* The tokens of a context: the first, and how many. */
static inline int64_t bf_heads_token(const BfHeads *x, int64_t s) {
  return x->data->tag_first[x->data->context_first[s]];
}
static inline int bf_heads_tokens(const BfHeads *x, int64_t s) {
  return (int)(bf_heads_token(x, s + 1) - bf_heads_token(x, s));
}
/* Chunks of H heads, of so many blocks of eight each. */
int64_t bf_heads_chunks(int64_t heads, int *blocks_a_chunk);
/* Parts of the heads that ranks share: asked, which has to divide them; where that is 0 as many as divide them and have
 * a chunk each. */
BfStatus bf_heads_choose_groups(int ranks, int64_t chunks, int asked, int *groups, BfError *error);
/* Context s at depth t as the kernels see it; x->s holds z + e of that depth. */
BfHeadTokens bf_heads_view(const BfHeads *x, int t, int64_t s);
/* The largest |z|, |s| and |p| of a sequence. */
typedef struct {
  double z, s, p;
} BfLargest;
/* Quanta of sum_h alpha_h F_h by a token of a sequence at layer t: n sum|V| |p| directly, and
 * through the logits, whose derivatives beta P_ij <V^T p_i, z_j - m_i> are at most 2 d |beta| sum|V| |p| |z|, times
 * |A s| twice. */
BfQuanta bf_heads_costate_quanta(const BfHeads *x, int t, const BfHeadTokens *view, BfLargest most);
/* x->s of depth t. */
void bf_heads_encode(BfHeads *x, int t);

/* ---- expand.c ---------------------------------------------------------------------------------------------------- */

/* Block b of this rank's heads at layer t into x->A, x->V, x->weight. */
void bf_heads_expand(BfHeads *x, const BfHeadLaw *law, int t, int64_t b);
/* by [2 d d] of one head, `stride` apart, into its free numbers by_theta [q]. */
void bf_heads_collect(const BfHeads *x, const double *by, int64_t stride, double *by_theta);

/* ---- forward.c, adjoint.c: all layers. Collective. ----------------------------------------------------------------
 */

/* x->V_bound from the law: first of all. */
void bf_heads_bound(BfHeads *x, const BfHeadLaw *law);
/* x->z of all depths from x->z of depth 0. */
void bf_heads_forward(BfHeads *x, const BfHeadLaw *law);
/* x->p of all depths from x->p of depth T; velocity, variation: as of BfHeadsValue, without decay, or NULL. */
void bf_heads_adjoint(BfHeads *x, const BfHeadLaw *law, double *velocity, double *variation);

/* The lanes of a chunk of heads, [tokens][d][BF_LANES], into x->token_sum by the quanta of each sequence. Local. */
void bf_heads_add_lanes(BfHeads *x);
/* Reduce data [n] over the ranks of comm; sum part [2][n] over them, into its first half. */
void bf_heads_reduce(MPI_Comm comm, int64_t n, double *data, MPI_Op op);
void bf_heads_sum(MPI_Comm comm, int64_t n, double *part);
/* Rank 0's data [n] to all ranks of comm. */
void bf_heads_tell(MPI_Comm comm, int64_t n, double *data);
/* The largest |v|; infinite where one is not a number. */
double bf_heads_largest(int64_t n, const double v[]);

/* ---- terminal.c ---------------------------------------------------------------------------------------------------
 */

/* Loss, accuracy and readout from x->z of depth T; with gradient, x->p of depth T. Collective. */
BfStatus bf_heads_terminal(BfHeads *x, bool gradient, BfHeadsValue *out, BfError *error);

/* ---- whole.c ------------------------------------------------------------------------------------------------------
 */

/* The whole law on every rank: H heads from 0. Clear it also after a failure. Collective. */
BfStatus bf_heads_law_whole(const BfHeads *x, const BfHeadLaw *law, BfHeadLaw *whole, BfError *error);
/* `count` heads of layer t at equal distances over all H, [count][q], alike on all ranks. Collective. */
void bf_heads_pick(const BfHeads *x, const BfHeadLaw *law, int t, int64_t count, double *heads);
