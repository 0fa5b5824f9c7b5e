/* The cost of a trained Transformer: README, The model. Pure.
 *
 * Stage: c(u) = eps lambda/2 |u|^2, of the controls alone. Terminal: a sum over contexts, g(mu) = sum_s g_s(mu_s), each
 * g_s already divided by what the kind averages over (contexts, or tokens). Sums over contexts run in their order. */
#pragma once
#include "bellformer/enclose.h"
#include "bellformer/error.h"
#include "bellformer/kernel.h"
#include "bellformer/kind.h"

BF_API_BEGIN

typedef struct BfCostKind BfCostKind;

/* Owns its settings, matrix, bias and their box, which bf_cost_clear frees: a problem's cost, as it was read. A copy of
 * it, to be averaged over other data (contexts, tokens and diameter2 set anew), borrows them: it is not cleared, and
 * the problem outlives it. */
typedef struct {
  const BfCostKind *kind;
  const BfKernels  *kernels;      /* that evaluate it, the same bits by any of them; NULL: "generic" */
  void             *own;          /* settings of the kind alone, kind->own bytes; NULL: all of them are 0; owned */
  int               dim;          /* d */
  double            weight_decay; /* lambda */
  double            step;         /* eps */
  int               classes;      /* C; 0 for kinds without a readout */
  int64_t           readouts;     /* choices of (R, b): 1 for `fixed`; also 1 for kinds without a readout */
  int64_t           trained;      /* numbers of a readout that training moves, C d + C: R row by row, then b; 0: none */
  double           *matrix;       /* [readouts][classes][dim] R, or NULL; owned */
  double           *bias;         /* [readouts][classes] b, or NULL; owned */
  double           *lower, *upper; /* [trained] the box of a trained readout, or NULL; owned */
  double            diameter2;     /* diam^2 of what holds all tokens and targets */
  double            contexts;      /* S of the data that is averaged over */
  double            tokens;        /* its number of data tokens N */
} BfCost;

/* ---- kinds ------------------------------------------------------------------------------------------------------- */

/* The data that a problem trains on, as far as costs and readouts need them to read their keys. */
typedef struct {
  int64_t          contexts;
  const BfContext *context; /* [contexts], with the quantizer's atoms */
  int              labels;  /* largest label + 1; 0 with targets */
} BfCostData;

typedef enum { BF_AVERAGE_CONTEXTS, BF_AVERAGE_TOKENS } BfAverage;

/* Where a cost is bounded from below by an affine function. */
typedef struct {
  double        scale; /* 0 .. 1: of the dual point, from that which bounds nothing to the one that touches `at` */
  const double *at;    /* [slots][dim] tokens */
  const double *from;  /* [slots][dim] tokens z0 */
  double        reach; /* of the tokens z that matter: no component of z - z0 is larger */
} BfMinorantAt;

/* Where a cost is bounded over a box of parameters. */
typedef struct {
  const BfFormSpace *space;
  const BfCost      *cost;
  const BfContext   *context;
  const BfAffine    *matrix; /* [classes][dim] forms of R, of the readout that is meant; NULL where there is none */
  const BfAffine    *bias;   /* [classes] of b */
  BfAffine          *work;   /* BF_BOUND_WORK(dim) forms */
} BfCostBound;

/* A terminal cost: a file that defines one, a line in src/cost/cost_kind.h; or a plug-in, which gives it to
 * bf_cost_register. Members that may be NULL say so. */
struct BfCostKind {
  BfKind    base;         /* its keys begin with "cost." */
  int       version;      /* BF_KIND_VERSION */
  bool      has_readout;  /* R, b and labels below classes, known to be so when `evaluate` is called */
  bool      needs_target; /* y in place of labels; known to be there when `evaluate` is called */
  bool      square;       /* it is the mean over tokens of |z - y|^2, so that |dg/dz|^2 = 4 g / N */
  bool      nonnegative;  /* no loss is below 0, as it is computed: what the beam's lower bound may count on */
  BfAverage average;      /* what the sum over contexts is divided by */
  size_t    own;          /* bytes of its settings; what they point to is freed by `clear` */

