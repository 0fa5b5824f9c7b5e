/* The right-hand side of the continuous-depth flow, compiled once for each instruction set. */
#include "kernel/velocity.h"

BF_INLINE void velocity(const int d, const BfLayout layout, double zeta, const BfLoose *z, BfLoose *f,
                        BfVelocityWork *w) {
  const BfFlatLayer *layer = w->layer;
  const BfLane       relax = lane_set((layer->residual - 1) / layer->step);
  velocity_layer(d, layout, z, w);
  for (int i = 0; i < w->block->rows; i++) {
    const BfLoose *x = z + i * d;
    BfLane        *v = w->v + i * d;
    if (layer->unit) {
      const BfLane along = velocity_dot(d, x, v) * velocity_inverse_square(d, x);
      for (int a = 0; a < d; a++) v[a] -= along * x[a];
    }
    for (int a = 0; a < d; a++) f[i * d + a] = lane_set(zeta) * v[a];
    for (int a = 0; layer->residual != 1 && a < d; a++) f[i * d + a] += relax * x[a];
  }
}

void BF_KERNEL(bf_velocity)(const BfFlatLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                            const double *z, double *f, double *work) {
  BfVelocityWork w = velocity_work(layer, block, parameters, work);
  BF_VELOCITY_CASES(velocity, zeta, (const BfLoose *)z, (BfLoose *)f, &w);
}
