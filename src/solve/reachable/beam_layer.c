/* A layer of the beam: in rounds, between which the owners keep the B + 1 least. */
#include "solve/reachable/beam_layer.h"
#include "run/limits.h"
#include "solve/reachable/beam_partial.h"
#include <math.h>
#include <stdlib.h>

/* Measures of a round at first, so that few successors are sent in vain, and at most: about half a second. */
static int64_t round_measures(const BfReachable *x, int64_t bytes, int64_t *most) {
  const BfLimits *limits = bf_limits();
  const double    terms  = x->beam->alone.all ? (double)x->problem->train.contexts : bf_reachable_terms(x->problem),
               K         = (double)x->problem->actions;
  double pairs           = (double)limits->batch_pairs;
  pairs                  = fmin(pairs, limits->piece_terms / terms);
  pairs                  = fmin(pairs, (double)limits->batch_bytes / (double)bytes);
  const double measures  = fmin(pairs, 4.0 * (double)x->beam->width / x->run->size) / K;
  *most                  = pairs < K ? 1 : (int64_t)(pairs / K);
  return measures < 1 ? 1 : (int64_t)measures;
}

static BfStatus allocate(BfBeamLayer *l, BfError *error) {
  BfReachable  *x = l->x;
  const int64_t K = x->problem->actions;
  BF_TRY(BF_NEW(&l->rest_of, K, error));
  BF_TRY(BF_NEW(&l->row, x->problem->train.contexts, error));
  BF_TRY(BF_NEW(&l->sent_at, x->run->size + 1, error));
  BF_TRY(BF_NEW(&l->got_at, x->run->size + 1, error));
  if (!x->beam->alone.all) BF_TRY(BF_NEW(&l->successors, K * x->measures.bytes, error));
  return bf_measure_set_create(&x->measures, &l->set, error);
}

static void clear(BfBeamLayer *l) {
  for (int64_t r = 0; r < l->round.count; r++) bf_free(((BfBeamRound *)l->round.data)[r].sent);
  BfArray *const arrays[] = {&l->round, &l->sent, &l->log, &l->items, &l->found, &l->spent, &l->rest};
  for (int i = 0; i < 7; i++) bf_free(arrays[i]->data);
  bf_free(l->order);
  bf_free(l->successors);
  bf_free(l->out);
  bf_free(l->in);
  bf_free(l->rest_of);
  bf_free(l->row);
  bf_free(l->sent_at);
  bf_free(l->got_at);
  bf_measure_set_clear(&l->set);
}

/* ---- the layer in the end ---------------------------------------------------------------------------------------- */

/* The B + 1st least key, where there is one, is the least that is dropped. */
static BfStatus choose(BfBeamLayer *l, BfError *error) {
  BfBeam *beam = l->x->beam;
  int64_t all;
  BF_TRY(bf_beam_cut(l, beam->width + 1, &l->limit, error));
  MPI_Allreduce(&l->set.count, &all, 1, MPI_INT64_T, MPI_SUM, l->x->run->world);
  if (all <= beam->width) return BF_OK;
  const double *spent = l->spent.data, *rest = l->rest.data;
  double        most = -INFINITY;
  for (int64_t i = 0; i < l->set.count; i++) most = fmax(most, spent[i] + rest[i]);
  MPI_Allreduce(&most, &l->limit, 1, MPI_DOUBLE, MPI_MAX, l->x->run->world);
  beam->least = fmin(beam->least, l->limit);
  return bf_beam_cut(l, beam->width, &most, error);
}

static int by_action(const void *a, const void *b) {
  const BfEdge *x = a, *y = b;
  return (x->action > y->action) - (x->action < y->action);
}

/* The kept measures into layer t+1, the edges that lead to them to layer t. */
static void take_layer(BfBeamLayer *l, BfBeamEdges *edges) {
  BfReached *from = l->from, *to = &l->x->layer[l->t + 1];
  to->count      = l->set.count;
  to->measure    = l->set.measure;
  to->spent      = l->spent.data;
  from->first    = edges->first;
  from->edge     = edges->edge;
  l->set.measure = NULL;
  l->spent.data  = NULL;
  edges->first   = NULL;
  edges->edge    = NULL;
  for (int64_t i = 0; i < from->count; i++)
    qsort(from->edge + from->first[i], (size_t)(from->first[i + 1] - from->first[i]), sizeof(BfEdge), by_action);
}