  /* Read its own keys into cost->own, zeroed before; all that the cost has of other keys is read already. NULL: it has
   * none. Fills nothing that `clear` cannot free, also on failure. */
  BfStatus (*read)(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error);
  void (*clear)(void *own); /* free what the settings point to; NULL: nothing */
  /* Whether a context has what the cost needs, beside labels or targets: of it tags, sequence, position, label and
   * target alone are there. On failure *tag is the one to blame. NULL: all are good. */
  BfStatus (*check)(const BfCost *cost, const BfContext *context, int *tag, BfError *error);
  /* Tell its settings, for a result's /cost. NULL: it has none. */
  BfStatus (*describe)(const BfCost *cost, const BfDescription *to, BfError *error);

  /* The context's part of the sum before it is averaged, loss [BF_LANES]: the loss of the context, or of each of its
   * atoms times the atom's mass; and, where `gradient` [slots][dim][BF_LANES] is not NULL, the derivative of that by z.
   * The same bits of the loss with and without it. Wanted of the first `lanes` lanes: in the others z may be anything,
   * and what is written there is not read. No lane depends on another. */
  BfStatus (*evaluate)(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                       double *loss, double *gradient, BfError *error);
  /* What a context stands for, r [dim][BF_LANES]; NULL where every token stands for itself. */
  void (*represent)(const BfCost *cost, const BfContext *context, const double *z, double *r);
  /* How much lane 0 classifies rightly, in what is averaged over; NULL for kinds without labels. */
  double (*correct)(const BfCost *cost, int64_t readout, const BfContext *context, const double *z);
  /* The adjoint at the end of depth by its formula, plainly and apart from `evaluate`, which it checks: the derivative
   * p [slots][dim] of the averaged cost by z [slots][dim]. NULL: none is known. */
  BfStatus (*adjoint)(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                      BfError *error);
  const char *formula; /* what the report calls it: "softmax residual"; NULL: "its formula" */
  /* An affine minorant of the averaged cost of a context, from its convex conjugate: for all z within `reach` of z0,
   *     g(z) >= *constant + sum <r, z - z0>,
   * r [slots][dim], in exact arithmetic: *constant is so much lower as rounding may amount to. NULL: none is known;
   * only for costs that are convex in z. */
  BfStatus (*minorant)(const BfCost *cost, int64_t readout, const BfContext *context, const BfMinorantAt *where,
                       double *constant, double r[], BfError *error);
  /* Add to by [C d + C], R row by row, then b, `weight` times the derivative of the context's part of the sum by these
   * numbers of the readout, at lane 0 of z [slots][dim][BF_LANES]. NULL: it is not known, and no readout is trained. */
  void (*by_readout)(const BfCost *cost, int64_t readout, const BfContext *context, const double *z, double weight,
                     double by[]);

  /* The cost over a box: the averaged cost g of a context is phi(x) of features x of the tokens and the readout, phi
   * convex. All five or none; NULL: it has no enclosure. */
  int (*features)(const BfCost *cost, const BfContext *context); /* how many x are */
  /* The forms of x, [features], of forms z [slots][dim]. */
  void (*bound)(const BfCostBound *call, const BfAffine *z, BfAffine *feature);
  /* A K and g [features] with phi(x) >= K + <g, x> for ALL x, in exact arithmetic; near x0 [features], which may be
   * anything, about equal. Returns K. */
  double (*support)(const BfCost *cost, const BfContext *context, const double x0[], double g[]);
  /* At least phi(x) for all x in the box, lower and upper [features]. */
  double (*upper)(const BfCost *cost, const BfContext *context, const double lower[], const double upper[]);
  /* slot [slots]: 1 where features, and `evaluate`, depend on that token, else 0. */
  void (*reads)(const BfCost *cost, const BfContext *context, char slot[]);
};

