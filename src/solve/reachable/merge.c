#include "solve/reachable/merge.h"

#include "run/limits.h"

#include <stdlib.h>

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

/* Batches are either whole measures or a multiple of BF_LANES actions of one measure. */
static int64_t choose_batch(const BfReachable *x, int t) {
  const int64_t K    = x->problem->actions;
  double        most = (double)(bf_limits()->batch_bytes / x->measures.bytes),
         fits = bf_limits()->piece_terms / bf_reachable_terms(x->problem), pairs = (double)bf_limits()->batch_pairs;
  if (fits < most) most = fits;
  if (most > pairs) most = pairs;
  if (most > (double)x->layer[t].total * (double)K) most = (double)x->layer[t].total * (double)K;
  const int64_t batch = most < 1 ? 1 : (int64_t)most;
  return batch >= K ? batch / K * K : batch > BF_LANES ? batch / BF_LANES * BF_LANES : BF_LANES;
}

static int64_t parts(const BfReachable *x, const BfMerge *m) { return (x->problem->actions + m->batch - 1) / m->batch; }

static void count_rounds(const BfReachable *x, BfMerge *m) {
  const int64_t K = x->problem->actions, left = m->from->count - m->known, most = bf_limits()->batch_pairs;
  int64_t       rounds[2] = {(m->known * K + most - 1) / most,
                       m->batch >= K ? (left * K + m->batch - 1) / m->batch : left * parts(x, m)};
  MPI_Allreduce(MPI_IN_PLACE, rounds, 2, MPI_INT64_T, MPI_MAX, x->run->world);
  m->known_rounds = rounds[0];
  m->rounds       = rounds[1];
}

/* This rank's pairs of a round: none after its last. */
static void choose_pairs(const BfReachable *x, const BfMerge *m, BfRound *round) {
  const int64_t K = x->problem->actions, known = m->known * K, all = m->from->count * K;
  const int64_t r = m->done - m->known_rounds;
  if (r < 0) { /* known pairs are not expanded: any of them */
    const int64_t most = bf_limits()->batch_pairs;
    round->pair        = m->done * most < known ? m->done * most : known;
    round->pairs       = known - round->pair < most ? known - round->pair : most;
  } else if (m->batch >= K) {
    round->pair  = known + r * m->batch < all ? known + r * m->batch : all;
    round->pairs = all - round->pair < m->batch ? all - round->pair : m->batch;
  } else {
    const int64_t i = m->known + r / parts(x, m), k = r % parts(x, m) * m->batch;
    round->pair  = i < m->from->count ? i * K + k : all;
    round->pairs = i >= m->from->count ? 0 : K - k < m->batch ? K - k : m->batch;
  }
}

/* Known measures first, then the others, each in their order. */
static BfStatus make_order(BfMerge *m, const unsigned char *known, BfError *error) {
  int64_t at = 0;
  BF_TRY(BF_NEW(&m->order, m->from->count, error));
  for (int pass = 1; pass >= 0; pass--)
    for (int64_t i = 0; i < m->from->count; i++)
      if ((known ? known[i] : 0) == pass) m->order[at++] = i;
  for (int64_t i = 0; known && i < m->from->count; i++) m->known += known[i];
  return BF_OK;
}

static BfStatus allocate(BfReachable *x, BfMerge *m, BfError *error) {
  const int64_t bytes = x->measures.bytes, pairs = bf_limits()->batch_pairs,
                most = m->batch > pairs || !m->known_rounds ? m->batch : pairs;
  BF_TRY(BF_NEW(&m->round, m->known_rounds + m->rounds, error));
  BF_TRY(BF_NEW(&m->expanded, m->batch * bytes, error));
  BF_TRY(BF_NEW(&m->send, m->batch * bytes, error));
  BF_TRY(BF_NEW(&m->numbers, most, error));
  BF_TRY(BF_NEW(&m->answer, most, error));
  BF_TRY(BF_NEW(&m->sent_at, x->run->size, error));
  BF_TRY(BF_NEW(&m->got_at, x->run->size, error));
  if (!m->from->successor) BF_TRY(BF_NEW(&m->from->successor, m->from->count * x->problem->actions, error));
  return bf_measure_set_create(&x->measures, &m->set, error);
}

