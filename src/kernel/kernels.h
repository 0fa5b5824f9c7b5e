/* What is compiled once for each instruction set, as a table of functions. A kernel file is compiled several times with
 * -DBF_ISA=name, and BF_KERNEL puts that name behind its functions; kernels.c makes the table of one instruction set,
 * choose.c chooses. Pure: kernels include no MPI, no PETSc, no files, and nothing of layers; of kinds those of sigma
 * alone. A new kernel: its file, its line in BfKernels and in kernels.c, its case in tests/kernel. */
#pragma once
#include "kernel/flat.h"
#include "kernel/heads.h"
#include "kernel/images.h"
#include "kernel/images_ranks.h"
#include "kernel/losses.h"
#include "kernel/sweep.h"
#include "kernel/table.h"

#define BF_PASTE_(a, b) a##_##b
#define BF_PASTE(a, b) BF_PASTE_(a, b)
#define BF_KERNEL(name) BF_PASTE(name, BF_ISA)

/* exp of x[count][BF_LANES], x <= 0, in place: what every kernel below takes for exp. */
typedef void BfExpLanes(int count, double *x);
/* Arguments as those of bf_layer_apply_known, bf_layer_means, bf_layer_alone, bf_velocity, bf_velocity_transposed. */
typedef void BfLayerApply(const BfFlatLayer *layer, const BfContext *context, const BfKnownParts *known,
                          const double *parameters, const double *z, double *next, double *work);
typedef void BfLayerAlone(const BfFlatLayer *layer, const BfContext *context, const double *parameters, const double *z,
                          double *next, double *work); /* and A, mean in place of parameters, next */
typedef void BfVelocity(const BfFlatLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                        const double *z, double *f, double *work);
/* v += the feed-forward part; hidden = sigma(W1 z + b1); and its transposed products, added, those with its own
 * parameters in lanes. */
typedef void BfFeedforward(const BfFeedforwardPoints *points, double *v);
typedef void BfFeedforwardTransposed(const BfFeedforwardPoints *points, const double *lambda, double *by_z,
                                     double *by_parameters);
typedef void BfVelocityTransposed(const BfFlatLayer *layer, const BfBlock *block, const double parameters[],
                                  double zeta, const double *z, const double *lambda, const BfTransposed *to,
                                  double *work);

struct BfKernels {
  const char *name; /* of the instruction set: "generic", ... */
  /* Without fused multiply-add: the same bits in every instruction set. */
  BfExpLanes     *exp_lanes;
  BfLayerApply   *layer_apply;
  BfLayerAlone   *layer_means;
  BfLayerAlone   *layer_alone; /* lanes are slots of one context */
  BfFeedforward  *feedforward; /* each lane with parameters of its own */
  BfFeedforward  *feedforward_hidden;
  BfLogit        *logit;
  BfSoftmax      *softmax;
  BfSquares      *squares;
  BfTablePrepare *table_prepare;
  BfTableSight   *table_sight;
  BfTableMeasure *table_measure;
  BfTableRank    *table_rank;
  BfTablePairs   *table_pairs;
  BfRankRowsOf   *rank_rows;
  BfRankJoin     *rank_join;
  BfSweepBlock   *sweep_block;
  BfSweepLast    *sweep_last;
  BfSweepTake    *sweep_take;
  /* Fused where the instruction set can. */
  BfImagePrepare          *image_prepare;
  BfImageSum              *image_sum;
  BfImageRowOf            *image_row, *image_row_float;
  BfImageJoin             *image_join;
  BfVelocity              *velocity;
  BfVelocityTransposed    *velocity_transposed;
  BfFeedforward           *feedforward_shared; /* all lanes with the same parameters */
  BfFeedforwardTransposed *feedforward_transposed;
  BfHeadsMeans            *heads_means;
  BfHeadsForward          *heads_forward;
  BfHeadsAdjoint          *heads_adjoint;
  BfHeadsTangent          *heads_tangent;
};

/* Tables that this program holds, the plainest ("generic") first; NULL behind the last. */
const BfKernels *bf_kernels_compiled(int i);
/* Whether this machine has all instructions that the kernels of an instruction set other than generic may use. */
int bf_machine_runs(const char *name);

#ifdef BF_ISA /* in a file that is compiled for one */
BfExpLanes              BF_KERNEL(bf_exp_lanes);
BfLayerApply            BF_KERNEL(bf_layer_apply);
BfLayerAlone            BF_KERNEL(bf_layer_means);
BfLayerAlone            BF_KERNEL(bf_layer_alone);
BfFeedforward           BF_KERNEL(bf_feedforward);
BfFeedforward           BF_KERNEL(bf_feedforward_hidden);
BfLogit                 BF_KERNEL(bf_logit);
BfSoftmax               BF_KERNEL(bf_softmax);
BfSquares               BF_KERNEL(bf_squares);
BfTablePrepare          BF_KERNEL(bf_table_prepare);
BfTableSight            BF_KERNEL(bf_table_sight);
BfTableMeasure          BF_KERNEL(bf_table_measure);
BfTableRank             BF_KERNEL(bf_table_rank);
BfTablePairs            BF_KERNEL(bf_table_pairs);
BfRankRowsOf            BF_KERNEL(bf_rank_rows);
BfRankJoin              BF_KERNEL(bf_rank_join);
BfSweepBlock            BF_KERNEL(bf_sweep_block);
BfSweepLast             BF_KERNEL(bf_sweep_last);
BfSweepTake             BF_KERNEL(bf_sweep_take);
BfImagePrepare          BF_KERNEL(bf_image_prepare);
BfImageSum              BF_KERNEL(bf_image_sum);
BfImageRowOf            BF_KERNEL(bf_image_row);
BfImageRowOf            BF_KERNEL(bf_image_row_float);
BfImageJoin             BF_KERNEL(bf_image_join);
BfVelocity              BF_KERNEL(bf_velocity);
BfVelocityTransposed    BF_KERNEL(bf_velocity_transposed);
BfFeedforward           BF_KERNEL(bf_feedforward_shared);
BfFeedforwardTransposed BF_KERNEL(bf_feedforward_transposed);
BfHeadsMeans            BF_KERNEL(bf_heads_means);
BfHeadsForward          BF_KERNEL(bf_heads_forward);
BfHeadsAdjoint          BF_KERNEL(bf_heads_adjoint);
BfHeadsTangent          BF_KERNEL(bf_heads_tangent);
#endif
