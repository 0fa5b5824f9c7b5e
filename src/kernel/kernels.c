/* The table of one instruction set, compiled once for each. */
#include "kernel/kernels.h"

#define NAME_(isa) #isa
#define NAME(isa) NAME_(isa)

const BfKernels BF_KERNEL(bf_kernels) = {
    .name                   = NAME(BF_ISA),
    .exp_lanes              = BF_KERNEL(bf_exp_lanes),
    .layer_apply            = BF_KERNEL(bf_layer_apply),
    .layer_means            = BF_KERNEL(bf_layer_means),
    .layer_alone            = BF_KERNEL(bf_layer_alone),
    .feedforward            = BF_KERNEL(bf_feedforward),
    .feedforward_hidden     = BF_KERNEL(bf_feedforward_hidden),
    .logit                  = BF_KERNEL(bf_logit),
    .softmax                = BF_KERNEL(bf_softmax),
    .squares                = BF_KERNEL(bf_squares),
    .table_prepare          = BF_KERNEL(bf_table_prepare),
    .table_sight            = BF_KERNEL(bf_table_sight),
    .table_measure          = BF_KERNEL(bf_table_measure),
    .table_rank             = BF_KERNEL(bf_table_rank),
    .table_pairs            = BF_KERNEL(bf_table_pairs),
    .rank_rows              = BF_KERNEL(bf_rank_rows),
    .rank_join              = BF_KERNEL(bf_rank_join),
    .sweep_block            = BF_KERNEL(bf_sweep_block),
    .sweep_last             = BF_KERNEL(bf_sweep_last),
    .sweep_take             = BF_KERNEL(bf_sweep_take),
    .image_prepare          = BF_KERNEL(bf_image_prepare),
    .image_sum              = BF_KERNEL(bf_image_sum),
    .image_row              = BF_KERNEL(bf_image_row),
    .image_row_float        = BF_KERNEL(bf_image_row_float),
    .image_join             = BF_KERNEL(bf_image_join),
    .velocity               = BF_KERNEL(bf_velocity),
    .velocity_transposed    = BF_KERNEL(bf_velocity_transposed),
    .feedforward_shared     = BF_KERNEL(bf_feedforward_shared),
    .feedforward_transposed = BF_KERNEL(bf_feedforward_transposed),
    .heads_means            = BF_KERNEL(bf_heads_means),
    .heads_forward          = BF_KERNEL(bf_heads_forward),
    .heads_adjoint          = BF_KERNEL(bf_heads_adjoint),
    .heads_tangent          = BF_KERNEL(bf_heads_tangent),
};
