/* The tangent kernel Theta = sum (1/w) J J^T, J = dz_T/dtheta, and its spectrum; what it promises. [FBHP26].
 *
 * With g = (1/w) dz_T/dtheta (what the adjoint gives), Theta is the square of the matrix of rows sqrt(w) g, a row a
 * free number of a particle and a column an output: a component of a token at the end. Its triangle is all that is
 * held. */
#pragma once
#include "heads/heads.h"

/* Outputs up to which the spectrum is whole, by the singular values of J; beyond it is some ends of it, by SLEPc. */
enum { BF_TANGENT_MOST = 4000 };

typedef struct {
  int64_t outputs;  /* N d */
  double  smallest; /* eigenvalues; NaN: unknown, not converged */
  double  largest;
  double  trace;           /* NaN beyond BF_TANGENT_MOST */
  int64_t rank;            /* singular values above the largest times eps max(N d, T H q); -1: unknown */
  double  pooled_smallest; /* of B Theta B^T, B what the cost pools; NaN where it pools nothing, or unknown */
  double  residual;        /* beyond BF_TANGENT_MOST: the largest relative residual of what is reported; else 0 */
  int64_t values;
  double *spectrum; /* [values] eigenvalues, the largest first; owned */
} BfTangent;

/* Of the law on the data of x. Fixed blocks of heads are dealt to ranks and their triangles merged in a fixed order:
 * the same bits on any number of ranks. Every rank needs T H q + 3 (sum of squares of the outputs of a sequence)
 * doubles and a triangle of (N d)^2 for each block it has. N d adjoints of a sequence each, and 2 T H q (N d)^2 flops
 * of LAPACK, which bound it where N d > 100. Clear it also after a failure. Collective. */
BfStatus bf_tangent_kernel(BfHeads *x, const BfHeadLaw *law, BfTangent *out, BfError *error);
void     bf_tangent_clear(BfTangent *tangent);
/* Memory of that on one of so many ranks, bytes; up to BF_TANGENT_MOST outputs without what an evaluation takes. Local.
 */
double bf_tangent_bytes(const BfProblem *problem, const BfData *data, int64_t heads, int ranks);

/* Lambda_s(eta) = log mean_j exp(beta <eta, z_j + e_j>) of every sequence as functions of eta ~ N(0, 9 I) modulo affine
 * ones: smallest over largest singular value. Gauss-Hermite with 40 nodes an axis for d <= 2, 4000 draws beyond, which
 * scatter. 0 where all of them are affine (largest below 1e-10 of what it was); NaN, unknown, where there are more
 * sequences than nodes tell apart. tokens [N][d] in the order of the data. A diagnostic: neither does a value above 0
 * prove that the tangent kernel is injective, nor 0 that it is not. Local.
 */
BfStatus bf_log_sum_exp_test(const BfProblem *problem, const BfData *data, const double tokens[], double *out,
                             BfError *error);
