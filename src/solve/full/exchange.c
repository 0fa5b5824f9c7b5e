#include "solve/full/exchange.h"

#include <math.h>

#include "run/limits.h"

/* Q-values, about half a millisecond, after which a rank looks at what is under way. TCP moves at each look what the
 * kernel's buffers hold; where there are no more looks than pieces, a link is idle most of the time. */
static const double look_after = 2e6;

struct BfSync {
  const char *name;
  double      moved;                                          /* bytes, in those of a reduction */
  bool        combines;                                       /* a leader adds up what arrives */
  void (*prepare)(const BfExchange *x, int piece, double *V); /* NULL: nothing to do */
  /* Part r, `count` numbers of V from `first` on. */
  void (*begin)(BfExchange *x, int64_t r, int64_t count, double *first);
};

/* ---- the ways --------------------------------------------------------------------------------------------------- */

/* +inf where other nodes compute, shared among the node's ranks. */
static void fill_others(const BfExchange *x, int piece, double *V) {
  const BfRun  *run       = x->run;
  const int64_t edge[][2] = {{x->start[piece], x->own[2 * piece]}, {x->own[2 * piece + 1], x->start[piece + 1]}};
  for (int e = 0; e < 2; e++) {
    const int64_t first = edge[e][0], count = edge[e][1] - first;
    const int64_t to = first + count * (run->node_rank + 1) / run->node_size;
    for (int64_t i = first + count * run->node_rank / run->node_size; i < to; i++) V[i] = INFINITY;
  }
}

static void begin_allreduce(BfExchange *x, int64_t r, int64_t count, double *first) {
  MPI_Iallreduce(MPI_IN_PLACE, first, (int)count, MPI_DOUBLE, MPI_MIN, x->run->leaders, &x->under_way[r]);
  bf_count_sent(x->run, 16.0 * (double)count * (x->run->nodes - 1) / x->run->nodes);
}

static void begin_allgather(BfExchange *x, int64_t r, int64_t count, double *first) {
  const int *each = x->count + r * x->run->nodes, *at = x->at + r * x->run->nodes;
  (void)count;
  MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DOUBLE, first, each, at, MPI_DOUBLE, x->run->leaders, &x->under_way[r]);
  bf_count_sent(x->run, 8.0 * each[x->run->node_index] * (x->run->nodes - 1));
}

/* The default is the first. */
static const BfSync syncs[] = {
    {"allreduce", 1, true, fill_others, begin_allreduce}, /* the minimum over all nodes */
    {"allgather", 0.5, false, NULL, begin_allgather},     /* each node's own values to all others */
};

enum { SYNCS = sizeof syncs / sizeof *syncs };

const char *bf_sync_name(int i) { return i < SYNCS ? syncs[i].name : NULL; }

