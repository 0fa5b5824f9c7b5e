/* Pairs that are no edges, forgotten on the way: without that every pair that was ever below the limit would stay. */
#include "solve/reachable/beam_layer.h"

#include <limits.h>

typedef struct {
  BfSent        *sent;
  BfLogged      *log;
  int           *from, *to; /* [ranks] how many were sent, and received, in all rounds */
  unsigned char *verdict, *told;
} Merged;

static BfStatus make_room(const BfBeamLayer *l, Merged *m, BfError *error) {
  BF_TRY(BF_NEW(&m->sent, l->sent.count, error));
  BF_TRY(BF_NEW(&m->log, l->log.count, error));
  BF_TRY(BF_NEW(&m->verdict, l->log.count, error));
  BF_TRY(BF_NEW(&m->told, l->sent.count, error));
  BF_TRY(BF_NEW(&m->to, 2 * l->x->run->size, error));
  m->from = m->to + l->x->run->size;
  return BF_OK;
}

/* Parts of a round's entries, a rank's each, behind those that the rank has of earlier rounds. */
static void gather(int ranks, const void *entries, size_t size, const int count[], int next[], void *out) {
  const unsigned char *entry = entries;
  for (int r = 0; r < ranks; r++) {
    if (!count[r]) continue; /* there may be no entries at all, and no array */
    memcpy((unsigned char *)out + (size_t)next[r] * size, entry, (size_t)count[r] * size);
    entry += (size_t)count[r] * size;
    next[r] += count[r];
  }
}

/* All rounds as one: entries by rank, then by round, which both sides know alike. */
static void merge(BfBeamLayer *l, Merged *m) {
  const int          ranks = l->x->run->size;
  const BfBeamRound *round = l->round.data;
  for (int64_t i = 0; i < l->round.count; i++)
    for (int r = 0; r < ranks; r++) {
      m->to[r] += round[i].sent[r];
      m->from[r] += round[i].got[r];
    }
  bf_beam_displace(ranks, m->to, l->sent_at);
  bf_beam_displace(ranks, m->from, l->got_at);
  for (int64_t i = 0; i < l->round.count; i++) {
    gather(ranks, (const BfSent *)l->sent.data + round[i].sent_at, sizeof(BfSent), round[i].sent, l->sent_at, m->sent);
    gather(ranks, (const BfLogged *)l->log.data + round[i].log_at, sizeof(BfLogged), round[i].got, l->got_at, m->log);
  }
  bf_beam_displace(ranks, m->to, l->sent_at);
  bf_beam_displace(ranks, m->from, l->got_at);
}

/* Edges alone, back into the arrays of the layer, as its first round. */
static void compress(BfBeamLayer *l, const Merged *m) {
  BfBeamRound *round = l->round.data;
  BfSent      *sent  = l->sent.data;
  BfLogged    *log   = l->log.data;
  for (int64_t i = 1; i < l->round.count; i++) bf_free(round[i].sent);
  l->sent.count = l->log.count = 0;
  for (int r = 0; r < l->x->run->size; r++) {
    round->sent[r] = round->got[r] = 0;
    for (int e = l->sent_at[r]; e < l->sent_at[r + 1]; e++)
      if (m->told[e]) {
        sent[l->sent.count++] = m->sent[e];
        round->sent[r]++;
      }
    for (int e = l->got_at[r]; e < l->got_at[r + 1]; e++)
      if (m->verdict[e]) {
        log[l->log.count++] = m->log[e];
        round->got[r]++;
      }
  }
  round->sent_at = round->log_at = 0;
  l->round.count                 = 1;
}

/* More than MPI counts would not fit into one round: they stay. */
static bool are_few(const BfBeamLayer *l) {
  int64_t most = l->sent.count > l->log.count ? l->sent.count : l->log.count;
  MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT64_T, MPI_MAX, l->x->run->world);
  return most <= INT_MAX;
}

BfStatus bf_beam_forget(BfBeamLayer *l, BfError *error) {
  const BfRun *run = l->x->run;
  Merged       m   = {0};
  BfStatus     status;
  if (!are_few(l)) return BF_OK;
  BF_GOTO(bf_together(run->world, make_room(l, &m, error), error));
  merge(l, &m);
  for (int64_t e = 0; e < l->log.count; e++) m.verdict[e] = bf_beam_is_edge(l, &m.log[e]);
  MPI_Alltoallv(m.verdict, m.from, l->got_at, MPI_BYTE, m.told, m.to, l->sent_at, MPI_BYTE, run->world);
  compress(l, &m);
done:
  bf_free(m.sent);
  bf_free(m.log);
  bf_free(m.verdict);
  bf_free(m.told);
  bf_free(m.to);
  return status;
}
