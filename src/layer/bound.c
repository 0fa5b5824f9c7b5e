/* A layer over a box of parameters: affine forms of its tokens' images. */
#include "bellformer/term.h"
#include "kernel/activation.h"

#include <string.h>

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

/* ---- tokens that are alike --------------------------------------------------------------------------------------- */

/* Row i of e_p; NULL where all are 0. */
static const double *code(const BfLayer *layer, int position) {
  return layer->encoding ? layer->encoding + (int64_t)position * layer->dim : NULL;
}

static bool are_alike(const BfLayer *layer, const BfContext *context, const double z[], const int slot[2],
                      const int tag[2]) {
  const size_t d = (size_t)layer->dim, size = d * sizeof *z;
  const int    p = context->position[tag[0]], q = context->position[tag[1]];
  if (memcmp(z + (size_t)slot[0] * d, z + (size_t)slot[1] * d, size) != 0) return false;
  if (p == q) return true;
  return layer->mask == BF_MASK_FULL && (!layer->encoding || !memcmp(code(layer, p), code(layer, q), size));
}

void bf_layer_alike(const BfLayer *layer, const BfContext *context, const double z[], int like[]) {
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      like[i] = i;
      for (int h = 0; h <= g && like[i] == i; h++)
        for (int j = context->first[h]; j < context->first[h + 1] && j < i && like[i] == i; j++)
          if (are_alike(layer, context, z, (const int[]){j, i}, (const int[]){h, g})) like[i] = j;
    }
}

/* ---- a layer ----------------------------------------------------------------------------------------------------- */

static int is_wanted(const BfLayerBound *call, int i) { return !call->wanted || call->wanted[i]; }

/* P of r z and the sum of a slot, or the image of a token before that is like it. */
static void finish(const BfLayerBound *call, int i, const BfAffine *z, BfAffine *next, BfAffine *work) {
  const BfFormSpace *space = call->space;
  const int          d = call->layer->dim, first = call->like ? call->like[i] : i;
  BfAffine          *image = bf_affine_at(space, next, (int64_t)i * d);
  if (first != i && is_wanted(call, first)) {
    memcpy(image, bf_affine_at(space, next, (int64_t)first * d), (size_t)d * space->size);
    return;
  }
  for (int a = 0; a < d; a++) {
    BfAffine *y = bf_affine_at(space, image, a);
    bf_affine_plus(space, call->layer->residual, bf_affine_at(space, z, (int64_t)i * d + a), y);
    bf_affine_end(space, y);
  }
  call->layer->projection->bound(space, call->layer, image, work);
}

void bf_layer_bound(const BfLayerBound *call, const BfAffine *z, BfAffine *next, void *work) {
  const BfFormSpace *space = call->space;
  const BfLayer     *layer = call->layer;
  const int          d = layer->dim, slots = call->context->slots;
  BfAffine          *seen = work, *rest = bf_affine_at(space, seen, seen_forms(layer, call->context));
  for (int i = 0; layer->norm->apply && i < slots * d; i += d)
    layer->norm->bound(space, d, bf_affine_at(space, z, i), bf_affine_at(space, seen, i), rest);
  for (int i = 0; i < slots * d; i++)
    if (is_wanted(call, i / d)) bf_affine_begin(space, bf_affine_at(space, next, i));
  for (int k = 0; k < layer->terms; k++) {
    const BfTermKind *kind = layer->term[k].kind;
    const BfTermBound at   = {
          .of = call, .term = &layer->term[k], .z = kind->unnormed || !layer->norm->apply ? z : seen, .work = rest};
    kind->bound(&at, next);
  }
  for (int i = 0; i < slots; i++)
    if (is_wanted(call, i)) finish(call, i, z, next, rest);
}
