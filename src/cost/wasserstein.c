/* For each context W2^2 between mu_s and its target measure, the tags' targets y at the tags' positions, for the ground
 * cost |z - y|^2 + lambda |p - q|^2 with p = (index + 1)/L_s, [ASY26] eqs. 13-14. */
#include "wasserstein.h"
#include "cost_kind.h"
#include "divisor.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static BfPositionWeight weight_of(const BfCost *cost) {
  const BfPositionWeight *own = cost->own;
  return own ? *own : (BfPositionWeight){0};
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

static BfStatus read(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error) {
  const char       *key   = "cost.position_weight", *text;
  BfPositionWeight *own   = cost->own;
  double            bound = 0; /* the largest over contexts */
  for (int64_t s = 0; s < data->contexts; s++)
    bound = fmax(bound, bf_position_weight_bound(&data->context[s], cost->diameter2));
  BF_TRY(keys->text(keys, key, &text, error));
  own->automatic = !strcmp(text, "auto");
  if (own->automatic) return BF_OK;
  BF_TRY(keys->number(keys, key, &own->weight, error));
  if (own->weight >= bound) return BF_OK;
  return keys->warn(keys, error, "%s %g is below %g, which keeps every token at its own position", key, own->weight,
                    bound);
}

static BfStatus describe(const BfCost *cost, const BfDescription *to, BfError *error) {
  const BfPositionWeight own = weight_of(cost);
  if (own.automatic) return to->text(to, "position_weight", "auto", error);
  return to->number(to, "position_weight", own.weight, error);
}

double bf_position_weight_bound(const BfContext *context, double diameter2) {
  int least = 0; /* gap between successive positions: tags are sorted by position */
  for (int g = 1; g < context->tags; g++) {
    const int gap = context->position[g] - context->position[g - 1];
    if (gap && (!least || gap < least)) least = gap;
  }
  const double p = (double)least / context->length;
  return least ? diameter2 / (p * p) : 0;
}

/* ---- the ground cost -------------------------------------------------------------------------------------------- */

/* lambda |p - q|^2 between the positions of two tags. */
static inline double apart(const BfCost *cost, const BfContext *context, int g, int h) {
  const double gap = (double)(context->position[g] - context->position[h]) / context->length;
  return gap == 0 ? 0 : weight_of(cost).weight * (gap * gap); /* a weight that overflowed keeps positions too */
}

/* The ground cost from an atom of tag g to the target of tag h, in the first `lanes` lanes from where `atom` points. */
static inline void ground_cost(const BfCost *cost, const BfContext *context, const int lanes, const double *atom, int g,
                               int h, double out[]) {
  const double *y   = context->target + (int64_t)h * cost->dim;
  const double  far = apart(cost, context, g, h);
  for (int l = 0; l < lanes; l++) out[l] = 0;
  for (int a = 0; a < cost->dim; a++)
    for (int l = 0; l < lanes; l++) {
      const double away = atom[a * BF_LANES + l] - y[a];
      out[l] += away * away;
    }
  for (int l = 0; l < lanes; l++) out[l] += far;
}

/* What it costs to take every atom to its own tag's target, loss [lanes]. Where that target is a nearest one for
 * every atom, each unit of mass pays the least that it can, so that this coupling is optimal: *optimal is 1. */
static inline void own_targets(const BfCost *cost, const BfContext *context, const int lanes, const double *z,
                               double loss[], int optimal[]) {
  double own[BF_LANES], other[BF_LANES];
  for (int l = 0; l < lanes; l++) {
    loss[l]    = 0;
    optimal[l] = 1;
  }
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      const double *atom = z + (int64_t)i * cost->dim * BF_LANES;
      ground_cost(cost, context, lanes, atom, g, g, own);
      for (int l = 0; l < lanes; l++) loss[l] += context->mass[g] * own[l];
      for (int h = 0; h < context->tags; h++) {
        ground_cost(cost, context, lanes, atom, g, h, other);
        for (int l = 0; l < lanes; l++) optimal[l] &= own[l] <= other[l];
      }
    }
  for (int l = 0; l < lanes; l++) loss[l] /= context->tokens;
}

/* ---- masses as integers ----------------------------------------------------------------------------------------- */

typedef struct {
  int64_t *supply; /* [slots] */
  int64_t *demand; /* [tags] */
  int64_t  scale;  /* of a data token */
  double  *ground; /* [slots][tags] of one lane */
  int64_t *plan;   /* [slots][tags], where a gradient is wanted */
} Masses;

static void clear_masses(Masses *masses) {
  bf_free(masses->supply);
  bf_free(masses->demand);
  bf_free(masses->ground);
  bf_free(masses->plan);
}

/* An atom's mass is (tokens of the tag) / (its atoms): the least common multiple of the denominators makes all masses
 * whole. Fills demand with the tags' tokens, and scale. */
static BfStatus find_scale(const BfContext *context, Masses *masses, BfError *error) {
  int64_t scale = 1, all = 0;
  int     overflow = 0;
  for (int g = 0; g < context->tags && !overflow; g++) {
    const int64_t atoms  = context->first[g + 1] - context->first[g];
    const int64_t tokens = llround(context->mass[g] * (double)atoms);
    if (tokens < 1 || fabs(context->mass[g] * (double)atoms / (double)tokens - 1) > 1e-9)
      return bf_fail(error, BF_BAD_INPUT,
                     "sequence %" PRId64 ": a mass of %g is not a number of tokens over %" PRId64 " atoms",
                     context->sequence, context->mass[g], atoms);
    const int64_t denominator = atoms / bf_greatest_divisor(tokens, atoms);
    overflow = __builtin_mul_overflow(scale, denominator / bf_greatest_divisor(scale, denominator), &scale);
    all += tokens;
    masses->demand[g] = tokens;
  }
  if (overflow || __builtin_mul_overflow(all, scale, &all))
    return bf_fail(error, BF_BAD_INPUT,
                   "sequence %" PRId64 ": its tags' numbers of atoms have no common multiple below"
                   " 2^63, which wasserstein needs: take the same number for every tag (quantize.atoms)",
                   context->sequence);
  masses->scale = scale;
  return BF_OK;
}

