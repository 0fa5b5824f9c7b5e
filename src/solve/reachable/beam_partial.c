#include "solve/reachable/beam_partial.h"
#include "run/limits.h"
#include "solve/reachable/merge.h"
#include "solve/reachable/save.h"

/* ---- saving ------------------------------------------------------------------------------------------------------ */

double bf_beam_partial_bytes(const BfBeamLayer *l) {
  const BfReachable *x = l->x;
  return bf_reachable_between_bytes(x, (BfReachablePosition){BF_STAGE_FORWARD, l->t}) + 9.0 * (double)l->from->total +
         ((double)l->set.count * (double)l->bytes + 24.0 * (double)l->sent.count) * x->run->size;
}

typedef struct {
  int64_t        offset, total;     /* of the set */
  int64_t        before, mine, all; /* edges */
  int64_t       *count;             /* [from->count] of the measures */
  unsigned char *known;             /* [from->count] */
  BfBeamEdges    edges;
} Saved;

static BfStatus describe(const BfBeamLayer *l, Saved *s, BfError *error) {
  const int64_t all = l->from->count;
  BF_TRY(BF_NEW(&s->known, all, error));
  BF_TRY(BF_NEW(&s->count, all, error));
  for (int64_t i = 0; i < l->expanded; i++) s->known[l->order[i]] = 1;
  for (int64_t i = 0; i < all; i++) s->count[i] = s->edges.first[i + 1] - s->edges.first[i];
  return BF_OK;
}

static BfStatus write(const BfBeamLayer *l, const Saved *s, BfError *error) {
  BfCheckpoint    *to   = l->x->checkpoint;
  const BfReached *from = l->from;
  const BfParts    set = {1, &s->offset, &l->set.count}, layer = {1, &from->offset, &from->count},
                edges = {1, &s->before, &s->mine};
  BF_TRY(bf_checkpoint_array(to, "partial/states", BF_STORE_BYTE, s->total, l->x->measures.bytes, &set, l->set.measure,
                             error));
  BF_TRY(bf_checkpoint_array(to, "partial/spent", BF_STORE_DOUBLE, s->total, 1, &set, l->spent.data, error));
  BF_TRY(bf_checkpoint_array(to, "partial/rest", BF_STORE_DOUBLE, s->total, 1, &set, l->rest.data, error));
  BF_TRY(bf_checkpoint_array(to, "partial/known", BF_STORE_BYTE, from->total, 1, &layer, s->known, error));
  BF_TRY(bf_checkpoint_array(to, "partial/edge_counts", BF_STORE_INT64, from->total, 1, &layer, s->count, error));
  BF_TRY(bf_checkpoint_array(to, "partial/edges", BF_STORE_INT64, s->all, 2, &edges, s->edges.edge, error));
  return bf_checkpoint_array(to, "partial/keys", BF_STORE_DOUBLE, s->all, 1, &edges, s->edges.key, error);
}

