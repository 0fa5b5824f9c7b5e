/* P(y) = y: tokens may leave Z. Components beyond BF_FARTHEST count as that, so that all that is made of them is
 * finite. */
#include "bellformer/layer.h"

static void transposed(const BfLayer *layer, const double *y, double *lambda) {
  for (int i = 0; i < layer->dim * BF_LANES; i++)
    if (!(y[i] >= -BF_FARTHEST && y[i] <= BF_FARTHEST)) lambda[i] = 0;
}

static bool is_outside(const BfLayer *layer, const double z[]) { return bf_project_clip.is_outside(layer, z); }

static void box(const BfLayer *layer, double lower[], double upper[]) {
  for (int a = 0; a < layer->dim; a++) {
    lower[a] = -BF_FARTHEST;
    upper[a] = BF_FARTHEST;
  }
}

static void bound(const BfFormSpace *space, const BfLayer *layer, BfAffine *y, BfAffine *work) {
  (void)work;
  for (int a = 0; a < layer->dim; a++) {
    BfAffine *form = bf_affine_at(space, y, a);
    bf_affine_clip(space, form, -BF_FARTHEST, BF_FARTHEST, form);
  }
}

const BfProjection bf_project_none = {
    .base       = {.name = "none", .meaning = "tokens may leave Z (numbers beyond 1e140 count as that)"},
    .transposed = transposed,
    .is_outside = is_outside,
    .box        = box,
    .bound      = bound};
