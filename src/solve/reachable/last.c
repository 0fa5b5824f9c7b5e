/* The last layer: costed, measure by measure, and never stored. */
#include "run/limits.h"
#include "solve/reachable/beam.h"
#include "solve/reachable/save.h"
#include <math.h>

/* All actions of one measure, some blocks at a time, so that progress is told of a large action set, too. */
static BfStatus cost_successors(BfReachable *x, const unsigned char *measure, double *total, BfError *error) {
  if (x->beam && x->beam->alone.all) {
    bf_beam_cost(x, measure, total);
    return BF_OK;
  }
  const BfReached *layer  = &x->layer[x->problem->horizon - 1];
  const int64_t    blocks = x->actions.blocks;
  const double     each   = (double)layer->total / (double)layer->count * (double)x->problem->actions / (double)blocks,
               fits       = bf_limits()->piece_terms / 8 / (bf_reachable_terms(x->problem) * BF_LANES);
  const int64_t some      = fits < 8 ? 8 : fits < (double)blocks ? (int64_t)fits : blocks;
  for (int64_t b = 0; b < blocks; b += some) {
    const int64_t end = b + some < blocks ? b + some : blocks;
    BF_TRY(bf_reachable_cost(x, measure, b, end, total, error));
    bf_work_done(x->run, BF_PHASE_EXPAND, each * (double)(end - b));
  }
  return BF_OK;
}

static void minimize(const BfReachable *x, const double *total, BfReached *layer, int64_t i) {
  const int64_t padded = x->actions.blocks * BF_LANES;
  layer->value[i]      = INFINITY;
  for (int64_t k = 0; k < x->problem->actions; k++) {
    double  g = total[k];
    int32_t r = 0;
    for (int32_t other = 1; other < x->problem->cost.readouts; other++)
      if (total[other * padded + k] < g) {
        g = total[other * padded + k];
        r = other;
      }
    const double q = x->actions.stage[k] + g;
    if (q < layer->value[i]) {
      layer->value[i]   = q;
      layer->policy[i]  = (int32_t)k;
      layer->readout[i] = r;
    }
  }
}

/* Pieces of the last layer, the same number on all ranks: about half a second each. */
static int64_t count_pieces(const BfReachable *x, const BfReached *layer) {
  const double each =
      x->beam && x->beam->alone.all ? (double)x->problem->train.contexts : bf_reachable_terms(x->problem);
  const double terms = each * (double)layer->count * (double)x->problem->actions;
  int64_t      mine  = (int64_t)(terms / bf_limits()->piece_terms) + 1, pieces;
  if (mine > layer->count) mine = layer->count > 0 ? layer->count : 1;
  MPI_Allreduce(&mine, &pieces, 1, MPI_INT64_T, MPI_MAX, x->run->world);
  return pieces;
}

static BfStatus cost_piece(BfReachable *x, int64_t from, int64_t to, double *total, unsigned char known[],
                           BfError *error) {
  BfReached *layer  = &x->layer[x->problem->horizon - 1];
  BfStatus   status = BF_OK;
  bf_phase_begin(x->run, BF_PHASE_EXPAND);
  for (int64_t i = from; i < to; i++) {
    if (known[i]) continue;
    BF_GOTO(cost_successors(x, layer->measure + i * x->measures.bytes, total, error));
    minimize(x, total, layer, i);
    bf_count_values(x->run, (double)x->problem->actions);
    known[i] = 1;
  }
  x->expanded += (double)(to - from) * (double)x->problem->actions;
done:
  bf_phase_end(x->run, BF_PHASE_EXPAND);
  return status;
}

static BfStatus cost_layer(BfReachable *x, double *total, unsigned char known[], BfError *error) {
  BfReached    *layer  = &x->layer[x->problem->horizon - 1];
  const int64_t pieces = count_pieces(x, layer);
  for (int64_t p = 0; p < pieces; p++) {
    const int64_t to = layer->count * (p + 1) / pieces;
    BF_TRY(bf_together(x->run->world, cost_piece(x, layer->count * p / pieces, to, total, known, error), error));
    const BfOrder order = p + 1 < pieces ? bf_checkpoint_ask(x->checkpoint, bf_reachable_last_bytes(x)) : BF_GO_ON;
    if (order == BF_GO_ON) continue;
    BF_TRY(bf_reachable_save_last(x, known, error));
    if (order == BF_SAVE_AND_STOP) return bf_checkpoint_stopped(x->checkpoint, error);
  }
  return BF_OK;
}

static BfStatus make_room(const BfReachable *x, double **total, unsigned char **known, BfError *error) {
  BF_TRY(BF_NEW(total, x->problem->cost.readouts * x->actions.blocks * BF_LANES, error));
  return *known ? BF_OK : BF_NEW(known, x->layer[x->problem->horizon - 1].count, error);
}

BfStatus bf_reachable_last(BfReachable *x, BfError *error) {
  unsigned char *known = x->partial.known; /* of a checkpoint */
  double        *total = NULL;
  BfStatus       status;
  x->partial.known = NULL;
  BF_GOTO(bf_together(x->run->world, make_room(x, &total, &known, error), error));
  status = cost_layer(x, total, known, error);
done:
  bf_free(known);
  bf_free(total);
  return status;
}
