/* Cases of the flow's velocity and of its transposed products, in both layouts of lanes. */
#include "conformance.h"

#include <string.h>

enum { LOOSE = 2 }; /* doubles by which arrays stand off a boundary of 64 bytes, as PETSc's do */

typedef struct {
  BfLayer layer;
  BfBlock block;
  double  zeta, *parameters, *z, *lambda, *f, *by_z, *by_parameters, *work;
} Moved;

static void make_block(Memory *m, uint64_t *seed, int large, BfBlock *block) {
  block->layout = below(seed, 2) ? BF_LANES_OF_TOKENS : BF_LANES_OF_SEQUENCES;
  block->tokens = large ? 64 : 1 + below(seed, 21);
  block->rows   = block->layout == BF_LANES_OF_TOKENS ? (block->tokens + BF_LANES - 1) / BF_LANES : block->tokens;
  int *position = TAKE(m, int, block->rows *BF_LANES);
  int *place    = TAKE(m, int, block->tokens); /* several tokens may share a position */
  for (int i = 1; i < block->tokens; i++) place[i] = place[i - 1] + below(seed, 2);
  for (int i = 0; i < block->rows * BF_LANES; i++)
    position[i] = block->layout == BF_LANES_OF_TOKENS ? (i < block->tokens ? place[i] : 0) : place[i / BF_LANES];
  block->position = position;
}

static Moved *make_moved(Memory *m, uint64_t *seed, int large) {
  static const char *const sigma[] = {NULL, NULL, "tanh", "gelu", "relu"};
  Moved                   *x       = TAKE(m, Moved, 1);
  const int                dim     = large ? 2 : below(seed, 16) ? 1 + below(seed, 8) : 9 + below(seed, 24);
  const int                which   = below(seed, 5);
  make_layer(m, seed, dim, large ? NULL : sigma[which], &x->layer);
  if (dim == 1)
    x->layer.projection = &bf_project_clip; /* on a sphere of two points nothing but rounding is left of v */
  make_block(m, seed, large, &x->block);
  const int64_t size = (int64_t)x->block.rows * dim * BF_LANES;
  x->zeta            = within(seed, 0.2, 2);
  x->parameters      = TAKE(m, double, x->layer.parameters);
  x->z               = TAKE(m, double, size + LOOSE) + LOOSE;
  x->work            = TAKE(m, double, bf_velocity_work(&x->layer, &x->block));
  fill_random(seed, x->layer.parameters, 1.0 / dim, x->parameters); /* logits of a few units at most */
  fill_random(seed, size, 1, x->z);
  return x;
}

static int64_t size_of(const Moved *x) { return (int64_t)x->block.rows * x->layer.dim * BF_LANES; }

static void *make_velocity(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Moved *x = make_moved(m, seed, large);
  x->f     = output(m, outputs, size_of(x) + LOOSE) + LOOSE;
  return x;
}

static void run_velocity(void *x, const BfKernels *kernels) {
  Moved *v         = x;
  v->layer.kernels = kernels; /* of its terms */
  BfFlatLayer flat;
  bf_layer_flat(&v->layer, &flat);
  kernels->velocity(&flat, &v->block, v->parameters, v->zeta, v->z, v->f, v->work);
}

static void *make_transposed(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Moved *x         = make_moved(m, seed, large);
  x->lambda        = TAKE(m, double, size_of(x) + LOOSE) + LOOSE;
  x->by_z          = output(m, outputs, size_of(x) + LOOSE) + LOOSE;
  x->by_parameters = output(m, outputs, x->layer.parameters);
  for (int i = 0; i < x->block.rows * BF_LANES; i++) {
    if (x->block.layout == BF_LANES_OF_TOKENS && i >= x->block.tokens) continue;
    for (int a = 0; a < x->layer.dim; a++)
      x->lambda[(i / BF_LANES * x->layer.dim + a) * BF_LANES + i % BF_LANES] = within(seed, -1, 1);
  }
  return x;
}

static void run_transposed(void *x, const BfKernels *kernels) {
  Moved *v         = x;
  v->layer.kernels = kernels;
  memset(v->by_parameters, 0, sizeof(double) * (size_t)v->layer.parameters);
  BfFlatLayer flat;
  bf_layer_flat(&v->layer, &flat);
  kernels->velocity_transposed(&flat, &v->block, v->parameters, v->zeta, v->z, v->lambda,
                               &(BfTransposed){v->by_z, v->by_parameters}, v->work);
}

const Family velocity_family   = {"velocity", CLOSE, 200, make_velocity, run_velocity, NULL};
const Family transposed_family = {"velocity_transposed", CLOSE, 200, make_transposed, run_transposed, NULL};
