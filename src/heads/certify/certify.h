/* Rigorous bounds. At one depth, of the least value of the first variation G(theta) = sum_i <r_i, V m_i(A)> +
 * (lambda/2) |theta|^2 over the box of a head's ranges, for tokens z_i and vectors r_i that are taken as exact:
 * best-first branch and bound over A, V explicit. From it, for one layer (T = 1) and a cost with a minorant (cost.h),
 * of the least risk over all laws of heads in the box:
 *
 *     R(nu) >= sum_s constant_s + eps min G   (R is convex in nu, z_T affine)
 *
 * Rounding is enclosed: bound.c proves by how much. */
#pragma once
#include "heads/heads.h"

/* The free numbers of A that a search branches over. */
enum { BF_CERTIFY_MOST = 4 };

typedef struct {
  double  lower; /* of min G, rigorous */
  double  found; /* G at the best theta seen, an upper bound but for rounding */
  int64_t cells; /* that were bounded */
  double *theta; /* [q] that; owned by the caller */
} BfLeastBound;

/* A box of A's, and what is known of G there: doubles, which checkpoints and MPI take as such. */
typedef struct {
  double centre[BF_CERTIFY_MOST], half[BF_CERTIFY_MOST];
  double lower;                   /* G is not below on the cell */
  double value;                   /* G at the centre with the best V */
  double weight[BF_CERTIFY_MOST]; /* how much each number matters there */
} BfCell;
enum { BF_CELL_NUMBERS = sizeof(BfCell) / sizeof(double) };

/* A search that is under way: what a checkpoint keeps of it. Zeros: none. The same on all ranks. */
typedef struct {
  int64_t  given; /* a hash of z and r: what the bounds are of; 0: nothing */
  int64_t  cells; /* that were bounded */
  int64_t  count, room, next_age;
  BfCell  *open;  /* [count] that are not split, a heap, the least bound first, of equal ones the older; owned */
  int64_t *age;   /* [count]; owned */
  BfCell   best;  /* with the least value at its centre */
  double   found; /* that */
} BfOpenCells;
void bf_open_cells_clear(BfOpenCells *open);
/* Room for a search of `cells`; those that are there stay. Local. */
BfStatus bf_open_cells_reserve(BfOpenCells *open, int64_t cells, BfError *error);
/* Memory of that, bytes. */
double bf_certify_bytes(int64_t cells);

/* Refuses what cannot be certified: more than BF_CERTIFY_MOST free numbers of A, or d beyond 3. Local. */
BfStatus bf_certify_check(const BfProblem *problem, BfError *error);

/* cells: how many are bounded, a budget; fewer where the bound is tight before. z, r [N][d] in the order of the data.
 * Rounds of cells are dealt to ranks and depend on their bounds alone: the same bits on any number of ranks. A cell
 * costs an exponential and about 40 flops for each pair of tokens of a sequence. open: goes on from there if that is of
 * the same z and r, else from all of the box, and leaves there what a pause (heads.h) saves. Collective. */
BfStatus bf_certify_least(BfHeads *x, const double *z, const double *r, int64_t cells, BfOpenCells *open,
                          BfLeastBound *out, BfError *error);

typedef struct {
  double  lower, found; /* lower <= min R <= found */
  double  scale;        /* of the dual point */
  int64_t cells;
} BfCertificate;

/* The least risk over all laws of heads in the box, T = 1. value: of an evaluation at a law in the box, with tokens and
 * adjoint; heads [count][q]: some whose A's help to choose the scale. Collective. */
BfStatus bf_certify_risk(BfHeads *x, const BfHeadsValue *value, int64_t count, const double *heads, int64_t cells,
                         BfOpenCells *open, BfCertificate *out, BfError *error);
/* Whether that can be asked for: T = 1, one readout, a cost with a minorant. Local. */
BfStatus bf_certify_check_risk(const BfProblem *problem, BfError *error);