double bf_exchange_seconds(int sync, const BfMachine *m, double measures, double pieces, double sweep) {
  const double combining = 2e9; /* bytes a second */
  const double piece = syncs[sync].moved * bf_reduction_of_nodes(m, 8 * measures / pieces), all = pieces * piece;
  if (m->busy) return all;
  return fmax(piece, all - sweep * (pieces - 1) / pieces) +
         syncs[sync].combines * 8 * measures * (m->nodes - 1) / m->nodes / combining;
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static bool connects(const BfExchange *x) { return x->run->leaders != MPI_COMM_NULL && x->run->nodes > 1; }

static BfStatus cut(BfExchange *x, int64_t **nodes, BfError *error) {
  const int64_t most = bf_limits()->reduced;
  BF_TRY(BF_NEW(&x->part, x->pieces + 1, error));
  BF_TRY(BF_NEW(&x->arrived, x->pieces, error));
  for (int p = 0; p < x->pieces; p++) x->part[p + 1] = x->part[p] + (x->start[p + 1] - x->start[p] + most - 1) / most;
  if (!connects(x)) return BF_OK;
  const int64_t parts = x->part[x->pieces];
  BF_TRY(BF_NEW(&x->under_way, parts, error));
  BF_TRY(BF_NEW(&x->count, parts * x->run->nodes, error));
  BF_TRY(BF_NEW(&x->at, parts * x->run->nodes, error));
  return BF_NEW(nodes, 2 * (int64_t)x->pieces * x->run->nodes, error);
}

/* Which numbers of every part each node has. node[nodes][pieces][2]: first measure and end of its shares. */
static void share_parts(BfExchange *x, const int64_t node[]) {
  const int64_t most = bf_limits()->reduced;
  for (int p = 0; p < x->pieces; p++)
    for (int64_t r = x->part[p]; r < x->part[p + 1]; r++)
      for (int n = 0; n < x->run->nodes; n++) {
        const int64_t *own = node + 2 * ((int64_t)n * x->pieces + p), i = r * x->run->nodes + n;
        const int64_t  first = x->start[p] + (r - x->part[p]) * most, end = first + most;
        const int64_t  from = own[0] < first ? first : own[0] < end ? own[0] : end, to = own[1] < end ? own[1] : end;
        x->at[i]    = (int)(from - first);
        x->count[i] = to > from ? (int)(to - from) : 0;
      }
}

BfStatus bf_exchange_create(BfRun *run, int sync, int pieces, const int64_t start[], const int64_t own[], BfExchange *x,
                            BfError *error) {
  int64_t *node         = NULL;
  *x                    = (BfExchange){.run = run, .sync = &syncs[sync], .pieces = pieces, .start = start, .own = own};
  const BfStatus status = bf_together(run->world, cut(x, &node, error), error);
  if (status == BF_OK && connects(x)) {
    MPI_Allgather(own, 2 * pieces, MPI_INT64_T, node, 2 * pieces, MPI_INT64_T, run->leaders);
    share_parts(x, node);
  }
  bf_free(node);
  return status;
}

void bf_exchange_clear(BfExchange *x) {
  bf_free(x->part);
  bf_free(x->arrived);
  bf_free(x->under_way);
  bf_free(x->count);
  bf_free(x->at);
  *x = (BfExchange){0};
}

/* ---- a layer ---------------------------------------------------------------------------------------------------- */

void bf_exchange_restart(BfExchange *x, int piece) {
  x->handed = x->begun = piece;
  x->ended             = x->part[piece];
  x->values            = 0;
}

static void begin_piece(BfExchange *x, int p, double *V) {
  const int64_t most = bf_limits()->reduced;
  if (!connects(x)) return;
  for (int64_t r = x->part[p], at = x->start[p]; r < x->part[p + 1]; r++, at += most)
    x->sync->begin(x, r, x->start[p + 1] - at < most ? x->start[p + 1] - at : most, V + at);
}

static void look(BfExchange *x, const BfShared *V) {
  int done = 1;
  for (; done && x->begun < x->handed; x->begun += done) {
    MPI_Test(&x->arrived[x->begun], &done, MPI_STATUS_IGNORE);
    if (!done) break;
    MPI_Win_sync(V->window);
    begin_piece(x, x->begun, V->base);
  }
  if (!connects(x)) return;
  for (done = 1; done && x->ended < x->part[x->begun]; x->ended += done)
    MPI_Test(&x->under_way[x->ended], &done, MPI_STATUS_IGNORE);
}

void bf_exchange_prepare(BfExchange *x, int piece, const BfShared *V) {
  if (x->run->nodes == 1 || !x->sync->prepare) return;
  bf_phase_begin(x->run, BF_PHASE_EXCHANGE);
  x->sync->prepare(x, piece, V->base);
  bf_phase_end(x->run, BF_PHASE_EXCHANGE);
}

void bf_exchange_hand_over(BfExchange *x, int piece, const BfShared *V) {
  if (x->run->nodes == 1) return;
  MPI_Win_sync(V->window);
  MPI_Ibarrier(x->run->node, &x->arrived[piece]);
  x->handed = piece + 1;
  x->values = look_after; /* look at the next chance */
}

void bf_exchange_go_on(BfExchange *x, const BfShared *V, double values) {
  x->values += values;
  if (x->values < look_after || (x->begun == x->handed && x->ended == x->part[x->begun])) return;
  x->values = 0;
  bf_phase_begin(x->run, BF_PHASE_EXCHANGE);
  look(x, V);
  bf_phase_end(x->run, BF_PHASE_EXCHANGE);
}

void bf_exchange_settle(BfExchange *x, const BfShared *V) {
  bf_phase_begin(x->run, BF_PHASE_REDUCE);
  while (x->begun < x->handed) look(x, V);
  if (connects(x)) {
    MPI_Waitall((int)(x->part[x->begun] - x->ended), x->under_way + x->ended, MPI_STATUSES_IGNORE);
    x->ended = x->part[x->begun];
  }
  bf_shared_sync(x->run, V);
  bf_phase_end(x->run, BF_PHASE_REDUCE);
}
