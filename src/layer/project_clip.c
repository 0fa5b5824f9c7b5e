/* P(y): y clipped to Z, component by component. */
#include "bellformer/layer.h"

static void transposed(const BfLayer *layer, const double *y, double *lambda) {
  for (int i = 0; i < layer->dim * BF_LANES; i++)
    if (!(y[i] >= layer->lower[i / BF_LANES] && y[i] <= layer->upper[i / BF_LANES])) lambda[i] = 0;
}

static bool is_outside(const BfLayer *layer, const double z[]) {
  for (int a = 0; a < layer->dim; a++)
    if (!(z[a] >= layer->lower[a] && z[a] <= layer->upper[a])) return true;
  return false;
}

static void box(const BfLayer *layer, double lower[], double upper[]) {
  for (int a = 0; a < layer->dim; a++) {
    lower[a] = layer->lower[a];
    upper[a] = layer->upper[a];
  }
}

static void bound(const BfFormSpace *space, const BfLayer *layer, BfAffine *y, BfAffine *work) {
  (void)work;
  for (int a = 0; a < layer->dim; a++) {
    BfAffine *form = bf_affine_at(space, y, a);
    bf_affine_clip(space, form, layer->lower[a], layer->upper[a], form);
  }
}

const BfProjection bf_project_clip = {.base       = {.name = "clip", .meaning = "to Z"},
                                      .keeps      = "Z",
                                      .transposed = transposed,
                                      .is_outside = is_outside,
                                      .box        = box,
                                      .bound      = bound};
