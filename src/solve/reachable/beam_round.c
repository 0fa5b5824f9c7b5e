/* A round of the beam: expand, send, merge. */
#include "solve/reachable/beam_layer.h"
#include <math.h>

BfStatus bf_array_grow(BfArray *array, int64_t more, int64_t size, BfError *error) {
  if (array->count + more <= array->room) return BF_OK;
  const int64_t room = 2 * (array->count + more);
  void         *data = bf_calloc(room, (size_t)size, error);
  if (!data) return error->status;
  if (array->count) memcpy(data, array->data, (size_t)(array->count * size));
  bf_free(array->data);
  array->data = data;
  array->room = room;
  return BF_OK;
}

BfStatus bf_beam_add_round(BfBeamLayer *l, BfBeamRound **round, BfError *error) {
  BF_TRY(bf_array_grow(&l->round, 1, sizeof **round, error));
  *round = (BfBeamRound *)l->round.data + l->round.count;
  BF_TRY(BF_NEW(&(*round)->sent, 2 * l->x->run->size, error));
  (*round)->got = (*round)->sent + l->x->run->size;
  l->round.count++;
  return BF_OK;
}

/* What is kept of a measure's successors, as items. */
static BfStatus expand_measure(BfBeamLayer *l, int64_t i, BfError *error) {
  BfReachable         *x       = l->x;
  const int64_t        K       = x->problem->actions;
  const unsigned char *measure = l->from->measure + i * x->measures.bytes;
  BF_TRY(bf_beam_rest(x, l->t, measure, l->rest_of, l->successors, error));
  if (x->beam->alone.all) bf_beam_rows(x, measure, l->row);
  for (int64_t k = 0; k < K; k++) {
    const double spent = l->from->spent[i] + x->actions.stage[k];
    const BfSent found = {i * K + k, spent + l->rest_of[k]};
    if (found.key > l->limit) continue;
    BF_TRY(bf_array_grow(&l->items, 1, l->bytes, error));
    BF_TRY(bf_array_grow(&l->found, 1, sizeof found, error));
    unsigned char *item = (unsigned char *)l->items.data + l->items.count++ * l->bytes;
    if (x->beam->alone.all) bf_beam_successor(x, l->row, k, item);
    else memcpy(item, l->successors + k * x->measures.bytes, (size_t)x->measures.bytes);
    memcpy(item + x->measures.bytes, &spent, sizeof spent);
    memcpy(item + x->measures.bytes + sizeof spent, &l->rest_of[k], sizeof spent);
    ((BfSent *)l->found.data)[l->found.count++] = found;
  }
  return BF_OK;
}

static BfStatus expand_round(BfBeamLayer *l, BfError *error) {
  const int64_t left = l->from->count - l->expanded, end = l->expanded + (left < l->each ? left : l->each);
  BfStatus      status = BF_OK;
  l->items.count = l->found.count = 0;
  bf_phase_begin(l->x->run, BF_PHASE_EXPAND);
  for (; l->expanded < end && status == BF_OK; l->expanded++) {
    status = expand_measure(l, l->order[l->expanded], error);
    bf_count_values(l->x->run, (double)l->x->problem->actions);
  }
  bf_phase_end(l->x->run, BF_PHASE_EXPAND);
  return status;
}

