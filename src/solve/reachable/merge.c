/* From one layer to the next: expand, send to owners, merge, number. */
#include <stdlib.h>
#include "solve/reachable/layers.h"

enum { BATCH_BYTES = 1 << 25, MOST_STATES = 1 << 20 };

/* A round: every rank expands some (state, action) pairs and all exchange. What was sent in it is remembered, so that the
 * owners can answer with numbers once they know them. */
typedef struct {
  int64_t pair;   /* first (i * K + k) of this rank's round */
  int    *sent;   /* [ranks] successors sent to each */
  int    *got;    /* [ranks] received from each */
  int64_t at;     /* where the round's received numbers start in the log */
  int    *place;  /* [pairs of the round] position in the send buffer */
  int64_t pairs;
} Round;

typedef struct {
  int64_t        batch;    /* pairs a round: whole blocks of actions of one state, or several states */
  int64_t        rounds;   /* the same on all ranks */
  Round         *round;
  int64_t        logged, log_room;
  int64_t       *log;      /* numbers (at first in order of insertion) of all that was received */
  unsigned char *expanded, *send, *receive;
  int64_t        receive_room;
  int64_t       *answer, *question;
  MPI_Datatype   type;     /* one state */
  int           *sent_at, *got_at; /* [ranks] displacements */
  BfStateSet     set;
} Merge;

static BfStatus merge_create(BfReachable *x, const BfLayerStates *from, Merge *m, BfError *error) {
  const int64_t K = x->problem->actions, bytes = x->states.bytes, most = BATCH_BYTES / bytes;
  /* Batches are either whole states or a multiple of BF_LANES actions of one state. */
  m->batch = most >= K ? most / K * K : most > BF_LANES ? most / BF_LANES * BF_LANES : BF_LANES;
  if (m->batch > MOST_STATES) m->batch = K < MOST_STATES ? MOST_STATES / K * K : MOST_STATES;
  const int64_t each = m->batch >= K ? m->batch / K : 1, parts = m->batch >= K ? 1 : (K + m->batch - 1) / m->batch;
  int64_t       rounds = m->batch >= K ? (from->count + each - 1) / each : from->count * parts;
  MPI_Allreduce(&rounds, &m->rounds, 1, MPI_INT64_T, MPI_MAX, x->run->world);
  MPI_Type_contiguous((int)bytes, MPI_BYTE, &m->type);
  MPI_Type_commit(&m->type);
  BF_TRY(BF_NEW(&m->round, m->rounds, error));
  BF_TRY(BF_NEW(&m->expanded, m->batch * bytes, error));
  BF_TRY(BF_NEW(&m->send, m->batch * bytes, error));
  BF_TRY(BF_NEW(&m->sent_at, x->run->size, error));
  BF_TRY(BF_NEW(&m->got_at, x->run->size, error));
  return bf_set_create(&x->states, &m->set, error);
}

static void merge_clear(Merge *m) {
  for (int64_t r = 0; m->round && r < m->rounds; r++) {
    bf_free(m->round[r].sent);
    bf_free(m->round[r].place);
  }
  bf_free(m->round);
  bf_free(m->log);
  bf_free(m->expanded);
  bf_free(m->send);
  bf_free(m->receive);
  bf_free(m->answer);
  bf_free(m->question);
  bf_free(m->sent_at);
  bf_free(m->got_at);
  bf_set_clear(&m->set);
  MPI_Type_free(&m->type);
}

/* The pairs of this rank's round number r: none after its last. */
static void choose_pairs(const BfReachable *x, const BfLayerStates *from, const Merge *m, int64_t r, Round *round) {
  const int64_t K = x->problem->actions, all = from->count * K;
  if (m->batch >= K) {
    round->pair  = r * m->batch < all ? r * m->batch : all;
    round->pairs = all - round->pair < m->batch ? all - round->pair : m->batch;
    return;
  }
  const int64_t parts = (K + m->batch - 1) / m->batch, i = r / parts, k = r % parts * m->batch;
  round->pair  = i < from->count ? i * K + k : all;
  round->pairs = i >= from->count ? 0 : K - k < m->batch ? K - k : m->batch;
}

static BfStatus expand_pairs(BfReachable *x, const BfLayerStates *from, const Merge *m, const Round *round, BfError *error) {
  const int64_t K = x->problem->actions, bytes = x->states.bytes;
  bf_phase_begin(x->run, BF_PHASE_EXPAND);
  for (int64_t done = 0; done < round->pairs;) {
    const int64_t i = (round->pair + done) / K, k = (round->pair + done) % K;
    const int64_t count = K - k < round->pairs - done ? K - k : round->pairs - done;
    BF_TRY(bf_reachable_expand(x, from->state + i * bytes, k, k + count, m->expanded + done * bytes, error));
    done += count;
  }
  bf_count_values(x->run, (double)round->pairs);
  bf_phase_end(x->run, BF_PHASE_EXPAND);
  return BF_OK;
}

static int64_t displacements(int ranks, const int count[], int at[]) {
  int64_t sum = 0;
  for (int r = 0; r < ranks; r++) {
    at[r] = (int)sum;
    sum += count[r];
  }
  return sum;
}