void bf_merge_clear(BfMerge *m) {
  for (int64_t r = 0; m->round && r < m->known_rounds + m->rounds; r++) {
    bf_free(m->round[r].sent);
    bf_free(m->round[r].place);
  }
  bf_free(m->round);
  bf_free(m->order);
  bf_free(m->log);
  bf_free(m->expanded);
  bf_free(m->send);
  bf_free(m->receive);
  bf_free(m->numbers);
  bf_free(m->answer);
  bf_free(m->sent_at);
  bf_free(m->got_at);
  bf_measure_set_clear(&m->set);
  MPI_Type_free(&m->type);
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static int64_t displacements(int ranks, const int count[], int at[]) {
  int64_t sum = 0;
  for (int r = 0; r < ranks; r++) {
    at[r] = (int)sum;
    sum += count[r];
  }
  return sum;
}

/* Where each pair goes in the send buffer, ordered by owner. */
static void place_by_owner(const BfReachable *x, BfMerge *m, BfRound *round, const int owner[]) {
  for (int64_t p = 0; p < round->pairs; p++) round->sent[owner[p]]++;
  displacements(x->run->size, round->sent, m->sent_at);
  int *next = m->got_at; /* free until the exchange */
  for (int r = 0; r < x->run->size; r++) next[r] = m->sent_at[r];
  for (int64_t p = 0; p < round->pairs; p++) round->place[p] = next[owner[p]]++;
}

static BfStatus make_room(BfMerge *m, int64_t bytes, int64_t count, BfError *error) {
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

/* How many arrive, and room for them. */
static BfStatus announce(BfReachable *x, BfMerge *m, BfRound *round, int64_t *arriving, BfError *error) {
  MPI_Alltoall(round->sent, 1, MPI_INT, round->got, 1, MPI_INT, x->run->world);
  *arriving = displacements(x->run->size, round->got, m->got_at);
  round->at = m->logged;
  return bf_together(x->run->world, make_room(m, x->measures.bytes, *arriving, error), error);
}

static BfStatus start_round(BfReachable *x, BfMerge *m, BfRound **round, int **owner, BfError *error) {
  *round = &m->round[m->done];
  *owner = NULL;
  choose_pairs(x, m, *round);
  BF_TRY(BF_NEW(&(*round)->sent, 2 * x->run->size, error));
  (*round)->got = (*round)->sent + x->run->size;
  BF_TRY(BF_NEW(&(*round)->place, (*round)->pairs, error));
  return BF_NEW(owner, (*round)->pairs, error);
}

static BfStatus expand_pairs(BfReachable *x, const BfMerge *m, const BfRound *round, BfError *error) {
  const int64_t K = x->problem->actions, bytes = x->measures.bytes;
  bf_phase_begin(x->run, BF_PHASE_EXPAND);
  for (int64_t done = 0; done < round->pairs;) {
    const int64_t i = m->order[(round->pair + done) / K], k = (round->pair + done) % K;
    const int64_t count = K - k < round->pairs - done ? K - k : round->pairs - done;
    BF_TRY(bf_reachable_expand(x, m->from->measure + i * bytes, k, k + count, m->expanded + done * bytes, error));
    done += count;
  }
  bf_count_values(x->run, (double)round->pairs);
  bf_phase_end(x->run, BF_PHASE_EXPAND);
  return BF_OK;
}

/* What arrived, into the set. */
static BfStatus take(BfMerge *m, int64_t bytes, int64_t arriving, BfError *error) {
  for (int64_t i = 0; i < arriving; i++)
    BF_TRY(bf_measure_set_insert(&m->set, m->receive + i * bytes, &m->log[m->logged + i], error));
  return BF_OK;
}

static BfStatus exchange(BfReachable *x, BfMerge *m, BfRound *round, BfError *error) {
  const int64_t bytes = x->measures.bytes;
  int64_t       arriving;
  BF_TRY(announce(x, m, round, &arriving, error));
  MPI_Alltoallv(m->send, round->sent, m->sent_at, m->type, m->receive, round->got, m->got_at, m->type, x->run->world);
  bf_count_sent(x->run, (double)((round->pairs - round->sent[x->run->rank]) * bytes));
  BF_TRY(bf_together(x->run->world, take(m, bytes, arriving, error), error));
  m->logged += arriving;
  return BF_OK;
}

/* A round's successors in the send buffer, by owner. */
static BfStatus prepare_round(BfReachable *x, BfMerge *m, BfRound **round, BfError *error) {
  const int64_t bytes = x->measures.bytes;
  int          *owner;
  BfStatus      status;
  BF_GOTO(start_round(x, m, round, &owner, error));
  BF_GOTO(expand_pairs(x, m, *round, error));
  for (int64_t p = 0; p < (*round)->pairs; p++)
    owner[p] = bf_owner(bf_measures_hash(&x->measures, m->expanded + p * bytes), x->run->size);
  place_by_owner(x, m, *round, owner);
  for (int64_t p = 0; p < (*round)->pairs; p++)
    memcpy(m->send + (*round)->place[p] * bytes, m->expanded + p * bytes, (size_t)bytes);
done:
  bf_free(owner);
  return status;
}

BfStatus bf_merge_round(BfReachable *x, BfMerge *m, BfError *error) {
  BfRound *round;
  BF_TRY(bf_together(x->run->world, prepare_round(x, m, &round, error), error));
  bf_phase_begin(x->run, BF_PHASE_MERGE);
  const BfStatus status = exchange(x, m, round, error);
  bf_phase_end(x->run, BF_PHASE_MERGE);
  m->done++;
  return status;
}

/* ---- what a checkpoint knows ------------------------------------------------------------------------------------ */

int bf_holder(const int64_t first[], int ranks, int64_t number) {
  int low = 0, high = ranks;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (first[middle] <= number) low = middle;
    else high = middle;
  }
  return low;
}

static int64_t known_successor(const BfReachable *x, const BfMerge *m, int64_t pair) {
  const int64_t K = x->problem->actions;
  return m->from->successor[m->order[pair / K] * K + pair % K];
}

/* As prepare_round, but what is sent are numbers within the owner's set, not measures. */
static BfStatus prepare_known(BfReachable *x, BfMerge *m, const int64_t first[], BfRound **round, BfError *error) {
  int     *owner;
  BfStatus status;
  BF_GOTO(start_round(x, m, round, &owner, error));
  for (int64_t p = 0; p < (*round)->pairs; p++)
    owner[p] = bf_holder(first, x->run->size, known_successor(x, m, (*round)->pair + p));
  place_by_owner(x, m, *round, owner);
  for (int64_t p = 0; p < (*round)->pairs; p++)
    m->numbers[(*round)->place[p]] = known_successor(x, m, (*round)->pair + p) - first[owner[p]];
done:
  bf_free(owner);
  return status;
}

static BfStatus known_round(BfReachable *x, BfMerge *m, const int64_t first[], BfError *error) {
  BfRound *round;
  int64_t  arriving;
  BF_TRY(bf_together(x->run->world, prepare_known(x, m, first, &round, error), error));
  BF_TRY(announce(x, m, round, &arriving, error));
  MPI_Alltoallv(m->numbers, round->sent, m->sent_at, MPI_INT64_T, m->log + m->logged, round->got, m->got_at,
                MPI_INT64_T, x->run->world);
  m->logged += arriving;
  m->done++;
  return BF_OK;
}

static BfStatus insert_partial(const BfReachable *x, BfMerge *m, int64_t **first, BfError *error) {
  int64_t number;
  BF_TRY(BF_NEW(first, x->run->size, error));
  for (int64_t i = 0; i < x->partial.count; i++)
    BF_TRY(bf_measure_set_insert(&m->set, x->partial.measure + i * x->measures.bytes, &number, error));
  return BF_OK;
}

static BfStatus take_partial(BfReachable *x, BfMerge *m, BfError *error) {
  int64_t *first = NULL, mine = x->partial.offset;
  BfStatus status = bf_together(x->run->world, insert_partial(x, m, &first, error), error);
  if (status == BF_OK) MPI_Allgather(&mine, 1, MPI_INT64_T, first, 1, MPI_INT64_T, x->run->world);
  for (int64_t r = 0; r < m->known_rounds && status == BF_OK; r++) status = known_round(x, m, first, error);
  bf_free(first);
  return status;
}

BfStatus bf_merge_create(BfReachable *x, int t, BfMerge *m, BfError *error) {
  const bool partial = x->partial.measure && x->partial.layer == t;
  *m                 = (BfMerge){.from = &x->layer[t], .batch = choose_batch(x, t)};
  MPI_Type_contiguous((int)x->measures.bytes, MPI_BYTE, &m->type);
  MPI_Type_commit(&m->type);
  BF_TRY(bf_together(x->run->world, make_order(m, partial ? x->partial.known : NULL, error), error));
  count_rounds(x, m);
  BF_TRY(bf_together(x->run->world, allocate(x, m, error), error));
  return partial ? take_partial(x, m, error) : BF_OK;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* Replay the rounds backwards: owners tell the numbers of what they received. */
static void answer(BfReachable *x, BfMerge *m) {
  BfRun        *run = x->run;
  const int64_t K   = x->problem->actions;
  for (int64_t r = 0; r < m->done; r++) {
    BfRound *round = &m->round[r];
    displacements(run->size, round->sent, m->sent_at);
    displacements(run->size, round->got, m->got_at);
    MPI_Alltoallv(m->log + round->at, round->got, m->got_at, MPI_INT64_T, m->answer, round->sent, m->sent_at,
                  MPI_INT64_T, run->world);
    for (int64_t p = 0; p < round->pairs; p++) {
      const int64_t q                                 = round->pair + p;
      m->from->successor[m->order[q / K] * K + q % K] = m->answer[round->place[p]];
    }
  }
}

BfStatus bf_merge_number(BfReachable *x, BfMerge *m, int64_t *offset, int64_t *total, BfError *error) {
  int64_t *position = NULL;
  bf_phase_begin(x->run, BF_PHASE_MERGE);
  const BfStatus status = bf_together(x->run->world, bf_measure_set_sort(&m->set, &position, error), error);
  if (status == BF_OK) {
    *offset = 0;
    MPI_Exscan(&m->set.count, offset, 1, MPI_INT64_T, MPI_SUM, x->run->world);
    if (x->run->rank == 0) *offset = 0; /* MPI leaves it undefined there */
    MPI_Allreduce(&m->set.count, total, 1, MPI_INT64_T, MPI_SUM, x->run->world);
    for (int64_t i = 0; i < m->logged; i++) m->log[i] = *offset + position[m->log[i]];
    answer(x, m);
    for (int64_t i = 0; i < m->logged; i++) m->log[i] -= *offset;
  }
  bf_free(position);
  bf_phase_end(x->run, BF_PHASE_MERGE);
  return status;
}

int64_t bf_merge_complete(const BfReachable *x, const BfMerge *m) {
  const BfRound *last = m->done ? &m->round[m->done - 1] : NULL;
  return last ? (last->pair + last->pairs) / x->problem->actions : 0;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

int64_t bf_merge_new(const BfReachable *x, const BfMerge *m) {
  const int64_t mine = m->from->count - m->known;
  int64_t       all;
  MPI_Allreduce(&mine, &all, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  return all;
}

double bf_merge_buffer_bytes(const BfReachable *x, int t) {
  return (double)choose_batch(x, t) * (3.25 * (double)x->measures.bytes + 16);
}

/* Arrays double: the new stands beside the old. */
double bf_merge_bytes(const BfReachable *x, const BfMerge *m) {
  const double all     = (double)m->from->total * (double)x->problem->actions / x->run->size,
               measure = (double)x->measures.bytes;
  const double arrive  = 1.25 * (all < (double)m->batch ? all : (double)m->batch) + 1024; /* hashes deal evenly */
  const double count   = (double)m->set.count + arrive;
  double       bytes   = count * (measure + 32 + 8 + 32); /* sorted: measures, entries, positions; found again: slots */
  if (arrive > (double)m->receive_room) bytes += arrive * measure;
  if ((double)m->logged + arrive > (double)m->log_room) bytes += 16 * ((double)m->logged + arrive);
  for (double room = (double)m->set.room; room < count; room *= 2) bytes += 2 * room * (measure + 8 + 16);
  return bytes + 8 * (double)m->batch;
}
