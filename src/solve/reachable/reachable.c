/* The dynamic program over the measures that are reachable from mu_0. */
#include "solve/reachable/beam.h"
#include "solve/reachable/best.h"
#include "solve/reachable/save.h"

static BfStatus solve(BfReachable *x, const BfReachableOptions *options, const BfStore *store, BfModel *model,
                      BfError *error) {
  BfReachablePosition at;
  if (x->beam) return bf_reachable_beams(x, options, store, model, error);
  BF_TRY(bf_reachable_restore(x, &at, error));
  BF_TRY(bf_reachable_passes(x, at, store, error));
  return bf_reachable_open_loop(x, model, error);
}

BfStatus bf_solve_reachable(BfRun *run, const BfProblem *problem, const BfReachableOptions *options, BfStore *store,
                            BfCheckpoint *checkpoint, BfModel *model, BfError *error) {
  BfReachable x;
  BfBeam      beam = {0};
  BfStatus    status;
  *model = (BfModel){0};
  BF_GOTO(bf_together(run->world, bf_reachable_start(run, problem, options, checkpoint, &x, error), error));
  if (options && options->beam) x.beam = &beam;
  bf_print(run, "reachable space: %lld atoms of %d bytes a measure, K = %lld actions\n", (long long)x.measures.slots,
           x.measures.width, (long long)problem->actions);
  BF_GOTO(solve(&x, options, store, model, error));
  if (options && options->best) BF_GOTO(bf_reachable_best(&x, options->best, error));
  if (store && (!options || !options->is_kept || options->is_kept(options->context, model->quantized_cost))) {
    bf_phase_begin(run, BF_PHASE_WRITE);
    status = bf_reachable_write(&x, store, error);
    bf_phase_end(run, BF_PHASE_WRITE);
  }
done:
  bf_reachable_clear(&x);
  bf_alone_clear(&beam.alone);
  bf_model_clear(&beam.best);
  if (status != BF_OK) bf_model_clear(model);
  return status;
}
