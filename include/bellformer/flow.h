/* The continuous-depth flow: README, The flow; [HY26].
 *
 *     dz/dt = f(z, p; mu_t, u(t)) = zeta(t) v + (r - 1) z / eps,   t in [0, T eps],   u constant on T intervals of eps
 *     J(u)  = terminal cost + sum over intervals of eps lambda/2 |u_t|^2
 *
 * over the data's own tokens (never quantized), without the clipping of P; on the sphere tokens start at z / |z| and v
 * is tangential. Euler's scheme with one step an interval is the Transformer of T layers but for P. Scheme `layers` is
 * that Transformer itself,
 *
 *     z_{t+1} = P(r z_t + eps v(z_t, p; mu_t, u_t)),    z_0 as the data have it, on the sphere too,
 *
 * whose J is the cost of bf_rollout but for rounding, with its exact gradient by the discrete adjoint
 * (bf_step_transposed tells the derivative of P). It has no profile zeta. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/estimate.h"
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/store.h"

BF_API_BEGIN

typedef struct BfIntegratorKind BfIntegratorKind;

/* Where a scheme is the default. */
typedef enum { BF_STANDARD_NEVER, BF_STANDARD_AFTER_SOLVE, BF_STANDARD_ELSEWHERE } BfStandard;

/* How depth is gone through: `layers`, the Transformer of T layers itself with P, or a Runge-Kutta scheme of PETSc's
 * whose parameter gradient is right. */
typedef struct {
  const char             *name; /* layers, euler, rk4, bs3, dopri5 */
  const BfIntegratorKind *depth;
  const char             *tableau; /* PETSc's name, or NULL */
  int                     stages;
  bool       discrete; /* the layers, P and all: no depth between them, so no steps, tolerance or profile */
  bool       adaptive;
  int        steps; /* an interval, by default */
  BfStandard standard;
} BfScheme;
const BfScheme *bf_scheme(const char *name); /* NULL for an unknown name */
const char     *bf_scheme_name(int i);       /* NULL behind the last */
/* The number of the default one; after_solve: where the start is a result of dynamic programming. */
int bf_scheme_standard(bool after_solve);

typedef struct {
  const BfScheme *scheme;
  int             steps;     /* an interval, of schemes that are not adaptive; at least 1 */
  double          tolerance; /* relative and absolute, of those that are */
  double          memory;    /* bytes that a rank's trajectories may take; beyond, each interval is computed twice */
  const char     *petsc; /* PETSc's options of this flow alone, "-tao_max_it 20 -ts_adapt_type none", or NULL; borrowed:
                            it lives as long as what is made with it */
} BfFlowOptions;

/* What the flow reads of a problem: `flow`, and the actions for Pontryagin's condition where there are any. */
extern const BfSections bf_flow_sections;

/* PETSc's options of the flow (-tao_..., -ts_..., -mat_...) of a run's options, as one text, to be freed with bf_free,
 * also after a failure. PETSc looks all of them up, so that a misspelt one is left unread: before the problem is read;
 * BF_BAD_INPUT where PETSc refuses one. Not collective. */
BfStatus bf_flow_petsc_take(BfOptions *options, char **text, BfError *error);

/* What a search moves: the controls [T][q] and, behind them, the numbers of a readout that is trained, R row by row,
 * then b (BfCost's `trained`). How many there are, and the box of one. Not collective. */
int64_t bf_flow_numbers(const BfProblem *problem);
void    bf_flow_box(const BfProblem *problem, int64_t number, double *lower, double *upper);

/* Iterations of a search at most, -tao_max_it. Not collective. */
BfStatus bf_flow_iterations(const BfFlowOptions *options, int64_t *most, BfError *error);

/* What an evaluation gives. Arrays are the caller's; NULL: not wanted. */
typedef struct {
  double  cost;          /* J; infinite where the flow leaves what a double holds */
  double  loss;          /* terminal cost */
  double  accuracy;      /* NaN where the data has targets */
  int64_t readout;       /* the one of least loss, the smallest where several attain it */
  double *gradient;      /* [n] dJ/du, then dJ/dR and dJ/db of a trained readout; J, not loss alone */
  double *tokens;        /* [T + 1][N][dim] at t_k = k eps, in the order of the table's rows */
  double *adjoint;       /* [T + 1][N][dim] p(t_k) = dJ/dz(t_k); needs gradient */
  double *sequence_loss; /* [contexts] */
} BfFlowValue;

