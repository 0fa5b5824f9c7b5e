/* The layers themselves, P included: z_{t+1} = P(y_t), y_t = r z_t + eps v, forward; and the discrete adjoint
 * p_t = (dz_{t+1}/dz_t)^T p_{t+1}, dJ/du_t = (dz_{t+1}/du_t)^T p_{t+1} back. */
#include "flow/flow.h"
#include <math.h>
#include <string.h>

struct BfIntegrator {
  BfFlow *flow;
  int64_t size;
  double *y;      /* [T][size] before P, of the last forward pass */
  double *lambda; /* [size] */
  double *by_parameters;
};

static BfStatus create(BfFlow *flow, int64_t size, BfIntegrator **out, BfError *error) {
  BfIntegrator *x;
  BfStatus      status;
  BF_TRY(BF_NEW(&x, 1, error));
  *out    = x;
  x->flow = flow;
  x->size = size;
  BF_GOTO(BF_NEW(&x->y, flow->problem->horizon * size, error));
  BF_GOTO(BF_NEW(&x->lambda, size, error));
  BF_GOTO(BF_NEW(&x->by_parameters, flow->problem->layer.parameters, error));
done:
  if (status != BF_OK) bf_integrator_layers.destroy(out);
  return status;
}

static void destroy(BfIntegrator **depth) {
  BfIntegrator *x = *depth;
  if (!x) return;
  bf_free(x->y);
  bf_free(x->lambda);
  bf_free(x->by_parameters);
  bf_free(x);
  *depth = NULL;
}

static const double *parameters(const BfIntegrator *x, int t) {
  return x->flow->parameters + (int64_t)t * x->flow->problem->layer.parameters;
}

/* P makes finite what is infinite, but no number of what is none. */
static int all_numbers(const double *y, int64_t n) {
  int numbers = 1;
  for (int64_t i = 0; i < n; i++) numbers &= y[i] == y[i];
  return numbers;
}

static BfStatus forward(BfIntegrator *x, const BfFlowGroup *group, bool keep, double *ends, int *finite,
                        BfError *error) {
  const BfLayer *layer = &x->flow->problem->layer;
  (void)keep;
  (void)error;
  *finite = 1;
  for (int t = 0; t < x->flow->problem->horizon && *finite; t++) {
    const double *z = ends + t * x->size;
    double       *y = x->y + t * x->size, *next = ends + (t + 1) * x->size;
    for (int b = 0; b < group->blocks; b++) {
      const BfFlowBlock *block = &group->block[b];
      const int64_t      at    = block->offset;
      bf_step(layer, &block->block, parameters(x, t), z + at, y + at, next + at, x->flow->work);
    }
    *finite = all_numbers(y, x->size);
  }
  return BF_OK;
}

static BfStatus backward(BfIntegrator *x, const BfFlowGroup *group, const double *ends, const double *lambda,
                         double *by_u, double *adjoints, BfError *error) {
  const BfLayer *layer = &x->flow->problem->layer;
  const int64_t  T = x->flow->problem->horizon, n = x->size, q = layer->free;
  double        *p;
  BF_TRY(BF_NEW(&p, n, error));
  memcpy(p, lambda, sizeof(double) * (size_t)n);
  if (adjoints) memcpy(adjoints + T * n, lambda, sizeof(double) * (size_t)n);
  for (int t = (int)T - 1; t >= 0; t--) {
    memcpy(x->lambda, p, sizeof(double) * (size_t)n);
    memset(x->by_parameters, 0, sizeof(double) * (size_t)layer->parameters);
    for (int b = 0; b < group->blocks; b++) {
      const BfFlowBlock *block = &group->block[b];
      const int64_t      at    = block->offset;
      const BfTransposed to    = {p + at, x->by_parameters};
      bf_step_transposed(layer, &block->block, parameters(x, t), ends + t * n + at, x->y + t * n + at, x->lambda + at,
                         &to, x->flow->work);
    }
    memset(by_u + t * q, 0, sizeof(double) * (size_t)q);
    bf_layer_collect(layer, x->by_parameters, by_u + t * q);
    if (adjoints) memcpy(adjoints + t * n, p, sizeof(double) * (size_t)n);
  }
  bf_free(p);
  return BF_OK;
}

const BfIntegratorKind bf_integrator_layers = {create, destroy, forward, backward};
