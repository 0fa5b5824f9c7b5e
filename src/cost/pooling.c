#include "pooling.h"
#include "cost/bound.h"
#include "readout.h"

#include <inttypes.h>
#include <limits.h>

static const char *const names[] = {"mean", "last", "first", NULL}; /* as BfPooling */

static BfPooling pooling_of(const BfCost *cost) {
  const BfPooled *own = cost->own;
  return own ? own->pooling : BF_POOL_MEAN;
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

BfStatus bf_pooled_read(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error) {
  BfPooled *own     = cost->own;
  int       pooling = BF_POOL_MEAN;
  (void)data;
  BF_TRY(keys->word(keys, "cost.pooling", names, &pooling, error));
  own->pooling = (BfPooling)pooling;
  return BF_OK;
}

BfStatus bf_pooled_describe(const BfCost *cost, const BfDescription *to, BfError *error) {
  return to->text(to, "pooling", names[pooling_of(cost)], error);
}

/* A pooled representation has one label to be right about. */
BfStatus bf_pooled_check(const BfCost *cost, const BfContext *context, int *tag, BfError *error) {
  for (int g = 1; g < context->tags; g++)
    if (context->label[g] != context->label[g - 1]) {
      *tag = g;
      return bf_fail(error, BF_BAD_INPUT, "sequence %" PRId64 " has labels %d and %d; %s needs one a sequence",
                     context->sequence, context->label[g - 1], context->label[g], cost->kind->base.name);
    }
  return BF_OK;
}

/* ---- the representation ----------------------------------------------------------------------------------------- */

/* The positions from *begin to *end, both included, are pooled. */
static void pooled_positions(const BfCost *cost, const BfContext *context, int *begin, int *end) {
  const BfPooling pooling = pooling_of(cost);
  int             first = INT_MAX, last = 0;
  for (int g = 0; g < context->tags; g++) {
    if (context->position[g] < first) first = context->position[g];
    if (context->position[g] > last) last = context->position[g];
  }
  *begin = pooling == BF_POOL_LAST ? last : first;
  *end   = pooling == BF_POOL_FIRST ? first : last;
}

static double pooled_mass(const BfContext *context, int begin, int end) {
  double mass = 0;
  for (int g = 0; g < context->tags; g++)
    if (context->position[g] >= begin && context->position[g] <= end)
      mass += context->mass[g] * (context->first[g + 1] - context->first[g]);
  return mass;
}

void bf_pooled_represent(const BfCost *cost, const BfContext *context, const double *z, double *r) {
  const int dim = cost->dim;
  int       begin, end;
  pooled_positions(cost, context, &begin, &end);
  const double mass = pooled_mass(context, begin, end);
  for (int g = 0, any = 0; g < context->tags; g++) {
    if (context->position[g] < begin || context->position[g] > end) continue;
    const double share = context->mass[g] / mass;
    for (int i = context->first[g]; i < context->first[g + 1]; i++, any = 1) {
      const double *from = z + (int64_t)i * dim * BF_LANES;
      for (int k = 0; k < dim * BF_LANES; k++) r[k] = any ? r[k] + share * from[k] : share * from[k];
    }
  }
}

void bf_pooled_spread(const BfCost *cost, const BfContext *context, const double *by_r, double *gradient) {
  int begin, end;
  pooled_positions(cost, context, &begin, &end);
  const double mass = pooled_mass(context, begin, end);
  for (int g = 0; g < context->tags; g++) {
    const double share = context->position[g] >= begin && context->position[g] <= end ? context->mass[g] / mass : 0;
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int k = 0; k < cost->dim * BF_LANES; k++) gradient[(int64_t)i * cost->dim * BF_LANES + k] = share * by_r[k];
  }
}

double bf_pooled_correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z) {
  double r[cost->dim * BF_LANES];
  int    given[BF_LANES];
  bf_pooled_represent(cost, context, z, r);
  bf_readout_label(cost, readout, r, given);
  return given[0] == context->label[0];
}

/* ---- over a box of parameters ----------------------------------------------------------------------------------- */

int bf_pooled_features(const BfCost *cost, const BfContext *context) {
  (void)context;
  return cost->classes - 1;
}

void bf_pooled_reads(const BfCost *cost, const BfContext *context, char slot[]) {
  int begin, end;
  pooled_positions(cost, context, &begin, &end);
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      slot[i] = context->position[g] >= begin && context->position[g] <= end;
}

void bf_pooled_bound(const BfCostBound *call, const BfAffine *z, BfAffine *feature) {
  const BfFormSpace *space   = call->space;
  const BfContext   *context = call->context;
  const int          d       = call->cost->dim;
  int                begin, end;
  pooled_positions(call->cost, context, &begin, &end);
  const double mass = pooled_mass(context, begin, end);
  for (int a = 0; a < d; a++) {
    BfAffine *r = bf_affine_at(space, call->work, a);
    bf_affine_begin(space, r);
    for (int g = 0; g < context->tags; g++)
      for (int i = context->first[g]; i < context->first[g + 1]; i++)
        if (context->position[g] >= begin && context->position[g] <= end)
          bf_affine_plus(space, context->mass[g] / mass, bf_affine_at(space, z, (int64_t)i * d + a), r);
    bf_affine_end(space, r);
  }
  bf_bound_logits(call, call->work, context->label[0], bf_affine_at(space, call->work, d), feature);
}

/* ---- the adjoint's end, plainly --------------------------------------------------------------------------------- */

BfStatus bf_pooled_adjoint(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                           BfDerivative *derivative, BfError *error) {
  const int d = cost->dim;
  double    r[d], by_r[d], mass = 0;
  int       begin, end;
  pooled_positions(cost, context, &begin, &end);
  for (int a = 0; a < d; a++) r[a] = 0;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      if (context->position[g] < begin || context->position[g] > end) continue;
      for (int a = 0; a < d; a++) r[a] += context->mass[g] * z[(int64_t)i * d + a];
      mass += context->mass[g];
    }
  for (int a = 0; a < d; a++) r[a] /= mass;
  BF_TRY(derivative(cost, readout, r, context->label[0], 1 / (mass * cost->contexts), by_r, error));
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      for (int a = 0; a < d; a++)
        p[(int64_t)i * d + a] =
            context->position[g] < begin || context->position[g] > end ? 0 : context->mass[g] * by_r[a];
  return BF_OK;
}