/* The flow of a data set's tokens. Sequences are dealt to ranks in groups that do not depend on the number of ranks,
 * each integrated by itself; sums over groups are exact before they are rounded: every number is the same bits on any
 * number of ranks. */
typedef struct BfFlow BfFlow;

/* data: problem->train, or another table that was checked; borrowed, like the problem. Contexts are averaged over those
 * of data. Collective on run->world, like all functions here. */
BfStatus bf_flow_create(const BfRun *run, const BfProblem *problem, const BfData *data, const BfFlowOptions *options,
                        BfFlow **out, BfError *error);
void     bf_flow_destroy(BfFlow **flow);
/* J, and what else is wanted, at control [n], n = bf_flow_numbers, the same on all ranks. One forward solve; with a
 * gradient one adjoint solve more, by TSAdjoint, about one and a half times as long. With several readouts another
 * forward solve chooses among them first. */
BfStatus bf_flow_evaluate(BfFlow *flow, const double control[], BfFlowValue *value, BfError *error);

/* A guess of the seconds of an evaluation with its gradient; bf_flow_estimate measures it. Not collective. */
double bf_flow_seconds(const BfFlow *flow);

/* Take this readout from now on rather than the one of least loss: of a model on other data. One that is trained stands
 * in the control. Not collective. */
void bf_flow_set_readout(BfFlow *flow, int64_t readout);

/* The depth profile of a problem at a depth t in [0, T eps]. Not collective. */
double bf_problem_profile(const BfProblem *problem, double t);

/* ---- training --------------------------------------------------------------------------------------------------- */

/* Where the search for a control begins. */
typedef struct {
  double *given;  /* [givens][T][q], behind them of a trained readout [givens][C d + C]; or NULL; owned */
  int64_t givens; /* 0: none */
  int64_t starts; /* uniform draws in the box that are tried besides; at least 1 where nothing is given */
  int64_t seed;   /* of the draws */
  int64_t ranks;  /* that try a start together; 0: chosen, from their number, that of the starts, and memory */
} BfInitialControls;

/* How many they are. */
static inline int64_t bf_initial_controls(const BfInitialControls *points) { return points->givens + points->starts; }
/* Start number i of the search into control [n]: the given ones first, then draws, number j of which is the j-th
 * block of n = bf_flow_numbers numbers of splitmix64(seed). */
void bf_initial_control(const BfProblem *problem, const BfInitialControls *points, int64_t start, double control[]);

typedef struct {
  int64_t  starts;
  double  *initial_cost, *final_cost; /* [starts]; owned, like all arrays here */
  int64_t *start_iterations;          /* [starts] */
  int64_t  givens;                    /* that the first of them are */
  int64_t *minimum; /* [starts] the number of the minimum that it has come to, in the order of their costs; -1: J is no
                       number */
  int64_t  minima;  /* whose costs differ: each exceeds the one before by more than 1e-6 of it, or 1e-9 */
  int64_t  best;    /* the start of least final cost */
  int64_t  evaluations;  /* of all starts */
  int      reason;       /* why the best one ended: a TaoConvergedReason; 0: its J is infinite, or nothing is free */
  double  *control;      /* [n] where it ended */
  int64_t  iterations;   /* of the best start */
  double  *history;      /* [iterations + 1][2]: J and TAO's residual */
  int64_t  wanted;       /* as it was asked: of how many minima, the least first, to tell where they are; 0: of none */
  int64_t  told;         /* of so many */
  int64_t *told_start;   /* [told] the start that came lowest, the first of equal ones */
  double  *told_control; /* [told][n] where it ended */
} BfFlowAnswer;
void        bf_flow_answer_clear(BfFlowAnswer *answer);
const char *bf_flow_answer_reason(const BfFlowAnswer *answer); /* in TAO's words */

/* Minimize J over the box, U^T and that of a trained readout, by TAO (bounded quasi-Newton bqnls, or -tao_type) from
 * every start. The answer of a start is the iterate of least J, the start among them, so that no start is better than
 * the answer. Ranks work in groups; a group takes a start, then the next that is left. TAO runs on a group's first
 * rank, all its ranks evaluate: the answer has the same bits whatever the groups. Progress a line every few seconds.
 * Goes on from what `checkpoint` (may be NULL) holds, on any number of ranks and groups, and saves to it: the starts
 * that have ended, and of those under way the evaluations so far, which TAO is given again in a restart, so that it
 * takes the same steps, bit for bit. BF_STOPPED where the checkpoint told it to stop. */
