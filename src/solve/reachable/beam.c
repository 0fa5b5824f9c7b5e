/* Runs of the beam, and how good the best of them is. */
#include "solve/reachable/beam.h"
#include "solve/reachable/save.h"
#include <math.h>
#include <stdio.h>

/* What the run that is complete leaves below V_0, and whether nothing else can be better than the best. */
static void judge(BfBeam *beam, BfModel *found, BfBeamAnswer *answer) {
  const bool   all  = beam->dropped == 0;
  const double left = beam->alone.all ? bf_alone_safe(&beam->alone, beam->least) : beam->bound;
  if (!all && beam->best.layers && beam->best.quantized_cost <= found->quantized_cost) bf_model_clear(found);
  else {
    bf_model_clear(&beam->best);
    beam->best = *found;
  }
  *found      = (BfModel){0};
  beam->bound = fmax(beam->bound, left);
  if (all) beam->bound = beam->best.quantized_cost;
  answer->beam        = beam->width;
  answer->dropped     = beam->dropped;
  answer->optimal     = beam->bound >= beam->best.quantized_cost;
  answer->lower_bound = fmin(beam->bound, beam->best.quantized_cost);
}

static void tell(const BfReachable *x, const BfBeamAnswer *answer) {
  const double best = x->beam->best.quantized_cost;
  char         a[BF_HUMAN];
  if (answer->optimal) bf_print(x->run, "beam of %lld: %.10g, optimal\n", (long long)answer->beam, best);
  else
    bf_print(x->run, "beam of %lld: %.10g; %s successors were dropped, which leave %.10g\n", (long long)answer->beam,
             best, bf_human_count((double)answer->dropped, a), answer->lower_bound);
}

static void introduce(const BfReachable *x) {
  const BfAlone *alone = &x->beam->alone;
  int64_t        with = 0, all = x->problem->train.contexts, measures = 0;
  char           tables[80] = "none", bound[80] = "no bound of the optimum is known";
  for (int64_t s = 0; s < all; s++) with += alone->context[s].shape >= 0;
  for (int i = 0; i < alone->shapes; i++) measures += alone->shape[i].first[x->problem->horizon + 1];
  if (with)
    snprintf(tables, sizeof tables, "of %lld of %lld, %lld measures", (long long)with, (long long)all,
             (long long)measures);
  if (isfinite(x->beam->bound)) snprintf(bound, sizeof bound, "the optimum is not below %.10g", x->beam->bound);
  bf_print(x->run, "tables of contexts alone: %s; %s\n", tables, bound);
}

BfStatus bf_reachable_beams(BfReachable *x, const BfReachableOptions *options, const BfStore *store, BfModel *model,
                            BfError *error) {
  BfBeam             *beam  = x->beam;
  BfModel             found = {0};
  const double        most  = x->size.most;
  BfBeamAnswer        answer;
  BfReachablePosition at;
  BfStatus            status;
  beam->first = options->beam;
  BF_GOTO(bf_alone_create(x->run, &x->parts, &x->scratch, options->tables, &beam->alone, error));
  beam->bound = bf_alone_safe(&beam->alone, beam->alone.lower);
  introduce(x);
  bf_beam_begin(beam, 0);
  BF_GOTO(bf_reachable_restore(x, &at, error));
  for (;;) {
    x->size.most = fmin(most, (double)beam->width);
    BF_GOTO(bf_reachable_passes(x, at, store, error));
    BF_GOTO(bf_reachable_open_loop(x, &found, error));
    judge(beam, &found, &answer);
    tell(x, &answer);
    if (answer.optimal || beam->doubling == options->doublings) break;
    bf_reachable_forget_layers(x);
    bf_beam_begin(beam, beam->doubling + 1);
    at = bf_reachable_begin(x);
  }
  if (options->answer) *options->answer = answer;
  *model     = beam->best;
  beam->best = (BfModel){0};
done:
  bf_model_clear(&found);
  return status;
}
