/* The cost of a trained Transformer: README, The model. Pure.
 *
 * Stage: c(u) = eps lambda/2 |u|^2. Terminal: a sum over contexts, g(mu) = sum_s g_s(mu_s), each g_s already divided by
 * what the kind averages over (contexts, or tokens). Sums over contexts run in their order. */
#pragma once
#include "bellformer/error.h"
#include "bellformer/layer.h"

BF_API_BEGIN

typedef enum { BF_POOL_MEAN, BF_POOL_LAST, BF_POOL_FIRST } BfPooling;

typedef struct BfCostKind BfCostKind; /* pooled_cross_entropy, token_cross_entropy, squared_error, wasserstein */

/* Owns matrix and bias, which bf_cost_clear frees: a problem's cost, as it was read. A copy of it, to be averaged over
 * other data (contexts, tokens and diameter2 set anew), borrows them: it is not cleared, and the problem outlives it.
 */
typedef struct {
  const BfCostKind *kind;
  int               dim;             /* d */
  double            weight_decay;    /* lambda */
  double            step;            /* eps */
  BfPooling         pooling;         /* pooled_cross_entropy */
  int               classes;         /* C; 0 for kinds without a readout */
  int64_t           readouts;        /* choices of (R, b): 1 for `fixed`; also 1 for kinds without a readout */
  double           *matrix;          /* [readouts][classes][dim] R, or NULL; owned */
  double           *bias;            /* [readouts][classes] b, or NULL; owned */
  double            position_weight; /* wasserstein: lambda of the ground cost, or */
  int               position_auto;   /* 1: for each context what forces the coupling to keep positions, from */
  double            diameter2;       /* diam^2 of what holds all tokens and targets */
  double            contexts;        /* S of the data that is averaged over */
  double            tokens;          /* its number of data tokens N */
} BfCost;

const BfCostKind *bf_cost_kind(const char *name); /* NULL for an unknown name */
const char       *bf_cost_name(const BfCostKind *kind);
const char       *bf_cost_names(void);                          /* all, separated by ", " */
int               bf_cost_has_readout(const BfCostKind *kind);  /* needs R, b and labels below classes */
int               bf_cost_needs_target(const BfCostKind *kind); /* needs targets y in place of labels */
void              bf_cost_clear(BfCost *cost);                  /* free what it owns, zero it */

/* c(u) = eps lambda/2 sum_j u_j^2, summed in the order of j. */
double bf_stage_cost(const BfCost *cost, int controls, const double u[]);

/* g_s of one context in the first `lanes` lanes, 1 .. BF_LANES: z [slots][dim][BF_LANES] in, g [BF_LANES] out; readout
 * r in 0 .. readouts-1. What costs much (exponentials, optimal transport) is done for the lanes in use alone. In the
 * lanes behind them z may be anything, not a number too; g there is unspecified. No lane depends on another, nor on how
 * many are in use. */
BfStatus bf_terminal_cost(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                          double *g, BfError *error);

/* The same g, bit for bit, and from the same evaluation its gradient by the tokens: z, gradient [slots][dim][BF_LANES],
 * unspecified like g in lanes that are not in use. Of a token of weight w
 * (its mass over what the kind averages over): cross entropies w R^T (softmax(R r + b) - onehot(label)), shared by the
 * tokens that r is the mean of; squared_error 2 w (z - y); wasserstein 2 sum over tags h of flow(i, h) (z_i - y_h) for
 * an optimal coupling (a subgradient where several are). Not finite where a lane's z is not. */
BfStatus bf_terminal_gradient(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                              double *g, double *gradient, BfError *error);

/* How much of the context lane 0 classifies rightly (largest logit, the smallest label where several attain it):
 * 1 or 0 for pooled_cross_entropy, the mass in data tokens for token_cross_entropy; NaN for kinds without labels.
 * The accuracy is the sum over contexts divided by bf_cost_denominator. */
double bf_correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z);
double bf_cost_denominator(const BfCost *cost); /* S or N */

/* What a context stands for: r [dim][BF_LANES] of z [slots][dim][BF_LANES] for kinds that pool; of the others every
 * token stands for itself. */
int  bf_cost_pools(const BfCostKind *kind);
void bf_represent(const BfCost *cost, const BfContext *context, const double *z, double *r);
/* R r + b of a readout, of one representation r [dim]: logits [classes]; returns the label of the largest, the smallest
 * where several attain it. */
int bf_logits(const BfCost *cost, int64_t readout, const double r[], double logits[]);

/* The least position weight that forces the optimal coupling of `wasserstein` to keep every token at its own position:
 * diam(Z)^2 / min over i != j of |p_i - p_j|^2 with p = (index + 1)/L_s, over the positions of the given context;
 * diameter2 is |upper - lower|^2. 0 for one position. */
double bf_position_weight_bound(const BfContext *context, double diameter2);

/* Optimal transport between two finite measures of equal total mass, by successive shortest paths.
 *   supply[n], demand[m]  positive integers (int64) with equal sums
 *   ground [n][m]         finite non-negative cost of moving one unit
 * *cost becomes the least total cost: sum over pairs of flow * ground. Exact up to rounding of sums.
 * O((n + m)^2) a path. */
BfStatus bf_transport_plan(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                           double *cost, int64_t *plan,
                           BfError *error); /* plan [n][m], or NULL: how much goes from i to j */
BfStatus bf_transport(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground, double *cost,
                      BfError *error);

BF_API_END
