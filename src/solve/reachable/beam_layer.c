/* A layer of the beam: in rounds, between which the owners keep the B + 1 least. */
#include "solve/reachable/beam_layer.h"
#include "run/limits.h"
#include "solve/reachable/save.h"
#include <math.h>
#include <stdlib.h>

static int64_t round_measures(const BfReachable *x, int64_t bytes) {
  const BfLimits *limits = bf_limits();
  const double    terms  = x->beam->alone.all ? (double)x->problem->train.contexts : bf_reachable_terms(x->problem);
  double          pairs  = (double)limits->batch_pairs;
  pairs                  = fmin(pairs, limits->piece_terms / terms);
  pairs                  = fmin(pairs, (double)limits->batch_bytes / (double)bytes);
  pairs                  = fmin(pairs, 4.0 * (double)x->beam->width / x->run->size); /* so that few are sent in vain */
  const double measures  = floor(pairs / (double)x->problem->actions);
  return measures < 1 ? 1 : (int64_t)measures;
}

static BfStatus allocate(BfBeamLayer *l, BfError *error) {
  BfReachable  *x = l->x;
  const int64_t K = x->problem->actions;
  BF_TRY(BF_NEW(&l->round, l->rounds, error));
  BF_TRY(BF_NEW(&l->rest_of, K, error));
  BF_TRY(BF_NEW(&l->row, x->problem->train.contexts, error));
  BF_TRY(BF_NEW(&l->sent_at, x->run->size + 1, error));
  BF_TRY(BF_NEW(&l->got_at, x->run->size + 1, error));
  if (!x->beam->alone.all) BF_TRY(BF_NEW(&l->successors, K * x->measures.bytes, error));
  for (int64_t r = 0; r < l->rounds; r++) {
    BF_TRY(BF_NEW(&l->round[r].sent, 2 * x->run->size, error));
    l->round[r].got = l->round[r].sent + x->run->size;
  }
  return bf_measure_set_create(&x->measures, &l->set, error);
}

