/* Numbers of what was found, and the edges that lead to it. */
#include "solve/reachable/beam_layer.h"

static BfStatus permute(BfArray *array, const int64_t position[], BfError *error) {
  double       *sorted;
  const double *value = array->data;
  BF_TRY(BF_NEW(&sorted, array->count, error));
  for (int64_t i = 0; i < array->count; i++) sorted[position[i]] = value[i];
  bf_free(array->data);
  array->data = sorted;
  array->room = array->count;
  return BF_OK;
}

static BfStatus sort(BfBeamLayer *l, BfError *error) {
  int64_t *log = l->log.data, *position = NULL;
  BfStatus status;
  BF_GOTO(bf_measure_set_sort(&l->set, &position, error));
  BF_GOTO(permute(&l->spent, position, error));
  BF_GOTO(permute(&l->rest, position, error));
  for (int64_t e = 0; e < l->log.count; e++)
    if (log[e] >= 0) log[e] = position[log[e]];
done:
  bf_free(position);
  return status;
}

BfStatus bf_beam_number(BfBeamLayer *l, int64_t *offset, int64_t *total, BfError *error) {
  const BfRun *run = l->x->run;
  BF_TRY(bf_together(run->world, sort(l, error), error));
  *offset = 0;
  MPI_Exscan(&l->set.count, offset, 1, MPI_INT64_T, MPI_SUM, run->world);
  if (run->rank == 0) *offset = 0; /* MPI leaves it undefined there */
  MPI_Allreduce(&l->set.count, total, 1, MPI_INT64_T, MPI_SUM, run->world);
  return BF_OK;
}

/* number [sent] of each pair's successor, over all ranks, or -1; counts [ranks] of their sets. */
static void answer(BfBeamLayer *l, int64_t number[], int64_t counts[]) {
  const BfRun  *run  = l->x->run;
  const BfSent *sent = l->sent.data;
  MPI_Allgather(&l->set.count, 1, MPI_INT64_T, counts, 1, MPI_INT64_T, run->world);
  for (int64_t r = 0; r < l->round.count; r++) {
    const BfBeamRound *round = (const BfBeamRound *)l->round.data + r;
    bf_beam_displace(run->size, round->sent, l->sent_at);
    bf_beam_displace(run->size, round->got, l->got_at);
    MPI_Alltoallv((int64_t *)l->log.data + round->log_at, round->got, l->got_at, MPI_INT64_T, number + round->sent_at,
                  round->sent, l->sent_at, MPI_INT64_T, run->world);
    int64_t offset = 0;
    for (int owner = 0; owner < run->size; offset += counts[owner++])
      for (int64_t e = round->sent_at + l->sent_at[owner]; e < round->sent_at + l->sent_at[owner + 1]; e++)
        number[e] = number[e] < 0 || sent[e].key > l->limit ? -1 : number[e] + offset;
  }
}

static BfStatus make_edges(const BfBeamLayer *l, const int64_t number[], BfBeamEdges *edges, BfError *error) {
  const int64_t K = l->x->problem->actions, count = l->from->count;
  const BfSent *sent = l->sent.data;
  int64_t      *next;
  BF_TRY(BF_NEW(&edges->first, count + 1, error));
  for (int64_t e = 0; e < l->sent.count; e++) edges->first[sent[e].pair / K + 1] += number[e] >= 0;
  for (int64_t i = 0; i < count; i++) edges->first[i + 1] += edges->first[i];
  BF_TRY(BF_NEW(&edges->edge, edges->first[count], error));
  BF_TRY(BF_NEW(&edges->key, edges->first[count], error));
  BF_TRY(BF_NEW(&next, count, error));
  if (count) memcpy(next, edges->first, sizeof *next * (size_t)count);
  for (int64_t e = 0; e < l->sent.count; e++) {
    if (number[e] < 0) continue;
    const int64_t at = next[sent[e].pair / K]++;
    edges->edge[at]  = (BfEdge){number[e], sent[e].pair % K};
    edges->key[at]   = sent[e].key;
  }
  bf_free(next);
  return BF_OK;
}

static BfStatus make_room(const BfBeamLayer *l, int64_t **number, int64_t **counts, BfError *error) {
  BF_TRY(BF_NEW(number, l->sent.count, error));
  return BF_NEW(counts, l->x->run->size, error);
}

BfStatus bf_beam_edges(BfBeamLayer *l, BfBeamEdges *edges, BfError *error) {
  int64_t *number = NULL, *counts = NULL;
  BfStatus status;
  BF_GOTO(bf_together(l->x->run->world, make_room(l, &number, &counts, error), error));
  answer(l, number, counts);
  status = bf_together(l->x->run->world, make_edges(l, number, edges, error), error);
done:
  bf_free(number);
  bf_free(counts);
  return status;
}

void bf_beam_edges_clear(BfBeamEdges *edges) {
  bf_free(edges->first);
  bf_free(edges->edge);
  bf_free(edges->key);
  *edges = (BfBeamEdges){0};
}