BfStatus bf_beam_save_partial(BfBeamLayer *l, BfError *error) {
  BfReachable *x     = l->x;
  const double bytes = bf_beam_partial_bytes(l);
  Saved        s     = {0};
  BfStatus     status;
  BF_GOTO(bf_beam_number(l, &s.offset, &s.total, error));
  BF_GOTO(bf_together(x->run->world, bf_measure_set_index(&l->set, error), error));
  BF_GOTO(bf_beam_edges(l, &s.edges, error));
  BF_GOTO(bf_together(x->run->world, describe(l, &s, error), error));
  s.mine = s.edges.first[l->from->count];
  MPI_Exscan(&s.mine, &s.before, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  if (x->run->rank == 0) s.before = 0; /* MPI leaves it undefined there */
  MPI_Allreduce(&s.mine, &s.all, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  x->beam->limit = l->limit;
  BF_GOTO(bf_reachable_save_begin(x, (BfReachablePosition){BF_STAGE_FORWARD, l->t}, error));
  BF_GOTO(write(l, &s, error));
  status = bf_reachable_save_end(x, bytes, error);
done:
  bf_beam_edges_clear(&s.edges);
  bf_free(s.known);
  bf_free(s.count);
  return status;
}

/* ---- taking it up ------------------------------------------------------------------------------------------------ */

static BfStatus insert(BfBeamLayer *l, int64_t **first, BfError *error) {
  const BfPartial *p = &l->x->partial;
  int64_t          number;
  BF_TRY(BF_NEW(first, l->x->run->size, error));
  BF_TRY(bf_array_grow(&l->spent, p->count, sizeof(double), error));
  BF_TRY(bf_array_grow(&l->rest, p->count, sizeof(double), error));
  for (int64_t i = 0; i < p->count; i++) {
    BF_TRY(bf_measure_set_insert(&l->set, p->measure + i * l->x->measures.bytes, &number, error));
    ((double *)l->spent.data)[i] = p->spent[i];
    ((double *)l->rest.data)[i]  = p->rest[i];
  }
  l->spent.count = l->rest.count = p->count;
  return BF_OK;
}

/* Edges begin .. end-1 by owner: what was sent, as if it had been now, and what its owner logs, out [end - begin].
 * measure: of the first edge; it moves on. */
static BfStatus pack(BfBeamLayer *l, const int64_t first[], int64_t begin, int64_t end, int64_t *measure,
                     BfLogged out[], BfBeamRound **added, BfError *error) {
  const BfPartial *p = &l->x->partial;
  BfBeamRound     *round;
  const int        ranks = l->x->run->size;
  BF_TRY(bf_beam_add_round(l, added, error));
  round = *added;
  BF_TRY(bf_array_grow(&l->sent, end - begin, sizeof(BfSent), error));
  for (int64_t e = begin; e < end; e++) round->sent[bf_holder(first, ranks, p->edge[e].next)]++;
  bf_beam_displace(ranks, round->sent, l->sent_at);
  round->sent_at = l->sent.count;
  for (int64_t e = begin; e < end; e++) {
    while (e >= p->first[*measure + 1]) ++*measure;
    const int     owner = bf_holder(first, ranks, p->edge[e].next);
    const int64_t to    = l->sent_at[owner]++;
    out[to]             = (BfLogged){p->edge[e].next - first[owner], p->key[e]};
    ((BfSent *)l->sent.data)[l->sent.count + to] =
        (BfSent){*measure * l->x->problem->actions + p->edge[e].action, p->key[e]};
  }
  l->sent.count += end - begin;
  bf_beam_displace(ranks, round->sent, l->sent_at);
  return BF_OK;
}

static BfStatus exchange(BfBeamLayer *l, BfBeamRound *round, const BfLogged out[], BfError *error) {
  MPI_Datatype type;
  const BfRun *run = l->x->run;
  MPI_Alltoall(round->sent, 1, MPI_INT, round->got, 1, MPI_INT, run->world);
  bf_beam_displace(run->size, round->got, l->got_at);
  const int arriving = l->got_at[run->size];
  round->log_at      = l->log.count;
  BF_TRY(bf_together(run->world, bf_array_grow(&l->log, arriving, sizeof(BfLogged), error), error));
  MPI_Type_contiguous((int)sizeof(BfLogged), MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Alltoallv(out, round->sent, l->sent_at, type, (BfLogged *)l->log.data + l->log.count, round->got, l->got_at, type,
                run->world);
  MPI_Type_free(&type);
  l->log.count += arriving;
  return BF_OK;
}

static BfStatus known_rounds(BfBeamLayer *l, const int64_t first[], BfLogged out[], BfError *error) {
  const int64_t most = bf_limits()->batch_pairs, edges = l->x->partial.first[l->from->count];
  int64_t       measure = 0, rounds = (edges + most - 1) / most;
  MPI_Allreduce(MPI_IN_PLACE, &rounds, 1, MPI_INT64_T, MPI_MAX, l->x->run->world);
  for (int64_t r = 0; r < rounds; r++) {
    BfBeamRound  *round;
    const int64_t begin = r * most < edges ? r * most : edges, end = edges - begin < most ? edges : begin + most;
    BF_TRY(bf_together(l->x->run->world, pack(l, first, begin, end, &measure, out, &round, error), error));
    BF_TRY(exchange(l, round, out, error));
  }
  return BF_OK;
}

BfStatus bf_beam_take_partial(BfBeamLayer *l, BfError *error) {
  const BfRun  *run   = l->x->run;
  const int64_t edges = l->x->partial.first[l->from->count], most = bf_limits()->batch_pairs;
  int64_t      *first = NULL;
  BfLogged     *out   = NULL;
  BfStatus      status;
  l->limit = l->x->beam->limit;
  BF_GOTO(bf_together(run->world, insert(l, &first, error), error));
  BF_GOTO(bf_together(run->world, BF_NEW(&out, edges < most ? edges : most, error), error));
  MPI_Allgather(&l->x->partial.offset, 1, MPI_INT64_T, first, 1, MPI_INT64_T, run->world);
  status = known_rounds(l, first, out, error);
done:
  bf_free(first);
  bf_free(out);
  return status;
}
