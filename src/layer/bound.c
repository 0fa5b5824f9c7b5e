/* A layer over a box of parameters: affine forms of its tokens' images. */
#include "bellformer/term.h"
#include "kernel/activation.h"

const BfKind *bf_layer_unbounded(const BfLayer *layer, const char **what) {
  for (int k = 0; k < layer->terms; k++)
    if (!layer->term[k].kind->bound) {
      *what = "layer term";
      return &layer->term[k].kind->base;
    }
  if (layer->norm->apply && !layer->norm->bound) {
    *what = "layer.norm";
    return &layer->norm->base;
  }
  *what = "token.projection";
  return layer->projection->bound ? NULL : &layer->projection->base;
}

static int64_t term_work(const BfLayer *layer, const BfContext *context) {
  int64_t most = BF_BOUND_WORK(layer->dim);
  for (int k = 0; k < layer->terms; k++) {
    const BfTermKind *kind = layer->term[k].kind;
    const int64_t     work = kind->bound_work ? kind->bound_work(layer, context) : 0;
    if (work > most) most = work;
  }
  return most;
}

static int64_t seen_forms(const BfLayer *layer, const BfContext *context) {
  return layer->norm->apply ? (int64_t)context->slots * layer->dim : 0;
}

int64_t bf_layer_bound_work(const BfFormSpace *space, const BfLayer *layer, const BfContext *context) {
  return (seen_forms(layer, context) + term_work(layer, context)) * (int64_t)space->size;
}

static int is_wanted(const BfLayerBound *call, int i) { return !call->wanted || call->wanted[i]; }

/* sum = r z. */
static void begin(const BfLayerBound *call, const BfAffine *z, BfAffine *sum) {
  const int d = call->layer->dim;
  for (int i = 0; i < call->context->slots * d; i++) {
    if (!is_wanted(call, i / d)) continue;
    bf_affine_begin(call->space, bf_affine_at(call->space, sum, i));
    bf_affine_plus(call->space, call->layer->residual, bf_affine_at(call->space, z, i),
                   bf_affine_at(call->space, sum, i));
  }
}

void bf_layer_bound(const BfLayerBound *call, const BfAffine *z, BfAffine *next, void *work) {
  const BfFormSpace *space = call->space;
  const BfLayer     *layer = call->layer;
  const int          d = layer->dim, slots = call->context->slots;
  BfAffine          *seen = work, *rest = bf_affine_at(space, seen, seen_forms(layer, call->context));
  for (int i = 0; layer->norm->apply && i < slots * d; i += d)
    layer->norm->bound(space, d, bf_affine_at(space, z, i), bf_affine_at(space, seen, i), rest);
  begin(call, z, next);
  for (int k = 0; k < layer->terms; k++) {
    const BfTermKind *kind = layer->term[k].kind;
    const BfTermBound at   = {
          .of = call, .term = &layer->term[k], .z = kind->unnormed || !layer->norm->apply ? z : seen, .work = rest};
    kind->bound(&at, next);
  }
  for (int i = 0; i < slots; i++) {
    if (!is_wanted(call, i)) continue;
    for (int a = 0; a < d; a++) bf_affine_end(space, bf_affine_at(space, next, i * d + a));
    layer->projection->bound(space, layer, bf_affine_at(space, next, i * d), rest);
  }
}