/* Items into the send buffer, by owner; what was sent, in the same order. */
static BfStatus pack(BfBeamLayer *l, BfBeamRound **added, BfError *error) {
  BfReachable  *x = l->x;
  BfBeamRound  *round;
  const int     ranks = x->run->size;
  const int64_t count = l->items.count;
  int          *owner = NULL;
  BF_TRY(bf_beam_add_round(l, added, error));
  round = *added;
  if (count > l->out_room) {
    bf_free(l->out);
    l->out_room = 0;
    BF_TRY(BF_NEW(&l->out, count * l->bytes, error));
    l->out_room = count;
  }
  BF_TRY(bf_array_grow(&l->sent, count, sizeof(BfSent), error));
  BF_TRY(BF_NEW(&owner, count, error));
  const unsigned char *item = l->items.data;
  for (int64_t e = 0; e < count; e++) {
    owner[e] = bf_owner(bf_measures_hash(&x->measures, item + e * l->bytes), ranks);
    round->sent[owner[e]]++;
  }
  bf_beam_displace(ranks, round->sent, l->sent_at);
  round->sent_at = l->sent.count;
  BfSent *sent   = (BfSent *)l->sent.data + l->sent.count;
  for (int64_t e = 0; e < count; e++) {
    const int64_t to = l->sent_at[owner[e]]++;
    memcpy(l->out + to * l->bytes, item + e * l->bytes, (size_t)l->bytes);
    sent[to] = ((const BfSent *)l->found.data)[e];
  }
  l->sent.count += count;
  bf_beam_displace(ranks, round->sent, l->sent_at);
  bf_free(owner);
  return BF_OK;
}

static BfStatus make_room(BfBeamLayer *l, int64_t arriving, BfError *error) {
  BF_TRY(bf_array_grow(&l->log, arriving, sizeof(BfLogged), error));
  BF_TRY(bf_array_grow(&l->spent, arriving, sizeof(double), error));
  BF_TRY(bf_array_grow(&l->rest, arriving, sizeof(double), error));
  if (arriving <= l->in_room) return BF_OK;
  bf_free(l->in);
  l->in_room = 0;
  BF_TRY(BF_NEW(&l->in, arriving * l->bytes, error));
  l->in_room = arriving;
  return BF_OK;
}

/* What arrived, into the set: the cheaper path to a measure counts. */
static BfStatus take(BfBeamLayer *l, int64_t arriving, BfError *error) {
  const int64_t bytes = l->x->measures.bytes;
  double       *spent = l->spent.data, *rest = l->rest.data;
  for (int64_t e = 0; e < arriving; e++) {
    const unsigned char *item = l->in + e * l->bytes;
    int64_t              number;
    double               cost;
    BF_TRY(bf_measure_set_insert(&l->set, item, &number, error));
    memcpy(&cost, item + bytes, sizeof cost);
    if (number == l->spent.count) {
      spent[number] = cost;
      memcpy(&rest[number], item + bytes + sizeof cost, sizeof cost);
      l->spent.count = l->rest.count = number + 1;
    }
    spent[number]                               = fmin(spent[number], cost);
    ((BfLogged *)l->log.data)[l->log.count + e] = (BfLogged){number, cost + rest[number]};
  }
  l->log.count += arriving;
  return BF_OK;
}

static BfStatus exchange(BfBeamLayer *l, BfBeamRound *round, BfError *error) {
  BfRun       *run = l->x->run;
  MPI_Datatype type;
  MPI_Alltoall(round->sent, 1, MPI_INT, round->got, 1, MPI_INT, run->world);
  bf_beam_displace(run->size, round->got, l->got_at);
  round->log_at = l->log.count;
  BF_TRY(bf_together(run->world, make_room(l, l->got_at[run->size], error), error));
  MPI_Type_contiguous((int)l->bytes, MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Alltoallv(l->out, round->sent, l->sent_at, type, l->in, round->got, l->got_at, type, run->world);
  MPI_Type_free(&type);
  bf_count_sent(run, (double)((l->items.count - round->sent[run->rank]) * l->bytes));
  return bf_together(run->world, take(l, l->got_at[run->size], error), error);
}

BfStatus bf_beam_round(BfBeamLayer *l, BfError *error) {
  BfRun       *run   = l->x->run;
  BfBeamRound *round = NULL;
  BF_TRY(bf_together(run->world, expand_round(l, error), error));
  bf_phase_begin(run, BF_PHASE_MERGE);
  BfStatus status = bf_together(run->world, pack(l, &round, error), error);
  if (status == BF_OK) status = exchange(l, round, error);
  bf_phase_end(run, BF_PHASE_MERGE);
  return status;
}
