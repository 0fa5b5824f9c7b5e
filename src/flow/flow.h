/* The flow inside: groups of blocks, an integrator for each interval of depth, sums over groups. */
#pragma once
#include "bellformer/flow.h"
#include "train/petsc.h"

/* Eight lanes of tokens and the sequences that they are of. */
typedef struct {
  BfBlock  block;
  int      contexts; /* real ones; 1 where lanes are tokens */
  int64_t  context[BF_LANES];
  int     *position; /* [rows][BF_LANES]; owned */
  int64_t *token;    /* [rows][BF_LANES] its number in the data, of padding that of some token; owned */
  char    *real;     /* [rows][BF_LANES] 0: padding; owned */
  int64_t  offset;   /* of its first double in the group's state */
} BfFlowBlock;

/* Blocks that are integrated together, as one state vector. */
typedef struct {
  int          blocks;
  BfFlowBlock *block;
  int64_t      size; /* of the state, doubles */
} BfFlowGroup;

typedef struct BfIntegrator BfIntegrator; /* of a kind's own making */

typedef struct {
  int64_t       size;
  BfIntegrator *depth;
} BfSizedIntegrator;

struct BfFlow {
  const BfRun            *run;
  const BfProblem        *problem;
  const BfData           *data;
  BfFlowOptions           options;
  struct _n_PetscOptions *database;      /* PETSc's options of this flow */
  int                     database_uses; /* calls under way that look there */
  BfCost                  cost;          /* the problem's, averaged over data; its arrays are borrowed */
  BfContext              *context;       /* [contexts] one atom a token */
  int64_t                 readout;       /* that was told, or -1: the one of least loss */
  double                 *numbers;       /* [trained] of the readout of the control under evaluation */
  int64_t                 all_groups;    /* of all ranks */
  int64_t                 blocks;
  BfFlowBlock            *block;
  int64_t                 groups; /* of this rank */
  BfFlowGroup            *group;
  int                     depths; /* one for each size of a group */
  BfSizedIntegrator      *depth;
  double                 *parameters;       /* [T][layer.parameters] of the control under evaluation */
  double                 *work;             /* of the kernels */
  double                 *lanes, *by_lanes; /* of the longest context, for its cost */
};

/* Group the sequences into blocks and groups and keep this rank's. */
BfStatus bf_flow_group(BfFlow *flow, BfError *error);
void     bf_flow_ungroup(BfFlow *flow);

/* ---- through depth -------------------------------------------------------------------------------------------------
 */

/* What takes a group through depth and back; a scheme names one. Not collective. */
struct BfIntegratorKind {
  /* For groups whose state has `size` doubles. */
  BfStatus (*create)(BfFlow *flow, int64_t size, BfIntegrator **out, BfError *error);
  void (*destroy)(BfIntegrator **depth);
  /* From z(0) [size] through all intervals. ends [T + 1][size]: z(t_k). keep: trajectories for `backward`. *finite is 0
   * where a step failed or the state is not finite. */
  BfStatus (*forward)(BfIntegrator *depth, const BfFlowGroup *group, bool keep, double *ends, int *finite,
                      BfError *error);
  /* After `forward` of the same group: from lambda = dJ/dz(T eps) [size] back. by_u [T][q]: dJ/du of the terminal cost.
   * adjoints [T + 1][size] or NULL: p(t_k). */
  BfStatus (*backward)(BfIntegrator *depth, const BfFlowGroup *group, const double *ends, const double *lambda,
                       double *by_u, double *adjoints, BfError *error);
};
extern const BfIntegratorKind bf_integrator_ts;     /* depth.c: PETSc's TS, one an interval */
extern const BfIntegratorKind bf_integrator_layers; /* layers.c: the layers themselves, P included */

/* ---- petsc_options.c -----------------------------------------------------------------------------------------------
 */

/* To be destroyed by bf_petsc_database_destroy, also after a failure. */
BfStatus bf_flow_database_create(const char *text, struct _n_PetscOptions **database, BfError *error);
/* Between these two PETSc looks into the flow's database, in all that is not given another. */
void bf_flow_petsc_begin(BfFlow *flow);
void bf_flow_petsc_end(BfFlow *flow);

/* ---- terminal.c ----------------------------------------------------------------------------------------------------
 */

typedef struct {
  double  sum[2];        /* loss, rightly classified part */
  double *lambda;        /* [size] dJ/dz, 0 in padding; or NULL */
  double *by_readout;    /* [trained] dJ/dR, dJ/db are added to it; or NULL */
  double *sequence_loss; /* [contexts] or NULL */
} BfFlowEnd;

/* What a group's sequences at z [size] cost; fills what `out` points to. */
BfStatus bf_flow_terminal(BfFlow *flow, const BfFlowGroup *group, int64_t readout, const double *z, BfFlowEnd *out,
                          BfError *error);

/* ---- groups.c ------------------------------------------------------------------------------------------------------
 */

/* Whether groups of so many ranks have memory. */
typedef bool BfFlowFits(const void *context, int ranks);
/* Ranks of a group that tries a start, of `size`, where evaluations have so many groups of blocks: as many as are asked
 * for; else of the divisors of size that of fewest turns that fits (NULL: all do), the least of them, since ranks of a
 * group wait for each other. Collective if `fits` is. */
int bf_flow_ranks(int size, const BfInitialControls *points, double blocks, BfFlowFits *fits, const void *context);
/* Bytes of every rank for where starts have ended, of which the `wanted` best are told, 0: none: the table of all, its
 * sum with those of other groups, which a checkpoint and the end take, and the best. */
double bf_flow_ended_bytes(const BfProblem *problem, const BfInitialControls *points, int64_t wanted);