static void clear(BfBeamLayer *l) {
  for (int64_t r = 0; l->round && r < l->rounds; r++) bf_free(l->round[r].sent);
  bf_free(l->round);
  BfArray *const arrays[] = {&l->sent, &l->log, &l->items, &l->found, &l->spent, &l->rest};
  for (int i = 0; i < 6; i++) bf_free(arrays[i]->data);
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

/* Owners tell the numbers of what they received; what was not kept, or whose own key lies above the least that was
 * dropped, is no edge. */
static void answer(BfBeamLayer *l, int64_t number[]) {
  BfRun *run = l->x->run;
  for (int64_t r = 0; r < l->rounds; r++) {
    const BfBeamRound *round = &l->round[r];
    bf_beam_displace(run->size, round->sent, l->sent_at);
    bf_beam_displace(run->size, round->got, l->got_at);
    MPI_Alltoallv((int64_t *)l->log.data + round->log_at, round->got, l->got_at, MPI_INT64_T, number + round->sent_at,
                  round->sent, l->sent_at, MPI_INT64_T, run->world);
  }
  for (int64_t e = 0; e < l->sent.count; e++)
    if (((const BfSent *)l->sent.data)[e].key > l->limit) number[e] = -1;
}

static int by_action(const void *a, const void *b) {
  const BfEdge *x = a, *y = b;
  return (x->action > y->action) - (x->action < y->action);
}

/* Edges by measure and action. */
static BfStatus make_edges(const BfBeamLayer *l, const int64_t number[], BfError *error) {
  BfReached    *from = l->from;
  const int64_t K    = l->x->problem->actions;
  const BfSent *sent = l->sent.data;
  BF_TRY(BF_NEW(&from->first, from->count + 1, error));
  for (int64_t e = 0; e < l->sent.count; e++) from->first[sent[e].pair / K + 1] += number[e] >= 0;
  for (int64_t i = 0; i < from->count; i++) from->first[i + 1] += from->first[i];
  BF_TRY(BF_NEW(&from->edge, from->first[from->count], error));
  int64_t *next;
  BF_TRY(BF_NEW(&next, from->count, error));
  if (from->count) memcpy(next, from->first, sizeof *next * (size_t)from->count);
  for (int64_t e = 0; e < l->sent.count; e++)
    if (number[e] >= 0) from->edge[next[sent[e].pair / K]++] = (BfEdge){number[e], sent[e].pair % K};
  bf_free(next);
  for (int64_t i = 0; i < from->count; i++)
    qsort(from->edge + from->first[i], (size_t)(from->first[i + 1] - from->first[i]), sizeof(BfEdge), by_action);
  return BF_OK;
}

/* The kept measures, sorted and numbered, into layer t+1; the log in their numbers. */
static BfStatus take_layer(BfBeamLayer *l, const int64_t position[], BfError *error) {
  BfReached    *to    = &l->x->layer[l->t + 1];
  const double *spent = l->spent.data;
  int64_t      *log   = l->log.data;
  BF_TRY(BF_NEW(&to->spent, l->set.count, error));
  for (int64_t i = 0; i < l->set.count; i++) to->spent[position[i]] = spent[i];
  for (int64_t e = 0; e < l->log.count; e++) log[e] = log[e] < 0 ? -1 : to->offset + position[log[e]];
  to->count      = l->set.count;
  to->measure    = l->set.measure;
  l->set.measure = NULL;
  return BF_OK;
}

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

static void count_edges(const BfBeamLayer *l) {
  BfReachable *x     = l->x;
  int64_t      edges = l->from->first[l->from->count];
  MPI_Allreduce(MPI_IN_PLACE, &edges, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  l->from->edges = edges;
  x->beam->dropped += l->from->total * x->problem->actions - edges;
}

static BfStatus finish(BfBeamLayer *l, BfError *error) {
  BfRun     *run      = l->x->run;
  BfReached *to       = &l->x->layer[l->t + 1];
  int64_t   *position = NULL, *number = NULL;
  BfStatus   status;
  BF_GOTO(choose(l, error));
  BF_GOTO(bf_together(run->world, bf_measure_set_sort(&l->set, &position, error), error));
  to->offset = 0;
  MPI_Exscan(&l->set.count, &to->offset, 1, MPI_INT64_T, MPI_SUM, run->world);
  if (run->rank == 0) to->offset = 0; /* MPI leaves it undefined there */
  MPI_Allreduce(&l->set.count, &to->total, 1, MPI_INT64_T, MPI_SUM, run->world);
  BF_GOTO(bf_together(run->world, take_layer(l, position, error), error));
  BF_GOTO(bf_together(run->world, BF_NEW(&number, l->sent.count, error), error));
  answer(l, number);
  BF_GOTO(bf_together(run->world, make_edges(l, number, error), error));
  count_edges(l);
done:
  bf_free(position);
  bf_free(number);
  return status;
}

/* What another round may need, all of which may be kept, and what follows the last; arrays double. */
static double round_bytes(const BfBeamLayer *l) {
  const double pairs = (double)l->each * (double)l->x->problem->actions, measure = (double)l->x->measures.bytes,
               arrive = 1.25 * pairs + 1024, set = (double)l->set.count + arrive, sent = (double)l->sent.count + pairs;
  double bytes = pairs * (4 * (double)l->bytes + 40) + set * (2 * measure + 120) + 24 * sent;
  if (sent > (double)l->sent.room) bytes += 2 * sent * (double)sizeof(BfSent);
  if ((double)l->log.count + arrive > (double)l->log.room) bytes += 16 * ((double)l->log.count + arrive);
  for (double room = (double)l->set.room; room < set; room *= 2) bytes += 2 * room * (measure + 24);
  return bytes;
}

/* A round that may not fit into memory is not begun: the layers that are complete are saved instead. */
static BfStatus check_memory(BfBeamLayer *l, BfError *error) {
  int64_t found  = l->set.count;
  BfError memory = {0};
  MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT64_T, MPI_SUM, l->x->run->world);
  if (bf_reachable_memory(l->x, l->t, round_bytes(l), found, &memory) == BF_OK) return BF_OK;
  if (memory.status == BF_STOPPED)
    BF_TRY(bf_reachable_save_between(l->x, (BfReachablePosition){BF_STAGE_FORWARD, l->t}, error));
  return bf_fail(error, memory.status, "%s", memory.text);
}

static BfStatus run_rounds(BfBeamLayer *l, BfError *error) {
  BfReachable *x    = l->x;
  const double each = (double)l->from->total / (double)(l->rounds > 0 ? l->rounds : 1) * (double)x->problem->actions;
  for (int64_t r = 0, all; r < l->rounds; r++) {
    BF_TRY(check_memory(l, error));
    BF_TRY(bf_beam_round(l, error));
    x->expanded += each;
    bf_work_done(x->run, BF_PHASE_EXPAND, each);
    bf_work_done(x->run, BF_PHASE_MERGE, each);
    MPI_Allreduce(&l->set.count, &all, 1, MPI_INT64_T, MPI_SUM, x->run->world);
    if (all > 2 * (x->beam->width + 1)) BF_TRY(bf_beam_cut(l, x->beam->width + 1, &l->limit, error));
  }
  return BF_OK;
}

BfStatus bf_beam_forward(BfReachable *x, int t, BfError *error) {
  BfBeamLayer l = {.x = x, .t = t, .from = &x->layer[t], .bytes = x->measures.bytes + 2 * (int64_t)sizeof(double)};
  BfStatus    status;
  l.limit  = INFINITY;
  l.each   = round_measures(x, l.bytes);
  l.rounds = (l.from->count + l.each - 1) / l.each;
  MPI_Allreduce(MPI_IN_PLACE, &l.rounds, 1, MPI_INT64_T, MPI_MAX, x->run->world);
  BF_GOTO(bf_together(x->run->world, allocate(&l, error), error));
  BF_GOTO(run_rounds(&l, error));
  status = finish(&l, error);
done:
  clear(&l);
  return status;
}