/* Order the successors by owner. */
static BfStatus pack(const BfReachable *x, Merge *m, Round *round, BfError *error) {
  const int     ranks = x->run->size;
  const int64_t bytes = x->states.bytes;
  int          *owner, *next;
  BF_TRY(BF_NEW(&round->sent, 2 * ranks, error));
  round->got = round->sent + ranks;
  BF_TRY(BF_NEW(&round->place, round->pairs, error));
  BF_TRY(BF_NEW(&owner, round->pairs, error));
  for (int64_t p = 0; p < round->pairs; p++) {
    owner[p] = bf_owner(bf_states_hash(&x->states, m->expanded + p * bytes), ranks);
    round->sent[owner[p]]++;
  }
  displacements(ranks, round->sent, m->sent_at);
  next = m->got_at; /* free until the exchange */
  for (int r = 0; r < ranks; r++) next[r] = m->sent_at[r];
  for (int64_t p = 0; p < round->pairs; p++) {
    round->place[p] = next[owner[p]]++;
    memcpy(m->send + round->place[p] * bytes, m->expanded + p * bytes, (size_t)bytes);
  }
  bf_free(owner);
  return BF_OK;
}

static BfStatus make_room(Merge *m, int64_t bytes, int64_t count, BfError *error) {
  if (count > m->receive_room) {
    bf_free(m->receive);
    m->receive_room = 0;
    BF_TRY(BF_NEW(&m->receive, count * bytes, error));
    m->receive_room = count;
  }
  if (m->logged + count <= m->log_room) return BF_OK;
  const int64_t room = 2 * (m->logged + count);
  int64_t      *log;
  BF_TRY(BF_NEW(&log, room, error));
  if (m->logged) memcpy(log, m->log, sizeof *log * (size_t)m->logged);
  bf_free(m->log);
  m->log      = log;
  m->log_room = room;
  return BF_OK;
}

/* Exchange what was packed and merge what arrives. */
static BfStatus exchange(BfReachable *x, Merge *m, Round *round, BfError *error) {
  BfRun        *run   = x->run;
  const int64_t bytes = x->states.bytes;
  bf_phase_begin(run, BF_PHASE_MERGE);
  MPI_Alltoall(round->sent, 1, MPI_INT, round->got, 1, MPI_INT, run->world);
  const int64_t arriving = displacements(run->size, round->got, m->got_at);
  make_room(m, bytes, arriving, error);
  BF_TRY(bf_agree(run->world, error));
  MPI_Alltoallv(m->send, round->sent, m->sent_at, m->type, m->receive, round->got, m->got_at, m->type, run->world);
  bf_count_sent(run, (double)((round->pairs - round->sent[run->rank]) * bytes));
  round->at = m->logged;
  for (int64_t i = 0; i < arriving && error->status == BF_OK; i++)
    bf_set_insert(&m->set, m->receive + i * bytes, &m->log[m->logged + i], error);
  m->logged += arriving;
  bf_phase_end(run, BF_PHASE_MERGE);
  return bf_agree(run->world, error);
}

/* Replay the rounds backwards: owners tell the numbers of what they received. */
static BfStatus answer(BfReachable *x, Merge *m, int64_t *successor, BfError *error) {
  BfRun *run = x->run;
  BF_TRY(BF_NEW(&m->answer, m->batch, error));
  for (int64_t r = 0; r < m->rounds; r++) {
    Round *round = &m->round[r];
    displacements(run->size, round->sent, m->sent_at);
    displacements(run->size, round->got, m->got_at);
    MPI_Alltoallv(m->log + round->at, round->got, m->got_at, MPI_INT64_T, m->answer, round->sent, m->sent_at, MPI_INT64_T,
                  run->world);
    for (int64_t p = 0; p < round->pairs; p++) successor[round->pair + p] = m->answer[round->place[p]];
  }
  return BF_OK;
}

/* Sort the owned states, number all, hand the set's states to the layer. */
static BfStatus number(BfReachable *x, Merge *m, BfLayerStates *to, BfError *error) {
  int64_t *position = NULL;
  bf_set_sort(&m->set, &position, error);
  BfStatus status = bf_agree(x->run->world, error);
  if (status == BF_OK) {
    to->count = m->set.count;
    MPI_Exscan(&to->count, &to->offset, 1, MPI_INT64_T, MPI_SUM, x->run->world);
    if (x->run->rank == 0) to->offset = 0;
    MPI_Allreduce(&to->count, &to->total, 1, MPI_INT64_T, MPI_SUM, x->run->world);
    for (int64_t i = 0; i < m->logged; i++) m->log[i] = to->offset + position[m->log[i]];
    to->state    = m->set.state;
    m->set.state = NULL;
  }
  bf_free(position);
  return status;
}

BfStatus bf_reachable_forward(BfReachable *x, int t, BfError *error) {
  BfLayerStates *from = &x->layer[t], *to = &x->layer[t + 1];
  Merge          m    = {0};
  BfProgress     progress;
  BfStatus       status;
  merge_create(x, from, &m, error);
  if (error->status == BF_OK) BF_NEW(&from->successor, from->count * x->problem->actions, error);
  BF_GOTO(bf_agree(x->run->world, error));
  bf_progress_start(&progress, "layer %d, expanding", t);
  for (int64_t r = 0; r < m.rounds; r++) {
    Round *round = &m.round[r];
    choose_pairs(x, from, &m, r, round);
    if (expand_pairs(x, from, &m, round, error) == BF_OK) pack(x, &m, round, error);
    BF_GOTO(bf_agree(x->run->world, error));
    BF_GOTO(exchange(x, &m, round, error));
    bf_progress(x->run, &progress, (double)(r + 1) / (double)m.rounds, (double)(round->pair + round->pairs));
  }
  bf_phase_begin(x->run, BF_PHASE_MERGE);
  BF_GOTO(number(x, &m, to, error));
  status = answer(x, &m, from->successor, error);
  bf_phase_end(x->run, BF_PHASE_MERGE);
done:
  merge_clear(&m);
  return status;
}