static BfStatus make_masses(const BfContext *context, Masses *masses, BfError *error) {
  BF_TRY(BF_NEW(&masses->supply, context->slots, error));
  BF_TRY(BF_NEW(&masses->demand, context->tags, error));
  BF_TRY(BF_NEW(&masses->ground, (int64_t)context->slots * context->tags, error));
  BF_TRY(find_scale(context, masses, error));
  for (int g = 0; g < context->tags; g++) {
    const int64_t atoms  = context->first[g + 1] - context->first[g];
    const int64_t common = bf_greatest_divisor(masses->demand[g], atoms);
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      masses->supply[i] = masses->demand[g] / common * (masses->scale / (atoms / common));
    masses->demand[g] *= masses->scale;
  }
  return BF_OK;
}

/* The ground cost [slots][tags] of one lane; whether all of it is finite. */
static int fill_ground(const BfCost *cost, const BfContext *context, const double *z, int lane, double *ground) {
  int finite = 1;
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      const double *atom = z + (int64_t)i * cost->dim * BF_LANES + lane;
      for (int h = 0; h < context->tags; h++) {
        double c;
        ground_cost(cost, context, 1, atom, g, h, &c);
        ground[(int64_t)i * context->tags + h] = c;
        finite &= isfinite(c) != 0;
      }
    }
  return finite;
}

/* ---- the kind --------------------------------------------------------------------------------------------------- */

/* Lane l of 2 sum_h share(i, h) (z_i - y_h), where share is the part of the context's mass that goes from atom i to tag
 * h. */
static void pull(const BfCost *cost, const BfContext *context, const double *z, int l, int i, int h, double share,
                 double *gradient) {
  for (int a = 0; a < cost->dim; a++) {
    const int64_t at = ((int64_t)i * cost->dim + a) * BF_LANES + l;
    gradient[at] += 2 * share * (z[at] - context->target[(int64_t)h * cost->dim + a]);
  }
}

static void pull_to_own(const BfCost *cost, const BfContext *context, const double *z, int l, double *gradient) {
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++)
      pull(cost, context, z, l, i, g, context->mass[g] / context->tokens, gradient);
}

/* One lane by optimal transport: its loss, and, where wanted, its gradient from the same coupling. */
static BfStatus transport_lane(const BfCost *cost, const BfContext *context, const double *z, int l, Masses *masses,
                               double *loss, double *gradient, BfError *error) {
  double moved;
  if (!masses->scale) BF_TRY(make_masses(context, masses, error));
  if (gradient && !masses->plan) BF_TRY(BF_NEW(&masses->plan, (int64_t)context->slots * context->tags, error));
  if (!fill_ground(cost, context, z, l, masses->ground)) { /* a flow that diverged */
    *loss = INFINITY;
    for (int64_t i = 0; gradient && i < (int64_t)context->slots * cost->dim; i++) gradient[i * BF_LANES + l] = NAN;
    return BF_OK;
  }
  BF_TRY(bf_transport_plan(context->slots, masses->supply, context->tags, masses->demand, masses->ground, &moved,
                           masses->plan, error));
  *loss = moved / (double)masses->scale / context->tokens;
  for (int i = 0; gradient && i < context->slots; i++)
    for (int h = 0; h < context->tags; h++) {
      const int64_t amount = masses->plan[(int64_t)i * context->tags + h];
      if (amount) pull(cost, context, z, l, i, h, (double)amount / (double)masses->scale / context->tokens, gradient);
    }
  return BF_OK;
}

static BfStatus evaluate(const BfCost *cost, int64_t readout, const BfContext *context, int lanes, const double *z,
                         double *loss, double *gradient, BfError *error) {
  (void)readout;
  Masses           masses = {0};
  BfStatus         status = BF_OK;
  int              optimal[BF_LANES];
  BfPositionWeight here    = weight_of(cost);
  BfCost           weighed = *cost;
  if (here.automatic) here.weight = 1.01 * bf_position_weight_bound(context, cost->diameter2);
  weighed.own = &here;
  cost        = &weighed;
  if (lanes == 1) own_targets(cost, context, 1, z, loss, optimal);
  else own_targets(cost, context, BF_LANES, z, loss, optimal);
  for (int64_t i = 0; gradient && i < (int64_t)context->slots * cost->dim * BF_LANES; i++) gradient[i] = 0;
  for (int l = 0; l < lanes; l++) {
    if (!optimal[l]) BF_GOTO(transport_lane(cost, context, z, l, &masses, &loss[l], gradient, error));
    else if (gradient) pull_to_own(cost, context, z, l, gradient);
  }
done:
  clear_masses(&masses);
  return status;
}

const BfCostKind bf_cost_wasserstein = {
    .base         = {"wasserstein",
                     (const BfKey[]){{"cost.position_weight", "number or word", "auto",
                                      "lambda of the ground cost |z - y|^2 + lambda |p - q|^2; `auto`: what keeps every token "
                                              "at its own position",
                                      .most = INFINITY},
                                     {.name = NULL}}},
    .version      = BF_KIND_VERSION,
    .needs_target = true,
    .nonnegative  = true,
    .average      = BF_AVERAGE_CONTEXTS,
    .own          = sizeof(BfPositionWeight),
    .read         = read,
    .describe     = describe,
    .evaluate     = evaluate};
