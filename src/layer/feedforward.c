/* The feed-forward part W2 sigma(W1 z + b1) + b2, by kernels. */
#include "kernel/activation.h"
#include "kernel/kernels.h"
#include "layer/term_kinds.h"
#include <string.h>

static const char *const names[] = {"W1", "b1", "W2", "b2", NULL};

static BfStatus read(BfLayer *layer, BfTerm *term, const BfKeyReader *keys, bool *there, BfError *error) {
  int64_t width = 0;
  int     chosen;
  (void)term;
  BF_TRY(keys->choose(keys, &bf_activation_family, &chosen, error));
  layer->activation = bf_activation_at(chosen);
  *there            = layer->activation != NULL;
  if (*there) BF_TRY(keys->integer(keys, "layer.width", &width, error));
  layer->width = (int)width;
  return BF_OK;
}

static bool implied(const BfLayer *layer) { return layer->activation != NULL; }

static int matrix(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out) {
  const int rows[] = {layer->width, layer->width, layer->dim, layer->dim};
  const int cols[] = {layer->dim, 1, layer->width, 1};
  (void)term;
  if (k >= 4) return 0;
  *out = (BfMatrix){.rows = rows[k], .cols = cols[k], .vector = k % 2};
  strcpy(out->name, names[k]);
  return 1;
}

static BfStatus describe(const BfLayer *layer, const BfTerm *term, const BfDescription *to, BfError *error) {
  (void)term;
  BF_TRY(to->text(to, "feedforward", bf_activation_name(layer->activation), error));
  return to->integer(to, "width", layer->width, error);
}

/* The hidden numbers, their slopes, the cotangents. */
static int64_t work(const BfLayer *layer, const BfTerm *term) {
  (void)term;
  return 3 * (int64_t)layer->width * BF_LANES;
}

static BfFeedforwardPoints points(const BfTermCall *call) {
  const BfLayer *layer = call->layer;
  return (BfFeedforwardPoints){.dim        = layer->dim,
                               .width      = layer->width,
                               .rows       = call->rows,
                               .sigma      = layer->activation,
                               .parameters = bf_term_matrix(call, 0),
                               .z          = call->z,
                               .work       = call->work};
}

static void apply(const BfTermCall *call, double *v) {
  const BfKernels          *kernels = call->layer->kernels;
  const BfFeedforwardPoints at      = points(call);
  (call->stride == 1 ? kernels->feedforward_shared : kernels->feedforward)(&at, v);
}

void bf_feedforward_shown(const BfTermCall *call, const double *hidden, double *v) {
  BfFeedforwardPoints at = points(call);
  at.hidden              = hidden;
  call->layer->kernels->feedforward(&at, v);
}

static void transposed(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters) {
  const BfFeedforwardPoints at = points(call);
  call->layer->kernels->feedforward_transposed(&at, lambda, by_z,
                                               by_parameters + (int64_t)call->term->matrix->at * BF_LANES);
}

/* W1 z + b1, then sigma, of one hidden number after the other. */
static void bound(const BfTermBound *call, BfAffine *sum) {
  const BfFormSpace *space = call->of->space;
  const BfLayer     *layer = call->of->layer;
  const int          d = layer->dim, width = layer->width;
  BfAffine          *hidden = call->work;
  for (int i = 0; i < call->of->context->slots; i++) {
    if (!bf_term_wants(call, i)) continue;
    for (int u = 0; u < width; u++) {
      bf_affine_begin(space, hidden);
      for (int a = 0; a < d; a++)
        bf_affine_plus_product(space, 1, bf_term_entry(call, 0, u * d + a), bf_affine_at(space, call->z, i * d + a),
                               hidden);
      bf_affine_plus(space, 1, bf_term_entry(call, 1, u), hidden);
      bf_affine_end(space, hidden);
      bf_activation_bound(layer->activation, space, hidden, hidden);
      for (int a = 0; a < d; a++)
        bf_affine_plus_product(space, layer->step, bf_term_entry(call, 2, a * width + u), hidden,
                               bf_affine_at(space, sum, i * d + a));
    }
    for (int a = 0; a < d; a++)
      bf_affine_plus(space, layer->step, bf_term_entry(call, 3, a), bf_affine_at(space, sum, i * d + a));
  }
}

const BfTermKind bf_term_feedforward = {.base       = {.name = "feedforward"},
                                        .version    = BF_KIND_VERSION,
                                        .family     = &bf_activation_family,
                                        .matrices   = names,
                                        .read       = read,
                                        .implied    = implied,
                                        .matrix     = matrix,
                                        .describe   = describe,
                                        .work       = work,
                                        .apply      = apply,
                                        .transposed = transposed,
                                        .bound      = bound};