extern const BfFamily bf_cost_family; /* cost.terminal; its kinds are BfCostKinds */

const BfCostKind *bf_cost_kind(const char *name); /* NULL for an unknown name */
/* Add a kind, which stays where it is as long as the program runs; call it before a problem is read, on all ranks.
 * BF_BAD_INPUT for another interface version, a name that is taken or is no word, a key that does not begin with
 * "cost.", a kind that cannot be evaluated, or one too many. */
BfStatus bf_cost_register(const BfCostKind *kind, BfError *error);

/* Read a cost's keys (cost.*) into *cost, of which dim, step, diameter2, contexts and tokens are set. Clear it also
 * after a failure. */
BfStatus bf_cost_read(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error);
void     bf_cost_clear(BfCost *cost); /* free what it owns, zero it */

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

/* c(u) = eps lambda/2 sum_j u_j^2, summed in the order of j. */
double bf_stage_cost(const BfCost *cost, int free, const double u[]);

/* g_s of one context in the first `lanes` lanes, 1 .. BF_LANES: z [slots][dim][BF_LANES] in, g [BF_LANES] out; readout
 * r in 0 .. readouts-1. What costs much (exponentials, optimal transport) is done for the lanes in use alone. In the
 * lanes behind them z may be anything, not a number too; g there is unspecified. No lane depends on another, nor on how
 * many are in use. */
BfStatus bf_terminal_cost(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                          double *g, BfError *error);

/* The same g, bit for bit, and from the same evaluation its gradient by the tokens: z, gradient [slots][dim][BF_LANES],
 * unspecified like g in lanes that are not in use. Of a token of weight w
 * (its mass over what the kind averages over): cross entropies w R^T (softmax(R r + b) - onehot(label)), shared by the
 * tokens that r is the mean of; hinge alike w (R_j - R_label), j the smallest rival of largest logit, where the loss is
 * above 0, else 0; squared_error 2 w (z - y); wasserstein 2 sum over tags h of flow(i, h) (z_i - y_h) for an optimal
 * coupling (a subgradient where several are). Not finite where a lane's z is not. */
BfStatus bf_terminal_gradient(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                              double *g, double *gradient, BfError *error);

/* The derivative of g_s by the numbers of a readout, R row by row, then b, added to by [C d + C], at lane 0 of z
 * [slots][dim][BF_LANES], which was evaluated. Of a representation r of weight w (that of the loss in g_s) by R_c:
 * cross entropies w (softmax(R r + b) - onehot(label))_c r^T; hinge w (onehot(j) - onehot(label))_c r^T with j as
 * above, where the loss is above 0, else 0. By b_c the same without r^T. Of kinds that have `by_readout` alone. */
void bf_terminal_by_readout(const BfCost *cost, int64_t readout, const BfContext *context, const double *z,
                            double by[]);
/* The middle of the box of number i of a trained readout. */
static inline double bf_readout_middle(const BfCost *cost, int64_t i) {
  return 0.5 * cost->lower[i] + 0.5 * cost->upper[i];
}

/* How much of the context lane 0 classifies rightly (largest logit, the smallest label where several attain it):
 * 1 or 0 for kinds that pool, the mass in data tokens for token_cross_entropy; NaN for kinds without labels.
 * The accuracy is the sum over contexts divided by bf_cost_denominator. */
double bf_cost_correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z);
double bf_cost_denominator(const BfCost *cost); /* S or N */

/* R r + b of a readout, of one representation r [dim]: logits [classes]; returns the label of the largest, the smallest
 * where several attain it. */
int bf_logits(const BfCost *cost, int64_t readout, const double r[], double logits[]);
/* (R r + b)[label] of r [dim][BF_LANES], within +-1e307 for any finite numbers, so that differences are finite; what is
 * no number stays so. For kinds that evaluate one class after the other, since there may be a million. */
void bf_lane_logits(const BfCost *cost, int64_t readout, int label, const double *r, double out[BF_LANES]);

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