BfStatus bf_flow_train(BfRun *run, BfFlow *flow, const BfProblem *problem, const BfInitialControls *points,
                       BfCheckpoint *checkpoint, BfFlowAnswer *out, BfError *error);

/* The largest difference of the gradient at control from central differences of J, relative to the largest component.
 */
BfStatus bf_flow_test_gradient(BfFlow *flow, const BfProblem *problem, const double control[], double *difference,
                               BfError *error);

/* ---- Pontryagin's condition ------------------------------------------------------------------------------------- */

/* H(t, u) = sum over tokens of <p, f(z; u)> + lambda/2 |u|^2 at both ends of every interval. Of scheme `layers`, one a
 * layer: H_t(u) = sum of <p_{t+1}, F(z_t, u)> + eps lambda/2 |u|^2, F the next tokens after P, with derivative dJ/du_t.
 * In discrete time an optimal u_t is a stationary point of H_t on U, not always its minimum, and H_t is not constant
 * along depth. */
typedef struct {
  int    ends;     /* E: 2 of an interval; 1 of a layer */
  double terminal; /* largest |p(T) - the cost's own formula of it|, BfCostKind's `adjoint`; NaN where it has none */
  double stationarity; /* largest |u - P_U(u - dH/du)|; dH/du = dJ/du / eps, its mean over an interval, or dJ/du of a
                          layer; and of a trained readout, */
  double readout_stationarity; /* largest |x - P(x - dJ/dx)| over its numbers x, P onto their box; NaN: none is */
  double variation, variation_within; /* of H over all ends; between the ends of an interval at most, NaN of layers */
  double violation; /* largest H(t, u(t)) - min over the problem's actions of H(t, u_k), at least 0; NaN where it has
                       none, like what follows of it; the numbers of actions then are -1 */
  double   violation_depth;
  int32_t  violation_action;
  double  *stationary;  /* [T]; owned, like the following */
  double  *hamiltonian; /* [T][E] */
  double  *exceeds;     /* [T][E] the violations */
  int32_t *minimizer;   /* [T][E] smallest k of least H */
} BfPontryagin;
/* value: of an evaluation at control [n] with gradient, tokens and adjoint. Collective. */
BfStatus bf_pontryagin(BfFlow *flow, const BfProblem *problem, const double control[], const BfFlowValue *value,
                       BfPontryagin *out, BfError *error);
void     bf_pontryagin_clear(BfPontryagin *pontryagin);

/* ---- the flow against the layers with the same controls ---------------------------------------------------------- */

/* What P would have done. A token is outside at t_k = k eps, k = 1 .. T, where it is strictly outside Z, or with P of
 * `sphere` where |z| is off 1 by more than 1 %; between these depths nothing is counted. */
typedef struct {
  double   difference; /* |J - cost of the layers| / |cost of the layers|; 0 where both are the same */
  int64_t  tokens;     /* that are outside somewhere */
  int64_t  first;      /* k where the first of them are, or -1 */
  int64_t *outside;    /* [T + 1] tokens at t_k; 0 at t_0; owned */
} BfFlowLayers;
/* value: with tokens, of data; cost: of bf_rollout on it. Not collective. */
BfStatus bf_flow_layers(const BfProblem *problem, const BfData *data, const BfFlowValue *value, double cost,
                        BfFlowLayers *out, BfError *error);
void     bf_flow_layers_clear(BfFlowLayers *layers);

/* /flow and /pontryagin of a result file: README, A result file. Collective. */
BfStatus bf_flow_write(const BfProblem *problem, const BfFlowOptions *options, const BfFlowValue *value,
                       const BfFlowAnswer *answer, const BfPontryagin *pontryagin, const BfFlowLayers *layers,
                       BfStore *store, BfError *error);

/* ---- time, before anything runs -------------------------------------------------------------------------------- */

typedef struct {
  int    groups, ranks;     /* that have a start; of each */
  double forward, gradient; /* seconds of an evaluation by a group, at the start */
  double pontryagin;        /* seconds, at the end */
  double node_bytes;        /* memory, at most */
} BfFlowEstimate;
/* A search on the run's own ranks (machine: NULL) or on others. */
BfStatus bf_flow_estimate(BfRun *run, const BfProblem *problem, const BfFlowOptions *options,
                          const BfInitialControls *points, const BfMachine *machine, BfFlowEstimate *estimate,
                          BfError *error);

BF_API_END
