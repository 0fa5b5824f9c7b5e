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
  BfLogged *log      = l->log.data;
  int64_t  *position = NULL;
  BfStatus  status;
  BF_GOTO(bf_measure_set_sort(&l->set, &position, error));
  BF_GOTO(permute(&l->spent, position, error));
  BF_GOTO(permute(&l->rest, position, error));
  for (int64_t e = 0; e < l->log.count; e++)
    if (log[e].number >= 0) log[e].number = position[log[e].number];
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

typedef struct {
  int64_t *own;    /* [log] what this rank answers: numbers in its set, -1: no edge */
  int64_t *number; /* [sent] what it is answered: numbers over all ranks, or -1 */
  int64_t *count;  /* [ranks] of their sets */
} Answers;

static void answer(BfBeamLayer *l, Answers *a) {
  const BfRun    *run = l->x->run;
  const BfLogged *log = l->log.data;
  MPI_Allgather(&l->set.count, 1, MPI_INT64_T, a->count, 1, MPI_INT64_T, run->world);
  for (int64_t e = 0; e < l->log.count; e++) a->own[e] = bf_beam_is_edge(l, &log[e]) ? log[e].number : -1;
  for (int64_t r = 0; r < l->round.count; r++) {
    const BfBeamRound *round = (const BfBeamRound *)l->round.data + r;
    bf_beam_displace(run->size, round->sent, l->sent_at);
    bf_beam_displace(run->size, round->got, l->got_at);
    MPI_Alltoallv(a->own + round->log_at, round->got, l->got_at, MPI_INT64_T, a->number + round->sent_at, round->sent,
                  l->sent_at, MPI_INT64_T, run->world);
    int64_t offset = 0;
    for (int owner = 0; owner < run->size; offset += a->count[owner++])
      for (int64_t e = round->sent_at + l->sent_at[owner]; e < round->sent_at + l->sent_at[owner + 1]; e++)
        if (a->number[e] >= 0) a->number[e] += offset;
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

static BfStatus make_room(const BfBeamLayer *l, Answers *a, BfError *error) {
  BF_TRY(BF_NEW(&a->own, l->log.count, error));
  BF_TRY(BF_NEW(&a->number, l->sent.count, error));
  return BF_NEW(&a->count, l->x->run->size, error);
}

BfStatus bf_beam_edges(BfBeamLayer *l, BfBeamEdges *edges, BfError *error) {
  Answers  a = {0};
  BfStatus status;
  BF_GOTO(bf_together(l->x->run->world, make_room(l, &a, error), error));
  answer(l, &a);
  status = bf_together(l->x->run->world, make_edges(l, a.number, edges, error), error);
done:
  bf_free(a.own);
  bf_free(a.number);
  bf_free(a.count);
  return status;
}

void bf_beam_edges_clear(BfBeamEdges *edges) {
  bf_free(edges->first);
  bf_free(edges->edge);
  bf_free(edges->key);
  *edges = (BfBeamEdges){0};
}
