/* Infinitely many heads: a law of heads at every depth, its risk, and the gradient of that. [FBHP26]; README here.
 *
 *     z_{t+1,i} = z_{t,i} + eps sum_h alpha_{t,h} V_{t,h} m_i(A_{t,h})
 *     R = terminal(z_T) + (lambda/2) sum w |theta|^2,   w_{t,h} = eps alpha_{t,h}
 *
 * Ranks share heads first and sequences second: rank = part of the heads * (parts of the sequences) + part of the
 * sequences. Every sum over heads and over sequences is taken in whole numbers over chunks that depend on the problem
 * alone (heads/sums.h), so that all numbers are the same bits on any number of ranks and any layout. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "kernel/heads.h"

/* theta = (free numbers of A, then of V) of a particle; this rank's share of the heads at all layers. */
typedef struct {
  int     layers;       /* T */
  int64_t heads;        /* H of all ranks, padding included */
  int64_t first, count; /* this rank's: heads first .. first + count - 1 */
  int     free;         /* q of a head */
  double *theta;        /* [T][count][q]; owned */
  double *weight;       /* [T][count] alpha; their sum over the heads is 1 (a padded head has 0); owned */
} BfHeadLaw;

/* Called by all ranks together within certificates, which take long; what it returns ends them. */
typedef struct {
  BfStatus (*ask)(void *context, BfError *error); /* NULL: nobody asks */
  void *context;
} BfHeadsPause;

typedef struct BfHeads BfHeads; /* a data set, and how ranks share it and the heads; heads/share.h */

/* An evaluation. Arrays that are NULL are not wanted. */
typedef struct {
  double  risk, loss, decay; /* R = loss + decay */
  double  accuracy;          /* NaN where the data has targets */
  double  slope;             /* dR/dtau = - sum w |g|^2, g = (1/w) dR/dtheta */
  double  gradient_norm;     /* |dR/dtheta|, Euclidean over all free numbers */
  int64_t outside;           /* tokens that are outside Z at some depth */
  int64_t readout;           /* the one of least cost */
  double *velocity;          /* [T][count][q] -g: where the gradient flow moves particles; the rank's share */
  double *variation;         /* [T][count] G_t at the particles: (1/eps) dR/dalpha */
  double *tokens;            /* [T + 1][N][d], in the order of the data; on all ranks */
  double *adjoint;           /* [T + 1][N][d] p_t = dR/dz_t, alike */
} BfHeadsValue;

/* heads: H; groups: parts of the heads, a divisor of the ranks; 0: as many as there are chunks of heads for. The data
 * are borrowed. Collective on run->world. */
BfStatus bf_heads_create(BfRun *run, const BfProblem *problem, const BfData *data, int64_t heads, int groups,
                         BfHeads **out, BfError *error);
void     bf_heads_destroy(BfHeads **heads);
void     bf_heads_set_pause(BfHeads *heads, BfHeadsPause pause); /* {NULL}: none any more */
/* This rank's share of the law, zeros with weights 1/H. Local. */
BfStatus bf_heads_law_create(const BfHeads *heads, BfHeadLaw *law, BfError *error);
void     bf_heads_law_clear(BfHeadLaw *law);
/* Risk and what else `out` has room for. A risk that is not finite is no error: then what follows it is NaN.
 * Collective. */
BfStatus bf_heads_evaluate(BfHeads *heads, const BfHeadLaw *law, BfHeadsValue *out, BfError *error);
/* dR/dtau = - sum w |velocity|^2 along -g, or along what is left of it where some of the numbers are held: velocity
 * [T][count][q]. Collective. */
BfStatus bf_heads_slope(const BfHeads *heads, const BfHeadLaw *law, const double *velocity, double *slope,
                        BfError *error);