static void count_edges(const BfBeamLayer *l) {
  BfReachable *x     = l->x;
  int64_t      edges = l->from->first[l->from->count];
  MPI_Allreduce(MPI_IN_PLACE, &edges, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  l->from->edges = edges;
  x->beam->dropped += l->from->total * x->problem->actions - edges;
}

static BfStatus finish(BfBeamLayer *l, BfError *error) {
  BfReached  *to    = &l->x->layer[l->t + 1];
  BfBeamEdges edges = {0};
  BfStatus    status;
  BF_GOTO(choose(l, error));
  BF_GOTO(bf_beam_number(l, &to->offset, &to->total, error));
  BF_GOTO(bf_beam_edges(l, &edges, error));
  take_layer(l, &edges);
  count_edges(l);
done:
  bf_beam_edges_clear(&edges);
  return status;
}

/* What another round may need, all of which may be kept, and what follows the last; arrays double. */
static double round_bytes(const BfBeamLayer *l) {
  const double pairs = (double)l->each * (double)l->x->problem->actions, measure = (double)l->x->measures.bytes,
               arrive = 1.25 * pairs + 1024, set = (double)l->set.count + arrive, sent = (double)l->sent.count + pairs;
  double bytes =
      pairs * (4 * (double)l->bytes + 40) + set * (2 * measure + 120) + 44 * sent + 18 * (double)l->log.count;
  if (sent > (double)l->sent.room) bytes += 2 * sent * (double)sizeof(BfSent);
  if ((double)l->log.count + arrive > (double)l->log.room) bytes += 32 * ((double)l->log.count + arrive);
  for (double room = (double)l->set.room; room < set; room *= 2) bytes += 2 * room * (measure + 24);
  return bytes;
}

/* A round that may not fit into memory is not begun: what is there is saved instead. */
static BfStatus check_memory(BfBeamLayer *l, BfError *error) {
  int64_t found  = l->set.count;
  BfError memory = {0};
  MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT64_T, MPI_SUM, l->x->run->world);
  if (bf_reachable_memory(l->x, l->t, round_bytes(l), found, &memory) == BF_OK) return BF_OK;
  if (memory.status == BF_STOPPED) BF_TRY(bf_beam_save_partial(l, error));
  *error = memory;
  return error->status;
}

/* Measures found, those still to be expanded, and pairs that are known, of all ranks. */
static void count(const BfBeamLayer *l, int64_t counts[3]) {
  counts[0] = l->set.count;
  counts[1] = l->from->count - l->expanded;
  counts[2] = l->log.count;
  MPI_Allreduce(MPI_IN_PLACE, counts, 3, MPI_INT64_T, MPI_SUM, l->x->run->world);
}

/* Once more than B + 1 measures are found: as their number, or that of pairs, has doubled, what is beyond is dropped.
 * *edges: pairs that were left. */
static BfStatus leave_best(BfBeamLayer *l, int64_t counts[3], int64_t *edges, BfError *error) {
  const int64_t width = l->x->beam->width;
  const bool    pairs = counts[2] > 2 * (*edges + width);
  if (counts[0] > 2 * (width + 1) || (pairs && counts[0] > width + 1))
    BF_TRY(bf_beam_cut(l, width + 1, &l->limit, error));
  if (!pairs || isinf(l->limit)) return BF_OK;
  BF_TRY(bf_beam_forget(l, error));
  count(l, counts);
  *edges = counts[2];
  return BF_OK;
}

static BfStatus run_rounds(BfBeamLayer *l, int64_t most, BfError *error) {
  BfReachable *x = l->x;
  int64_t      counts[3], before, edges = 0; /* edges: pairs that the last look at them left */
  for (count(l, counts); counts[1] > 0;) {
    BF_TRY(check_memory(l, error));
    BF_TRY(bf_beam_round(l, error));
    before = counts[1];
    count(l, counts);
    const double found = (double)(before - counts[1]) * (double)x->problem->actions;
    x->expanded += found;
    bf_work_done(x->run, BF_PHASE_EXPAND, found);
    bf_work_done(x->run, BF_PHASE_MERGE, found);
    BF_TRY(leave_best(l, counts, &edges, error));
    l->each             = 2 * l->each < most ? 2 * l->each : most;
    const BfOrder order = bf_checkpoint_ask(x->checkpoint, bf_beam_partial_bytes(l));
    if (order == BF_GO_ON) continue;
    BF_TRY(bf_beam_save_partial(l, error));
    if (order == BF_SAVE_AND_STOP) return bf_checkpoint_stopped(x->checkpoint, error);
  }
  return BF_OK;
}

/* Measures in the order of their expansion: first those that a checkpoint knows. */
static BfStatus make_order(BfBeamLayer *l, const unsigned char *known, BfError *error) {
  int64_t at = 0;
  BF_TRY(BF_NEW(&l->order, l->from->count, error));
  for (int pass = 1; pass >= 0; pass--) {
    for (int64_t i = 0; i < l->from->count; i++)
      if ((known ? known[i] : 0) == pass) l->order[at++] = i;
    if (pass) l->expanded = at;
  }
  return BF_OK;
}

static BfStatus start(BfBeamLayer *l, int64_t *most, BfError *error) {
  BfReachable *x       = l->x;
  const bool   partial = x->partial.measure && x->partial.layer == l->t;
  l->limit             = INFINITY;
  l->tolerance         = bf_alone_tolerance(&x->beam->alone);
  l->each              = round_measures(x, l->bytes, most);
  BF_TRY(bf_together(x->run->world, make_order(l, partial ? x->partial.known : NULL, error), error));
  BF_TRY(bf_together(x->run->world, allocate(l, error), error));
  if (partial) BF_TRY(bf_beam_take_partial(l, error));
  bf_reachable_forget_partial(x);
  return BF_OK;
}

BfStatus bf_beam_forward(BfReachable *x, int t, BfError *error) {
  BfBeamLayer l = {.x = x, .t = t, .from = &x->layer[t], .bytes = x->measures.bytes + 2 * (int64_t)sizeof(double)};
  int64_t     most;
  BfStatus    status;
  BF_GOTO(start(&l, &most, error));
  BF_GOTO(run_rounds(&l, most, error));
  status = finish(&l, error);
done:
  clear(&l);
  return status;
}
